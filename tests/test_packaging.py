"""The package as a Splunk administrator gets it: what is in it, and what Splunk's own tools say of it.

AppInspect, slim and ksconf run in the environments that `make env-inspect`
makes. Without these their tests are skipped, except in CI, where they fail.
"""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

from sigmaengine.fields import PROFILES
from sigmaengine.metadata import LEVELS
from tests.packaging.allowlist import read_lines
from tests.support.splunktools import check_appinspect, run_tool, tool

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = ROOT / "tests" / "packaging"
APP = "sigma_match"

# Views of Splunk's own Search app that every app may show.
SPLUNK_VIEWS = {"search"}


class Package(NamedTuple):
    """A built package: the archive, the folder it was unpacked into, and its entries by their name in the app."""

    archive: Path
    folder: Path
    members: dict[str, tarfile.TarInfo]

    def text(self, name: str) -> str:
        """The text of the file ``name`` of the app."""
        return (self.folder / name).read_text(encoding="utf-8")


def build(out: Path, **environment: str) -> Path:
    """Build the package into the folder ``out``, as a user does; its archive."""
    run = subprocess.run(
        [sys.executable, "build.py", "package", "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    (archive,) = out.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package of the project's own rules."""
    folder = tmp_path_factory.mktemp("package")
    archive = build(folder / "dist")
    with tarfile.open(archive) as tar:
        members = {str(PurePosixPath(member.name).relative_to(APP)): member for member in tar.getmembers()}
        # Not extractall: its filters are younger than Debian 12's Python.
        for name, member in members.items():
            if content := tar.extractfile(member):
                assert ".." not in PurePosixPath(name).parts
                target = folder / APP / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    return Package(archive, folder / APP, members)


# --- the archive ---------------------------------------------------------------


def project_version() -> str:
    """The version that pyproject.toml gives."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (version,) = re.findall(r'^version = "(.*)"$', text, re.MULTILINE)
    return str(version)


def test_two_builds_are_byte_identical(package: Package, tmp_path: Path) -> None:
    # Another time zone, order of sets and locale; the clock has gone on as well.
    again = build(tmp_path, PYTHONHASHSEED="12345", TZ="Pacific/Auckland", LC_ALL="C")
    assert again.name == package.archive.name
    assert again.read_bytes() == package.archive.read_bytes()


MEMBER_RULES: dict[str, Callable[[str, tarfile.TarInfo], bool]] = {
    "files and folders only": lambda name, member: member.isfile() or member.isdir(),
    "no owner of the builder's machine": lambda name, member: (member.uid, member.gid) == (0, 0),
    "no hidden file": lambda name, member: not any(part.startswith(".") for part in PurePosixPath(name).parts),
    "no local settings": lambda name, member: PurePosixPath(name).parts[:1] != ("local",) and "local.meta" not in name,
    "no compiled code": lambda name, member: not re.search(r"\.(so|pyd|dll|dylib|py[co])$|__pycache__", name),
    "executable in bin alone": lambda name, member: (
        member.isdir() or not member.mode & 0o111 or name.startswith("bin/")
    ),
    "no writing by others": lambda name, member: not member.mode & 0o022,
    "lookups are CSV": lambda name, member: member.isdir() or not name.startswith("lookups/") or name.endswith(".csv"),
}


@pytest.mark.parametrize("rule", MEMBER_RULES)
def test_every_entry_of_the_archive(package: Package, rule: str) -> None:
    holds = MEMBER_RULES[rule]
    assert [name for name, member in package.members.items() if name != "." and not holds(name, member)] == []


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        "NOTICE",
        "CHANGELOG.md",
        "app.manifest",
        "default/app.conf",
        "default/commands.conf",
        "default/searchbnf.conf",
        "metadata/default.meta",
        "bin/sigmamatch.py",
        "bin/sigmaengine/__init__.py",
        "bin/lib/splunklib/searchcommands/__init__.py",
        "bin/lib/yaml/__init__.py",
    ],
)
def test_the_archive_holds(package: Package, name: str) -> None:
    assert package.members[name].size or name.endswith("__init__.py")


# The vendored libraries: distribution -> what of it may be packed.
VENDORED = {
    "splunk-sdk": r"splunklib/(?!ai/).*\.py",
    "PyYAML": r"yaml/\w+\.py",
}


def test_bin_lib_holds_the_pinned_libraries_unchanged(package: Package) -> None:
    permitted = {}
    for name, packed in VENDORED.items():
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or []:
            about = re.fullmatch(r"[\w.-]+\.dist-info/(METADATA|(licenses/)?LICEN[CS]E.*)", file.as_posix())
            if about or re.fullmatch(packed, file.as_posix()):
                permitted[f"bin/lib/{file.as_posix()}"] = Path(str(distribution.locate_file(file)))
    files = [name for name, member in package.members.items() if name.startswith("bin/lib/") and member.isfile()]
    assert [name for name in files if name not in permitted] == []
    changed = [name for name in files if (package.folder / name).read_bytes() != permitted[name].read_bytes()]
    assert changed == []


# --- versions ------------------------------------------------------------------


def conf(text: str) -> configparser.RawConfigParser:
    """A conf file's stanzas; a duplicate stanza or setting raises."""
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=True)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    # Splunk continues a line that ends in a backslash.
    parser.read_string(re.sub(r"\\\n\s*", " ", text))
    return parser


VERSIONS: dict[str, Callable[[Package], str]] = {
    "app.conf launcher": lambda package: conf(package.text("default/app.conf"))["launcher"]["version"],
    "app.conf id": lambda package: conf(package.text("default/app.conf"))["id"]["version"],
    "app.manifest": lambda package: json.loads(package.text("app.manifest"))["info"]["id"]["version"],
    "file name": lambda package: package.archive.name.removeprefix(f"{APP}-").removesuffix(".tar.gz"),
    "newest of CHANGELOG.md": lambda package: re.findall(r"^## (\S+)", package.text("CHANGELOG.md"), re.MULTILINE)[0],
}


@pytest.mark.parametrize("place", VERSIONS)
def test_one_version_everywhere(package: Package, place: str) -> None:
    assert VERSIONS[place](package) == project_version()
    assert re.fullmatch(r"\d+\.\d+\.\d+", project_version())


# --- conf files, views ---------------------------------------------------------

TEXT_RULES: dict[str, Callable[[bytes], bool]] = {
    "UTF-8": lambda data: data.decode("utf-8") is not None,
    "no byte order mark": lambda data: not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")),
    "line feeds alone": lambda data: b"\r" not in data,
    "no null": lambda data: b"\0" not in data,
    "a last line end": lambda data: data.endswith(b"\n"),
    # Splunk would take the backslash for text and end the value.
    "no blank after a continuing backslash": lambda data: not re.search(rb"\\[ \t]+$", data, re.MULTILINE),
}


@pytest.mark.parametrize("rule", TEXT_RULES)
def test_every_conf_file_is_plain_text(package: Package, rule: str) -> None:
    files = [name for name in package.members if name.endswith((".conf", ".meta", ".xml", ".manifest"))]
    assert files
    assert [name for name in files if not TEXT_RULES[rule]((package.folder / name).read_bytes())] == []


def test_no_stanza_or_setting_comes_twice(package: Package) -> None:
    # conf() raises on the second; default.meta has the empty stanza [], which configparser cannot read.
    read = [name for name in package.members if name.endswith(".conf") and conf(package.text(name)).sections()]
    assert "default/app.conf" in read


def test_every_view_of_the_navigation_exists(package: Package) -> None:
    nav = ET.fromstring(package.text("default/data/ui/nav/default.xml"))  # noqa: S314  our own file
    named = {view.get("name") for view in nav.iter("view")}
    views = {
        PurePosixPath(name).stem for name in package.members if re.fullmatch(r"default/data/ui/views/.+\.xml", name)
    }
    assert named - SPLUNK_VIEWS == views


def command_options() -> set[str]:
    """The options that the command's class declares, read from its source."""
    tree = ast.parse((ROOT / "app" / "bin" / "sigmamatch.py").read_text(encoding="utf-8"))
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "Option"
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@pytest.mark.parametrize(
    "pattern",
    [pytest.param(r"\((\w+)=", id="syntax"), pytest.param(r"\\p\\ (\w+):", id="description")],
)
def test_the_search_assistant_names_every_option(package: Package, pattern: str) -> None:
    stanza = conf(package.text("default/searchbnf.conf"))["sigmamatch-command"]
    setting = "description" if ":" in pattern else "syntax"
    assert set(re.findall(pattern, stanza[setting])) == command_options()


@pytest.mark.parametrize(
    ("option", "values"),
    [
        pytest.param("level", set(LEVELS), id="level"),
        pytest.param("fields", set(PROFILES), id="fields"),
    ],
)
def test_the_search_assistant_names_every_value(package: Package, option: str, values: set[str]) -> None:
    syntax = conf(package.text("default/searchbnf.conf"))["sigmamatch-command"]["syntax"]
    (alternatives,) = re.findall(rf"\({option}=\(([^)]*)\)\)", syntax)
    assert set(alternatives.split("|")) == values


# --- Splunk's own tools --------------------------------------------------------


def test_appinspect(package: Package, tmp_path: Path) -> None:
    check_appinspect(package.archive, tmp_path)


SLIM_UNDEFINED = re.compile(r"\[WARNING\] .*: Undefined setting in (\S+), stanza \[.*\]: (\S+)\s*$")


def test_slim(package: Package, tmp_path: Path) -> None:
    run = run_tool(tool(".venv-packaging", "slim"), "validate", "-r", tmp_path, package.archive, home=tmp_path)
    lines = (run.stdout + run.stderr).splitlines()
    assert run.returncode == 0, "\n".join(lines)
    reported = [line for line in lines if "[WARNING]" in line or "[ERROR]" in line]
    undefined = [found.groups() for line in reported if (found := SLIM_UNDEFINED.search(line))]
    assert len(undefined) == len(reported), "\n".join(reported)
    assert {" ".join(pair) for pair in undefined} == set(read_lines(ALLOWED / "slim-allowed.txt"))


def test_ksconf(package: Package, tmp_path: Path) -> None:
    program = tool(".venv-packaging", "ksconf")
    files = [package.folder / name for name in package.members if name.endswith((".conf", ".meta"))]
    run = run_tool(program, "check", *files, home=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(files)} files were parsed successfully" in run.stdout + run.stderr
