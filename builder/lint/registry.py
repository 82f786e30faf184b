"""Every code that ``build.py check`` can give, and what there is to say about it.

The texts are in ``codes/*.yml``: a list for each topic, whose entries are::

    code, severity      as in findings ("error or warning" where it depends)
    what, why, do       the finding in general, its reason, what to do about it
    example, fixed      documents that yield the code, and such that do not
    situation           in place of both: what cannot be shown as text, in words

An example says only what matters: the fields that a rule has besides are added (``completed``), but
for ``drop``, and for documents with 'action' and for a ``whole`` example, to which nothing is added.
``file``: the example's file name; ``placeholders``: the text of the file of placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from sigmaengine.ruletext import read_documents

FOLDER = Path(__file__).resolve().parent / "codes"
#: Topic -> its title on the page.
TOPICS = {
    "files": "Files",
    "documents": "Kinds of documents",
    "correlation": "Correlations",
    "rule": "The rule's own fields",
    "detection": "Detection and condition",
    "meaning": "What is probably not meant",
    "convention": "Conventions and tags",
}
FILE_NAME = "proc_creation_win_example.yml"


@dataclass(frozen=True)
class Code:
    """One code. ``what``, ``why`` and ``do`` are sentences; the rest see the module."""

    code: str
    topic: str
    severity: str
    what: str
    why: str
    do: str
    example: str = ""
    fixed: str = ""
    situation: str = ""
    drop: str = ""
    whole: bool = False
    file: str = FILE_NAME
    placeholders: str = ""


@cache
def codes() -> dict[str, Code]:
    """Code -> what there is to say about it, in the order of the page."""
    found: dict[str, Code] = {}
    for path in sorted(FOLDER.glob("*.yml")):
        topic = path.stem.split("-", 1)[1]
        for document in read_documents(path.read_bytes()):
            for entry in document:
                found[entry["code"]] = Code(topic=topic, **entry)
    return found


def known_names() -> tuple[str, ...]:
    """What ``--select`` and ``--ignore`` take: codes, and topics for all of theirs."""
    return (*codes(), *TOPICS)


def expanded(names: Collection[str]) -> frozenset[str]:
    """Codes of ``names``, topics among them replaced by their codes."""
    return frozenset(code for code, entry in codes().items() if code in names or entry.topic in names)


# --- examples -----------------------------------------------------------------------------------------

#: What a rule has besides. In the order in which it is written.
_REST = {
    "title": "title: {title}\n",
    "id": "id: {id}\n",
    "status": "status: test\n",
    "description": "description: Shows what a check finds.\n",
    "references": "references:\n    - https://example.org/\n",
    "author": "author: Sigma Match\n",
    "date": "date: 2026-11-24\n",
    "tags": "tags:\n    - attack.execution\n",
    "logsource": "logsource:\n    product: windows\n    category: process_creation\n",
    "detection": "detection:\n    selection:\n        Image|endswith: '\\a.exe'\n    condition: selection\n",
    "falsepositives": "falsepositives:\n    - Unknown\n",
    "level": "level: medium\n",
}
#: What is no part of a document of another kind.
_NOT_OF = {
    "correlation": ("logsource", "detection", "falsepositives"),
    "filter": ("detection", "falsepositives", "level"),
}
_KEY = re.compile(r"^([a-z_]+):", re.MULTILINE)


def completed(entry: Code, text: str, dropped: str = "") -> str:
    """An example's text as a file that can be checked: whole rules, each with an id of its own."""
    if entry.whole and text == entry.example:
        return text
    found = []
    documents = text.split("---\n")
    if all(_is_of("filter", document) for document in documents):
        documents.append("")  # a filter needs a rule
    for number, document in enumerate(documents, 1):
        keys = _KEY.findall(document)
        left_out = {*keys, dropped, *(key for kind, keys in _NOT_OF.items() if _is_of(kind, document) for key in keys)}
        said = {
            "title": f"Example {number} of {entry.code.title()}",
            "id": uuid5(NAMESPACE_URL, f"{entry.code}/{number}"),
        }
        rest = "".join(line.format(**said) for key, line in _REST.items() if key not in left_out)
        found.append(document if "action" in keys else document + rest)
    return "---\n".join(found)


def _is_of(kind: str, document: str) -> bool:
    return kind in _KEY.findall(document)
