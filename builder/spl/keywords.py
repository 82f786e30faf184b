"""What a rule looks for in ``_raw`` -> terms of the index.

Splunk finds terms: what stands between breakers (segmenters.conf). Every breaker is no letter and no
digit, but for codes such as ``%20``, of which the percent sign need not stand in the keyword. So a
run of letters and digits lies within one term, and ``*run*`` finds it; what has breakers inside is
found where all its runs are, which finds more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sigmaengine.patterns import ANY, Part

from .bounds import Bounds, between, exactly
from .expressions import FALSE, Expression, Term, conjunction

_RUN = re.compile(r"[A-Za-z0-9]+")
# The codes among the major breakers; behind a percent sign they belong to no term.
_CODES = ("2526", "2520", "21", "26", "3B", "7C", "20", "2B", "3D", "5D", "5B", "3A", "0A", "2C", "28", "29")


def keyword(parts: Sequence[Part], cased: bool) -> Bounds:
    """The pattern ``parts`` is found in ``_raw``."""
    terms: dict[Expression, None] = {}
    for part in parts:
        if isinstance(part, str):
            terms.update({Term(f"*{run}*"): None for run in _runs(part)})
    upper = conjunction(terms)
    literal = parts[1] if len(parts) == 3 and parts[0] == parts[2] == ANY else None
    if not cased and isinstance(literal, str) and _RUN.fullmatch(literal) and _runs(literal) == [literal]:
        return exactly(upper)
    return between(FALSE, upper, "case" if cased else "keyword")


def _runs(text: str) -> list[str]:
    return [rest for run in _RUN.findall(text) if (rest := _without_codes(run))]


def _without_codes(run: str) -> str:
    for code in _CODES:
        if run.upper().startswith(code):
            return _without_codes(run[len(code) :])
    return run
