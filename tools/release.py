"""Checks that a tag is the version this tree says it is, and takes its notes from the changelog.

`python -m tools.release v1.2.3 --notes notes.md` prints `1.2.3`; the exit code is 1 with a sentence when the tree is
not ready for it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_TAG: Final = re.compile(r"v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)")


class NotReadyError(Exception):
    """The tree is not what the tag says. The text says what to do."""


def version_of(tag: str, pyproject: str) -> str:
    """The version that a tag such as `v1.2.3` names. Raises NotReadyError when `pyproject` has another."""
    match = _TAG.fullmatch(tag)
    if match is None:
        raise NotReadyError(f"{tag} is no version tag: write v1.2.3 or v1.2.3-rc.1.")
    declared = str(tomllib.loads(pyproject)["project"]["version"])
    if declared != match[1]:
        raise NotReadyError(f"The tag is {tag}, but pyproject.toml says {declared}: set `version` there and tag again.")
    return declared


def notes_of(version: str, changelog: str) -> str:
    """What the changelog says of a version, without its heading. Raises NotReadyError."""
    heading = re.search(rf"^## \[{re.escape(version)}\] - (.+)$", changelog, re.MULTILINE)
    if heading is None:
        raise NotReadyError(f"CHANGELOG.md has no section [{version}].")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[1]) is None:
        raise NotReadyError(f"CHANGELOG.md calls {version} {heading[1]!r}: write the day of the release.")
    rest = changelog[heading.end() :]
    following = re.search(r"^## |^\[[^\]]+\]: ", rest, re.MULTILINE)
    return (rest[: following.start()] if following else rest).strip() + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Print the version and write its notes; 1 with a sentence on standard error when the tree is not ready."""
    parser = argparse.ArgumentParser(description="Check a release tag, and write its notes.")
    parser.add_argument("tag")
    parser.add_argument("--notes", type=Path, help="where the notes go")
    given = parser.parse_args(arguments)
    try:
        version = version_of(given.tag, (ROOT / "pyproject.toml").read_text())
        notes = notes_of(version, (ROOT / "CHANGELOG.md").read_text())
    except NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    if given.notes:
        given.notes.write_text(notes)
    print(version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
