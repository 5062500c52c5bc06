"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

_SHORTEST, _LONGEST = 0.01, 0.05
_SHARE = 0.05


@overload
async def wait_until(predicate: Callable[[], Awaitable[T]], description: str, timeout: float = ...) -> T: ...


@overload
async def wait_until(predicate: Callable[[], T], description: str, timeout: float = ...) -> T: ...


async def wait_until(predicate: Callable[[], object], description: str, timeout: float = 10.0) -> object:
    """Ask `predicate` (plain or async) until its answer is truthy, and return that answer.

    It is asked every 10 ms at first, and every 50 ms after a second: each look of a long wait costs what it waits for.

    Raises AssertionError with `description` after `timeout` seconds. An exception of the predicate passes
    through: "not there yet" is an answer, an error is not.
    """
    begun = time.monotonic()
    while True:
        answer = predicate()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        waited = time.monotonic() - begun
        if waited > timeout:
            raise AssertionError(f"Not within {timeout:g} s: {description}")
        await asyncio.sleep(min(max(waited * _SHARE, _SHORTEST), _LONGEST))
