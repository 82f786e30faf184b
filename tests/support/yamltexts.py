"""Documents of YAML texts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from sigmaengine.ruletext import TextError, read_documents


def read(text: str | bytes) -> Any:
    """The one document of a text."""
    (document,) = read_documents(text)
    return document


def fault_of(text: str | bytes) -> TextError:
    """What is wrong with a text."""
    with pytest.raises(TextError) as caught:
        list(read_documents(text))
    return caught.value


def typed(value: Any) -> Any:
    """``value`` so that 1, True and Decimal(1) differ, which Python calls equal."""
    if isinstance(value, Mapping):
        return [(typed(key), typed(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [typed(inner) for inner in value]
    kind = next(kind for kind in (type(None), bool, int, Decimal, float, str) if isinstance(value, kind))
    return kind.__name__, value
