"""What a document says about itself: id, title, level, status, author, tags.

Rules, correlations and filters share these. Source: Sigma specification v2.1.0, "Rules".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from .modifiers import scalar_text
from .problems import ERROR, Problem, Problems, kind_of, shown

LEVELS = ("informational", "low", "medium", "high", "critical")
STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")
DEFAULT_LEVEL = "medium"

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


class Metadata:
    """id, title, level, status, author, tags and name, each with a usable value whatever the document says.

    ``what`` is what messages call the document; what is missing of ``optional`` is no news.
    """

    def __init__(
        self, mapping: Mapping[Any, Any], problems: Problems, what: str = "rule", optional: Sequence[str] = ()
    ) -> None:
        self.mapping, self.problems, self.what, self.optional = mapping, problems, what, optional
        self.title = self._text("title")
        self.author = self._text("author")
        self.name = self._text("name")
        self.id = self._id()
        self.level = self._choice("level", LEVELS, ERROR) or DEFAULT_LEVEL
        self.status = self._choice("status", STATUSES, "warning")
        self.tags = self._tags()
        if not self.title:
            self._missing("title", f"the {self.what} has no title")
            self.title = self.id

    def _text(self, key: str) -> str:
        value = self.mapping.get(key)
        if value is None or isinstance(value, (list, Mapping)):
            if value is not None:
                self.problems.warn("metadata-type", f"'{key}' is text, not {kind_of(value)}", (key,))
            return ""
        return " ".join(scalar_text(value).split())

    def _missing(self, key: str, message: str) -> None:
        # Something of a wrong type is there; ``_text`` has said so.
        if key not in self.optional and not isinstance(self.mapping.get(key), (list, Mapping)):
            self.problems.warn(f"{key}-missing", message)

    def _id(self) -> str:
        text = self._text("id")
        if not text:
            self._missing("id", f"the {self.what} has no id; one is made from its content")
            content = repr(sorted(map(repr, self.mapping.items())))
            return "noid-" + sha256(content.encode("utf-8", "replace")).hexdigest()[:16]
        if not _UUID.match(text):
            self.problems.warn("id-no-uuid", f"the id {shown(text)} is no UUID", ("id",))
        return text

    def _choice(self, key: str, choices: Sequence[str], severity: str) -> str:
        text = self._text(key).lower()
        if not text or text in choices:
            if not text:
                self._missing(key, f"the {self.what} has no {key}")
            return text
        message = f"{shown(text)} is no {key}; there are {', '.join(choices)}"
        self.problems.found.append(Problem(severity, f"{key}-unknown", message, (key,)))
        return ""

    def _tags(self) -> list[str]:
        value = self.mapping.get("tags")
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
            self.problems.warn("metadata-type", "'tags' is a list of texts", ("tags",))
            return [tag for tag in value if isinstance(tag, str)] if isinstance(value, list) else []
        return list(dict.fromkeys(tag.strip().lower() for tag in value))
