"""Dead-letters topic: an undecodable record, with where it came from and why it is here.

Guarantees: key and value are the original bytes; a record of the mappings topic has no value here, as it may hold
credentials. The headers hold no value of the record. They are plain text under names of our own, so that the original
headers can travel beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field

from schemas.wire import LARGEST_INTEGER, WireModel

HEADER_PREFIX: Final = "swoogo-sync-"
SETTLES: Final = f"{HEADER_PREFIX}settles"
"""Header of a record that settles a dead letter of its own partition: `PARTITION:OFFSET` of that letter."""
ROUND: Final = f"{HEADER_PREFIX}round"
"""Header of a record that was put back, and of the letter that it becomes once more: how often it was put back."""
SETTLED: Final = f"{HEADER_PREFIX}settled"
"""What became of it: `replayed`, `superseded` or `discarded`."""


class Reason(StrEnum):
    """Why a record could not be read. `unknown_action` exists on the mappings topic only."""

    NOT_JSON = "not_json"
    EMPTY_VALUE = "empty_value"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    UNKNOWN_VERSION = "unknown_version"
    MISSING_ID = "missing_id"
    MISSING_EVENT_ID = "missing_event_id"
    KEY_MISMATCH = "key_mismatch"
    INVALID_FIELD = "invalid_field"
    UNKNOWN_ACTION = "unknown_action"


class DeadLetterHeaders(WireModel):
    """The headers of a dead letter, one per field: `origin_topic` travels as `swoogo-sync-origin-topic`."""

    origin_topic: str
    """Topic of the original record."""
    origin_partition: Annotated[int, Field(ge=0)]
    """Its partition."""
    origin_offset: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
    """Its offset."""
    origin_timestamp: Annotated[int, Field(ge=-1, le=LARGEST_INTEGER)]
    """Its Kafka timestamp in ms; -1 where it has none."""
    reason: Reason
    """Why it could not be read."""
    error: str
    """One sentence that names the field and what to publish instead."""
    round: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)] = 0
    """How often it was put back and could not be read again; absent: never."""

    def to_headers(self) -> list[tuple[str, bytes]]:
        """The headers as Kafka takes them, in a fixed order."""
        return [(header_name(name), str(value).encode()) for name, value in self if name != "round" or value]

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> Self:
        """Reads them back; headers under other names are passed over.

        Raises:
            ValueError: one is missing, null, or not what `to_headers` writes.
        """
        found = {name: value for name, value in headers if value is not None}
        texts = {field: found[header_name(field)].decode() for field in cls.model_fields if header_name(field) in found}
        return cls.model_validate_strings(texts)


def header_name(field: str) -> str:
    """The header that carries a field of `DeadLetterHeaders`."""
    return HEADER_PREFIX + field.replace("_", "-")
