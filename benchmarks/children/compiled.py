"""Compiles rules with one snapshot of the project: the app with all rules, and rule sets of any size.

``make``: list of {"kind": "app" | "rules", "out": folder, "ids": file of ids (JSON list), "count": rules,
evenly chosen or, beyond those there are, varied}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from common import answer, specification


def _chosen(rules: list[Any], wanted: dict[str, Any], more: Any) -> list[Any]:
    if "ids" in wanted:
        listed = set(json.loads(Path(wanted["ids"]).read_text("utf-8")))
        return [rule for rule in rules if rule.id in listed]
    count = wanted["count"]
    if count <= len(rules):
        return [rules[place * len(rules) // count] for place in range(count)]
    return rules + more(count - len(rules))


def main() -> None:
    """Read the rules once and compile every wanted set of them."""
    spec = specification()
    snapshot = spec["snapshot"]
    sys.path[:0] = [snapshot, f"{snapshot}/app/bin"]
    from varied import variations  # noqa: PLC0415

    from builder.mappings import read_mappings  # noqa: PLC0415 - the snapshot's, not the checkout's
    from builder.package import app_files, compile_inputs, unpack  # noqa: PLC0415
    from builder.rulefiles import read_folders  # noqa: PLC0415
    from sigmaengine import ruleset  # noqa: PLC0415
    from sigmaengine.rule import read_rule  # noqa: PLC0415

    folder = read_folders([Path(path) for path in spec["rules"]])
    mappings = read_mappings(Path(snapshot, "mappings"))
    documents = [outcome.document for outcome in folder.accepted]

    def more(count: int) -> list[Any]:
        made = (read_rule(document)[0] for document in variations(documents))
        return [rule for rule, _ in zip((rule for rule in made if rule), range(count))]  # noqa: B905 - for 3.9

    counts = []
    for wanted in spec["make"]:
        if wanted["kind"] == "app":
            unpack(app_files(compile_inputs(folder, mappings)), Path(wanted["out"]))
            counts.append(len(folder.rules))
        else:
            rules = _chosen(folder.rules, wanted, more)
            ruleset.write(rules, mappings.table, wanted["out"])
            counts.append(len(rules))
    answer(counts=counts, refused=len(folder.refused))


if __name__ == "__main__":
    main()
