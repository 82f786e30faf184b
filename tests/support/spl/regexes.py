"""PCRE as Splunk has it, by Python's ``re``: what that cannot read is refused."""

from __future__ import annotations

import re
import warnings
from functools import cache

from .text import SplError

_GROUP = re.compile(r"(?<!\\)\(\?<(?=[A-Za-z_])")


@cache
def compile_regex(expression: str) -> re.Pattern[str]:
    """The compiled expression. Raises SplError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return re.compile(_GROUP.sub("(?P<", expression))
        except (re.error, OverflowError, RecursionError) as error:
            raise SplError(f"the expression {expression!r}: {error}") from None
