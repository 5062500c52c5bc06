"""The seam: what the services need from the world, in domain words.

Each port has a fake in `tests/support/fakes.py` and one contract suite that runs on fake and real alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from consumer.domain.connection import Announcement, Connection, IntegrationRequest, MappingRequest, Request
from consumer.domain.issue import Issue
from consumer.domain.ledger import Directory, Entry, Ledger
from consumer.domain.mapping import EventMapping
from consumer.domain.pair import Pair, PairEnd, Partners
from consumer.domain.record import Fields, Kind
from consumer.domain.report import Run, Trigger
from consumer.domain.snapshot import Resource, Snapshot
from consumer.domain.survey import Depth, EventSighting, Known, Sighting, SurveyMemory


class Clock(Protocol):
    """Time and chance, so that tests own both."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def new_id(self) -> str:
        """An identifier never given before; sorts by time."""
        ...

    def jitter(self) -> float:
        """A number in 0..1."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What the inbox keeps changes for and workers claim: an event, or an organization's connections."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


def event_subject(event_id: str) -> Subject:
    """The subject of an event."""
    return Subject("event", event_id)


def org_subject(org_id: str) -> Subject:
    """The subject of an organization."""
    return Subject("org", org_id)


@dataclass(frozen=True, slots=True)
class Change:
    """One recorded state: `row` is the encoded resource or request, `stamp` orders it (G3)."""

    key: str
    stamp: str
    row: bytes


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """A manual sync asked for (C5)."""

    id: str
    scope: str = "all"
    session_ids: tuple[str, ...] = ()
    speaker_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed subject. `epoch` grows with every claim and proves who holds it (G4).

    `survey` is set when nothing but the event's reconcile was due, and says how deep it is to look.
    """

    subject: Subject
    epoch: int
    op_id: str
    attempt: int = 0
    request: SyncRequest | None = None
    survey: Depth | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """Subjects due now, and how long until the next one is (seconds; None: nothing is waiting)."""

    subjects: tuple[Subject, ...]
    next_in: float | None


@dataclass(frozen=True, slots=True)
class EventState:
    """All that a plan needs of one event, read together.

    `marks`: changed keys and their stamps. `lifts`: ledger keys whose tombstone is to be lifted (D3).
    """

    snapshot: Snapshot
    marks: Mapping[str, str] = field(default_factory=dict)
    lifts: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Requested:
    """What was last asked for an organization, by key: the requests, their stamps, and the stamps of what is new."""

    rows: Mapping[str, Request] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)


class Inbox(Protocol):
    """Recorded changes and who works on them."""

    async def record(self, subject: Subject, changes: Sequence[Change]) -> int:
        """Keep what is newer, mark it dirty, plan the push. Returns how many were news. Idempotent."""
        ...

    async def request_sync(self, event_id: str, request: SyncRequest, stamp: str) -> bool:
        """Ask for a manual sync now; False when this or a newer request was seen before."""
        ...

    async def set_continuous(self, event_id: str, *, on: bool) -> None:
        """Whether changes of this event make it due by themselves, and surveys come round (C4, M5)."""
        ...

    async def request_survey(self, event_id: str, depth: Depth) -> None:
        """Reconcile the event now, once, also when sync is not continuous."""
        ...

    async def request_lift(self, event_id: str, keys: Sequence[str]) -> None:
        """Have the tombstones of these ledger keys lifted by whoever claims the event next (D3)."""
        ...

    async def lifted(self, lease: Lease, keys: Sequence[str]) -> None:
        """These lifts were done."""
        ...

    async def due(self, limit: int) -> Due:
        """What to claim, oldest first."""
        ...

    async def claim(self, subject: Subject, op_id: str) -> Lease | None:
        """Take a due subject for the lease time; None when it is not due or somebody has it."""
        ...

    async def renew(self, lease: Lease) -> None:
        """Hold on for another lease time. Raises LeaseLostError."""
        ...

    async def complete(
        self,
        lease: Lease,
        marks: Mapping[str, str],
        *,
        retry_in: float | None = None,
        failed: bool = False,
        survey_in: float | None = None,
    ) -> None:
        """Give the subject back: clear marks whose stamp did not move, plan the next push.

        Args:
            lease: the claim.
            marks: what was dealt with, key -> stamp.
            retry_in: seconds until it is to be claimed again in any case, with the sync request it had.
            failed: count this as a failure in a row, and keep its sync request.
            survey_in: seconds until the next survey, after one was due; infinite for none, None leaves it as it is.
                With `failed` and no `retry_in`: the survey itself failed and is what comes again.

        Raises:
            LeaseLostError: somebody else has it.
        """
        ...

    async def load(self, event_id: str, *, snapshot: bool = True) -> EventState:
        """Snapshot and dirty marks of an event; without the `snapshot`, which is large, the rest of it."""
        ...

    async def requests(self, org_id: str) -> Requested:
        """Everything that was asked for an organization."""
        ...


class LedgerStore(Protocol):
    """The ledger of an event; the only writer of its keys, and of its changelog."""

    async def load(self, event_id: str) -> Ledger:
        """All entries of an event."""
        ...

    async def put(self, lease: Lease, entries: Mapping[str, Entry | None]) -> None:
        """Write entries (None forgets one), fenced by the lease. Raises LeaseLostError."""
        ...

    async def flush(self, lease: Lease) -> None:
        """Return when the changelog holds everything put so far, by this worker or one that died.

        Raises UnavailableError.
        """
        ...

    async def directories(self, event_id: str) -> Mapping[Kind, Directory]:
        """What Swoogo was last seen to hold; never fresh."""
        ...

    async def put_directory(self, lease: Lease, kind: Kind, directory: Directory) -> None:
        """Remember a listing. Raises LeaseLostError."""
        ...

    async def survey(self, event_id: str) -> SurveyMemory:
        """What the last survey of the event left; empty when there was none."""
        ...

    async def put_survey(self, lease: Lease, memory: SurveyMemory) -> None:
        """Remember a survey. Raises LeaseLostError."""
        ...


class Connections(Protocol):
    """Accepted credentials, active pairs, and who asked for what."""

    async def connection(self, org_id: str) -> Connection | None:
        """The credential in use."""
        ...

    async def put_connection(self, org_id: str, connection: Connection | None) -> None:
        """Replace or end it."""
        ...

    async def mapping(self, event_id: str) -> EventMapping | None:
        """The active pair of an event."""
        ...

    async def mappings(self, org_id: str) -> Mapping[str, EventMapping]:
        """The active pairs of an organization by event id."""
        ...

    async def put_mapping(self, org_id: str, event_id: str, mapping: EventMapping | None) -> None:
        """Activate or end a pair."""
        ...

    async def replace_mapping(self, before: EventMapping, after: EventMapping) -> bool:
        """Change an active pair from outside of connecting; False when it is another one by now, or none."""
        ...

    async def note_asked(self, event_id: str, org_id: str) -> None:
        """Remember that the organization asked to map the event."""
        ...

    async def asked_by(self, event_id: str) -> frozenset[str]:
        """Organizations that ever asked to map the event."""
        ...

    async def note_refusal(self, org_id: str, credential: str) -> bool:
        """Remember that Swoogo refuses a credential in use; False when that was known."""
        ...

    async def forget_refusal(self, org_id: str) -> None:
        """The credential in use works again, or is another."""
        ...


class PairRegister(Protocol):
    """Every pair that ever was (M2). Ledger data: on the changelog before it counts. Leases are of an organization."""

    async def all(self) -> Mapping[str, Pair]:
        """All pairs by event id."""
        ...

    async def pair(self, event_id: str) -> Pair | None:
        """The pair of an event, active or ended."""
        ...

    async def partners(self, event_id: str, swoogo_event_id: int) -> Partners:
        """What is known of two events that are to be paired."""
        ...

    async def claim(self, lease: Lease, event_id: str, swoogo_event_id: int, at: int) -> Pair | None:
        """Enter a pair for ever, or take up again one that ended; None when either partner has another.

        Raises LeaseLostError.
        """
        ...

    async def end(self, lease: Lease, event_id: str, by: PairEnd, at: int, *, era: int = 0) -> None:
        """The pair of this organization is no longer mapped; an `era` seals what was synced in earlier ones (X2).

        Raises LeaseLostError.
        """
        ...

    async def flush(self, lease: Lease) -> None:
        """Return when the changelog has every pair of the organization as it is. Raises UnavailableError."""
        ...


class CredentialCheck(Protocol):
    """Credentials as published, made usable and tried."""

    def credential_of(self, request: IntegrationRequest) -> str:
        """The hash of the consumer key. Raises CredentialError when the seal or the secret cannot be opened."""
        ...

    async def verify(self, request: IntegrationRequest) -> None:
        """One token request (C3). Raises CredentialError, UnavailableError."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """Swoogo's answer to a write.

    Attributes:
        swoogo_id: id of the record.
        seen: field -> digest of what the answer holds, for the fields it holds.
        not_applied: fields whose answered value is not the one sent (R5).
    """

    swoogo_id: int
    seen: Fields
    not_applied: tuple[str, ...] = ()
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """On whose behalf calls are made: the pair, the proof of the claim, and the place in the queue for credits."""

    mapping: EventMapping
    connection: Connection
    lease: Lease
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class Grant:
    """A permit that was given: `cost` credits of a credential, until the call has been answered."""

    id: str
    credential: str
    cost: int


class Budget(Protocol):
    """Credits of a credential, shared by all replicas (G5)."""

    async def permit(self, work: Work, cost: int, seconds: float) -> Grant:
        """Wait until the call may start: the lease is ours and outlives it, and the credits are there.

        Args:
            work: on whose behalf.
            cost: credits of the call.
            seconds: deadline of the call.

        Raises:
            LeaseLostError: another worker has the event, or the lease ends before the call would.
        """
        ...

    async def spent(self, grant: Grant, *, remaining: int | None = None, reset: float | None = None) -> None:
        """The call is over (answered or not): its credits count from now on.

        `remaining` and `reset` (seconds) are what Swoogo says is left of its window; they count when lower than ours.
        """
        ...

    async def returned(self, grant: Grant) -> None:
        """Nothing was sent: give the credits back."""
        ...

    async def throttled(self, grant: Grant, reset: float) -> None:
        """A 429: give the credits back and let nobody start before the reset (seconds)."""
        ...

    async def left(self, credential: str) -> int:
        """Credits that could be spent now."""
        ...

    async def surveys(self, work: Work, cost: int, seconds: float) -> int:
        """Note what a survey of the event costs, for so long; returns that of all events of its credential."""
        ...


class TokenStore(Protocol):
    """Where a credential's token is shared between replicas; encrypted at rest."""

    async def get(self, credential: str) -> str | None:
        """The token, when there is one that is still good."""
        ...

    async def put(self, credential: str, token: str, seconds: float) -> None:
        """Keep a token for so long."""
        ...

    async def drop(self, credential: str, token: str) -> None:
        """Forget this token (Swoogo refused it), unless another has come in its place."""
        ...

    async def lock(self, credential: str, owner: str, seconds: float, *, what: str = "token") -> bool:
        """Single flight: True when `owner` may ask for a token, or do `what` (again true for the same owner)."""
        ...

    async def unlock(self, credential: str, owner: str, *, what: str = "token") -> None:
        """Let others."""
        ...


class Swoogo(Protocol):
    """The one way to Swoogo. Every call takes a permit first; 401, 429 and blips are dealt with inside.

    All raise RefusedError, MissingError, UnavailableError, CredentialError, LeaseLostError.
    """

    async def create(self, work: Work, kind: Kind, fields: Fields, op_id: str) -> Written:
        """Create a record. Raises UnansweredError when it may exist although no usable answer came."""
        ...

    async def update(self, work: Work, kind: Kind, swoogo_id: int, fields: Fields, name: str = "") -> Written:
        """Send changed fields, with the record's `name` only where Swoogo insists on it (R2)."""
        ...

    async def link(self, work: Work, speaker_id: int, session_ids: Sequence[int], already: Sequence[int] = ()) -> None:
        """Associate a speaker with sessions, besides those associated `already`."""
        ...

    async def unlink(self, work: Work, speaker_id: int, session_id: int) -> None:
        """Take one association away; fine when it is not there."""
        ...

    async def upload(self, work: Work, kind: Kind, swoogo_id: int, contact_id: int | None, picture: Picture) -> None:
        """Set the headshot of a speaker (by the route that the settings name) or the logo of a sponsor."""
        ...

    async def delete(self, work: Work, kind: Kind, swoogo_id: int) -> None:
        """Delete a record; fine when it is not there.

        Raises RefusedError with `rule` when Swoogo keeps it for what it holds, such as registrants (D4).
        """
        ...

    async def list(self, work: Work, kind: Kind, known: Mapping[int, str]) -> Directory:
        """Every record of the kind, with as few pages as prove completeness given the `known` ids."""
        ...

    async def event_timezone(self, work: Work) -> str:
        """The Swoogo event's zone (M6, M7). Raises MissingError when the credential cannot read the event."""
        ...

    async def survey_event(self, work: Work, known: Mapping[Kind, Known]) -> EventSighting:
        """The event with its sessions, speakers and sponsors, for one credit; kinds that did not come are left out.

        Whether the records that came are all must be checked: no public text says so (`swoogo-api.md 11.3`, 15).
        Raises RefusedError (MissingError) when the credential cannot read the event.
        """
        ...

    async def survey_kind(self, work: Work, kind: Kind, known: Known) -> Sighting:
        """Every record of the kind; of those that changed since the last look also the fields.

        As few pages as show what changed, and all of them when their count does not add up with the `known` ids.
        Raises UnavailableError when the list changes while it is read.
        """
        ...

    async def exists(self, work: Work, kind: Kind, swoogo_id: int) -> bool:
        """Whether one record is there."""
        ...

    def spent(self, work: Work) -> int:
        """Credits this claim has used so far."""
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    """An image ready to be uploaded. `record` is what the ledger keeps once that has been done."""

    content: bytes
    media_type: str
    file_name: str
    record: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The image is the one uploaded before. `record` may be newer than the one known (another URL, validator)."""

    record: Mapping[str, str]


class Images(Protocol):
    """Headshots and logos, fetched from where Sessionboard says and fit for Swoogo (P3, P4, O1)."""

    async def get(self, url: str, known: Mapping[str, str], *, limit: int | None = None) -> Picture | Unchanged:
        """Fetch an image, unless it is the known one.

        Args:
            url: where Sessionboard says it is.
            known: the `record` of the last upload; empty when there was none.
            limit: bytes it may have at most; the setting when None.

        Raises:
            ImageUnusableError: this image will not do, however often it is tried.
            UnavailableError: worth another try.
        """
        ...


class StatusBoard(Protocol):
    """What people are told and can look up."""

    async def started(self, run: Run) -> None:
        """A sync began (N1)."""
        ...

    async def progress(self, run: Run) -> None:
        """Where it is now."""
        ...

    async def ended(self, run: Run, issues: Mapping[str, Issue], lease: Lease) -> None:
        """It ended: publish, keep the run, replace the event's issues."""
        ...

    async def issues(self, event_id: str) -> Mapping[str, Issue]:
        """Issues of the event by their key."""
        ...

    async def announce(self, announcement: Announcement) -> None:
        """What became of an integration or a pair (C3, M2, M6)."""
        ...


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A Kafka record as it came."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Peeked:
    """A record whose envelope was read: whose change it is, and how new.

    `subject` is None when the owner has to be looked up (a null value on a mapping key names no organization).
    """

    subject: Subject | None
    key: str
    stamp: str
    record: RawRecord
    action: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record nobody could read, as it came, and why."""

    record: RawRecord
    reason: str
    sentence: str


class Decoder(Protocol):
    """From bytes to the domain, in two steps so that superseded records of a batch are never read whole."""

    def peek(self, record: RawRecord) -> Peeked | None:
        """Read the envelope; None when the record is not for this service. Raises PoisonError."""
        ...

    def read(self, peeked: Peeked) -> Change | SyncRequest:
        """Validate the resource. Raises PoisonError."""
        ...


class DeadLetters(Protocol):
    """The topic of unreadable records."""

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """Publish and wait until they are safe."""
        ...


__all__ = [
    "Budget",
    "Change",
    "Clock",
    "Connection",
    "Connections",
    "CredentialCheck",
    "DeadLetter",
    "DeadLetters",
    "Decoder",
    "Due",
    "EventState",
    "Grant",
    "Inbox",
    "Lease",
    "LedgerStore",
    "MappingRequest",
    "PairRegister",
    "Peeked",
    "RawRecord",
    "Requested",
    "Resource",
    "StatusBoard",
    "Subject",
    "Swoogo",
    "SyncRequest",
    "TokenStore",
    "Work",
    "Written",
    "event_subject",
    "org_subject",
]
