"""What a rule looks for in ``_raw`` -> terms of the index.

Splunk finds terms: what stands between breakers (segmenters.conf). Breakers are neither letters nor
digits, but for codes such as ``%20``, whose percent sign need not stand in the keyword. So a run of
letters and digits lies within one term, and ``*run*`` finds it, unless it begins with the end of such a
code or is part of one; what has breakers inside is found where all its runs are, which finds more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sigmaengine.patterns import ANY, Part

from .bounds import Bounds, between, exactly
from .expressions import FALSE, TRUE, Expression, Term, conjunction, disjunction

_RUN = re.compile(r"[A-Za-z0-9]+")
# The codes among the major breakers; behind a percent sign they belong to no term.
_CODES = ("2526", "2520", "21", "26", "3B", "7C", "20", "2B", "3D", "5D", "5B", "3A", "0A", "2C", "28", "29")


def keyword(parts: Sequence[Part], cased: bool) -> Bounds:
    """The pattern ``parts`` is found in ``_raw``."""
    upper = conjunction(_term(run) for part in parts if isinstance(part, str) for run in _RUN.findall(part))
    literal = parts[1] if len(parts) == 3 and parts[0] == parts[2] == ANY else None
    if not cased and isinstance(literal, str) and _RUN.fullmatch(literal) and upper == Term(f"*{literal}*"):
        return exactly(upper)
    return between(FALSE, upper, "case" if cased else "keyword")


def _term(run: str) -> Expression:
    """What is found wherever the run stands in ``_raw``, and a code may have taken its beginning."""
    upper = run.upper()
    if any(upper in code for code in _CODES):
        return TRUE
    ends = {code[start:] for code in _CODES for start in range(len(code))}
    rests = [run[len(end) :] for end in ends if upper.startswith(end)]
    return disjunction(Term(f"*{one}*") for one in (run, *sorted(rests, key=len)))
