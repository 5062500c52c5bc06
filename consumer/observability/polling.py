"""Figures that have to be asked for: read when somebody looks, at most so often, one question at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PolledValue(Generic[T]):
    """The last answer to a question, and how old it is.

    A reader starts the question when the answer is older than `every` seconds, and waits for it as long as it
    likes; a slow answer is taken when it comes. So a scrape costs the server behind it the same however often it comes.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[T]],
        *,
        every: float,
        deadline: float = 10.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet. `deadline`: seconds until a question is given up."""
        self.name = name
        self.value: T | None = None
        self._read = read
        self._every = every
        self._deadline = deadline
        self._now = now
        self._answered = now()
        self._asked = float("-inf")
        self._reason = ""
        self._asking: asyncio.Task[None] | None = None

    @property
    def age(self) -> float:
        """Seconds since the last answer, or since the beginning."""
        return self._now() - self._answered

    async def refresh(self, wait: float) -> T | None:
        """The newest answer there is after `wait` seconds at most."""
        if self._asking is None and self._now() - self._asked >= self._every:
            self._asked = self._now()
            self._asking = asyncio.create_task(self._ask(), name=f"look at {self.name}")
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=wait)
        return self.value

    async def trouble(self, patience: float, wait: float) -> str:
        """One sentence when there was no answer for `patience` seconds; empty when all is well."""
        await self.refresh(wait)
        if self.age <= patience:
            return ""
        reason = f" ({self._reason})" if self._reason else ""
        return f"{self.name} has not answered for {self.age:.0f} seconds{reason}."

    async def aclose(self) -> None:
        """Give up what is being asked."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(self._deadline):
                self.value = await self._read()
            self._answered, self._reason = self._now(), ""
        except Exception as error:  # noqa: BLE001 - whatever it is, the figures stay old, and their age tells
            self._reason = type(error).__name__
        finally:
            self._asking = None
