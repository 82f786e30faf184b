"""The lookups that people edit: a stanza each, by which searches read and write them, and no file.

So no upgrade of the app overwrites one; docs/lookups.md has the searches that make them.
"""

from __future__ import annotations

from sigmaengine.lookupfiles import LOOKUPS

#: For transforms.conf.
STANZAS = (
    "\n# Made and edited in Splunk, see docs/lookups.md; no file of theirs is in the package.\n"
    + "".join(f"\n[{name}]\nfilename = {name}.csv\n" for name in sorted(LOOKUPS))
)  # fmt: skip
