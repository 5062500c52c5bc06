"""`docs/issues.md` says what the catalogue says."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumer.domain.issue import Code
from consumer.issues_docs import generated
from consumer.settings.docs import ROOT, main, stale


def test_n2_the_page_is_what_the_catalogue_says() -> None:
    """N2: a new or reworded code shows in the page; make it again with `python -m consumer.issues_docs`."""
    assert stale(ROOT, generated()) == []


@pytest.mark.parametrize("code", list(Code))
def test_n2_every_code_is_on_the_page_once(code: Code) -> None:
    """N2: with a sentence that has no placeholder left."""
    [page] = generated().values()
    [row] = [line for line in page.splitlines() if line.startswith(f"| `{code.value}` ")]
    assert "{" not in row
    assert row.endswith(". |")


def test_a_stale_page_is_found_and_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check fails first; after writing it passes."""
    files = generated()
    assert main(["--check"], root=tmp_path, files=files) == 1
    assert main([], root=tmp_path, files=files) == 0
    assert main(["--check"], root=tmp_path, files=files) == 0
    assert "wrote docs/issues.md" in capsys.readouterr().out
