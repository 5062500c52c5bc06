"""What this service publishes: status, dead letters and the ledger changelog, by one idempotent producer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from consumer.adapters.kafka import status_messages
from consumer.adapters.kafka.changelog import deletion_record, ledger_value, pair_value, state_record
from consumer.adapters.kafka.security import client_options
from consumer.domain.connection_state import LoggedState
from consumer.domain.connections.connection import Announcement
from consumer.domain.connections.pair import Pair
from consumer.domain.errors import UnavailableError
from consumer.domain.issues.record_issues import RecordIssues
from consumer.domain.orders.order import GivenOrder
from consumer.domain.push.run import Run
from consumer.domain.records.ledger import Entry
from consumer.ports import Clock, Connections, DeadLetter, RawRecord
from consumer.settings import KafkaSettings
from schemas.dead_letter import HEADER_PREFIX, ROUND, DeadLetterHeaders, Reason
from schemas.status import StatusMessage

log = structlog.get_logger("status")

_LARGEST_REQUEST: Final = 67_108_864 + 1_048_576
_KEPT: Final = 100_000
_DIGITS: Final = 6
_TRUNCATED: Final = ("swoogo-sync-truncated", b"true")
_WITHHELD: Final = ("swoogo-sync-withheld", b"may hold credentials")
_CREDENTIALS: Final = re.compile(rb"(?:consumer|client)[_-]?(?:secret|key)", re.IGNORECASE)
"""On the other topics, where credentials have no business: names under which they usually travel."""


def producer(settings: KafkaSettings) -> AIOKafkaProducer:
    """An idempotent producer that takes records as large as the input topics do; start it before use.

    It does not linger: the publisher waits for it, and what comes in meanwhile goes out together anyway.
    """
    return AIOKafkaProducer(
        **client_options(settings),
        acks="all",
        enable_idempotence=True,
        max_request_size=_LARGEST_REQUEST,
    )


@asynccontextmanager
async def brief_producer(settings: KafkaSettings, failed: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer for as long as the block lasts. Raises UnavailableError with `failed` where Kafka refuses a record."""
    sender = producer(settings)
    try:
        await sender.start()
        try:
            yield sender
        finally:
            await sender.stop()
    except KafkaError as error:
        raise UnavailableError(f"{failed}: {type(error).__name__}.") from error


class KafkaChangelog:
    """The ledger's changelog. Records of one key stay in order, as they share a partition."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    async def write(self, event_id: str, entries: Mapping[str, Entry | None]) -> None:
        """Return when all entries are on the topic (None: a null value).

        Raises:
            UnavailableError: Kafka refused or lost something; it is to be written again.
        """
        await self._send(
            (f"{event_id}/{key}".encode(), None if entry is None else ledger_value(key, entry))
            for key, entry in entries.items()
        )

    async def note(self, event_id: str, deletions: Mapping[str, str]) -> None:
        await self._send(deletion_record(event_id, contact_id, stamp) for contact_id, stamp in deletions.items())

    async def write_pairs(self, pairs: Sequence[Pair]) -> None:
        """One record a pair, under `{event_id}/pair/{swoogo_event_id}`."""
        await self._send((f"{each.event_id}/pair/{each.swoogo_event_id}".encode(), pair_value(each)) for each in pairs)

    async def write_states(self, states: Sequence[LoggedState]) -> None:
        await self._send(map(state_record, states))

    async def _send(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        await _send_all(self._producer, self._topic, records, "The ledger changelog")


class KafkaStatusTopic:
    def __init__(self, producer: AIOKafkaProducer, topic: str, connections: Connections, clock: Clock) -> None:
        self._producer = producer
        self._topic = topic
        self._connections = connections
        self._clock = clock

    async def run(self, run: Run) -> None:
        """`sync.started`, `sync.progress`, `sync.completed` or `sync.failed`."""
        if not run.org_id:  # kept by a version that did not note the pair of a run
            mapping = await self._connections.mapping(run.event_id)
            if mapping is None:
                return
            run = replace(run, org_id=mapping.org_id, swoogo_event_id=mapping.swoogo_event_id)
        await self._publish(f"run {run.id}", lambda: status_messages.sync_message(run, self._now()))

    async def announce(self, announcement: Announcement) -> None:
        """`integration.*` and `mapping.*`."""
        await self._publish(announcement.action, lambda: status_messages.verdict_message(announcement, self._now()))

    async def order(self, given: GivenOrder) -> None:
        """`order.given`."""
        event_id = given.order.event_id
        mapping = await self._connections.mapping(event_id) if event_id else None
        org_id = mapping.org_id if mapping else ""
        await self._publish("order.given", lambda: status_messages.order_message(given, org_id, self._now()))

    async def _publish(self, what: str, build: Callable[[], StatusMessage]) -> None:
        """Raises UnavailableError. A message that cannot be built is a defect: it is left out, and breaks no push."""
        try:
            message = build()
            key, value = message.key.encode(), message.encode()
        except Exception:
            log.exception("status.not_built", what=what)
            return
        try:
            await self._producer.send_and_wait(self._topic, value=value, key=key)
        except KafkaError as error:
            raise UnavailableError(f"The status topic could not be written: {type(error).__name__}.") from error

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() / 1000, UTC)


class KafkaIssuesTopic:
    """What stands for each record, under its key; see `adapters.redis.issue_feed.IssuesTopic`."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, clock: Clock) -> None:
        self._producer = producer
        self._topic = topic
        self._clock = clock

    async def write(self, event_id: str, org_id: str, records: Mapping[str, RecordIssues | None]) -> None:
        """Return when all are safe (None: a null value). Raises UnavailableError."""
        now = datetime.fromtimestamp(self._clock.now() / 1000, UTC)
        messages = (
            (key, None if each is None else status_messages.issues_message(event_id, org_id, each, now))
            for key, each in records.items()
        )
        await _send_all(
            self._producer,
            self._topic,
            ((f"{event_id}/{key}".encode(), message.encode() if message else None) for key, message in messages),
            "The issues topic",
        )


class KafkaDeadLetters:
    """Unreadable records: original key and bytes, origin and reason in the headers.

    Credentials travel on the mappings topic. What cannot be read there may hold them in clear, in any spelling and
    encoding, so neither its value nor its headers are kept (decision 0012).
    """

    def __init__(self, producer: AIOKafkaProducer, topic: str, mappings: str) -> None:
        """Keep the producer, which somebody else starts and stops. `mappings`: name of the mappings topic."""
        self._producer = producer
        self._topic = topic
        self._mappings = mappings

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        try:
            await asyncio.gather(*(self._put(letter) for letter in letters))
        except KafkaError as error:
            raise UnavailableError(f"Dead letters could not be written: {type(error).__name__}.") from error

    async def _put(self, letter: DeadLetter) -> None:
        record = letter.record
        headers = DeadLetterHeaders(
            origin_topic=record.topic,
            origin_partition=record.partition,
            origin_offset=record.offset,
            origin_timestamp=record.timestamp,
            reason=Reason(letter.reason),
            error=letter.sentence,
            round=_round(record),
        ).to_headers()
        own, original = headers, record.value
        if original and (record.topic == self._mappings or _CREDENTIALS.search(original)):
            own, original = [*own, _WITHHELD], None
        headers = [*own]
        if record.topic != self._mappings:
            # A publisher does not speak for this service.
            headers += [(name, value or b"") for name, value in record.headers if not name.startswith(HEADER_PREFIX)]
        try:
            await self._producer.send_and_wait(self._topic, value=original, key=record.key, headers=headers)
        except MessageSizeTooLargeError:
            # The topic takes less than the input topics do. The record itself stays at its origin; what is
            # kept here says where that is.
            value = (original or b"")[:_KEPT]
            weight = sum(len(name) + len(held) for name, held in headers)
            kept = headers if weight <= _KEPT else own
            key = record.key if len(record.key or b"") <= _KEPT else None
            await self._producer.send_and_wait(self._topic, value=value, key=key, headers=[*kept, _TRUNCATED])


def _round(record: RawRecord) -> int:
    """How often it was put back, as its header says; 0 where that is no small number."""
    said = dict(record.headers).get(ROUND) or b""
    return int(said) if said.isdigit() and len(said) <= _DIGITS else 0


async def _send_all(
    producer: AIOKafkaProducer, topic: str, records: Iterable[tuple[bytes, bytes | None]], name: str
) -> None:
    """Return when all records (key, value) are on the topic. `name`: in the error. Raises UnavailableError."""
    try:
        await asyncio.gather(*[await producer.send(topic, key=key, value=value) for key, value in records])
    except KafkaError as error:
        raise UnavailableError(f"{name} could not be written: {type(error).__name__}.") from error
