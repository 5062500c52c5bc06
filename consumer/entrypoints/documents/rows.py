"""One event in a line: what `status` lists, what the console lists, and the state both name it by (K1, K2)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from consumer.adapters.redis.event_stats import EventSummary
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.explaining.sync_state import EventConditions, SyncState, Turn, state_of, turn_of
from consumer.domain.issues.issue import hands_needed
from consumer.domain.planning.eligibility import Reason
from consumer.entrypoints.documents.completeness import waits_for
from consumer.entrypoints.documents.run import RunDocument, run_document
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event in the table of all.

    Attributes:
        dirty: changes not pushed yet.
        due_in: seconds until it may be pushed; None: nothing makes it due.
        working: True while a worker has it.
        survey_in: seconds until the next reconcile may start; None: none is planned.
        survey_every: seconds between two reconciles at present, 0 before the first; more than the setting when the
            credential has many events.
        credits_left: what its credential has now; None without a mapping.
        waits_for: what it waits for since Redis was lost, and until when; "" for nothing.
        state: in one word, as the console says it, see `domain.explaining.sync_state`; `turn`: whose turn it is.
        hands: open issues that need somebody, of `issues` by code.
        refused: Swoogo refuses the credential of its organization.
        paused_until: calls are paused until then, because Swoogo does not answer; 0 while they are not.
        oldest_ms: when the oldest change that waits was published.
        due_ms, survey_ms, reached_ms: when it may be pushed, when the next reconcile may start, and when a push last
            changed something in Swoogo.
        archived: since when it is archived (Y4), None while it is not.
        ledger: "kind/state" -> records; `left_out`: "kind:reason" -> records that the last plan left out.
        frozen, unapproved: records that wait for the end of a freeze, and for an approval (U1, U2).
    """

    event_id: str
    name: str
    mapped: bool
    swoogo_event_id: int | None
    continuous: bool
    dirty: int
    due_in: float | None
    working: bool
    failures: int
    survey_in: float | None
    survey_every: float
    credits_left: int | None
    last_run: RunDocument | None
    waits_for: str = ""
    state: SyncState = SyncState.IN_SYNC
    turn: Turn = Turn.DONE
    org_id: str = ""
    timezone: str = ""
    hands: int = 0
    refused: bool = False
    paused_until: int = 0
    oldest_ms: int | None = None
    due_ms: int | None = None
    survey_ms: int | None = None
    reached_ms: int | None = None
    issues: Mapping[str, int] = field(default_factory=dict)
    ledger: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    frozen: int = 0
    unapproved: int = 0
    archived: str | None = None


def conditions_of(summary: EventSummary, credential: CredentialState, waiting: str, now: int) -> EventConditions:
    """What the state of an event follows from. `waiting`: what it waits for since a loss; `now`: the server's, ms."""
    mapping, stats, run = summary.mapping, summary.stats, summary.run
    held = stats.held > now
    return EventConditions(
        mapped=mapping is not None,
        refused=credential.refused,
        working=held,
        calls=bool(held and run and not run.ended and run.planned_calls),
        changes=stats.changes,
        hands=hands_needed(stats.issues),
        failures=stats.failures,
        paused=bool(credential.paused_until),
        delayed=bool(waiting),
        frozen=_left_out(stats.left_out, Reason.FROZEN),
        unapproved=_left_out(stats.left_out, Reason.UNAPPROVED),
        manual=mapping is not None and not mapping.continuous and stats.due is None,
    )


def _left_out(reasons: Mapping[str, int], reason: Reason) -> int:
    return sum(number for name, number in reasons.items() if name.partition(":")[2] == reason)


async def read_rows(
    stores: StoreSession, found: Mapping[str, EventSummary], deferred: Mapping[str, Sequence[str]]
) -> tuple[EventRow, ...]:
    """The rows of these events. `deferred`: who waits for a later version. Raises UnavailableError."""
    mappings = (each.mapping for each in found.values())
    credentials, now = await asyncio.gather(read_credentials(stores, mappings), stores.inbox.now())

    def row(each: EventSummary) -> EventRow:
        mapping, stats, held = each.mapping, each.stats, each.stats.held > now
        credential = credential_of(credentials, mapping)
        waiting = waits_for(each.event_id, mapping, deferred, credential.doubt_until)
        conditions = conditions_of(each, credential, waiting, now)
        return EventRow(
            event_id=each.event_id,
            name=mapping.name if mapping else "",
            mapped=mapping is not None,
            swoogo_event_id=mapping.swoogo_event_id if mapping else None,
            continuous=mapping.continuous if mapping else False,
            dirty=stats.changes,
            due_in=_until(stats.due, now),
            working=held,
            failures=stats.failures,
            survey_in=_until(stats.survey, now),
            survey_every=stats.survey_every,
            credits_left=credential.left,
            last_run=run_document(each.run, held=held) if each.run else None,
            waits_for=waiting,
            state=state_of(conditions),
            turn=turn_of(conditions),
            org_id=mapping.org_id if mapping else "",
            timezone=mapping.timezone if mapping else "",
            hands=conditions.hands,
            refused=credential.refused,
            paused_until=credential.paused_until,
            archived=iso(stats.archived),
            oldest_ms=stats.oldest,
            due_ms=stats.due,
            survey_ms=stats.survey,
            reached_ms=stats.reached,
            issues=stats.issues,
            ledger=stats.ledger,
            left_out=stats.left_out,
            frozen=conditions.frozen,
            unapproved=conditions.unapproved,
        )

    return tuple(map(row, found.values()))


def _until(moment: int | None, now: int) -> float | None:
    """Seconds until then, 0 when it has come; None where it never comes."""
    return None if moment is None else max(moment - now, 0) / 1000


@dataclass(frozen=True, slots=True)
class CredentialState:
    """What the events of one credential have in common.

    Attributes:
        paused_until: no call is made before, ms; 0: calls are made.
        doubt_until: it is not known until then what it spent, ms; None: it is.
    """

    left: int | None = None
    refused: bool = False
    paused_until: int = 0
    doubt_until: int | None = None


CredentialStates = Mapping[tuple[str, str], CredentialState]
"""(organization, credential) -> its state."""

_UNMAPPED: Final = CredentialState()


def credential_of(credentials: CredentialStates, mapping: EventMapping | None) -> CredentialState:
    """Of the event's mapping; empty without one."""
    return credentials[mapping.org_id, mapping.credential] if mapping else _UNMAPPED


async def read_credentials(stores: StoreSession, mappings: Iterable[EventMapping | None]) -> CredentialStates:
    """The credentials of these mappings. Raises UnavailableError."""
    pairs = sorted({(each.org_id, each.credential) for each in mappings if each})

    if not pairs:
        return {}
    now = stores.clock.now()
    known, *left = await asyncio.gather(
        stores.overview.circuits(pairs), *(stores.budget.left(credential) for _, credential in pairs)
    )
    return {
        pair: CredentialState(
            credits_left,
            refused == pair[1],
            max(circuit.until, circuit.probe_until, 1) if circuit.open else 0,
            doubt if doubt > now else None,
        )
        for pair, credits_left, (circuit, refused, doubt) in zip(pairs, left, known, strict=True)
    }
