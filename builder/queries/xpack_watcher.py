"""``convert --target xpack-watcher``: a rule as a watch of Elasticsearch's Watcher, or as the curl that puts it there.

Watcher reads the body of a search, and every text of an action, as a Mustache template. So nothing of a rule
stands in a template but its query, and that only without ``{{``; actions say ``ctx.metadata`` for the rest.

Sources: Elasticsearch Reference 7.17 and 8.x, "Watcher" (put watch API, search input, interval schedule, compare
condition, email, webhook, index and logging actions, templates), "Scripting" (``script.max_size_in_bytes``).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

from builder.mappings import Mappings
from builder.outcomes import Outcome, RuleFolder
from builder.texts import one_line
from sigmaengine.modifiers import scalar_text

from . import es_qs
from .events import is_windows
from .language import RefusedError
from .target import Converted, Option, Settings, Target

#: Which indices are searched where no option says so.
WINDOWS, OTHERS = "winlogbeat-*", "logs-*,filebeat-*"
#: ``script.max_size_in_bytes``: of a template, which the body of a search is.
LONGEST = 65_535
#: ``index.max_result_window``.
MOST_HITS = 10_000

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PERIOD = re.compile(r"([0-9]{1,6})([smhdw])")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SAID = ("description", "author", "date", "modified", "references", "falsepositives")
_LISTS = ("references", "falsepositives")
_PRIORITIES = {"critical": "highest", "high": "high", "medium": "normal", "low": "low", "informational": "lowest"}


def write(outcome: Outcome, mappings: Mappings, settings: Settings) -> Converted:
    """A watch. Raises RefusedError where es-qs does, and for a query that is no template or too long for one."""
    if outcome.rule is None:
        raise RefusedError("correlation")
    found = es_qs.write(outcome, mappings, settings)
    if "{{" in found.text:
        raise RefusedError("text", "{{, by which Watcher's templates begin")
    notes = list(found.notes)
    indices = settings["index"]
    if not indices:
        indices = WINDOWS if is_windows(outcome.rule.logsource) else OTHERS
        notes.append(f"it searches {indices}: give --index where the events are elsewhere")
    search = _search(found.text, settings)
    if len(json.dumps(search, ensure_ascii=False).encode()) > LONGEST:
        raise RefusedError("length", f"of a search: {LONGEST} bytes")
    watch = {
        "metadata": _metadata(outcome, found.text),
        "trigger": {"schedule": {"interval": settings["interval"]}},
        "input": {
            "search": {
                "request": {"indices": _listed(indices), "rest_total_hits_as_int": True, "body": search},
            }
        },
        "condition": {"compare": {"ctx.payload.hits.total": {"gt": 0}}},
        "actions": {
            f"{name}_sigma": {"throttle_period": settings["throttle"], **_ACTIONS[name](outcome, settings)}
            for name in _listed(settings["action"])
        },
    }
    return Converted(_FORMATS[settings["format"]](watch, outcome.id, settings), tuple(notes))


def correlate(_: Outcome, __: RuleFolder, ___: Mappings, ____: Settings) -> Converted:
    """Raises RefusedError.

    What an aggregation counts lies between two fixed times. Windows of a timespan end at any event: over one
    timespan before its run a watch would miss those that ended since the last run, and over more find others.
    """
    raise RefusedError("correlation", "a watch counts between fixed times, and windows end at any event")


def watch_id(ident: str) -> str:
    """The watch's id: the rule's, or of one with other signs than a path should have its hash."""
    if _ID.fullmatch(ident):
        return ident
    return f"sigma-{sha256(ident.encode('utf-8', 'backslashreplace')).hexdigest()[:32]}"


def _search(query: str, settings: Settings) -> dict[str, Any]:
    time, end = settings["time-field"], "{{ctx.trigger.scheduled_time}}"
    seconds = _seconds(settings["interval"]) + _seconds(settings["overlap"])
    return {
        "size": int(settings["size"]),
        "track_total_hits": True,
        # An index without the field would make the whole search fail.
        "sort": [{time: {"order": "desc", "unmapped_type": "date"}}],
        "query": {
            "bool": {
                "filter": [
                    {"query_string": {"query": query}},
                    {"range": {time: {"gte": f"{end}||-{seconds}s", "lt": end}}},
                ]
            }
        },
    }


def _metadata(outcome: Outcome, query: str) -> dict[str, Any]:
    rule = outcome.meant
    said = {key: _plain(outcome.document[key]) for key in _SAID if outcome.document.get(key) is not None}
    for key in _LISTS:
        if key in said and not isinstance(said[key], list):
            said[key] = [said[key]]
    return {
        "title": one_line(outcome.title),
        "id": outcome.id,
        "level": getattr(rule, "level", ""),
        "status": getattr(rule, "status", ""),
        "tags": getattr(rule, "tags", []),
        **said,
        "query": query,
    }


def _plain(value: Any) -> Any:
    """What a document says, of texts, lists and mappings alone."""
    if isinstance(value, Mapping):
        return {scalar_text(key): _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner) for inner in value if inner is not None]
    return scalar_text(value)


# --- actions ---------------------------------------------------------------------------------------

_HITS = "{{#ctx.payload.hits.hits}}\n{{_index}} {{_id}}\n{{#toJson}}_source{{/toJson}}\n{{/ctx.payload.hits.hits}}"
_TEXT = (
    "{{ctx.metadata.title}}\n{{ctx.metadata.description}}\n\nRule: {{ctx.metadata.id}}\n"
    "Level: {{ctx.metadata.level}}\nEvents: {{ctx.payload.hits.total}}, the latest of which are\n" + _HITS
)
_JSON = (
    '{"watch_id": "{{ctx.watch_id}}", "time": "{{ctx.execution_time}}", "total": {{ctx.payload.hits.total}},'
    ' "rule": {{#toJson}}ctx.metadata{{/toJson}}, "hits": {{#toJson}}ctx.payload.hits.hits{{/toJson}} }'
)
# One document a hit, with an id of its own, so that the overlap of two runs writes none twice.
_DOCUMENTS = (
    "def documents = ctx.payload.hits.hits.stream().map(hit -> ["
    "'_id': ctx.watch_id + ':' + hit._index + ':' + hit._id,"
    " 'rule': ctx.metadata, 'event_index': hit._index, 'event_id': hit._id, 'event': hit._source"
    "]).collect(Collectors.toList()); return ['_doc': documents];"
)


def _email(outcome: Outcome, settings: Settings) -> dict[str, Any]:
    return {
        "email": {
            "to": _listed(settings["to"]),
            "subject": "Sigma: {{ctx.metadata.title}} ({{ctx.metadata.level}})",
            "body": {"text": _TEXT},
            "priority": _PRIORITIES.get(getattr(outcome.meant, "level", ""), "normal"),
        }
    }


def _webhook(_: Outcome, settings: Settings) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    return {"webhook": {"method": "post", "url": settings["webhook"], "headers": headers, "body": _JSON}}


def _index(_: Outcome, settings: Settings) -> dict[str, Any]:
    return {
        "transform": {"script": {"lang": "painless", "source": _DOCUMENTS}},
        "index": {"index": settings["alert-index"], "execution_time_field": "@timestamp"},
    }


def _logging(_: Outcome, __: Settings) -> dict[str, Any]:
    return {"logging": {"level": "warn", "text": _TEXT}}


_ACTIONS: dict[str, Callable[[Outcome, Settings], dict[str, Any]]] = {
    "email": _email,
    "webhook": _webhook,
    "index": _index,
    "logging": _logging,
}


# --- what is written -------------------------------------------------------------------------------

_DELIMITER = "EOF"


def _json(watch: Any, _: str, __: Settings) -> str:
    """JSON of which no line begins with a letter, and whose characters can all be printed."""
    text = json.dumps(watch, indent=2, ensure_ascii=False)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def _curl(watch: Any, ident: str, settings: Settings) -> str:
    """The command that puts the watch, which a shell reads as it is: the delimiter is quoted."""
    url = f"{settings['url'].rstrip('/')}/_watcher/watch/{quote(watch_id(ident), safe='')}"
    return (
        # -f: a watch that is refused is no success.
        "curl -fsS -XPUT -H 'Content-Type: application/json' --data-binary @-"
        f" {shlex.quote(url)} <<'{_DELIMITER}'\n{_json(watch, ident, settings)}\n{_DELIMITER}"
    )


_FORMATS: dict[str, Callable[[Any, str, Settings], str]] = {"json": _json, "curl": _curl}


# --- settings --------------------------------------------------------------------------------------


def fault(settings: Settings) -> str:
    """What is wrong with the settings, for those who gave them; empty if nothing is."""
    return next(filter(None, (check(settings) for check in _CHECKS)), "")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


_MOST_SECONDS = 52 * 7 * 86_400


def _seconds(period: str) -> int:
    number, unit = period[:-1], period[-1]
    return int(number) * _UNITS[unit]


def _is_period(name: str, least: int) -> Callable[[Settings], str]:
    def check(settings: Settings) -> str:
        text = settings[name]
        if _PERIOD.fullmatch(text) and least <= _seconds(text) <= _MOST_SECONDS:
            return ""
        return f"--{name} is a number and s, m, h, d or w, such as 5m, from {least}s to 52w; not {text!r}"

    return check


def _size(settings: Settings) -> str:
    text = settings["size"]
    if re.fullmatch(r"[0-9]{1,5}", text) and 1 <= int(text) <= MOST_HITS:
        return ""
    return f"--size is a number from 1 to {MOST_HITS}, not {text!r}"


def _actions(settings: Settings) -> str:
    names = _listed(settings["action"])
    for name in names:
        if name not in _ACTIONS:
            return f"--action is one or more of {', '.join(_ACTIONS)}, separated by commas; not {name!r}"
    for name, option in _NEEDED.items():
        if name in names and not settings[option]:
            return f"--action {name} needs --{option}"
        if name not in names and settings[option] != OPTIONS[option].default:
            return f"--{option} is for --action {name}"
    return ""


_NEEDED = {"email": "to", "webhook": "webhook", "index": "alert-index"}


def _addresses(settings: Settings) -> str:
    for one in _listed(settings["to"]) if settings["to"] else ():
        if not re.fullmatch(r"[^\s@,<>]+@[^\s@,<>]+", one):
            return f"--to is one or more addresses (user@host), separated by commas; not {one!r}"
    return ""


def _is_url(name: str) -> Callable[[Settings], str]:
    def check(settings: Settings) -> str:
        text = settings[name]
        return "" if not text or _names_a_host(text) else f"--{name} is a URL (http:// or https://), not {text!r}"

    return check


def _names_a_host(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bool(re.fullmatch(r"[!-~]+", text))


def _is_pattern(name: str, pattern: str, what: str) -> Callable[[Settings], str]:
    def check(settings: Settings) -> str:
        for one in _listed(settings[name]) if settings[name] else ():
            if not re.fullmatch(pattern, one):
                return f"--{name} is {what}, not {one!r}"
        return ""

    return check


def _of_curl(settings: Settings) -> str:
    url = settings["url"]
    if url != OPTIONS["url"].default and settings["format"] != "curl":
        return "--url is of --format curl"
    parts = urlsplit(url)
    return "--url is where Elasticsearch is, without a query or a fragment" if parts.query or parts.fragment else ""


_CHECKS: tuple[Callable[[Settings], str], ...] = (
    _is_period("interval", 1),
    _is_period("overlap", 0),
    _is_period("throttle", 1),
    _size,
    _is_pattern("time-field", r"[\w@][\w@-]*(?:\.[\w@-]+)*", "the name of a field"),
    _is_pattern("index", r"""[^\s"'\\/?|#,{]+|<[^\s"'\\?|#,]+>""", "names or patterns of indices"),
    _is_pattern("alert-index", r"""[a-z0-9][^\sA-Z"'\\/*?|#,<>:{}]*""", "the name of an index"),
    _actions,
    _addresses,
    _is_url("webhook"),
    _is_url("url"),
    _of_curl,
)

OPTIONS: Mapping[str, Option] = {
    **es_qs.TARGET.options,
    "format": Option("What is written: the watch, or the command that puts it.", "json", tuple(_FORMATS)),
    "interval": Option("How often the watch looks, such as 5m.", "5m"),
    "overlap": Option("How much more than the interval it looks back, for events that come late.", "1m"),
    "time-field": Option("The time by which it looks.", "@timestamp"),
    "index": Option("Where it looks, separated by commas; by default by log source."),
    "size": Option("How many events an action gets.", "100"),
    "action": Option(f"What is done: {', '.join(_ACTIONS)}; several separated by commas.", "logging"),
    "to": Option("Addresses for the action email."),
    "webhook": Option("The URL for the action webhook."),
    "alert-index": Option("The index for the action index.", "sigma-alerts"),
    "throttle": Option("How long an action rests after it was done.", "1s"),
    "url": Option("Elasticsearch, for the format curl.", "http://localhost:9200"),
}

TARGET = Target("a watch of Elasticsearch's Watcher", "json", write, OPTIONS, correlate, fault)
