"""Every file of SigmaHQ's folders: what becomes of it, exactly."""

from __future__ import annotations

import tarfile
from collections import Counter
from pathlib import Path

import pytest

from builder.rulefiles import RuleFolder, read_folders
from tests.support.shared import shared

#: Of each folder: files; documents of each kind; refusals by the codes of their errors.
FOLDERS: dict[str, tuple[int, dict[str, int], dict[str, int]]] = {
    "rules": (3141, {"rule": 3141}, {}),
    "rules-compliance": (3, {"rule": 3}, {}),
    "rules-emerging-threats": (473, {"rule": 473}, {"placeholder-undefined": 2}),
    "rules-placeholder": (23, {"rule": 23}, {"placeholder-undefined": 23}),
    "rules-threat-hunting": (140, {"rule": 140}, {}),
    "unsupported": (
        87,
        {"rule": 35, "correlation": 54},
        {
            # They say "near", which is no count.
            "condition-aggregation": 8,
            # Their conditions are notes for people.
            "condition-syntax": 4,
            # Documents behind a global one that has the id.
            "id-duplicate": 2,
            "timeframe-missing": 8,
        },
    ),
}


@pytest.fixture(scope="module")
def sigmahq(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SigmaHQ's folders as they were published."""
    folder = tmp_path_factory.mktemp("sigmahq")
    with tarfile.open(shared("data/sigmahq-rules.tar.gz")) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member)
            if content is not None:
                target = folder / Path(*Path(member.name).parts[1:])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    return folder


def refusals(folder: RuleFolder) -> dict[str, int]:
    """The codes of refused documents, joined, with their number."""
    return Counter(
        "+".join(sorted({finding.code for finding in outcome.findings if finding.severity == "error"}))
        for outcome in folder.refused
    )


def test_no_folder_is_left_out(sigmahq: Path) -> None:
    assert {path.relative_to(sigmahq).parts[0] for path in sigmahq.rglob("*.yml")} == set(FOLDERS)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder(sigmahq: Path, name: str) -> None:
    files, kinds, refused = FOLDERS[name]
    folder = read_folders([sigmahq / name])
    assert folder.files == files
    assert Counter(outcome.kind for outcome in folder.outcomes) == kinds
    assert refusals(folder) == refused
    assert len(folder.accepted) == sum(kinds.values()) - sum(refused.values())
    assert folder.unread == []
