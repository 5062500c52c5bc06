"""The Lua scripts as Redis gets them: what several share stands before each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from importlib import resources
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis

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


class Script(Protocol):
    def __call__(self, keys: Iterable[str], args: Iterable[Any]) -> Awaitable[Any]: ...


class RegisteredScripts:
    """Every script, registered on one client; NOSCRIPT is handled by the client (it loads and repeats)."""

    def __init__(self, redis: Redis) -> None:
        """Read the `.lua` files of the folder `lua`; nothing is sent yet."""
        self.named = {name: cast("Script", redis.register_script(source(name))) for name in names()}
