"""More rules than anyone has published: the published ones with other texts to look for.

A variation keeps a rule's log source, structure, modifiers and fields, and the values of fields that
few values occur in (images, channels, providers), as an organisation's own rules would share them.
Of the other plain texts the longest run of letters is replaced by letters of the same number.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

_KEPT_FIELDS = re.compile(r"(Image|OriginalFileName|Channel|Provider.*|EventType|Product|Company)\Z")
# Values of these modifiers are no plain text.
_NO_TEXT = {"re", "cidr", "base64", "base64offset", "wide", "utf16", "fieldref", "expand", "exists", "lt", "gt", "lte"}
_LETTERS = re.compile(r"[A-Za-z]{4,}")


def variations(documents: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Varied copies of all documents, then other copies, without end."""
    known = [document for document in documents if "detection" in document]
    copy = 0
    while True:
        copy += 1
        for document in known:
            identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{document['id']}#{copy}"))
            detection = {
                name: value if name in ("condition", "timeframe") else _varied(value, "", str(copy))
                for name, value in document["detection"].items()
            }
            title = f"{document['title'][:80]} #{copy}"
            yield {**document, "id": identity, "title": title, "detection": detection}


def _varied(value: Any, key: str, salt: str) -> Any:
    if isinstance(value, dict):
        return {name: _varied(content, str(name), salt) for name, content in value.items()}
    if isinstance(value, list):
        return [_varied(content, key, salt) for content in value]
    field, *modifiers = key.split("|")
    if not isinstance(value, str) or _KEPT_FIELDS.search(field) or _NO_TEXT.intersection(modifiers):
        return value
    runs = _LETTERS.findall(value)
    if not runs:
        return value
    longest = max(runs, key=len)
    return value.replace(longest, _letters(longest + salt, len(longest)), 1)


def _letters(seed: str, count: int) -> str:
    digest = hashlib.shake_128(seed.encode()).digest(count)
    return "".join(chr(ord("a") + byte % 26) for byte in digest)
