"""The map in `consumer/__init__.py` and the code agree, so that a newcomer can trust it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import consumer

_PACKAGE: Final = Path(consumer.__file__).parent
_LINE: Final = re.compile(r"^( {4,12})([a-z_]+)(/?) {2,}\S", re.MULTILINE)


def _named() -> list[Path]:
    """Paths below the package: folders, and the modules in them that the map points out."""
    found: list[Path] = []
    folders: dict[int, Path] = {0: Path()}
    for indent, name, slash in _LINE.findall(consumer.__doc__ or ""):
        path = folders[len(indent) - 4] / (name if slash else f"{name}.py")
        found.append(path)
        folders[len(indent)] = path
    return found


def test_everything_on_the_map_exists() -> None:
    """A renamed or removed folder has to leave the map."""
    assert [path for path in _named() if not (_PACKAGE / path).exists()] == []


def test_every_folder_is_on_the_map_once() -> None:
    """A new folder says in the map what it is for."""
    folders = {path.parent.relative_to(_PACKAGE) for path in _PACKAGE.rglob("*.py")} - {Path()}
    assert sorted(path for path in _named() if path.suffix != ".py") == sorted(folders)


def test_the_map_stays_short() -> None:
    """Folders tell the rest."""
    assert len((consumer.__doc__ or "").splitlines()) <= 50
