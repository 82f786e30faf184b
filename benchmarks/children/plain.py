"""The plain evaluator and the masks on the same events: both sets of matches, and the plain one's time."""

from __future__ import annotations

import sys
from typing import Any

from common import answer, cpu, read_events, settle, specification


def main() -> None:
    """Evaluate a sample plainly, rule after rule, and by masks."""
    spec = specification()
    sys.path.insert(0, spec["bin"])
    from sigmaengine import ruleset  # noqa: PLC0415 - the app's, whose folder the specification names
    from sigmaengine.fields import Columns  # noqa: PLC0415
    from sigmaengine.matcher import Matcher  # noqa: PLC0415

    events = [(number, Columns(list(event)), list(event.values())) for number, event in read_events(spec)]
    settle()
    matcher = Matcher(ruleset.load(spec["ruleset"]))

    def pairs(match: Any) -> list[tuple[int, str]]:
        return [(number, one.info.id) for number, columns, cells in events for one in match(columns, cells)]

    pairs(matcher.match_plainly)  # rules are prepared when first used
    start = cpu()
    plain = pairs(matcher.match_plainly)
    spent = cpu() - start
    answer(events=len(events), cold=spent, pairs=len(plain), same=plain == pairs(matcher.match))


if __name__ == "__main__":
    main()
