"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

_POLL_SECONDS = 0.01


@overload
async def wait_until(predicate: Callable[[], Awaitable[T]], description: str, timeout: float = ...) -> T: ...


@overload
async def wait_until(predicate: Callable[[], T], description: str, timeout: float = ...) -> T: ...


async def wait_until(predicate: Callable[[], object], description: str, timeout: float = 10.0) -> object:
    """Ask `predicate` (plain or async) every 10 ms until its answer is truthy, and return that answer.

    Raises AssertionError with `description` after `timeout` seconds. An exception of the predicate passes
    through: "not there yet" is an answer, an error is not.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer = predicate()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {timeout:g} s: {description}")
        await asyncio.sleep(_POLL_SECONDS)
