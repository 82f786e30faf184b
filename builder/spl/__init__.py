"""A Sigma rule as an SPL search.

=============  =================================================================================
module         does
=============  =================================================================================
expressions    Boolean expressions of the search language, and their text
bounds         two expressions between which the meaning of a part of a rule lies
values         a Sigma string -> values of ``field="value"`` with ``*``
keywords       what is looked for in ``_raw`` -> terms
places         the columns in which a field may stand -> where a test has to look
items          a detection item -> bounds
regexes        which regular expressions PCRE reads as Python does
filters        a part of a rule -> a test of ``| where``
routes         events that routing keys tell apart -> an expression
needed         the event codes without which a rule cannot match
writer         a rule -> ``Query``
correlating    a correlation -> the commands that evaluate it
conversion     ``convert --target splunk``
=============  =================================================================================

Each imports only those above it. Sources of what Splunk does: Search Reference ("search"), Search
Manual ("Backslashes", "Wildcards"), segmenters.conf.
"""

from .writer import Query, write_query

__all__ = ["Query", "write_query"]
