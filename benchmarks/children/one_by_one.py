"""Events through engines that evaluate one rule after the other; runs in the peers' environment.

All rules given are of the events' log source, so that nothing is lost on others. Rules that an
engine refuses are counted and left out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from common import answer, cpu, peer_event, read_events, settle, specification

#: An event -> whether the rule matches it.
Test = Callable[[Any], bool]


def sigma_rule_matcher(text: str) -> Test:
    """A rule of the package sigma-rule-matcher."""
    from sigma.rule import SigmaRule  # noqa: PLC0415 - one engine's imports are no concern of the others
    from sigma_rule_matcher import RuleMatcher  # noqa: PLC0415

    test: Test = RuleMatcher(SigmaRule.from_yaml(text)).match
    return test


def azuma(text: str) -> Test:
    """A rule of the package azuma."""
    from azuma import Rule  # noqa: PLC0415

    # It knows neither fields of later specifications nor dates that YAML has read.
    known = {name: value for name, value in yaml.safe_load(text).items() if name in ("title", "logsource", "detection")}
    test: Test = Rule.model_validate(known).match
    return test


def detkit(text: str) -> Test:
    """A rule of the package detkit-cli."""
    from detkit.evaluator import event_matches_rule, scan_unsupported  # noqa: PLC0415

    detection = yaml.safe_load(text)["detection"]
    if scan_unsupported(detection):
        raise ValueError("unsupported")
    return lambda event: event_matches_rule(detection, event)


ENGINES: dict[str, Callable[[str], Test]] = {
    "sigma-rule-matcher": sigma_rule_matcher,
    "azuma": azuma,
    "detkit-cli": detkit,
}


def main() -> None:
    """Measure one engine."""
    spec = specification()
    make = ENGINES[spec["engine"]]
    events = [peer_event(event) for _, event in read_events(spec)]
    tests, refused = [], 0
    for path in spec["rules"]:
        try:
            test = make(Path(path).read_text("utf-8"))
            test(events[0])
            tests.append(test)
        except Exception:  # noqa: BLE001 - each engine has errors of its own; all are counted
            refused += 1
    settle()
    start = cpu()
    pairs = sum(_passes(test, event) for event in events for test in tests)
    answer(events=len(events), cold=cpu() - start, pairs=pairs, rules=len(tests), refused=refused)


def _passes(test: Test, event: Any) -> bool:
    try:
        return test(event)
    except Exception:  # noqa: BLE001 - as above
        return False


if __name__ == "__main__":
    main()
