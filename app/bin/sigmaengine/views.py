"""How the fields of a log source's rules are looked up in events that are known to be of it."""

from __future__ import annotations

from .fields import FieldView
from .routing import Route, RoutingTable, merged_aliases
from .rule import LogSource


class Views:
    """Field views by log source and route, remembered.

    ``profile``: one of ``fields.PROFILES``; ``logsource``: what all events are, if a search says so.
    """

    def __init__(self, table: RoutingTable, profile: str = "auto", logsource: LogSource | None = None) -> None:
        self.table, self.profile, self.logsource = table, profile, logsource
        self._views: dict[tuple[LogSource, Route], FieldView] = {}

    def view(self, wanted: LogSource, route: Route) -> FieldView:
        """The view of rules of ``wanted`` on events of ``route``."""
        view = self._views.get((wanted, route))
        if view is None:
            view = self._views[wanted, route] = self.view_of(wanted, self.contributing(wanted, route))
        return view

    def view_of(self, wanted: LogSource, contributing: Route) -> FieldView:
        """The view of rules of ``wanted`` on events of these alternatives alone."""
        alternatives = [self.table.alternatives[index] for index in contributing]
        aliases = merged_aliases([alternative.aliases for alternative in alternatives], wanted)
        return FieldView(aliases, self.profile, any(alternative.xml for alternative in alternatives))

    def contributing(self, wanted: LogSource, route: Route) -> Route:
        """What makes events of ``route`` ones of ``wanted``."""
        if self.logsource is None:
            return self.table.contributors(wanted, route)
        # The search says what the events are; what they look like still tells the names apart.
        overlap = self.table.contributors(self.logsource, range(len(self.table.alternatives)))
        return tuple(index for index in route if index in overlap) or overlap
