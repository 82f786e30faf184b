"""Rules -> SQLite queries, by pySigma with its Sysmon and Windows pipelines; runs in the peers' environment."""

from __future__ import annotations

import json
from pathlib import Path

from common import answer, cpu, specification
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.pipelines.sysmon import sysmon_pipeline
from sigma.pipelines.windows import windows_logsource_pipeline


def main() -> None:
    """Convert the rule files of ``rules``; write [[rule id, queries], ...] to ``out``."""
    spec = specification()
    backend = sqliteBackend(processing_pipeline=sysmon_pipeline() + windows_logsource_pipeline())
    start = cpu()
    converted, refused = [], 0
    for path in spec["rules"]:
        try:
            rules = SigmaCollection.from_yaml(Path(path).read_text("utf-8"))
            converted.append([str(rules.rules[0].id), backend.convert(rules)])
        except SigmaError:
            refused += 1
    Path(spec["out"]).write_text(json.dumps(converted), "utf-8")
    answer(cold=cpu() - start, rules=len(converted), refused=refused)


if __name__ == "__main__":
    main()
