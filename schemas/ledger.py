"""Ledger topic: the changelog from which the ledger is rebuilt when Redis is lost (G6).

Guarantees: a value says by its `kind` what it is, so that it can be read without its key. What it holds of people is
digests by a key of the installation (Y3, format 2); the topic is this service's own, not for others.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from schemas.wire import Identifier, Milliseconds, SwoogoId, WireModel


class LedgerKind(StrEnum):
    """The middle part of a ledger key: kinds of records, and what else a rebuild after a loss of Redis needs (G6)."""

    SESSION = "session"
    SPEAKER = "speaker"
    SPONSOR = "sponsor"
    LOCATION = "location"
    TRACK = "track"
    LEVEL = "level"
    PAIR = "pair"
    CONNECTION = "connection"
    MAPPING = "mapping"
    SERVED = "served"
    GENERATION = "generation"
    CONTACT = "contact"
    CONTROL = "control"
    ARCHIVE = "archive"


class LedgerState(StrEnum):
    """`intent`: a create was started and not confirmed. `applied`: ours, in Swoogo. `gone`: deleted in
    Swoogo, never again (D2). What was synced before a disconnect shows in its `era` (X2).
    """

    INTENT = "intent"
    APPLIED = "applied"
    GONE = "gone"


class PairEnd(StrEnum):
    """How a mapping ended."""

    REMOVED = "removed"
    DISCONNECTED = "disconnected"


class LedgerRecord(WireModel):
    """What all values share."""

    format: int = Field(default=1, ge=1)
    """A reader leaves a value of a later format than its own alone. Values of before it was written have format 1."""


class LedgerEntry(LedgerRecord):
    """What is known to be in Swoogo for one Sessionboard record."""

    kind: Literal["session", "speaker", "sponsor", "location", "track", "level"]
    """The kind in the key."""
    state: LedgerState
    """Where the record stands."""
    swoogo_id: SwoogoId | None = None
    """Null while the state is `intent`."""
    pushed: dict[str, str] = Field(default_factory=dict)
    """Field -> digest of the Sessionboard value last sent; decides what is sent next (R2)."""
    seen: dict[str, str] = Field(default_factory=dict)
    """Field -> digest of what Swoogo answered; decides what is drift."""
    natural: str = ""
    """What to look for in Swoogo when the id is unknown: e-mail of a speaker, name of a location, ..."""
    image: dict[str, str] = Field(default_factory=dict)
    """`url`, `etag` and `sha256` of the image last uploaded, and other validators of its URL (P4)."""
    links: tuple[Identifier, ...] = ()
    """Sessionboard ids of the sessions that this service associated with this speaker (S7, S8)."""
    contact_id: SwoogoId | None = None
    """The account-level contact behind a Swoogo speaker (`swoogo-api.md 8.1`)."""
    version: Milliseconds = 0
    """Source version of the change that was pushed."""
    epoch: int = Field(default=0, ge=0)
    """Lease epoch of the writer (G4)."""
    op_id: str = ""
    """The operation that wrote this; the same one written twice is one write."""
    at: Milliseconds = 0
    """When this entry last changed."""
    era: Milliseconds = 0
    """The era of the pair in which the record came into being or was adopted; see `PairEntry.era` (X2)."""
    besides: tuple[SwoogoId, ...] = ()
    """Of an intent, Swoogo ids with its natural key from before the create: what it made is none of them (G2)."""
    newest_known: Annotated[int, Field(ge=0)] | None = None
    """Of an intent, the largest Swoogo id of its kind known before the create: what it made has a larger one (G2)."""
    unanswered: bool = False
    """Of an intent, that its answer is no longer awaited; `at` says since when."""
    erased: Milliseconds = 0
    """When the person was erased at their request; 0: not. No record with their address is created again (Y2)."""


class PairEntry(LedgerRecord):
    """One partner an event has ever had. It is never removed: a pair is for life (M2), unless it never synced anything
    and was voided (M8). In format 2, a former reader would take it for the only pair; all others are in format 1.
    """

    kind: Literal["pair"]
    """Always `pair`."""
    event_id: Identifier
    """The Sessionboard event."""
    swoogo_event_id: SwoogoId
    """Its Swoogo event."""
    org_id: Identifier
    """The organization that mapped it."""
    mapped_at: Milliseconds
    """When the pair was first accepted."""
    ended_at: Milliseconds | None = None
    """When the mapping last ended; null while it is active."""
    ended_by: PairEnd | None = None
    """How it ended."""
    era: Milliseconds = 0
    """When its organization last disconnected, by the message that said so; 0 if it never did. A session whose entry
    has a smaller era was synced before that and is never synced again (X2)."""
    round: int = Field(default=0, ge=0)
    """One more than that of each voided pair that either event had before. Of two pairs that share an event, the one of
    the higher round counts, in whatever order they are read."""
    voided_at: Milliseconds | None = None
    """When an operator voided the pair; null otherwise."""
    reason: str = ""
    """Why it was voided, in the operator's words."""


class ConnectionEntry(LedgerRecord):
    """How an organization is connected, so that a rebuild asks neither Swoogo nor anybody else again (G6)."""

    kind: Literal["connection"]
    """Always `connection`."""
    org_id: Identifier
    """The organization."""
    connection: dict[str, Any] | None = None
    """The credential in use, sealed or by name as it was published (C2); null when there is none."""
    settled: dict[str, str] = Field(default_factory=dict)
    """Request -> stamp of the one that was dealt with."""
    epoch: int = Field(default=0, ge=0)
    """Lease epoch of the writer; the highest counts."""


class MappingEntry(LedgerRecord):
    """The active pair of an event as one organization has it (G6)."""

    kind: Literal["mapping"]
    """Always `mapping`."""
    org_id: Identifier
    """The organization."""
    event_id: Identifier
    """The Sessionboard event."""
    mapping: dict[str, Any] | None = None
    """The pair in force with its settings; null when this organization does not map the event."""
    settled: str = ""
    """Stamp of the request that was dealt with."""
    epoch: int = Field(default=0, ge=0)
    """Lease epoch of the writer; the highest counts."""


class ServedEntry(LedgerRecord):
    """A manual sync that was served: after a loss of Redis its request, read again, asks for nothing (C5, G6)."""

    kind: Literal["served"]
    """Always `served`."""
    event_id: Identifier
    """The Sessionboard event."""
    id: Identifier
    """The request's own id, else its stamp."""
    stamp: str
    """How new the request is."""


class GenerationEntry(LedgerRecord):
    """The marker that Redis has too: a Redis without it was wiped (G6)."""

    kind: Literal["generation"]
    """Always `generation`."""
    id: str
    """A new one with the first start and with each rebuild."""


class DeletedContactEntry(LedgerRecord):
    """A contact that Sessionboard deleted. Its own topic forgets a null value when it is compacted, and sessions may
    carry a copy of the person for ever, which never serves again (P5). It holds nothing of the profile.
    """

    kind: Literal["contact"]
    """Always `contact`."""
    event_id: Identifier
    """The Sessionboard event."""
    contact_id: Identifier
    """The contact."""
    stamp: str
    """Version stamp of the deletion: a contact record with a later one is there again."""


class ControlEntry(LedgerRecord):
    """A freeze, or an approval of a plan, as it was ordered (U1, U2). Neither of the two: it was lifted, or is done."""

    kind: Literal["control"]
    """Always `control`."""
    event_id: Identifier
    """The Sessionboard event."""
    name: str
    """`approval`, or `freeze:KIND:FIELDS`."""
    revision: Milliseconds
    """The higher one counts."""
    order: str = ""
    """Id of the order that it came from."""
    freeze: dict[str, Any] | None = None
    """What is frozen: `kind`, `fields`, `until` (ms; 0: until it is lifted), who ordered it and why."""
    approval: dict[str, Any] | None = None
    """The `plan` that may be sent; once a push began with it, digests of the `operations` that are left."""


class ArchiveEntry(LedgerRecord):
    """A part of the ledger of an archived event (Y4), under `{event_id}/archive/{number}`. Redis keeps where it lies.

    The topic has the same entries one by one as well, so a rebuild passes it over.
    """

    kind: Literal["archive"]
    """Always `archive`."""
    entries: dict[str, dict[str, Any]]
    """Key -> what `LedgerEntry` says, without its `kind`."""


_Value = (
    LedgerEntry
    | PairEntry
    | ConnectionEntry
    | MappingEntry
    | ServedEntry
    | GenerationEntry
    | DeletedContactEntry
    | ControlEntry
    | ArchiveEntry
)
LedgerValue = Annotated[_Value, Field(discriminator="kind")]
_VALUE: Final[TypeAdapter[_Value]] = TypeAdapter(LedgerValue)


def read_ledger_value(value: bytes) -> _Value:
    """Reads a value of the ledger topic.

    Raises:
        pydantic.ValidationError: it is not one that this service writes.
    """
    return _VALUE.validate_json(value)
