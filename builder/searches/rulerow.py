"""The row of an alert where a search finds the events of one rule without ``sigmamatch``.

What strangers have written reaches the row through the lookup and never stands in a search, where a
backtick in it would be a macro and a dollar sign a token.
"""

from __future__ import annotations

from builder.lookups import LOOKUP
from sigmaengine.results import RISK_SCORES

from .alertrow import OF_LOOKUP, derived

#: The macro; it takes events with an id and a score, and fills what else an alert has.
RULE_FIELDS = "sigma_rule_fields"

#: Field -> column of the lookup; elsewhere these come from sigma_match.
_OF_MATCH = {
    "sigma_rule_title": "title",
    "sigma_level": "level",
    "sigma_author": "author",
    "sigma_tags": "tags",
}


def definition() -> str:
    """The macro's SPL."""
    columns = ", ".join(f"{column} AS {field}" for field, column in {**_OF_MATCH, **OF_LOOKUP}.items())
    return (
        f"lookup {LOOKUP} sigma_rule_id OUTPUT {columns}"
        ' | eval sigma_tags=split(sigma_tags, urldecode("%0A"))'
        f", {derived()}"
    )


def row_of(rule_id: str, level: str) -> str:
    """The commands that make alerts of the events of a rule."""
    return f'eval sigma_rule_id="{rule_id}", sigma_risk_score={RISK_SCORES[level]} | `{RULE_FIELDS}`'
