"""The module file that builds a program whose own go.mod forbids `go install`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from tools.gomodules import Program, module_file
from tools.running import FailedError

PROGRAM: Final = Program(
    name="server", module="example.org/whole", version="v1.34.4", package="example.org/whole/cmd", local="v0.34.4"
)
THEIRS: Final = """module example.org/whole

go 1.24.0

require (
	example.org/part v0.0.0
	example.org/other v1.0.0
)

replace (
	example.org/part => ./staging/src/example.org/part
	example.org/other => example.org/fork v1.0.1
)

exclude example.org/bad v1.2.3
"""


def test_directives_are_repeated_and_folders_become_versions() -> None:
    """Go heeds `replace` and `exclude` of the main module only, and the folders are not in the module's archive."""
    assert module_file(PROGRAM, THEIRS).split("\n\n") == [
        "module built",
        "go 1.24.0",
        "require example.org/whole v1.34.4",
        "replace (\n\texample.org/part => example.org/part v0.34.4\n\texample.org/other => example.org/fork v1.0.1\n)",
        "exclude example.org/bad v1.2.3\n",
    ]


def test_a_block_of_excludes_keeps_its_comments() -> None:
    theirs = "module m\n\ngo 1.24.9\n\nexclude (\n\t// Remove (later).\n\texample.org/a v1.0.0\n)\n"
    assert "exclude (\n\t// Remove (later).\n\texample.org/a v1.0.0\n)" in module_file(PROGRAM, theirs)


def test_a_folder_needs_a_version() -> None:
    with pytest.raises(FailedError, match="which version"):
        module_file(replace(PROGRAM, local=""), THEIRS)
