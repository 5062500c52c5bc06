"""Time that moves when no one can go on, and processes that freeze or vanish between two steps.

A process is everything that runs in the context of one `Process`. What the loop would run for it is held back while it
is frozen (SIGSTOP), and for good when it is dead (SIGKILL): no `finally`, no `except`, no last word.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from consumer.adapters.clock import SystemClock

EPOCH: Final = 1_790_000_000.0
"""Seconds since 1970 when a run begins: September 2026."""

_current: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


@dataclass(eq=False, slots=True)
class Process:
    """One life of a worker. `ended` is set when it is killed; its keeper starts another."""

    name: str
    dead: bool = False
    frozen: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    held: list[tuple[Callable[..., object], tuple[Any, ...], contextvars.Context]] = field(default_factory=list)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something as this process."""
        context = contextvars.Context()
        context.run(_current.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)

    def kill(self) -> None:
        """SIGKILL."""
        self.dead = True
        outside(self.ended.set)

    def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        self.frozen = True
        asyncio.get_running_loop().call_later(seconds, self._thaw, context=contextvars.Context())

    def bury(self) -> None:
        """When a run is over: let what is left of it end, so that nothing stays behind in memory."""
        self.dead = False
        self._thaw()

    def _thaw(self) -> None:
        self.frozen = False
        if self.dead:
            return
        held, self.held = self.held, []
        for callback, arguments, context in held:
            asyncio.get_running_loop().call_soon(callback, *arguments, context=context)


def current() -> Process | None:
    """The process that runs now; None for the world around."""
    return _current.get()


def outside(callback: Callable[[], object]) -> None:
    """Run something soon as the world around, not as a worker."""
    asyncio.get_running_loop().call_soon(callback, context=contextvars.Context())


def task_outside(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """A task of the world around: it goes on when the process that started it has died."""
    return asyncio.get_running_loop().create_task(work, context=contextvars.Context())


async def end_everything() -> None:
    """End all other tasks of the loop. Raises RuntimeError when some will not."""
    for _ in range(100):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if not others:
            return
        for task in others:
            task.cancel()
        await asyncio.sleep(1.0)
    raise RuntimeError(f"These would not end: {others}.")


class DeadlockError(RuntimeError):
    """Nothing can go on and nothing is waited for."""


class _Idle(selectors.DefaultSelector):
    """Never waits: the loop's time jumps to the next timer instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError("No one can go on, and no timer runs.")
        self.loop.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop without sockets, on time of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = _Idle()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Seconds since the run began."""
        return self.now

    def call_soon(  # type: ignore[override] # of any callback
        self, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """See asyncio; held back for a process that is frozen or dead."""
        context, step = self._guarded(callback, context)
        return super().call_soon(step, *args, context=context)

    def call_at(  # type: ignore[override] # of any callback
        self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """See asyncio; as `call_soon`."""
        context, step = self._guarded(callback, context)
        return super().call_at(when, step, *args, context=context)

    def _guarded(
        self, callback: Callable[..., object], context: contextvars.Context | None
    ) -> tuple[contextvars.Context, Callable[..., object]]:
        context = contextvars.copy_context() if context is None else context
        process = context.get(_current)
        if process is None:
            return context, callback

        def step(*args: Any) -> None:
            if process.frozen or process.dead:
                process.held.append((callback, args, context))
            else:
                callback(*args)

        return context, step


class VirtualClock(SystemClock):
    """The clock of a process, on the loop's time, at first so many seconds off; chance comes from the seed."""

    def __init__(self, chance: Random, off: float) -> None:
        super().__init__(lambda: round(seconds() * 1e9), lambda: round((seconds() + off) * 1e9))
        self._chance = chance

    def new_id(self) -> str:
        """See `ports.Clock`."""
        return f"{self.now():012x}{self._chance.getrandbits(64):016x}"

    def jitter(self) -> float:
        """See `ports.Clock`."""
        return self._chance.random()


def seconds() -> float:
    """Seconds since 1970 in this run."""
    return EPOCH + asyncio.get_running_loop().time()
