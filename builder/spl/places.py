"""The columns in which a field may stand -> where a test of it has to look.

A field is the first of its candidates (see ``sigmaengine.fields``) that has a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sigmaengine.fields import Candidate, FieldView, array_forms

from .bounds import NOTHING, Bounds, all_of, any_of, between, exactly, negated, whichever
from .expressions import FALSE, TRUE, Equals, disjunction, present

#: What a candidate does to the values of its column: nothing, or one of ``sigmaengine.fields.OPERATIONS``.
Operation = list[Any]
#: (column, operation) -> some value of the column, after the operation, passes.
ColumnTest = Callable[[str, Operation], Bounds]

#: The columns in which what is asked for by one name may stand.
Forms = Callable[[str], list[str]]

# A JSON name of more steps has more forms than a search should ask for.
_MAX_STEPS = 4
# What stands before "=" in a search and is no field, or more than one: times, and what Splunk looks up.
_NO_FIELDS = frozenset((
    "earliest", "latest", "starttime", "endtime", "starttimeu", "endtimeu", "timeformat", "now", "_index_earliest",
    "_index_latest", "startdaysago", "enddaysago", "starthoursago", "endhoursago", "startminutesago", "endminutesago",
    "startmonthsago", "endmonthsago", "searchtimespandays", "searchtimespanhours", "searchtimespanminutes",
    "searchtimespanmonths", "daysago", "hoursago", "minutesago", "monthsago", "eventtype", "eventtypetag", "hosttag",
    "tag", "savedsearch", "savedsplunk", "splunk_server", "splunk_server_group",
))  # fmt: skip
_ODD_NAME = re.compile(r"[`*'\"\\\x00-\x1f]|^tag::")


class Places:
    """How the fields of a rule are looked up in events of one kind: by one of these views, it is not known which.

    ``json``: the events may be JSON, whose arrays Splunk shows as ``a{}``; events in XML alone have none.
    """

    def __init__(self, views: Sequence[FieldView], *, json: bool) -> None:
        self.views = views
        #: Whether values may hold entities of XML; both where that is not known.
        self.xml = sorted({view.xml for view in views})
        self.forms = array_forms if json else one_form

    def lists(self, field: str) -> list[list[Candidate]]:
        """The lists of candidates that a field may have, without repetitions."""
        found: list[list[Candidate]] = []
        for view in self.views:
            candidates = view.candidates(field)
            if candidates not in found:
                found.append(candidates)
        return found

    def any_value(self, field: str, test: ColumnTest) -> Bounds:
        """Some value of ``field`` passes ``test``."""
        lists = self.lists(field)
        if len(lists) == 1:
            return first_of(lists[0], test, self.forms)
        # An event can be of several kinds, whose lists are joined then: sure is only what stands first in each.
        heads = [one[:1] for one in lists]
        sure = (
            _of(heads[0][0], test, self.forms).lower if heads[0] and all(head == heads[0] for head in heads) else FALSE
        )
        loose = any_of(_of(candidate, test, self.forms) for one in lists for candidate in one)
        return between(sure, loose.upper, "names", *loose.reasons)

    def has_value(self, field: str) -> Bounds:
        """``field`` has a value."""
        return whichever(
            (any_of(_of(candidate, _has_value, self.forms) for candidate in one) for one in self.lists(field)), "names"
        )


def one_form(column: str) -> list[str]:
    """A column that has no other forms."""
    return [column]


def is_deep(column: str) -> bool:
    """Whether a JSON name has more forms than a search should ask for."""
    return "{}" not in column and column.count(".") >= _MAX_STEPS


def is_askable(column: str) -> bool:
    """Whether a search can ask for a field of that name."""
    return column not in _NO_FIELDS and not _ODD_NAME.search(column)


def first_of(candidates: Sequence[Candidate], test: ColumnTest, forms: Forms = one_form) -> Bounds:
    """Some value of the first candidate that has any passes."""
    if not candidates:
        return NOTHING
    head, *rest = candidates
    found = _of(head, test, forms)
    if not rest:
        return found
    return any_of([found, all_of([negated(_of(head, _has_value, forms)), first_of(rest, test, forms)])])


def _of(candidate: Candidate, test: ColumnTest, forms: Forms) -> Bounds:
    column, *operation = candidate
    # A JSON field stands under one of its forms (a.b, a{}.b, ...), never under two.
    names = forms(column)
    if forms is not one_form and is_deep(column):
        return between(FALSE, TRUE, "long name")
    if not is_askable(column):
        return between(FALSE, TRUE, "field name")
    return any_of(test(name, operation) for name in names)


def _has_value(column: str, operation: Operation) -> Bounds:
    if operation and operation[0] == "prefix":
        return exactly(disjunction(Equals(column, f"{prefix}*") for prefix in operation[1]))
    there = present(column)
    # Of two values there may be no third; quotes alone are no value, and nobody writes them.
    return between(FALSE, there, "nth") if operation and operation[0] == "nth" else exactly(there)
