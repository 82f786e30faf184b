"""The macros that say in which indexes events are."""

from __future__ import annotations

from sigmaengine.routing import RoutingTable
from sigmaengine.rule import LogSource

from .configuration import OTHER


def index_macro(logsource: LogSource, routing: RoutingTable) -> str:
    """The macro of the indexes with events of a log source."""
    products = {alternative.logsource.product for alternative in routing.alternatives} - {""}
    return f"sigma_index_{logsource.product if logsource.product in products else OTHER}"
