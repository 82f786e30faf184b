"""The functions in which a profile's time was spent, from the file that ``python -m cProfile -o`` wrote."""

from __future__ import annotations

import os
import pstats

from common import answer, specification


def main() -> None:
    """The ``count`` functions with most time of their own, and the total, in seconds."""
    spec = specification()
    stats = pstats.Stats(spec["file"]).stats  # type: ignore[attr-defined]
    total = sum(values[2] for values in stats.values())
    top = sorted(stats.items(), key=lambda entry: -entry[1][2])[: spec["count"]]
    functions = []
    for (path, _, name), (_, calls, own, _, _) in top:
        module = "" if path == "~" else os.path.basename(path)  # noqa: PTH119
        functions.append({"module": module, "function": name, "calls": calls, "own": own})
    answer(total=total, functions=functions)


if __name__ == "__main__":
    main()
