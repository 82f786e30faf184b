"""``convert --target grep``: rules as commands of GNU grep.

=============  =================================================================================
module         does
=============  =================================================================================
alphabets      how a line writes the characters of a value: entities, escapes
patterns       Sigma strings in an alphabet
regexes        Python's regular expressions in an alphabet
numbers        numbers, comparisons and addresses as expressions of their digits
lines          what is asked of a line, whatever it is
xmllines       a Windows event's XML
jsonlines      an object of JSON
textlines      text
target         the command
=============  =================================================================================

Each imports only those above it.
"""

from __future__ import annotations

from .target import TARGET

__all__ = ["TARGET"]
