"""Writes the JSON Schemas and the AsyncAPI description beside the models: `python -m schemas.generate`.

With `--check` nothing is written; the exit status is 1 when a file differs from what the models say, is
missing, or is one too many.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from schemas.asyncapi import asyncapi_document
from schemas.json_schema import MODELS, file_name, to_text, value_schema
from schemas.yaml_text import to_yaml

FOLDER: Final = Path(__file__).parent
_NOTE: Final = "# Made by `python -m schemas.generate`; change the models instead.\n"


def generated() -> Mapping[str, str]:
    """Path below this package -> the text the file should have."""
    schemas = {f"json/{file_name(topic)}": to_text(value_schema(topic)) for topic in MODELS}
    return {**schemas, "asyncapi.yaml": _NOTE + to_yaml(asyncapi_document())}


def stale(folder: Path = FOLDER) -> list[str]:
    """Paths whose file differs from what the models say, is missing, or has no model any more."""
    expected = generated()
    found = {str(path.relative_to(folder)) for path in (folder / "json").glob("*.json")}
    differing = {path for path, text in expected.items() if _text(folder / path) != text}
    return sorted(differing | (found - expected.keys()))


def write(folder: Path = FOLDER) -> list[str]:
    """Writes what is stale and removes what has no model any more; returns the paths."""
    changed = stale(folder)
    expected = generated()
    (folder / "json").mkdir(exist_ok=True)
    for path in changed:
        if path in expected:
            (folder / path).write_text(expected[path], encoding="utf-8")
        else:
            (folder / path).unlink()
    return changed


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when a file is stale")
    if parser.parse_args(arguments).check:
        outdated = stale()
        for path in outdated:
            sys.stderr.write(f"{path} is not what the models say: run python -m schemas.generate\n")
        return 1 if outdated else 0
    for path in write():
        sys.stdout.write(f"wrote {path}\n")
    return 0


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
