"""SigmaHQ's rules as watches: each has the documented structure, and the query that es-qs gives."""

from __future__ import annotations

import json
from collections import Counter

from builder.converting import RefusedError, convert, settings_of
from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.rulefiles import RuleFolder
from tests.support.watcher import check
from tests.test_expectations import sigmahq

from .oracles import EVERYTHING

__all__ = ["sigmahq"]

#: Of the rules every so many are taken.
RULES = 1 if EVERYTHING else 16
#: Refused by the watcher alone: templates begin with {{, and have a length.
OWN_REASONS = {"text", "length"}


def test_watches_have_the_queries_of_es_qs(sigmahq: RuleFolder, mappings: Mappings) -> None:
    found: Counter[str] = Counter()
    for outcome in sigmahq.accepted[::RULES]:
        query, watch = (_converted(outcome, target, mappings) for target in ("es-qs", "xpack-watcher"))
        if not query.startswith("{"):
            assert watch == query
            found[query] += 1
        elif not watch.startswith("{"):
            assert watch in OWN_REASONS
            found[watch] += 1
        else:
            read = json.loads(watch)
            check(read)
            asked, _ = read["input"]["search"]["request"]["body"]["query"]["bool"]["filter"]
            assert {"query": asked["query_string"]["query"]} == json.loads(query)
            found["converted"] += 1
    # A few are longer than a template may be.
    assert found["text"] == 0
    assert found["converted"] > 0.9 * sum(found.values())


def _converted(outcome: Outcome, target: str, mappings: Mappings) -> str:
    """The watch, or the query as JSON; the reason of a rule that is refused."""
    try:
        text = convert(outcome, target, mappings, settings_of(target, {})).text
    except RefusedError as reason:
        return reason.reason
    return text if target == "xpack-watcher" else json.dumps({"query": text})
