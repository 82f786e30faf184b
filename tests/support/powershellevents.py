"""Windows events as XML, for commands of PowerShell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from tests.support.powershell import WinEvent

Fields = Mapping[str, str | Sequence[str]]

_FORM = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name={provider}/>"
    "<EventID>{event_id}</EventID>{system}<Channel>{channel}</Channel></System><EventData>{data}</EventData></Event>"
)


def xml_of(channel: str, event_id: str, fields: Fields, provider: str = "P", **system: str) -> str:
    """The XML of an event with this data; ``system``: elements of its System part."""
    return _FORM.format(
        provider=quoteattr(provider),
        event_id=event_id,
        channel=escape(channel),
        system="".join(f"<{name}>{escape(text)}</{name}>" for name, text in system.items()),
        data="".join(
            f"<Data Name={quoteattr(name)}>{escape(text)}</Data>"
            for name, value in fields.items()
            for text in ([value] if isinstance(value, str) else value)
        ),
    )


def events(rows: Iterable[tuple[str, str, Fields]]) -> list[WinEvent]:
    """Events of these channels and ids with this data."""
    return [WinEvent(xml_of(channel, event_id, fields)) for channel, event_id, fields in rows]
