"""RECORD's door: one FastStream batch subscriber per topic, by a recipe that loses nothing.

`NACK_ON_ERROR` rewinds the whole batch when the handler raises, so the handler raises only for trouble with our own
servers (or a defect of ours), after an own back-off. Headers are made safe and values left raw before FastStream could
choke on either. There is no AsyncAPI page: its try-it route would be an open write endpoint.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from faststream import AckPolicy
from faststream.exceptions import IgnoredException
from faststream.kafka import KafkaBroker
from msgspec.structs import replace

from consumer.adapters.kafka import broker as timeouts
from consumer.domain.errors import RetryableError
from consumer.domain.pacing.backoff import retry_delay
from consumer.ports import Clock, RawRecord
from consumer.services.record import Records
from consumer.settings import KafkaSettings

log = structlog.get_logger("record")

_BACKOFF_FIRST: Final = 0.2
_BACKOFF_MOST: Final = 15.0
_FETCH_BYTES: Final = 4_194_304


class AgainError(IgnoredException):
    """The batch is rewound and comes again. `handle` has logged why; FastStream would log it once more, at length."""


@dataclass(slots=True)
class Subscribers:
    """The handlers of the four input topics; `recorded` is called after each batch that brought news."""

    recorder: Records
    clock: Clock
    recorded: Callable[[], None]
    _failures: dict[str, int] = field(default_factory=dict)

    async def handle(self, records: Sequence[RawRecord]) -> None:
        """Record a batch; when it returns, its offsets may be committed."""
        topic = records[0].topic
        try:
            result = await self.recorder.record(records)
        except Exception as error:
            failures = self._failures[topic] = self._failures.get(topic, 0) + 1
            delay = retry_delay(failures, _BACKOFF_FIRST, _BACKOFF_MOST, self.clock.jitter())
            if isinstance(error, RetryableError):
                log.warning("record.waiting", topic=topic, reason=str(error), seconds=round(delay, 1))
            else:
                # A defect of ours: the batch stays where it is, and only this line tells why.
                log.exception("record.broken", topic=topic, seconds=round(delay, 1))
            await self.clock.sleep(delay)
            raise
        self._failures.pop(topic, None)
        if result.dead:
            log.warning("record.dead_letters", topic=topic, count=result.dead)
        if result.news:
            self.recorded()

    def register(self, broker: KafkaBroker, settings: KafkaSettings) -> None:
        topics = settings.topics
        # A group for each topic: in a shared one, every consumer that joins makes the other three join again.
        for name in ("mappings", "sessions", "speakers", "sponsors"):
            subscriber = broker.subscriber(
                getattr(topics, name),
                group_id=f"{settings.group_id}.{name}",
                batch=True,
                max_records=settings.max_records,
                batch_timeout_ms=1,  # after nothing came, FastStream sleeps for so long, deaf; the reader waits itself
                ack_policy=AckPolicy.NACK_ON_ERROR,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                session_timeout_ms=round(settings.session_timeout * 1000),
                heartbeat_interval_ms=round(settings.session_timeout * 100),
                rebalance_timeout_ms=timeouts.REBALANCE_MS,
                max_poll_interval_ms=300_000,
                max_partition_fetch_bytes=_FETCH_BYTES,
                parser=safe_headers,
                decoder=raw_value,
            )
            subscriber(self._handler())

    def _handler(self) -> Callable[..., Awaitable[None]]:
        async def record_batch(records: list[RawRecord]) -> None:
            try:
                await self.handle(records)
            except Exception as error:
                raise AgainError from error

        return record_batch


async def safe_headers(message: Any, original: Callable[..., Awaitable[Any]]) -> Any:
    """Parse without the headers: FastStream decodes them as UTF-8 and drops the batch when that fails.

    The first record stands for all: what FastStream would make of each is not used, only the records themselves.
    """
    parsed = await original((replace(message[0], headers=()),))
    parsed.raw_message = message
    return parsed


async def raw_value(message: Any) -> Any:
    """Leave the bytes alone: the recorder reads them record by record."""
    return message.raw_message
