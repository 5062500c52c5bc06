"""The page of issues has every code."""

from __future__ import annotations

import pytest

from consumer.domain.issues.issue import Code
from tools.issues_docs import page


@pytest.mark.rule("N2")
@pytest.mark.parametrize("code", list(Code))
def test_every_code_is_on_the_page_once(code: Code) -> None:
    """With a sentence that has no placeholder left."""
    [row] = [line for line in page().splitlines() if line.startswith(f"| `{code.value}` ")]
    assert "{" not in row
    assert row.endswith(". |")
