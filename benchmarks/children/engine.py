"""Events through the engine: ``Matcher.match`` on events as dicts, the memory empty at the start.

The first pass is reported as ``cold``; with ``warm``, a second one over the same events follows.
``pairs`` names a file for the matches, as [event, rule] lists.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from common import answer, cpu, read_events, settle, specification


def main() -> None:
    """Measure one matcher."""
    spec = specification()
    sys.path.insert(0, spec["bin"])
    from sigmaengine import ruleset  # noqa: PLC0415 - the app's, whose folder the specification names
    from sigmaengine.fields import Columns  # noqa: PLC0415
    from sigmaengine.matcher import Matcher  # noqa: PLC0415

    events = list(read_events(spec))
    settle()
    start = cpu()
    matcher = Matcher(ruleset.load(spec["ruleset"]))
    load = cpu() - start

    def run() -> tuple[float, list[tuple[int, Any]]]:
        start = cpu()
        match = matcher.match
        headers: dict[tuple[str, ...], Any] = {}
        found = []
        for number, event in events:
            names = tuple(event)
            columns = headers.get(names)
            if columns is None:
                columns = headers[names] = Columns(names)
            matches = match(columns, list(event.values()))
            if matches:
                found.append((number, matches))
        return cpu() - start, found

    cold, found = run()
    warm = run()[0] if spec.get("warm") else None
    pairs = [[number, match.info.id] for number, matches in found for match in matches]
    if spec.get("pairs"):
        with open(spec["pairs"], "w", encoding="ascii") as file:  # noqa: PTH123
            json.dump(pairs, file)
    answer(
        events=len(events),
        load=load,
        cold=cold,
        warm=warm,
        matched=len(found),
        pairs=len(pairs),
        peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    )


if __name__ == "__main__":
    main()
