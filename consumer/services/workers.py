"""Work done side by side, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from consumer.domain.errors import LeaseLostError

_T = TypeVar("_T")


async def run_workers(worker: Callable[[], Coroutine[None, None, None]], count: int) -> None:
    """Run `count` workers to the end; the first error stops them all and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(worker())
    except BaseExceptionGroup as errors:
        lost = errors.subgroup(LeaseLostError)
        raise (lost or errors).exceptions[0] from None


async def for_each(items: Iterable[_T], work: Callable[[_T], Awaitable[Any]], at_once: int) -> None:
    """Do the work for each item, so many at once; the first error stops all and is raised as itself."""
    waiting = list(items)
    pending = iter(waiting)

    async def worker() -> None:
        for item in pending:
            await work(item)

    await run_workers(worker, min(len(waiting), at_once))


async def cancel_and_wait(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task, and wait for its end. More than once: a library may swallow the first."""
    while task and not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
