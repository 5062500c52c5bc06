"""Status topic: what this service publishes about syncs, integrations, mappings and orders (N1, N2, C3, M2, U3).

Guarantees: the sums in a report fit its parts, because they are computed from them; a report holds ids, counts, codes
and sentences, never personal data but the login of who gave an order. Codes are open: a reader treats one it does not
know as `failed` and shows the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Generic, Literal

from pydantic import Field, computed_field

from schemas.envelope import ActionT, DataT, Envelope, MetadataOf
from schemas.mapping import SyncScope
from schemas.record_issues import RecordIssues
from schemas.wire import LARGEST_INTEGER, Code, Identifier, Milliseconds, SwoogoId, Timestamp, WireModel

Number = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]


class Trigger(StrEnum):
    """What made a sync run, in the order of their claim on credits (G5)."""

    MANUAL = "manual"
    CHANGES = "changes"
    RECONCILE = "reconcile"


class KindCounts(WireModel):
    """What became of the records of one kind in one run."""

    created: Number = 0
    """Made in Swoogo."""
    adopted: Number = 0
    """Found in Swoogo and taken over (P2)."""
    updated: Number = 0
    """Changed in Swoogo."""
    deleted: Number = 0
    """Deleted in Swoogo, where the mapping asks for it (D4)."""
    unchanged: Number = 0
    """Already right, no call made (R3)."""
    left_out: Number = 0
    """Not eligible, or held back; each that an admin can do something about has an issue."""
    failed: Number = 0
    """Not synced; each has an issue."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def synced(self) -> int:
        """Records that got what they needed: created, adopted, updated and deleted together."""
        return self.created + self.adopted + self.updated + self.deleted

    @computed_field  # type: ignore[prop-decorator]
    @property
    def attempted(self) -> int:
        """Records that needed something: synced and failed together."""
        return self.synced + self.failed


class SyncStart(WireModel):
    """A run that begins."""

    run_id: Identifier
    """The run; the same in its end."""
    trigger: Trigger
    """What made it run."""
    scope: SyncScope
    """What it covers."""
    swoogo_event_id: SwoogoId
    """The Swoogo event it writes to."""
    started_at: Timestamp
    """When it began."""
    requests: tuple[Identifier, ...] = ()
    """Ids of the requests that a manual sync serves, the oldest first; of one without an id, its version stamp."""


class SyncOutlook(SyncStart):
    """A run that goes on: what it will do, and when it should be done."""

    planned_calls: Number = 0
    """Calls to Swoogo that its plan needs."""
    done_calls: Number = 0
    """Those that are done."""
    credits_left: Number = 0
    """Credits of the credential that can be spent now."""
    eta: Timestamp | None = None
    """When it should be done at the credits left; null while that is not known."""


class SyncAdvance(SyncOutlook):
    """A run that takes long, on its way."""

    sessions: KindCounts = KindCounts()
    """Sessions so far."""
    speakers: KindCounts = KindCounts()
    """Speakers so far."""
    sponsors: KindCounts = KindCounts()
    """Sponsors so far."""
    credits: Number = 0
    """Swoogo credits spent so far."""


class SyncReport(SyncStart):
    """A run that ended."""

    ended_at: Timestamp
    """When it ended."""
    duration_ms: Milliseconds
    """How long it took, by a clock that never jumps."""
    sessions: KindCounts = KindCounts()
    """Sessions."""
    speakers: KindCounts = KindCounts()
    """Speakers."""
    sponsors: KindCounts = KindCounts()
    """Sponsors."""
    credits: Number = 0
    """Swoogo credits spent."""
    issues: dict[Code, Number] = Field(default_factory=dict)
    """Issue code -> how many there are in the event."""
    records: tuple[RecordIssues, ...] = ()
    """Of a manual sync: the records that it covers and that have issues, at most 100; the issues topic has all."""
    more_records: Number = 0
    """How many more there are."""


class SyncFailure(SyncReport):
    """A run that stopped early; the counts say how far it came."""

    code: Code
    """Why: `postponed`, or `pair_ended` when the mapping was removed or Swoogo disconnected while it went on."""
    sentence: str
    """What an admin can do about it."""


class IntegrationVerdict(WireModel):
    """What became of credentials."""

    org_id: Identifier
    """The Sessionboard organization."""
    code: Code
    """`accepted`, or why not: `credentials_unreadable`, `credentials_refused`, `dated_too_early`."""
    sentence: str
    """What an admin can do about it."""


class MappingVerdict(WireModel):
    """What became of a mapping."""

    event_id: Identifier
    """The Sessionboard event."""
    swoogo_event_id: SwoogoId
    """The Swoogo event."""
    code: Code
    """`accepted`, `removed`, `disconnected`, or why not: `event_already_mapped`, `swoogo_event_already_mapped`,
    `swoogo_event_not_found`, `not_connected`, `unknown_timezone`, `dated_too_early`."""
    sentence: str
    """What an admin can do about it."""
    partner: Identifier | None = None
    """The event that one of the two is already mapped to (M2)."""
    issues: tuple[Code, ...] = ()
    """What an admin should know although it was accepted: `timezone_mismatch` (M7)."""


class OrderDone(WireModel):
    """What a person ordered, and what came of it (U3)."""

    order_id: Identifier
    """The order; given twice, it is one."""
    kind: Code
    """What was ordered: `sync`, `reconcile`, `freeze`, `thaw`, `approve`, ..."""
    actor: str
    """Who gave it: `cli:LOGIN` of a command, else the subject of their ID token."""
    reason: str = ""
    """Why, in their words; one line, e-mail addresses masked."""
    given_at: Timestamp
    """When."""
    records: tuple[str, ...] = ()
    """What it names, as `kind/id`; empty for an order about all."""
    done: bool = True
    """False: it was refused, and changed nothing."""
    sentence: str = ""
    """Why it was refused."""


class EventStatusMetadata(MetadataOf[ActionT], Generic[ActionT]):
    """Metadata of a report about one event; its key is the event id."""

    event_id: Identifier
    """The Sessionboard event."""


class OrganizationStatusMetadata(MetadataOf[ActionT], Generic[ActionT]):
    """Metadata of a report about an organization; its key is `integration/{org_id}`."""

    event_id: None = None
    """Always null."""
    org_id: Identifier
    """The Sessionboard organization."""


class OrderStatusMetadata(MetadataOf[ActionT], Generic[ActionT]):
    """Metadata of an order; its key is the event id, or `orders` where it concerns no event, or many."""

    event_id: Identifier | None
    """The Sessionboard event; null where it concerns none, or many."""


class EventStatus(Envelope[DataT, EventStatusMetadata[ActionT]], Generic[DataT, ActionT]):
    """A report about one event."""

    @property
    def key(self) -> str:
        """The Kafka key: the event id."""
        return self.metadata.event_id


class OrganizationStatus(Envelope[DataT, OrganizationStatusMetadata[ActionT]], Generic[DataT, ActionT]):
    """A report about one organization."""

    @property
    def key(self) -> str:
        """The Kafka key: `integration/{org_id}`."""
        return f"integration/{self.metadata.org_id}"


class SyncStarted(EventStatus[SyncOutlook, Literal["sync.started"]]):
    """A sync began (N1)."""


class SyncProgress(EventStatus[SyncAdvance, Literal["sync.progress"]]):
    """A sync goes on; published every half minute while it does (N1)."""


class SyncCompleted(EventStatus[SyncReport, Literal["sync.completed"]]):
    """A sync ran to its end, perhaps with records that failed (N1)."""


class SyncFailed(EventStatus[SyncFailure, Literal["sync.failed"]]):
    """A sync stopped early; it is tried again unless the code says otherwise (N1)."""


class IntegrationAccepted(OrganizationStatus[IntegrationVerdict, Literal["integration.accepted"]]):
    """The credentials work and are in use (C3)."""


class IntegrationRejected(OrganizationStatus[IntegrationVerdict, Literal["integration.rejected"]]):
    """The credentials do not work; the previous ones stay in use (C3)."""


class MappingAccepted(EventStatus[MappingVerdict, Literal["mapping.accepted"]]):
    """The pair is active."""


class MappingRejected(EventStatus[MappingVerdict, Literal["mapping.rejected"]]):
    """The pair is not active, and why (M2, M6)."""


class MappingEnded(EventStatus[MappingVerdict, Literal["mapping.removed"]]):
    """The pair ended, by removal or by disconnecting (M4, X1)."""


class OrderGiven(Envelope[OrderDone, OrderStatusMetadata[Literal["order.given"]]]):
    """A person gave an order (U3)."""

    @property
    def key(self) -> str:
        """The Kafka key: the event id, or `orders`."""
        return self.metadata.event_id or "orders"


StatusMessage = (
    SyncStarted
    | SyncProgress
    | SyncCompleted
    | SyncFailed
    | IntegrationAccepted
    | IntegrationRejected
    | MappingAccepted
    | MappingRejected
    | MappingEnded
    | OrderGiven
)
"""A value of the status topic; `metadata.action` says which."""

STATUS_MESSAGES: Final[Mapping[str, type[StatusMessage]]] = MappingProxyType(
    {
        "sync.started": SyncStarted,
        "sync.progress": SyncProgress,
        "sync.completed": SyncCompleted,
        "sync.failed": SyncFailed,
        "integration.accepted": IntegrationAccepted,
        "integration.rejected": IntegrationRejected,
        "mapping.accepted": MappingAccepted,
        "mapping.rejected": MappingRejected,
        "mapping.removed": MappingEnded,
        "order.given": OrderGiven,
    }
)
"""`metadata.action` -> its model."""
