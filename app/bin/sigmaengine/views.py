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
            alternatives = [self.table.alternatives[index] for index in self._contributing(wanted, route)]
            aliases = merged_aliases([alternative.aliases for alternative in alternatives], wanted)
            view = FieldView(aliases, self.profile, any(alternative.xml for alternative in alternatives))
            self._views[wanted, route] = view
        return view

    def _contributing(self, wanted: LogSource, route: Route) -> Route:
        """What makes events of ``route`` ones of ``wanted``; as ``matcher`` has it."""
        if self.logsource is None:
            return self.table.contributors(wanted, route)
        overlap = self.table.contributors(self.logsource, range(len(self.table.alternatives)))
        return tuple(index for index in route if index in overlap) or overlap
