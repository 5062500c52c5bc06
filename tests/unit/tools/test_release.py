from __future__ import annotations

from pathlib import Path

import pytest

from tools.release import ROOT, NotReadyError, main, notes_of, version_of

PYPROJECT = '[project]\nversion = "1.2.3"\n'
CHANGELOG = """# Changelog

## [1.3.0] - unreleased

- Later.

## [1.2.3] - 2027-01-31

### Added

- A thing.

## [1.2.2] - 2027-01-01

- Before.
"""


def test_the_version_is_what_tag_and_tree_agree_on() -> None:
    assert version_of("v1.2.3", PYPROJECT) == "1.2.3"
    assert version_of("v1.2.3-rc.1", '[project]\nversion = "1.2.3-rc.1"\n') == "1.2.3-rc.1"


@pytest.mark.parametrize(("tag", "sentence"), [("1.2.3", "no version tag"), ("v1.2.4", "pyproject.toml says 1.2.3")])
def test_a_tag_that_does_not_fit_is_refused_with_a_sentence(tag: str, sentence: str) -> None:
    with pytest.raises(NotReadyError, match=sentence):
        version_of(tag, PYPROJECT)


def test_the_notes_are_the_section_of_the_version() -> None:
    assert notes_of("1.2.3", CHANGELOG) == "### Added\n\n- A thing.\n"
    assert notes_of("1.2.2", CHANGELOG) == "- Before.\n"


@pytest.mark.parametrize(("version", "sentence"), [("1.3.0", "write the day"), ("2.0.0", "no section")])
def test_a_changelog_that_is_not_ready_is_refused_with_a_sentence(version: str, sentence: str) -> None:
    with pytest.raises(NotReadyError, match=sentence):
        notes_of(version, CHANGELOG)


def test_the_command_writes_notes_or_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["v0.0.1", "--notes", str(tmp_path / "notes.md")]) == 1
    assert "pyproject.toml says" in capsys.readouterr().err
    assert not (tmp_path / "notes.md").exists()
    assert (ROOT / "CHANGELOG.md").exists()
