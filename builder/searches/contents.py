"""All saved searches of an app, and the .conf files that they are in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.outcomes import RuleFolder
from sigmaengine.routing import RoutingTable

from . import byrule, changes, correlations, indexes, summary
from .byrule import Refused
from .configuration import Configuration
from .conftext import conf_text
from .stanzas import Search


@dataclass(frozen=True)
class SavedSearches:
    """``retired``: name and version of searches that were there once; ``refused``: what can have none."""

    searches: list[Search] = field(default_factory=list)
    macros: dict[str, str] = field(default_factory=dict)
    retired: list[dict[str, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def kinds(self) -> dict[str, str]:
        """Id of a rule or correlation -> the kind of search that alerts of it."""
        return {rule: search.kind for search in self.searches for rule in search.rules}

    def as_json(self) -> dict[str, Any]:
        """For the build report."""
        return {
            "names": [search.name for search in self.searches],
            "refused": [{"id": one.outcome.id, "title": one.outcome.title, "why": one.reason} for one in self.refused],
        }


def saved_searches(
    configuration: Configuration,
    folder: RuleFolder,
    routing: RoutingTable,
    version: str,
    previous: Mapping[str, Any] | None = None,
) -> SavedSearches:
    """The searches of a folder of rules. ``previous``: the report of the build of an earlier version."""
    found = [
        *byrule.searches(configuration, folder.accepted, routing),
        *correlations.searches(configuration, folder, routing),
    ]
    macros = {
        **indexes.macros(configuration, routing),
        **byrule.macros(configuration, folder.accepted),
        **summary.macros(configuration.actions.summary),
    }
    refused = [
        *byrule.chosen(configuration, folder.accepted)[1],
        *correlations.chosen(configuration, folder, routing)[1],
    ]
    gone = changes.retired(previous, {search.name for search in found}, version)
    return SavedSearches(found, dict(sorted(macros.items())), gone, refused)


def files(saved: SavedSearches) -> Iterator[tuple[str, str]]:
    """(name in the app's default/, text) of each .conf file."""
    searches = [*saved.searches, *changes.retired_searches(saved.retired)]
    yield "savedsearches.conf", conf_text({search.name: search.settings for search in searches})
    yield "macros.conf", conf_text({name: {"definition": text} for name, text in saved.macros.items()})
    yield "eventtypes.conf", conf_text(summary.EVENTTYPES)
    yield "tags.conf", conf_text(summary.TAGS)
    yield "props.conf", conf_text(summary.PROPS)
