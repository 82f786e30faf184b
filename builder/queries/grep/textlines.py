"""Lines of text, of which nothing but the text is known."""

from __future__ import annotations

from collections.abc import Sequence

from builder.queries.language import RefusedError

from .alphabets import NEVER, Plain
from .lines import Body, Lines, Said, ahead


class TextLines(Lines):
    """Keywords alone can be looked for."""

    def found(self, name: str, _: Sequence[Body]) -> Said:
        """Refused: raises RefusedError."""
        raise RefusedError("fields of text", name)

    def found_anywhere(self, body: Body) -> Said:
        """A body is found in the line."""
        asked = body.say(Plain)
        return Said(NEVER) if asked == NEVER else ahead(asked)
