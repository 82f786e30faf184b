"""What the macros of event streams find, by the evaluator of SPL, which shares nothing with what wrote them."""

from __future__ import annotations

from builder.searches.bystream import by_stream, stream_macro
from builder.searches.context import Context
from builder.searches.stanzas import index_macros
from tests.support.spl import Query, parse


def stream_queries(context: Context) -> dict[str, Query]:
    """Stream -> its macro as a query."""
    part = by_stream(context)
    macros = {**part.macros, **index_macros(context.configuration, dict.fromkeys(part.products))}
    return {stream.name: parse(f"`{stream_macro(stream.name)}`", macros) for stream in context.layout.streams}
