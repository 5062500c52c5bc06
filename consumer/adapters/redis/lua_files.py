"""The Lua scripts as Redis gets them: what several share stands before each of them."""

from __future__ import annotations

from importlib import resources
from typing import Final

_WITH: Final = "-- WITH "
"""In the first line of a script: which files of `lua/shared` stand before it."""


def names() -> list[str]:
    folder = resources.files("consumer.adapters.redis") / "lua"
    return sorted(each.name.removesuffix(".lua") for each in folder.iterdir() if each.name.endswith(".lua"))


def source(name: str) -> str:
    folder = resources.files("consumer.adapters.redis") / "lua"
    text = (folder / f"{name}.lua").read_text()
    first, _, rest = text.partition("\n")
    if not first.startswith(_WITH):
        return text
    shared = first.removeprefix(_WITH).split()
    return "".join((folder / "shared" / f"{each}.lua").read_text() for each in shared) + rest
