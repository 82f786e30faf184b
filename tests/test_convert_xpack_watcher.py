"""``convert --target xpack-watcher``: tests/convert/xpack-watcher.yml, templates, and the command in a real shell."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from builder.paths import RULES
from tests.support.builds import UUID, run
from tests.support.watcher import check, rendered

TABLE = Path(__file__).parent / "convert" / "xpack-watcher.yml"
CASES: list[dict[str, Any]] = yaml.safe_load(TABLE.read_text("utf-8"))


def rule_file(folder: Path, **said: Any) -> Path:
    """A rule of Windows."""
    document = {
        "id": f"{UUID}01",
        "title": "Rule",
        "status": "test",
        "level": "low",
        "logsource": {"product": "windows", "service": "security"},
        "detection": {"selection": {"SubjectUserName": "x"}, "condition": "selection"},
        **said,
    }
    path = folder / "rule.yml"
    path.write_text(json.dumps(document, default=str), "utf-8")
    return path


def text_of(path: Path, target: str = "xpack-watcher", **options: str) -> str:
    """What stands on stdout."""
    given = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    result = run("convert", "--target", target, *given, path)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def watch_of(path: Path, **options: str) -> Any:
    watch = json.loads(text_of(path, **options))
    check(watch)
    return watch


def at(value: Any, path: str) -> Any:
    for step in path.split():
        value = value[int(step) if isinstance(value, list) else step]
    return value


def query_in(watch: Any) -> str:
    query: str = at(watch, "input search request body query bool filter 0 query_string query")
    assert at(watch, "metadata query") == query
    return query


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_rule_is_a_watch(case: dict[str, Any], tmp_path: Path) -> None:
    path = rule_file(tmp_path, **case["rule"])
    options = [word for name, value in case.get("options", {}).items() for word in (f"--{name}", value)]
    result = run("convert", "--target", "xpack-watcher", *options, path)
    assert result.exit_code == 0, result.stderr
    watch = json.loads(result.stdout)
    check(watch)
    assert {where: at(watch, where) for where in case["watch"]} == case["watch"]
    assert case.get("note", "") in result.stderr
    assert query_in(watch) + "\n" == text_of(path, "es-qs")


@pytest.mark.parametrize("profile", ["ecs_windows", "winlogbeat"])
def test_queries_are_those_of_es_qs(profile: str, tmp_path: Path) -> None:
    options = ("--target", "es-qs", "--target", "xpack-watcher", "--fields", profile, "--rules", RULES)
    result = run("convert", "--all", "--out", tmp_path / "out", *options)
    assert result.exit_code == 0, result.stderr
    report = json.loads((tmp_path / "out" / "conversion-report.json").read_text("utf-8"))
    converted = 0
    for entry in report["rules"]:
        query, watch = (entry["targets"][name] for name in ("es-qs", "xpack-watcher"))
        assert query["status"] == watch["status"]
        assert query.get("reason") == watch.get("reason")
        if watch["status"] == "converted":
            found = json.loads((tmp_path / "out" / watch["file"]).read_text("utf-8"))
            check(found)
            assert query_in(found) + "\n" == (tmp_path / "out" / query["file"]).read_text("utf-8")
            assert set(query["notes"]) <= set(watch["notes"])
            converted += 1
    assert converted > 15


FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "no interval": ({"interval": "5"}, "--interval is a number and s, m, h, d or w"),
    "an interval of nothing": ({"interval": "0m"}, "--interval is"),
    "a month": ({"interval": "1M"}, "--interval is"),
    "overlap": ({"overlap": "-1m"}, "--overlap is"),
    "throttle": ({"throttle": "0s"}, "--throttle is"),
    "no hits": ({"size": "0"}, "--size is a number from 1 to 10000"),
    "too many hits": ({"size": "10001"}, "--size is"),
    "a size in words": ({"size": "ten"}, "--size is"),
    "an action": ({"action": "jira"}, "--action is one or more of email, webhook, index, logging"),
    "no action": ({"action": "email,"}, "--action is one or more"),
    "an email to nobody": ({"action": "email"}, "--action email needs --to"),
    "a webhook without its URL": ({"action": "webhook"}, "--action webhook needs --webhook"),
    "an index without a name": ({"action": "index", "alert_index": ""}, "--action index needs --alert-index"),
    "an address": ({"action": "email", "to": "soc"}, "--to is one or more addresses"),
    "an address for no email": ({"to": "a@b"}, "--to is for --action email"),
    "a URL": ({"action": "webhook", "webhook": "ftp://a/b"}, "--webhook is a URL"),
    "a URL without a host": ({"action": "webhook", "webhook": "http:///b"}, "--webhook is a URL"),
    "a URL with a blank": ({"url": "http://a/ b"}, "--url is a URL"),
    "a URL with a faulty port": ({"url": "http://a:b"}, "--url is a URL"),
    "an index pattern": ({"index": "a b"}, "--index is names or patterns of indices"),
    "the index of alerts": ({"action": "index", "alert_index": "A*"}, "--alert-index is the name of an index"),
    "a field": ({"time_field": "a}b"}, "--time-field is the name of a field"),
    "a format": ({"format": "yaml"}, "--format of xpack-watcher is one of json, curl"),
}


@pytest.mark.parametrize(("options", "message"), FAULTS.values(), ids=FAULTS)
def test_faults_of_options(options: dict[str, str], message: str, tmp_path: Path) -> None:
    given = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    result = run("convert", "--target", "xpack-watcher", *given, rule_file(tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


def test_an_id_that_is_no_path_is_hashed(tmp_path: Path) -> None:
    ids = ["../../_all", "a b", f"{UUID}01", "x'y"]
    found = [text_of(rule_file(tmp_path, id=one), format="curl").split("_watcher/watch/")[1].split()[0] for one in ids]
    assert found[2] == f"{UUID}01"
    assert len(set(found)) == 4
    assert all(one.startswith("sigma-") and one[6:].isalnum() for one in (found[0], found[1], found[3]))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "what es-qs refuses": ({"selection": {"a|fieldref": "b"}}, "the language cannot compare two fields"),
    "what begins a template": ({"selection": {"SubjectUserName": "{{1}}"}}, "by which Watcher's templates begin"),
}


@pytest.mark.parametrize(("detection", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(detection: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = rule_file(tmp_path, detection={**detection, "condition": "selection"})
    result = run("convert", "--target", "xpack-watcher", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_a_search_longer_than_a_template_is_refused(tmp_path: Path) -> None:
    values = [f"{number:04}{'ab' * 100}" for number in range(150)]
    path = rule_file(tmp_path, detection={"selection": {"SubjectUserName": values}, "condition": "selection"})
    assert len(text_of(path, "es-qs")) > 65_535
    result = run("convert", "--target", "xpack-watcher", path)
    assert result.exit_code == 1
    assert "65535 bytes" in result.stderr


def test_a_correlation_is_refused(tmp_path: Path) -> None:
    counts = {"type": "event_count", "rules": [f"{UUID}01"], "timespan": "1m", "condition": {"gte": 2}}
    correlation = {"id": f"{UUID}02", "title": "C", "status": "test", "level": "low", "correlation": counts}
    path = rule_file(tmp_path)
    path.write_text(path.read_text("utf-8") + "\n---\n" + json.dumps(correlation), "utf-8")
    result = run("convert", "--target", "xpack-watcher", path)
    assert result.exit_code == 1
    assert "windows end at any event" in result.stderr


# --- templates: a stranger's text is in none of them, and every template says what it should ----------

EVIL = {
    "title": "a $(touch x) `touch x` 'q\" {{ctx.payload}} {{#x}} \\ ${IFS} !!\nEOF\n'EOF'\ntouch x\n",
    "description": "EOF\ntouch x\n{{ctx.watch_id}} $(touch x) `touch x` \u202e \u009b31m \u2028 end\n'EOF\n",
    "author": "'; touch x; '",
    "tags": ["attack.$(touch x)", "`touch x`"],
    "references": ["EOF", "\nEOF\n", "{{{x}}}"],
    "falsepositives": ["$(touch x)", "\x00\x1b[31m"],
    "detection": {
        "selection": {"CommandLine|contains": ["$(touch x)", "`touch x`", "'\"\\", "${x}", "EOF", "{{x}}", "\\\\{{"]},
        "condition": "selection",
    },
}
HITS = [{"_index": "i", "_id": "1", "_source": {"a": 'x"y\n{{z}}'}}, {"_index": "j", "_id": "2", "_source": {}}]


def context_of(watch: Any) -> dict[str, Any]:
    times = {"scheduled_time": "2026-01-02T03:04:05Z"}
    payload = {"hits": {"total": 2, "hits": HITS}}
    ctx = {"metadata": watch["metadata"], "payload": payload, "watch_id": "w", "execution_time": "t", "trigger": times}
    return {"ctx": ctx}


def evil(folder: Path, **said: Any) -> Path:
    # YAML takes no control characters in JSON's texts but as escapes, which json.dumps writes.
    return rule_file(folder, **{**EVIL, **said})


def test_the_search_is_a_template_of_times_alone(tmp_path: Path) -> None:
    watch = watch_of(evil(tmp_path))
    body = at(watch, "input search request body")
    # Watcher writes it anew before it reads the template.
    found = json.loads(rendered(json.dumps(body, separators=(",", ":")), context_of(watch), is_json=True))
    expected = json.loads(json.dumps(body).replace("{{ctx.trigger.scheduled_time}}", "2026-01-02T03:04:05Z"))
    assert found == expected
    assert at(found, "query bool filter 0 query_string query") == query_in(watch)
    assert query_in(watch) + "\n" == text_of(evil(tmp_path), "es-qs")


def test_actions_say_the_rule_and_the_hits(tmp_path: Path) -> None:
    options = {"action": "email,webhook,index,logging", "to": "a@b", "webhook": "http://a/b"}
    watch = watch_of(evil(tmp_path), **options)
    context, title = context_of(watch), watch["metadata"]["title"]
    assert "\n" not in title
    email = at(watch, "actions email_sigma email")
    assert rendered(email["subject"], context) == f"Sigma: {title} (low)"
    for text in (email["body"]["text"], at(watch, "actions logging_sigma logging text")):
        said = rendered(text, context)
        assert said.startswith(title + "\n" + watch["metadata"]["description"] + "\n")
        assert "Events: 2, " in said
        assert json.dumps(HITS[0]["_source"]) in said
        assert "\nj 2\n" in said
    body = json.loads(rendered(at(watch, "actions webhook_sigma webhook body"), context))
    assert body == {"watch_id": "w", "time": "t", "total": 2, "rule": watch["metadata"], "hits": HITS}
    plain = watch_of(rule_file(tmp_path), **options)
    # But for the priority, actions hold nothing of a rule.
    assert watch["actions"] == plain["actions"]


def test_json_has_no_character_that_cannot_be_printed(tmp_path: Path) -> None:
    text = text_of(evil(tmp_path))
    assert text.replace("\n", "").isprintable()
    assert "\u202e" in json.loads(text)["metadata"]["description"]


# --- the command, in a real shell ------------------------------------------------------------------


class Server(HTTPServer):
    """Keeps what was put."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.put: list[tuple[str, str | None, bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Server)
        self.server.put.append((self.path, self.headers["Content-Type"], body))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b'{"created":true}')

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        thread = Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


#: Stands in for curl where there is none; takes what the command gives it and nothing else.
FAKE = """#!{python}
import sys, urllib.request
*options, url = sys.argv[1:]
assert options == ["-fsS", "-XPUT", "-H", "Content-Type: application/json", "--data-binary", "@-"], options
body = sys.stdin.buffer.read()
request = urllib.request.Request(url, body, {{"Content-Type": "application/json"}}, method="PUT")
print(urllib.request.urlopen(request, timeout=10).read().decode())
"""
CURLS = ["fake", *(["real"] if shutil.which("curl") else [])]


@pytest.mark.parametrize("ident", [f"{UUID}01", "$(touch x)`touch x`'; touch x #"], ids=["uuid", "evil-id"])
@pytest.mark.parametrize("curl", CURLS)
def test_a_shell_puts_the_watch_and_runs_nothing_of_it(
    curl: str, ident: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bash = shutil.which("bash")
    assert bash
    path = evil(tmp_path, id=ident)
    url = f"http://127.0.0.1:{server.server_port}"
    command, watch = text_of(path, format="curl", url=url + "/"), text_of(path)
    if curl == "fake":
        fake = tmp_path / "bin" / "curl"
        fake.parent.mkdir()
        fake.write_text(FAKE.format(python=sys.executable), "utf-8")
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", str(fake.parent), prepend=":")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    place = tmp_path / "empty"
    place.mkdir()
    done = subprocess.run(
        [bash, "-eu"], input=command.encode(), cwd=place, capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.strip() == b'{"created":true}'
    assert list(place.iterdir()) == []
    ((target, content, body),) = server.put
    assert body == watch.encode()
    assert content == "application/json"
    assert target.startswith("/_watcher/watch/")
    name = target.removeprefix("/_watcher/watch/")
    assert name == ident if ident.startswith(UUID) else name.startswith("sigma-") and len(name) == 38
    assert json.loads(body)["metadata"]["id"] == ident
