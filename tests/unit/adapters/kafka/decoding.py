"""A decoder, and what the tests of it read with it."""

from __future__ import annotations

from typing import Final

import msgspec

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.records.snapshot import Contact, Session, Sponsor
from consumer.ports import Change, RawRecord, SyncRequest
from consumer.settings import Topics

LIMIT: Final = 4 * 1024 * 1024
DECODER: Final = KafkaDecoder(Topics(), LIMIT)


def read(record: RawRecord) -> Change | SyncRequest | None:
    """Both steps; None for a record that is not for this service."""
    peeked = DECODER.peek(record)
    return DECODER.read(peeked) if peeked else None


def change(record: RawRecord) -> Change:
    found = read(record)
    assert isinstance(found, Change)
    return found


def session(record: RawRecord) -> Session:
    return msgspec.json.decode(change(record).row, type=Session)


def contact(record: RawRecord) -> Contact:
    return msgspec.json.decode(change(record).row, type=Contact)


def sponsor(record: RawRecord) -> Sponsor:
    return msgspec.json.decode(change(record).row, type=Sponsor)
