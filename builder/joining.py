"""What documents are to each other, once all are read: ids, filters, correlations."""

from __future__ import annotations

from collections.abc import Sequence

from sigmaengine.aggregation import place
from sigmaengine.correlationrefs import resolve
from sigmaengine.documents import FILTER
from sigmaengine.filters import RuleNames, filtered_rules, reach, references
from sigmaengine.problems import has_errors

from .findings import Finding, error, located, warning
from .outcomes import KINDS, Outcome


def join(outcomes: Sequence[Outcome]) -> None:
    """Take out of use what cannot stand beside the others, and change rules by the filters that reach them."""
    _refuse_repeated_ids(outcomes)
    _filter(outcomes)
    _resolve(outcomes)


def _refuse_repeated_ids(outcomes: Sequence[Outcome]) -> None:
    first: dict[str, Outcome] = {}
    for outcome in outcomes:
        if outcome.meant is None:
            continue
        ids = {outcome.id.lower(), *([outcome.rule.id.lower()] if outcome.rule else [])}
        earlier = next((first[one] for one in sorted(ids) if one in first), None)
        if earlier is None:
            first.update(dict.fromkeys(ids, outcome))
            continue
        outcome.refuse(_repeated_id(outcome, earlier))


def _repeated_id(outcome: Outcome, earlier: Outcome) -> Finding:
    """What is told of a document whose id an ``earlier`` one has.

    An inherited id stands in a document before it (``action``), often in the earlier one itself: the
    finding is then where an id is missing, and names both documents.
    """
    kind, taken = KINDS[outcome.kind][0], f"{earlier.path}:{earlier.line}"
    line = getattr(outcome.document, "lines", {}).get("id", outcome.line)
    if line >= outcome.line:
        message = f"the id {outcome.id} is that of {taken} already; this {kind} is left out"
        return error(outcome.path, line, "id-duplicate", message)
    message = (
        f"this {kind} ({outcome.path}:{outcome.line}) inherits the id {outcome.id} from line {line}, and {taken} has"
        f" it already; this {kind} is left out: write an 'id' of its own into it"
    )
    return error(outcome.path, outcome.line, "id-duplicate", message)


def _filter(outcomes: Sequence[Outcome]) -> None:
    ruled = [outcome for outcome in outcomes if outcome.rule]
    rules = [outcome.rule for outcome in ruled if outcome.rule]
    filtering = [outcome for outcome in outcomes if outcome.filter]
    filters = [outcome.filter for outcome in filtering if outcome.filter]
    reached = reach(rules, filters, _no_rules(outcomes))
    for outcome, rule in zip(ruled, filtered_rules(rules, filters, reached), strict=True):
        outcome.rule = rule
    for outcome, positions, problems in zip(filtering, reached.rules, reached.problems, strict=True):
        outcome.findings += located(outcome.path, outcome.document, problems)
        for position in positions:
            ruled[position].filters.append(outcome.id)
        if has_errors(problems):
            outcome.refuse()
    names = RuleNames(rules)
    for outcome in outcomes:
        if outcome.kind == FILTER and not outcome.meant:
            _tell_unfiltered(outcome, ruled, names)


def _tell_unfiltered(faulty: Outcome, ruled: Sequence[Outcome], names: RuleNames) -> None:
    """Say of the rules that a filter names that it cannot be used; of those that it may mean, say it once."""
    named = references(faulty.document)
    if not named:
        message = "because this filter cannot be used, the rules that it may be meant for run unfiltered"
        faulty.findings.append(warning(faulty.path, faulty.line, "filter-not-applied", message))
    told: set[int] = set()
    for reference in named:
        told.update(names.positions(reference))
    for position in sorted(told):
        rule = ruled[position]
        message = f"runs unfiltered: the filter in {faulty.path}:{faulty.line}, which names it, cannot be used"
        rule.findings.append(warning(rule.path, rule.line, "filter-not-applied", message))


def _no_rules(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Ids and names that mean no rule in use -> what they mean, in words."""
    found = {}
    for outcome in outcomes:
        if outcome.rule:
            continue
        what = f"a {KINDS[outcome.kind][0]}"
        what += ", not a rule" if outcome.meant else " that cannot be used"
        for name in (outcome.id.lower(), outcome.document.get("name")):
            if isinstance(name, str) and name:
                found[name] = what
    return found


def _resolve(outcomes: Sequence[Outcome]) -> None:
    correlating = [outcome for outcome in outcomes if outcome.correlation]
    correlations = [outcome.correlation for outcome in correlating if outcome.correlation]
    rules = [outcome.rule for outcome in outcomes if outcome.rule]
    usable, problems = resolve(correlations, rules, _no_rules(outcomes))
    ranked = {correlation.id: (rank, correlation) for rank, correlation in enumerate(usable)}
    for position, outcome in enumerate(correlating):
        told = [problem._replace(where=place(problem.where)) for problem in problems[position]]
        outcome.findings += located(outcome.path, outcome.document, told if outcome.rule else problems[position])
        outcome.rank, outcome.correlation = ranked.get(outcome.id, (0, None))
        if outcome.correlation is None:
            outcome.refuse()
