"""What the service and its peer hold of Kafka: a broker for subscribers, and a producer, on the log in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from aiokafka.errors import KafkaTimeoutError

from tests.chaos.effects import STALL, Effects
from tests.chaos.log import Handler, Log, LogRecord, Member
from tests.chaos.machine import current

_GIVEN_UP: Final = 40.0
"""Seconds after which a producer gives a record up."""


class FakeBroker:
    """Stands for `faststream.kafka.KafkaBroker`: batch subscribers, each with a group of its own."""

    def __init__(self, log: Log, effects: Effects) -> None:
        self._log = log
        self._effects = effects
        self._subscribers: list[tuple[str, str, int, Handler]] = []
        self._members: list[tuple[Member, asyncio.Task[None]]] = []

    def subscriber(self, topic: str, *, group_id: str, max_records: int, **_: Any) -> Callable[[Handler], Handler]:
        """A subscriber, to be put around its handler."""

        def put(handler: Handler) -> Handler:
            self._subscribers.append((topic, group_id, max_records, handler))
            return handler

        return put

    async def start(self) -> None:
        """Join all groups."""
        process = current()
        assert process is not None
        for topic, group_id, batch, handler in self._subscribers:
            member = Member(self._log.group(group_id, topic), process, handler, batch)
            self._members.append((member, asyncio.create_task(member.consume())))

    async def stop(self, *_: Any) -> None:
        """Leave all groups."""
        for member, task in self._members:
            task.cancel()
            member.group.leave(member)
        await asyncio.gather(*(task for _, task in self._members), return_exceptions=True)


class FakeProducer:
    """Stands for `AIOKafkaProducer`, idempotent: records of a process stay in their order."""

    def __init__(self, log: Log, effects: Effects) -> None:
        self._log = log
        self._effects = effects
        self._order = asyncio.Lock()

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
        **_: Any,
    ) -> asyncio.Task[LogRecord]:
        """Returns what is done when the record is acknowledged."""
        return asyncio.create_task(self._deliver(topic, value, key, headers or ()))

    async def send_and_wait(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
        **_: Any,
    ) -> LogRecord:
        """Returns when the record is acknowledged. Raises KafkaError."""
        return await self._deliver(topic, value, key, headers or ())

    async def _deliver(
        self, topic: str, value: bytes | None, key: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> LogRecord:
        async with self._order:
            kind = self._effects.strike(f"produce {topic}")
            await self._effects.before(kind)
            if kind == "error":
                raise KafkaTimeoutError
            if kind == STALL:
                self._log.stand_still()
            if not await self._log.answers(_GIVEN_UP):
                # It has left this process: it is there when the broker goes on, before whatever is sent from now on.
                self._log.delayed.append((topic, key, value, headers))
                raise KafkaTimeoutError
            record = self._log.append(topic, key, value, headers)
            await self._effects.after(kind)
            if kind == "drop answer after effect":
                raise KafkaTimeoutError
            return record
