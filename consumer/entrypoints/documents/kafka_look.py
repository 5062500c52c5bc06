"""What Kafka says, for people who look: who reads, what waits, which dead letters are open; the last reading is kept.

A command looks once. The console looks again when its reading is some seconds old, in the background: no page waits for
Kafka but the first, and that one for some seconds only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.settings import KafkaSettings

if TYPE_CHECKING:
    from consumer.adapters.kafka.group_status import GroupStatus
    from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters, OpenLetter

_SECONDS: Final = 3.0
_FRESH_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class KafkaReading:
    """One look. `at`: ms when `letters` were read, 0: never; `trouble`: why the newest look failed, in a sentence.

    `topics`: the newest that were read, () before.
    """

    at: int = 0
    topics: Sequence[GroupStatus] = ()
    letters: Sequence[OpenLetter] = ()
    trouble: str = ""


class KafkaLook:
    """Looks at most every some seconds. Close it in the end; it connects when it is asked first."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._letters: OpenDeadLetters | None = None
        self._reading = KafkaReading()
        self._task: asyncio.Task[None] | None = None
        self._next = 0.0

    async def read(self) -> KafkaReading:
        """The newest reading. Waits some seconds for the first one, never for a later one."""
        if self._task is None and time.monotonic() >= self._next:
            self._task = asyncio.create_task(self._look())
        task = self._task
        if task is not None and not self._reading.at:
            await asyncio.wait({task}, timeout=_SECONDS)
            if not task.done():
                return replace(self._reading, trouble=f"Kafka did not answer within {_SECONDS:g} seconds.")
        return self._reading

    def look_again(self) -> None:
        """The next reading is not the kept one for long: something was just changed."""
        self._next = 0.0

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._letters is not None:
            await self._letters.aclose()

    async def _look(self) -> None:
        from consumer.adapters.kafka.group_status import read_groups
        from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters

        self._letters = self._letters or OpenDeadLetters(self._settings)
        try:
            letters = await self._letters.letters()
            self._reading = replace(self._reading, at=round(time.time() * 1000), letters=letters, trouble="")
            self._reading = replace(self._reading, topics=await read_groups(self._settings, _SECONDS))
        except (UnavailableError, ConfigurationError) as error:
            self._reading = replace(self._reading, trouble=str(error))
        finally:
            self._next, self._task = time.monotonic() + _FRESH_SECONDS, None
