"""The lookup ``sigma_placeholders``: values of placeholders, a row each."""

from __future__ import annotations

import re

from .lookupfiles import LookupFile
from .problems import shown

_NAME = re.compile(r"%?([\w-]+)%?\Z")


def read_placeholders(file: LookupFile) -> dict[str, list[str]]:
    """Placeholder name -> its values, each a Sigma string, in the order of the rows."""
    found: dict[str, list[str]] = {}
    for row in file.rows:
        name = _NAME.match(row.text("name"))
        values = row.values("value")
        if name is None:
            file.refuse(row, f"{shown(row.text('name'))} is no placeholder's name: letters, digits, _ and -")
        elif not values:
            file.refuse(row, f"the placeholder {shown(name[1])} has no value there")
        else:
            found.setdefault(name[1], []).extend(values)
    return {name: list(dict.fromkeys(values)) for name, values in found.items()}
