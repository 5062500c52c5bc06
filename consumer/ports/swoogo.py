"""The one way to Swoogo: its credits, tokens and circuits, and what watches its calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.fields.definitions import FieldDefinition, FieldDefinitions, Targets
from consumer.domain.pacing.circuit import Circuit, Passage
from consumer.domain.push.claim import Lease
from consumer.domain.push.run import CallLog, Trigger
from consumer.domain.records.identity import Fields, Kind
from consumer.domain.records.ledger import Directory, Remote
from consumer.domain.surveys.survey import SURVEYED, EventSurvey, KindSurvey, Known
from consumer.ports.images import Picture


@dataclass(frozen=True, slots=True)
class Written:
    """Swoogo's answer to a write.

    Attributes:
        seen: field -> digest of what the answer holds, for the fields it holds.
        not_applied: fields whose answered value is not the one sent (R5).
    """

    swoogo_id: int
    seen: Fields
    not_applied: tuple[str, ...] = ()
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """On whose behalf calls are made: the pair, the proof of the claim, and the place in the queue for credits.

    `definitions`: the fields that its map targets; they are read and written like the standard ones (F2). `record`: the
    ledger key of the record that a call is made for. `calls`: where the calls of a push are noted.
    """

    mapping: EventMapping
    connection: Connection
    lease: Lease
    trigger: Trigger
    definitions: FieldDefinitions = field(default_factory=FieldDefinitions)
    record: str = ""
    calls: CallLog | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A permit that was given: `cost` credits of a credential, until the call has been answered.

    `asked`: when it was asked for, seconds of the event loop's clock. The lease is known to last from then on for as
    long as the call may take, and no longer: a call that starts late has to end as early (G4).
    """

    id: str
    credential: str
    cost: int
    asked: float | None = None


class Budget(Protocol):
    """Credits of a credential, shared by all replicas (G5)."""

    async def permit(self, work: Work, cost: int, seconds: float) -> Grant:
        """Wait until the call may start: the lease is ours and outlives it, and the credits are there.

        `cost`: credits of the call. `seconds`: deadline of the call.

        Raises:
            LeaseLostError: another worker has the event, or the lease ends before the call would.
        """

    async def spent(self, grant: Grant, *, remaining: int | None = None, reset: float | None = None) -> None:
        """The call is over (answered or not): its credits count from now on.

        `remaining` and `reset` (seconds) are what Swoogo says is left of its window; they count when lower than ours.
        """

    async def returned(self, grant: Grant) -> None:
        """Nothing was sent: give the credits back."""

    async def throttled(self, grant: Grant, reset: float) -> None:
        """A 429: give the credits back and let no call start before the reset (seconds)."""

    async def left(self, credential: str) -> int:
        """Credits that could be spent now."""

    async def surveys(self, work: Work, cost: int, seconds: float) -> int:
        """Note what a survey of the event costs, for so long; returns that of all events of its credential."""


class TokenStore(Protocol):
    """Where a credential's token is shared between replicas; encrypted at rest."""

    async def get(self, credential: str) -> str | None:
        """The token, when there is one that is still good."""

    async def put(self, credential: str, token: str, seconds: float) -> None:
        """Keep a token for so long."""

    async def drop(self, credential: str, token: str) -> None:
        """Forget this token (Swoogo refused it), unless another has come in its place."""

    async def lock(self, whose: str, owner: str, seconds: float, *, what: str = "token") -> bool:
        """Single flight: True when `owner` may ask for a token, or do `what` (again true for the same owner).

        `whose`: the credential, or `field-ID` for what is done to a field of a whole account.
        """

    async def unlock(self, whose: str, owner: str, *, what: str = "token") -> None:
        """Let others."""


class Swoogo(Protocol):
    """The one way to Swoogo. Every call takes a permit first; 401, 429 and blips are dealt with inside.

    All raise RefusedError, MissingError, UnavailableError, CredentialError, LeaseLostError.
    """

    async def create(self, work: Work, kind: Kind, fields: Fields, op_id: str) -> Written:
        """Create a record. Raises UnansweredError when it may exist although no usable answer came."""

    async def update(self, work: Work, kind: Kind, swoogo_id: int, fields: Fields, name: str = "") -> Written:
        """Send changed fields, with the record's `name` only where Swoogo insists on it (R2)."""

    async def link(self, work: Work, speaker_id: int, session_ids: Sequence[int], already: Sequence[int] = ()) -> None:
        """Associate a speaker with sessions, besides those associated `already`."""

    async def unlink(self, work: Work, speaker_id: int, session_id: int) -> None:
        """Take one association away; fine when it is not there."""

    async def upload(self, work: Work, kind: Kind, swoogo_id: int, contact_id: int | None, picture: Picture) -> None:
        """Set the headshot of a speaker (by the route that the settings name) or the logo of a sponsor."""

    async def delete(self, work: Work, kind: Kind, swoogo_id: int) -> None:
        """Delete a record; fine when it is not there.

        Raises RefusedError with `rule` when Swoogo keeps it for what it holds, such as registrants (D4).
        """

    async def list(self, work: Work, kind: Kind, known: Mapping[int, str]) -> Directory:
        """Every record of the kind, with as few pages as prove completeness given the `known` ids."""

    async def read_definitions(self, work: Work, wanted: Targets) -> FieldDefinitions:
        """The fields of the kinds in `wanted`, and the choices of those it names (F5).

        Ten credits for each 200 fields of a kind, and one for each choice field named, where the list does not show
        choices. A kind whose definitions the credential may not read has the documented attributes only.
        """

    async def add_choices(self, work: Work, kind: Kind, attribute: str, names: Sequence[str]) -> FieldDefinition:
        """The field with these choices; those that are not there are added, once in the account (F3).

        Raises UnansweredError when some may have been added although no usable answer came.
        """

    async def event_timezone(self, work: Work) -> str:
        """The Swoogo event's zone, "" when it shows none (M6, M7).

        Raises MissingError when the credential cannot read the event.
        """

    async def survey_event(
        self, work: Work, known: Mapping[Kind, Known], kinds: Collection[Kind] = SURVEYED
    ) -> EventSurvey:
        """The event with its records of these kinds, for one credit; kinds that did not come are left out.

        Whether the records that came are all must be checked: no public text says so (`swoogo-api.md 11.3`, 15).
        Raises RefusedError (MissingError) when the credential cannot read the event.
        """

    async def survey_kind(self, work: Work, kind: Kind, known: Known) -> KindSurvey:
        """Every record of the kind; of those that changed since the last look also the fields.

        As few pages as show what changed, and all of them when their count does not add up with the `known` ids.
        Raises UnavailableError when the list changes while it is read.
        """

    async def exists(self, work: Work, kind: Kind, swoogo_id: int) -> bool:
        """Whether one record is there; one credit."""

    async def read(self, work: Work, kind: Kind, swoogo_id: int) -> Remote | None:
        """One record with its fields, for one credit; None when it is not there."""

    async def left(self, work: Work) -> int:
        """Credits that could be spent now on behalf of this work. Raises UnavailableError."""

    async def probe(self, work: Work) -> None:
        """One harmless call, made although the circuit is open, to see whether Swoogo answers again.

        Raises what any call raises; RefusedError and MissingError are answers.
        """

    def spent(self, work: Work) -> int:
        """Credits this claim has used so far."""


class Circuits(Protocol):
    """One circuit for each credential; `domain.pacing.circuit` decides."""

    async def admit(self, credential: str, *, at_once: bool = False) -> tuple[Passage, float]:
        """What may be done now, and the seconds to wait where that is `WAIT`.

        `PROBE` is given to one caller at a time: it makes one harmless call, and what comes of that is reported.
        """

    async def wait(self, credential: str) -> float:
        """Seconds to wait before a call, 0 when it may be made. Cheap: what was read a moment ago still counts."""

    async def failed(self, credential: str, reason: str, *, forbidden: str = "") -> None:
        """A call failed as others would (see `domain.pacing.circuit.failed`). `reason`: a sentence, without secrets."""

    async def succeeded(self, credential: str) -> None:
        """A call was answered. Costs nothing while nothing had failed before."""

    async def look(self, credential: str) -> Circuit:
        """The state as it is now."""


class CallWatch(Protocol):
    """Sees every call of the Swoogo port, and all credits."""

    def call(self, work: Work, operation: str, kind: str) -> AbstractContextManager[None]:
        """Around one call. An error that leaves the block is its outcome."""

    def permit(self, work: Work) -> AbstractContextManager[None]:
        """Around the wait for a permit."""

    def spent(self, work: Work, credits_: int) -> None:
        """These credits are spent."""

    def throttled(self, work: Work) -> None:
        """Swoogo answered 429."""


class Unwatched:
    """Where nothing is to be counted: commands, and parts that are tested alone."""

    def call(self, work: Work, operation: str, kind: str) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def permit(self, work: Work) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def spent(self, work: Work, credits_: int) -> None: ...

    def throttled(self, work: Work) -> None: ...
