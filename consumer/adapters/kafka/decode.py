"""From Kafka bytes to the domain, in two steps, so that a burst of edits of one record makes one row.

Peeking says whose change it is, and how new. It reads a record of the usual shape whole (`wire`), and of another its
envelope alone, so that a superseded one is never judged. Whatever even that cannot read goes the thorough way through
`lenient`, which leaves out odd values of optional fields (E6), and knows reason and sentence of a dead letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from consumer.adapters.kafka import convert, convert_control, lenient, wire
from consumer.domain.connections.connection import disconnect_key
from consumer.domain.errors import PoisonError
from consumer.domain.records.identity import Source, key_of, not_ahead, stamp, version_of
from consumer.ports import Change, Peeked, RawRecord, Subject, SyncRequest, event_subject, org_subject
from consumer.settings import Topics
from schemas.keys import RecordKey, control_key
from schemas.mapping import IntegrationConnected, IntegrationDisconnected, IntegrationUpdated, SyncRequested
from schemas.reading import UnreadableError, read_control, read_resource
from schemas.wire import to_ms

_IGNORED: Final = ("exhibitor.",)
"""Actions of record kinds that are out of scope (E8)."""


class _Data(msgspec.Struct):
    id: str | int
    updated_at: datetime | None = None


class _Metadata(msgspec.Struct):
    action: str
    version: int
    datetime: datetime
    event_id: str | int | None = None


class _Envelope(msgspec.Struct):
    data: _Data
    metadata: _Metadata


_envelope: Final = msgspec.json.Decoder(_Envelope)


class KafkaDecoder:
    """Decodes the records of the four input topics. Holds no state."""

    def __init__(self, topics: Topics, max_record_bytes: int, tier_field: str = "tier") -> None:
        """Remember which topic carries what, and which custom field of sponsors is the tier (O5)."""
        self._tier_field = tier_field
        self._limit = max_record_bytes
        self._control = topics.mappings
        self._sources: Mapping[str, Source] = {
            topics.sessions: Source.SESSION,
            topics.speakers: Source.CONTACT,
            topics.sponsors: Source.SPONSOR,
        }

    def peek(self, record: RawRecord) -> Peeked | None:
        if record.topic == self._control:
            return self._peek_control(record)
        source = self._sources[record.topic]
        value = record.value
        if value is not None and len(value) <= self._limit:
            body = wire.read(source, value)
            try:
                head = body or _envelope.decode(value)
            except (msgspec.DecodeError, RecursionError, ValueError):
                return self._peek_thoroughly(source, record)
            if _is_usual(record, head):
                return self._peeked(source, record, head, body)
        return self._peek_thoroughly(source, record)

    def read(self, peeked: Peeked) -> Change | SyncRequest:
        record = peeked.record
        if record.topic == self._control:
            return self._read_control(peeked)
        if peeked.change is not None:
            return peeked.change
        source = self._sources[record.topic]
        if record.value is None:
            identifier = peeked.key.partition("/")[2]
            row = convert.deleted_row(source, identifier, record.timestamp)
            return Change(peeked.key, peeked.stamp, row, deleted=True)
        try:
            model, unread = lenient.read(wire.MODELS[source], record.value)
        except UnreadableError as error:
            raise _poison(error) from None
        return self._change(source, wire.of(model), peeked.key, peeked.stamp, version_of(peeked.stamp), unread)

    def _peeked(self, source: Source, record: RawRecord, head: Any, body: Any = None) -> Peeked | None:
        """What an envelope says. A body becomes a row at once, so that no batch of them is held."""
        meta, data = head.metadata, head.data
        if meta.event_id is None or meta.action.startswith(_IGNORED):
            return None
        published, received = wire.milliseconds(meta.datetime), record.timestamp
        version = wire.milliseconds(data.updated_at) if data.updated_at else published
        # G3: no date ahead of Kafka's own silences what comes after it.
        version, published = not_ahead(version, received), not_ahead(published, received)
        key, stamped = key_of(source, str(data.id)), stamp(version, published, record.offset, record.partition)
        change = body and self._change(source, body, key, stamped, version)
        return Peeked(event_subject(str(meta.event_id)), key, stamped, record, meta.action, change)

    def _change(
        self, source: Source, body: Any, key: str, stamped: str, version: int, unread: lenient.Unread = lenient.NOTHING
    ) -> Change:
        deleted = wire.deletes(body)
        row = convert.resource_row(source, body, version, deleted=deleted, tier_field=self._tier_field, unread=unread)
        return Change(key, stamped, row, deleted, body.metadata.org_id or "")

    def _peek_thoroughly(self, source: Source, record: RawRecord) -> Peeked | None:
        """The slow way: to find out what is wrong, or for an unusual but readable record."""
        try:
            change = read_resource(
                wire.MODELS[source], record.key, record.value, max_bytes=self._limit, parse=lenient.parse
            )
        except UnreadableError as error:
            raise _poison(error) from None
        if isinstance(change, RecordKey):
            when = max(record.timestamp, 0)
            return Peeked(
                event_subject(change.scope), key_of(source, change.id), stamp(when, when, record.offset), record
            )
        return self._peeked(source, record, change)

    def _peek_control(self, record: RawRecord) -> Peeked | None:
        try:
            change = read_control(record.key, record.value, max_bytes=self._limit)
        except UnreadableError as error:
            raise _poison(error) from None
        if isinstance(change, RecordKey):
            when = stamp(max(record.timestamp, 0), max(record.timestamp, 0), record.offset)
            if change.scope in {"sync", "disconnect"}:
                return None  # who tidies up an old request or disconnect asks for nothing
            if change.scope == "integration":
                return Peeked(org_subject(change.id), disconnect_key(change.id), when, record)
            return Peeked(None, str(change), when, record)
        # Sessionboard's moments may be whole seconds; what came first within one, Kafka's timestamp tells.
        moment, published = to_ms(change.metadata.datetime), max(record.timestamp, 0)
        # A message dated later than Kafka had it comes from a clock that is ahead, and must not hold back what follows.
        moment = min(moment, published or moment)
        # Under a key of its own, a disconnect has offsets of another partition than the credentials: at one moment it
        # counts as first, since what follows a disconnect at once is the next connection (X1).
        offset = 0 if (record.key or b"").startswith(_OWN_KEY) else record.offset
        stamped, key = stamp(moment, published, offset), str(control_key(change))
        if isinstance(change, IntegrationDisconnected):
            key = disconnect_key(change.data.org_id)
        elif isinstance(change, SyncRequested) and change.data.request_id is None:
            key += f"/{stamped}"  # no request replaces another
        return Peeked(_control_subject(change), key, stamped, record, change.metadata.action)

    def _read_control(self, peeked: Peeked) -> Change | SyncRequest:
        record = peeked.record
        if record.value is None:
            scope, _, identifier = peeked.key.partition("/")
            return Change(peeked.key, peeked.stamp, convert_control.ended_row(scope, identifier))
        change = read_control(record.key, record.value, max_bytes=self._limit)
        if isinstance(change, SyncRequested):
            return convert_control.sync_request(change, peeked.stamp)
        if isinstance(change, RecordKey):
            raise TypeError("a record with a value is never the deletion of its key")
        return Change(peeked.key, peeked.stamp, convert_control.control_row(change))


_OWN_KEY: Final = disconnect_key("").encode()


def _is_usual(record: RawRecord, head: Any) -> bool:
    """Whether an envelope is to be trusted: nothing in it is out of the ordinary."""
    meta, data = head.metadata, head.data
    # An event id of null is the organization's own change on one topic and a fault on another; one left out always is.
    if meta.version != 1 or meta.event_id is None:
        return False
    if meta.datetime.tzinfo is None or (data.updated_at or meta.datetime).tzinfo is None:
        return False
    return record.key is None or record.key == f"{meta.event_id}/{data.id}".encode()


def _control_subject(change: object) -> Subject:
    if isinstance(change, SyncRequested):
        return event_subject(change.data.event.id)
    if isinstance(change, IntegrationConnected | IntegrationUpdated | IntegrationDisconnected):
        return org_subject(change.data.org_id)
    return org_subject(change.metadata.org_id)  # type: ignore[attr-defined] # the mapping changes are what is left


def _poison(error: UnreadableError) -> PoisonError:
    return PoisonError(error.reason.value, error.sentence)
