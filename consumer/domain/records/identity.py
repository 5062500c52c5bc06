"""What a thing is called everywhere: its kind, its key, its version stamp, and the digest of a value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Final

Fields = Mapping[str, str]
"""Field name -> value (or digest of it). An empty value means the field is cleared."""

NOT_KEPT: Final = "(kept as a digest)"
PLAIN_LIMIT: Final = 48
"""Characters up to which a value is its own plain digest."""
_LARGEST: Final = 10**15 - 1

_format: Final = "%015d.%015d.%015d".__mod__  # twice as fast as an f-string, and each record has one
_format_placed: Final = "%015d.%015d.%015d.%05d".__mod__

TOLERANCE_MS: Final = 1_000
"""By how much a version may be later than Kafka had its record."""


class Kind(StrEnum):
    """What Swoogo holds for an event; the first half of a record key."""

    SESSION = "session"
    SPEAKER = "speaker"
    SPONSOR = "sponsor"
    LOCATION = "location"
    TRACK = "track"
    LEVEL = "level"


class Source(StrEnum):
    """What Sessionboard sends: the first half of a snapshot key."""

    SESSION = "session"
    CONTACT = "contact"
    SPONSOR = "sponsor"


_KINDS: Final = {each.value: each for each in Kind}
"""Asking the class takes several times as long."""


def key_of(kind: Kind | Source, identifier: str) -> str:
    """`session/497f6eca-...`: the key of a record in snapshot, ledger, issues and the changelog."""
    # A StrEnum member is its text; `.value` and formatting cost several times as much, and plans ask this often.
    return kind + "/" + identifier


def record_key(source_key: str) -> str:
    """The ledger key of what a snapshot key stands for: a contact is a speaker."""
    source, _, identifier = source_key.partition("/")
    return key_of(Kind.SPEAKER, identifier) if source == Source.CONTACT else source_key


def kind_of(key: str) -> Kind:
    """The kind a ledger key starts with."""
    name = key.partition("/")[0]
    return _KINDS.get(name) or Kind(name)


def id_of(key: str) -> str:
    return key.partition("/")[2]


def not_ahead(moment: int, received: int) -> int:
    """The moment, ms, at most as late as Kafka had its record, and a little: clocks differ (G3).

    One date that lies ahead would silence every later edit of the record, and its deletion. Decided by the record
    alone, so that a replay decides the same. `received`: the Kafka timestamp, ms; none when it is not above 0.
    """
    latest = received + TOLERANCE_MS
    return latest if moment > latest and received > 0 else moment


def stamp(version: int, published: int, offset: int, partition: int | None = None) -> str:
    """One text that sorts as the change is new: resource version, then publication, then Kafka offset.

    Two edits may share `updated_at`; the publication time decides then, and for equal ones the offset,
    which is a total order for one key. So a replay can never look newer than what it replays (G3).

    `version`: `data.updated_at`, else `metadata.datetime`, in ms. `published`: `metadata.datetime`, else the Kafka
    timestamp, in ms. `partition`: of resources, which decides which of two records came later.
    """
    if not (0 <= version <= _LARGEST and 0 <= published <= _LARGEST and 0 <= offset <= _LARGEST):
        version, published, offset = (min(max(part, 0), _LARGEST) for part in (version, published, offset))
    if partition is None:
        return _format((version, published, offset))
    return _format_placed((version, published, offset, partition))


def moments_of(stamped: str) -> tuple[int, ...]:
    """Version and publication of a stamp, ms: what can be compared between keys, whose offsets say nothing."""
    return tuple(int(part) for part in stamped.split(".")[:2] if part)


def version_of(stamped: str) -> int:
    return int(stamped.partition(".")[0])


def digest(value: str) -> str:
    """A value as the ledger remembers it: itself when short, else its length and hash.

    Short values stay readable so that a plan can say `10:00:00 -> 11:00:00` without asking Swoogo, and
    because comparing them needs no hashing.
    """
    if len(value) <= PLAIN_LIMIT and not value.startswith("#"):
        return value
    return f"#{len(value)}:{blake2b(value.encode(errors='replace'), digest_size=12).hexdigest()}"


def readable(digested: str) -> str:
    """A digest for a person: the value itself, its length where only that is known, or that it is not kept (Y3)."""
    if not digested.startswith("#"):
        return digested
    if digested[1:2] == "k":
        return NOT_KEPT
    return f"({digested[1:].partition(':')[0]} characters)"


def fingerprint(fields: Fields) -> str:
    """A short hash of a set of field values: tells whether an operation is the one refused before."""
    text = "\x1f".join(f"{name}\x1e{fields[name]}" for name in sorted(fields))
    return blake2b(text.encode(errors="replace"), digest_size=12).hexdigest()
