"""splunklib's own empty command: every event is passed on as it came."""

from __future__ import annotations

import os
import sys
from typing import Any

# Lies in the app's bin folder when it is run, and takes the same library as the command.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))  # noqa: PTH100, PTH118, PTH120

from splunklib.searchcommands import Configuration, Option, StreamingCommand, dispatch


@Configuration()
class NoopCommand(StreamingCommand):
    """Does nothing; ``mode`` is taken so that both commands get the same bytes."""

    mode = Option(default="")

    def stream(self, records: Any) -> Any:
        """Pass all records."""
        yield from records


dispatch(NoopCommand, module_name=__name__)
