"""The documentation says what the code does: generated pages, commands, searches, links."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
import yaml

from builder import docs_logsources, docs_specification
from builder.cli import main
from builder.events import Event, read_events
from builder.mappings import Mappings
from builder.replay import Command, event_chunk, rows
from sigmaengine.rule import LogSource

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "mappings" / "README.md"])
OVERVIEW = ROOT / "app" / "default" / "data" / "ui" / "views" / "overview.xml"
DEMO_EVENTS = ROOT / "demo" / "events.jsonl"

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^ {4}(\S.*)$", re.MULTILINE)


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced code blocks of one language."""
    return [content for found, content in _FENCED.findall(text) if found == language]


# --- the generated page -------------------------------------------------------------------------


def test_the_page_on_log_sources_is_what_the_generator_writes() -> None:
    written = read("docs/log-sources.md")
    assert written == docs_logsources.page(), "python -m builder.docs_logsources --write"


def test_the_page_names_every_log_source_once() -> None:
    wanted = {
        "/".join(str(entry.get(part) or "*") for part in ("product", "category", "service"))
        for path in (ROOT / "mappings").glob("*.yml")
        for entry in yaml.safe_load(path.read_text("utf-8")).get("logsources", ())
    }
    table = read("docs/log-sources.md").split("\n## ")[0]
    named = [line.split(" | ")[0][2:].replace("\\", "") for line in table.splitlines() if line.startswith("| ")]
    assert sorted(named) == sorted({*wanted, "log source"})


@pytest.mark.parametrize("source", docs_logsources.UNMAPPED, ids=str)
def test_a_log_source_said_to_be_unmapped_is(source: LogSource, mappings: Mappings) -> None:
    assert not mappings.routing.is_mapped(source)


# --- command lines ------------------------------------------------------------------------------


def command_lines() -> Iterator[tuple[str, str]]:
    """(page, line) of every line of code that starts this project's own tools."""
    for page in PAGES:
        text = page.read_text("utf-8")
        code = [line for _, content in _FENCED.findall(text) for line in content.splitlines()]
        inline = re.findall(r"`([^`\n]+)`", _FENCED.sub("", text))
        for line in [*code, *_INDENTED.findall(text), *inline]:
            shown = line.strip().removeprefix(".venv/bin/")
            if re.match(r"(python (build\.py|-m builder\.)|make\b)", shown):
                yield page.relative_to(ROOT).as_posix(), shown


COMMANDS = sorted(set(command_lines()))


def test_pages_show_commands() -> None:
    shown = {line for page, line in COMMANDS if page == "README.md"}
    assert {"make demo", "make test"} < {re.sub(r"\s+#.*", "", line) for line in shown}


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The click command that a line starts, and its arguments."""
    if words[1] == "-m":
        generators = {"builder.docs_logsources": docs_logsources, "builder.docs_specification": docs_specification}
        return generators[words[2]].main, words[3:]
    if len(words) == 2:
        return main, []
    assert words[2] in main.commands, f"there is no command {words[2]}"
    return main.commands[words[2]], words[3:]


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_command_line_names_what_exists(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
        named = [word for word in words[1:] if "=" not in word]
        assert set(named) <= targets, page
        return
    command, arguments = command_of(words)
    options = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    assert {word for word in arguments if word.startswith("-")} <= options, page


def test_the_table_in_the_readme_is_of_the_demo() -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "build.py"), "match", str(DEMO_EVENTS)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    printed = iter(run.stdout.splitlines())
    (shown,) = [block for block in blocks(read("README.md"), "") if block.startswith("event ")]
    lines = shown.splitlines()
    assert len(lines) > 5
    # Each line is the beginning of one that is printed, in the order in which they are.
    assert [line for line in lines if not any(other.startswith(line) for other in printed)] == []


# --- searches -----------------------------------------------------------------------------------


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """The parts of a search between separators (a regular expression) that no double quotes enclose."""
    parts, quoted, start, position = [], False, 0, 0
    while position < len(text):
        if text[position] == "\\" and quoted:
            position += 2
            continue
        if text[position] == '"':
            quoted = not quoted
        found = None if quoted else re.compile(separator).match(text, position)
        if found:
            parts.append(text[start:position])
            start = position = found.end()
            continue
        position += 1
    assert not quoted, f"a double quote is open: {text}"
    return [part for part in [*parts, text[start:]] if part]


# What Splunk makes of two backslashes in quotes is not known: a search must mean the same both ways.
READINGS = {"kept": r'\\(")', "halved": r'\\(["\\])'}


def arguments(stage: str, reading: str) -> list[str]:
    """A stage's arguments as splunkd hands them over: one level of quoting less."""
    found = []
    for word in split_outside_quotes(stage, r"\s+")[1:]:
        name, equals, value = word.partition("=")
        assert equals, f"no option: {word}"
        if value.startswith('"'):
            assert value.endswith('"'), f"text after the quotes: {word}"
            value = re.sub(READINGS[reading], r"\1", value[1:-1])
        found.append(f"{name}={value}")
    return found


@pytest.mark.parametrize(
    ("stage", "kept", "halved"),
    [
        ("sigmamatch level=high", ["level=high"], ["level=high"]),
        ('sigmamatch rules="a b, c" mode=filter', ["rules=a b, c", "mode=filter"], ["rules=a b, c", "mode=filter"]),
        (r'sigmamatch rule="\w \"x\""', [r'rule=\w "x"'], [r'rule=\w "x"']),
        (r'sigmamatch rule="\\w"', [r"rule=\\w"], [r"rule=\w"]),
    ],
)
def test_arguments_lose_one_level_of_quoting(stage: str, kept: list[str], halved: list[str]) -> None:
    assert (arguments(stage, "kept"), arguments(stage, "halved")) == (kept, halved)


def searches() -> Iterator[tuple[str, str]]:
    """(where it stands, search) of every search that is shown, those of the Overview page too."""
    for name in ("README.md", "docs/command.md"):
        for block in blocks(read(name), "spl"):
            yield name, " ".join(block.split())
    for code in ET.parse(OVERVIEW).iter("a"):  # noqa: S314 - our own file
        yield "overview", "".join(code.itertext())


SEARCHES = [(where, search) for where, search in searches() if "| sigmamatch" in search]


def test_the_pages_show_searches() -> None:
    assert {where for where, _ in SEARCHES} == {"README.md", "docs/command.md", "overview"}


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return [event for event in read_events([DEMO_EVENTS], []) if event]


def answer(app: Path, events: list[Event], options: list[str]) -> list[tuple[object, ...]]:
    """What a stage finds among the demo's events. Raises CommandError."""
    with Command(app, options) as command:
        found = list(rows(command.send(event_chunk(events), finished=True)))
    return [(row["_time"], row["_raw"], row["sigma_rule_id"]) for row in found]


CORRELATING = [" ".join(block.split()) for block in blocks(read("docs/correlation.md"), "spl")]


@pytest.mark.parametrize("search", [search for search in CORRELATING if "correlation=" in search])
@pytest.mark.parametrize("reading", READINGS)
def test_a_search_with_a_correlation_gives_alerts(search: str, reading: str, app: Path, events: list[Event]) -> None:
    body = event_chunk(events)
    for stage in (stage.strip() for stage in split_outside_quotes(search, r"\|")[1:]):
        with Command(app, arguments(stage, reading), command=stage.split()[0]) as command:
            body = command.send(body, finished=True)
    assert [row for row in rows(body) if row["sigma_correlation_type"]]


@pytest.mark.parametrize(("where", "search"), SEARCHES)
def test_a_search_means_the_same_however_splunk_reads_backslashes(
    where: str, search: str, app: Path, events: list[Event]
) -> None:
    stages = [stage.strip() for stage in split_outside_quotes(search, r"\|")]
    ours = [stage for stage in stages if re.match(r"sigmamatch\b", stage)]
    assert ours, where
    for stage in ours:
        kept, halved = arguments(stage, "kept"), arguments(stage, "halved")
        found = answer(app, events, kept)
        # An example that finds nothing in a story with every kind of event is no example.
        assert any(rule for _, _, rule in found)
        assert kept == halved or found == answer(app, events, halved)


def test_the_links_of_the_overview_open_the_searches_that_they_show() -> None:
    links = list(ET.parse(OVERVIEW).iter("a"))  # noqa: S314 - our own file
    assert links
    for link in links:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(link.get("href", "")).query)
        assert query["q"] == ["search " + "".join(link.itertext())]


@pytest.mark.parametrize(
    ("command", "page", "following"),
    [("sigmamatch", "command", "## Fields added"), ("sigmacorrelate", "correlation", "## A correlation in a search")],
)
def test_the_reference_names_every_option(command: str, page: str, following: str) -> None:
    source = read(f"app/bin/{command}.py")
    options = set(re.findall(r"^    (\w+) = Option\(", source, re.MULTILINE))
    table = read(f"docs/{page}.md").split("## Options")[1].split(following)[0]
    named = {
        name for cell in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)
    }
    assert options == named


# --- links --------------------------------------------------------------------------------------


def links() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = re.sub(r"`[^`]*`", "", _FENCED.sub("", page.read_text("utf-8")))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not target.startswith("https://"):
                yield page.relative_to(ROOT).as_posix(), target


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "target"), sorted(set(links())))
def test_a_link_leads_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    linked = (ROOT / page).parent / path if path else ROOT / page
    assert linked.exists()
    assert not anchor or anchor in anchors(linked)
