"""The macros that say in which indexes events are."""

from __future__ import annotations

from collections.abc import Sequence

from sigmaengine.routing import RoutingTable
from sigmaengine.rule import LogSource

from .configuration import OTHER, Configuration


def index_macro(logsource: LogSource, routing: RoutingTable) -> str:
    """The macro of the indexes with events of a log source."""
    products = {alternative.logsource.product for alternative in routing.alternatives} - {""}
    return f"sigma_index_{logsource.product if logsource.product in products else OTHER}"


def macros(configuration: Configuration, routing: RoutingTable) -> dict[str, str]:
    """Name -> definition of all of them; those that nobody has set are every index."""
    products = {alternative.logsource.product for alternative in routing.alternatives} - {""}
    return {
        f"sigma_index_{product}": _indexes(configuration.indexes.get(product, ("*",)))
        for product in (*sorted(products), OTHER)
    }


def _indexes(names: Sequence[str]) -> str:
    return "(" + " OR ".join(f"index={name}" for name in names) + ")"
