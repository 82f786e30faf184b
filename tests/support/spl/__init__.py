"""An evaluator of the SPL that Sigma Match writes: query text and event -> does Splunk find it.

Written from Splunk's documentation (Search Reference 9.x and 10.0: "search", "where", "regex", "Evaluation functions";
Search Manual: "Search command primer", "Event segmentation and searching", "Use CASE() and TERM() to match phrases";
segmenters.conf.spec), and from nothing of the project, so that it can judge what the project writes. It takes only a
subset of SPL; the rest raises ``SplError``, which names it. Where the documentation does not say what an event's answer
is, ``UnsettledError`` is raised: a query that needs such an answer must be written otherwise.

    parse('(EventCode="1") | where isnotnull(mvfind(Image, "x$"))').matches({"EventCode": "1", "Image": ["a", "bx"]})
"""

from .pipeline import Query, parse
from .text import SplError, UnsettledError

__all__ = ["Query", "SplError", "UnsettledError", "parse"]
