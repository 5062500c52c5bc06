"""Keys of the topics: how they are written and read.

Guarantees: the functions that write and the ones that read are inverse; ids hold no `/` (`schemas.wire`),
only the last part of a ledger key may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from schemas.ledger import LedgerKind
from schemas.mapping import (
    ControlChange,
    IntegrationConnected,
    IntegrationDisconnected,
    IntegrationUpdated,
    SyncRequested,
)
from schemas.wire import IDENTIFIER_PATTERN

_IDENTIFIER: Final = re.compile(IDENTIFIER_PATTERN)


@dataclass(frozen=True, slots=True)
class RecordKey:
    """A key of two parts.

    Attributes:
        scope: the event id on the topics of resources; `integration`, `disconnect`, `mapping` or `sync` on the mappings
            topic.
        id: the resource's id; on the mappings topic the organization's or the event's, for `sync` also
            `{event_id}/{request_id}`.
    """

    scope: str
    id: str

    def __str__(self) -> str:
        return f"{self.scope}/{self.id}"


@dataclass(frozen=True, slots=True)
class LedgerKey:
    """`{event_id}/{kind}/{id}`. A level has no Sessionboard id: its `id` is its name, which may hold a `/`."""

    event_id: str
    kind: LedgerKind
    id: str

    def __str__(self) -> str:
        return f"{self.event_id}/{self.kind.value}/{self.id}"


def parse_key(key: bytes) -> RecordKey:
    """Reads `{scope}/{id}`.

    Raises:
        ValueError: it is not two ids with a slash between them, in UTF-8.
    """
    scope, slash, identifier = key.decode().partition("/")
    if not (slash and _IDENTIFIER.fullmatch(scope) and _IDENTIFIER.fullmatch(identifier)):
        raise ValueError("a key is two ids with a slash between them")
    return RecordKey(scope, identifier)


def parse_control_key(key: bytes) -> RecordKey:
    """Reads a key of the mappings topic: as `parse_key`, and `sync/{event_id}/{request_id}`.

    Raises:
        ValueError: it is neither.
    """
    scope, _, identifier = key.decode().partition("/")
    parts = identifier.split("/")
    if scope == "sync" and len(parts) == 2 and all(map(_IDENTIFIER.fullmatch, parts)):
        return RecordKey(scope, identifier)
    return parse_key(key)


def former_control_key(change: ControlChange) -> RecordKey:
    """The key of a change as publishers wrote it before disconnects and requests had keys of their own."""
    match change:
        case IntegrationDisconnected():
            return RecordKey("integration", change.data.org_id)
        case SyncRequested():
            return RecordKey("sync", change.data.event.id)
        case _:
            return control_key(change)


def parse_ledger_key(key: bytes) -> LedgerKey:
    """Reads `{event_id}/{kind}/{id}`.

    Raises:
        ValueError: it has fewer parts, an unknown kind, or is not UTF-8.
    """
    event_id, _, rest = key.decode().partition("/")
    kind, _, identifier = rest.partition("/")
    if not (event_id and identifier):
        raise ValueError("a ledger key has three parts with slashes between them")
    return LedgerKey(event_id, LedgerKind(kind), identifier)


def control_key(change: ControlChange) -> RecordKey:
    """The key of a change of the mappings topic: of one integration, its disconnect, one mapping, or one request."""
    match change:
        case IntegrationConnected() | IntegrationUpdated():
            return RecordKey("integration", change.data.org_id)
        case IntegrationDisconnected():
            return RecordKey("disconnect", change.data.org_id)
        case SyncRequested():
            request_id = change.data.request_id
            return RecordKey("sync", f"{change.data.event.id}/{request_id}" if request_id else change.data.event.id)
        case _:
            return RecordKey("mapping", change.data.event.id)
