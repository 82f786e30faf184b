"""``mappings/datamodels/cim.yml`` -> which log source is which dataset of a data model, and its fields there.

``docs/datamodels.md`` describes the form of the file; every fault is reported with its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from builder.findings import Finding, error
from builder.yamlfiles import YamlFileError, documents
from sigmaengine.folding import fold
from sigmaengine.modifiers import scalar_text
from sigmaengine.problems import Where, kind_of, shown
from sigmaengine.rule import LogSource
from sigmaengine.ruletext import line_of

_FILE_KEYS = ("version", "datasets")
_DATASET_KEYS = ("dataset", "source", "by", "logsources")
_SOURCE_KEYS = ("product", "category", "source", "host", "xml", "never", "fields", "missing")
_FIELD_KEYS = ("field", "words", "unwrapped")


class DataModelError(Exception):
    """The file cannot be used. ``findings`` says why, line by line."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class ModelField(NamedTuple):
    """Where a Sigma field stands in a dataset.

    ``words``: a value, folded -> the model's word for it, where it has words of its own.
    ``unwrapped``: of a value ``DWORD (0x00000001)`` the model holds what is in the parentheses.
    """

    name: str
    words: Mapping[str, str] = {}
    unwrapped: bool = False


class Dataset(NamedTuple):
    """A dataset. ``name``: ``Model.Dataset``; ``by``: fields that every row of a search shows."""

    name: str
    by: tuple[str, ...]
    source: str

    @property
    def prefix(self) -> str:
        """What stands before its fields."""
        return self.name.rpartition(".")[2]


class ModelSource(NamedTuple):
    """A log source in a dataset.

    ``host``: the field that holds the entity of an alert; ``xml``: values may hold XML entities;
    ``never``: fields with the values that no event of this log source has; ``missing``: Sigma field ->
    why the dataset does not have what rules ask of it.
    """

    logsource: LogSource
    dataset: Dataset
    host: str
    xml: bool
    never: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, ModelField]
    missing: Mapping[str, str]


class DataModels(NamedTuple):
    """All log sources that a data model has."""

    sources: tuple[ModelSource, ...]

    def source(self, wanted: LogSource) -> ModelSource | None:
        """Where the events of a rule's log source are found; the first that says nothing else than it."""
        return next((source for source in self.sources if source.logsource.within(wanted)), None)


def read_datamodels(path: Path) -> DataModels:
    """Read the table of data models. Raises DataModelError."""
    name = path.as_posix()
    try:
        read = list(documents(path, name))
    except YamlFileError as fault:
        raise DataModelError([fault.finding]) from None
    if len(read) != 1 or not isinstance(read[0], Mapping):
        raise DataModelError([error(name, 1, "datamodel", f"expected one mapping of {', '.join(_FILE_KEYS)}")])
    reader = _Reader(name, read[0])
    sources = reader.read()
    if reader.findings:
        raise DataModelError(sorted(reader.findings))
    return DataModels(tuple(sources))


class _Reader:
    def __init__(self, path: str, document: Any) -> None:
        self.path, self.document = path, document
        self.findings: list[Finding] = []

    def fault(self, where: Where, message: str) -> None:
        self.findings.append(error(self.path, line_of(self.document, where), "datamodel", message))

    def read(self) -> list[ModelSource]:
        content = self.mapping((), self.document, _FILE_KEYS)
        version = content.get("version")
        if version != 1 or isinstance(version, bool):
            self.fault(("version",), "'version' must be 1")
        found: list[ModelSource] = []
        for index, one in enumerate(self.listed(("datasets",), content.get("datasets"))):
            found += self.dataset(("datasets", index), one)
        seen: set[LogSource] = set()
        for source in found:
            if source.logsource in seen:
                self.fault(("datasets",), f"the log source {source.logsource} is there twice")
            seen.add(source.logsource)
        return found

    def dataset(self, where: Where, content: Any) -> list[ModelSource]:
        said = self.mapping(where, content, _DATASET_KEYS)
        name = self.text((*where, "dataset"), said.get("dataset"))
        if name.count(".") != 1 or not all(name.split(".")):
            self.fault((*where, "dataset"), f"a dataset is written Model.Dataset, not {shown(name)}")
        by = tuple(
            self.text((*where, "by", at), one) for at, one in enumerate(self.listed((*where, "by"), said.get("by")))
        )
        dataset = Dataset(name, by, self.text((*where, "source"), said.get("source")))
        found: list[ModelSource] = []
        for index, one in enumerate(self.listed((*where, "logsources"), said.get("logsources"))):
            found += self.logsources((*where, "logsources", index), dataset, one)
        return found

    def logsources(self, where: Where, dataset: Dataset, content: Any) -> list[ModelSource]:
        """A log source, or several of one product whose fields are the same."""
        said = self.mapping(where, content, _SOURCE_KEYS)
        product = said.get("product")
        product = "" if product is None else self.text((*where, "product"), product).lower()
        self.text((*where, "source"), said.get("source"))
        if not isinstance(said.get("xml", False), bool):
            self.fault((*where, "xml"), "'xml' is true or false")
        never = {
            str(field): tuple(
                self.text((*where, "never", field), value) for value in self.listed((*where, "never", field), values)
            )
            for field, values in self.mapping((*where, "never"), said.get("never", {})).items()
        }
        fields = {
            str(field): self.field((*where, "fields", field), place)
            for field, place in self.mapping((*where, "fields"), said.get("fields")).items()
        }
        missing = {
            str(field): self.text((*where, "missing", field), why)
            for field, why in self.mapping((*where, "missing"), said.get("missing", {})).items()
        }
        for field in missing:
            if field in fields:
                self.fault((*where, "missing", field), f"{shown(field)} is in 'fields' too")
        source = ModelSource(
            LogSource(product), dataset, self.text((*where, "host"), said.get("host")),
            said.get("xml") is True, never, fields, missing,
        )  # fmt: skip
        categories = said.get("category")
        listed = categories if isinstance(categories, list) else [categories]
        if not listed:
            self.fault((*where, "category"), "'category' is an empty list")
        return [
            source._replace(logsource=LogSource(product, self.text((*where, "category"), category).lower()))
            for category in listed
        ]

    def field(self, where: Where, place: Any) -> ModelField:
        if isinstance(place, str):
            return ModelField(self.text(where, place))
        said = self.mapping(where, place, _FIELD_KEYS)
        words = {
            fold(scalar_text(value)): self.text((*where, "words", value), word)
            for value, word in self.mapping((*where, "words"), said.get("words", {})).items()
        }
        unwrapped = said.get("unwrapped", False)
        if not isinstance(unwrapped, bool):
            self.fault((*where, "unwrapped"), "'unwrapped' is true or false")
        return ModelField(self.text((*where, "field"), said.get("field")), words, unwrapped is True)

    def text(self, where: Where, content: Any) -> str:
        """Text that is needed and says something."""
        if isinstance(content, str) and content.strip():
            return content
        found = "nothing" if content is None else kind_of(content) if not isinstance(content, str) else "an empty text"
        self.fault(where, f"{shown(where[-1])} needs a text, this is {found}")
        return ""

    def listed(self, where: Where, content: Any) -> list[Any]:
        if isinstance(content, list) and content:
            return content
        self.fault(where, f"{shown(where[-1])} must be a list with at least one entry")
        return []

    def mapping(self, where: Where, content: Any, keys: Iterable[str] = ()) -> Mapping[Any, Any]:
        """A mapping; of these keys alone where there are some."""
        if not isinstance(content, Mapping):
            what = f"{shown(where[-1])} must be a mapping" if where else "expected a mapping"
            self.fault(where, f"{what}, this is {'nothing' if content is None else kind_of(content)}")
            return {}
        for key in content:
            if keys and key not in keys:
                self.fault((*where, key), f"unknown key {shown(key)}; there are {', '.join(keys)}")
        return content
