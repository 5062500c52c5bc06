"""The map in `consumer/__init__.py` and the code agree, so that a newcomer can trust it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import consumer

_PACKAGE: Final = Path(consumer.__file__).parent
_NAME: Final = re.compile(r"^.{12}`([a-z_.]+)`", re.MULTILINE)


def _named() -> list[str]:
    return _NAME.findall(consumer.__doc__ or "")


def _modules() -> set[str]:
    paths = (path.relative_to(_PACKAGE) for path in _PACKAGE.rglob("*.py") if path.stem != "__init__")
    return {".".join(path.with_suffix("").parts) for path in paths}


def test_every_module_that_the_map_names_exists() -> None:
    """A renamed or removed module has to leave the map."""
    assert set(_named()) - _modules() == set()


def test_every_module_is_on_the_map() -> None:
    """A new module says in the map which stage it belongs to."""
    assert _modules() - set(_named()) == set()


def test_no_module_is_on_the_map_twice() -> None:
    """One stage owns each module."""
    assert len(_named()) == len(set(_named()))
