"""EXPLAIN one record in words: what it is on both sides, what holds it back, and what would change that (U4).

Guarantees: names a record by its label, never a person; every reason for leaving a record out has a sentence and says
what ends it; issues keep the sentences that they have everywhere (`domain.sentences`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from consumer.domain.eligibility import Reason, Skip
from consumer.domain.identity import Kind, kind_of
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Entry, State
from consumer.domain.mapping import EventMapping
from consumer.domain.plan import Adopt, Create, Delete, Link, Operation, SetImage, Update
from consumer.domain.record_state import RecordState, record_state
from consumer.domain.schedule import zone
from consumer.domain.sentences import field_label
from consumer.domain.snapshot import Contact, Session, Sponsor

Resource = Session | Contact | Sponsor


@dataclass(frozen=True, slots=True)
class EventHolds:
    """What keeps an event from being pushed, whatever the record.

    Attributes:
        working: a worker pushes it now.
        due_in: seconds until it may be pushed; None: nothing makes it due.
        failures: failed pushes in a row.
        refused: Swoogo refuses the credential.
        paused_for: seconds until calls to Swoogo are tried again; 0: they are not paused.
    """

    working: bool = False
    due_in: float | None = None
    failures: int = 0
    refused: bool = False
    paused_for: float = 0.0


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """Everything that is known of one record.

    Attributes:
        key: its ledger key.
        label: what people call it, see `domain.labels`; "" when nothing is known.
        resource: as Sessionboard last sent it.
        copied: a speaker without a contact record, known by the copy inside a session (P5).
        entry: what the ledger has.
        skip: why the plan leaves it out.
        operations: what the plan does to it.
        issues: all that stand, with their labels.
        dirty: a change of it waits.
        mapping: of its event; None: there is none.
        holds: of its event.
        now: ms.
    """

    key: str
    label: str = ""
    resource: Resource | None = None
    copied: bool = False
    entry: Entry | None = None
    skip: Skip | None = None
    operations: tuple[Operation, ...] = ()
    issues: tuple[Issue, ...] = ()
    dirty: bool = False
    mapping: EventMapping | None = None
    holds: EventHolds = field(default_factory=EventHolds)
    now: int = 0

    @property
    def clock(self) -> ZoneInfo | None:
        """The event's zone."""
        return zone(self.mapping.timezone) if self.mapping else None

    @property
    def live(self) -> bool:
        return self.entry is not None and self.entry.live


@dataclass(frozen=True, slots=True)
class Hold:
    """One thing that holds a record back, and what would change that. `code`: a reason, or a state of the event."""

    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A record in words. `here`: in Sessionboard; `between`: what was sent; `there`: in Swoogo; `next`: the next push.

    `holds` does not repeat what issues say.
    """

    state: RecordState
    here: str
    between: str
    there: str
    next: str
    holds: tuple[Hold, ...] = ()


def explain(facts: RecordFacts) -> Explanation:
    """The record in words."""
    holds = tuple(_holds(facts))
    return Explanation(
        record_state(facts.entry, facts.skip, facts.issues, sends=bool(facts.operations) or facts.dirty),
        _here(facts),
        _between(facts),
        _there(facts),
        _next(facts),
        holds,
    )


def moment(at: int, timezone: ZoneInfo | None) -> str:
    """Ms since the epoch as `14 Oct 2026, 11:15` on the wall clock of the event, else of UTC."""
    when = datetime.fromtimestamp(at / 1000, timezone or UTC)
    return f"{when.day} {when:%b %Y, %H:%M}" + ("" if timezone else " UTC")


def _here(facts: RecordFacts) -> str:
    resource, kind = facts.resource, kind_of(facts.key)
    if resource is None:
        if facts.copied:
            return "Sessionboard sent no contact record of this person; the copy inside a session serves."
        if kind in {Kind.LOCATION, Kind.TRACK, Kind.LEVEL}:
            return "Sessionboard names it in its sessions and sponsors; it has no record of its own."
        return "Sessionboard never sent it, so far as is known here."
    changed = f" It was last changed on {moment(resource.version, facts.clock)}." if resource.version else ""
    if resource.deleted:
        when = f" on {moment(resource.version, facts.clock)}" if resource.version else ""
        return f"It was deleted in Sessionboard{when}."
    if isinstance(resource, Session):
        return f"Sessionboard has it as {resource.status.replace('_', ' ') or 'a session without a status'}.{changed}"
    return f"Sessionboard has it.{changed}"


def _between(facts: RecordFacts) -> str:
    entry = facts.entry
    if entry is None:
        return "Nothing of it was ever sent."
    when = f" on {moment(entry.at, facts.clock)}" if entry.at else ""
    if entry.erased:
        return f"The person was erased{when}: digests are kept, so that they are not created again."
    match entry.state:
        case State.INTENT:
            return f"It was sent to be created{when}, and no answer came."
        case State.GONE:
            return f"It was sent before, and found deleted in Swoogo{when}."
        case State.APPLIED:
            return f"{_counted(len(entry.pushed), 'field')} of it sent; what is kept of that changed{when or ' once'}."


def _there(facts: RecordFacts) -> str:
    entry = facts.entry
    if entry is None:
        return "It is not in Swoogo."
    named = f" as {entry.swoogo_id}" if entry.swoogo_id else ""
    match entry.state:
        case State.INTENT:
            return "Whether it is in Swoogo is not known yet."
        case State.GONE:
            return f"Swoogo had it{named}; it was deleted there."
        case State.APPLIED:
            edited = sorted({field_label(each.field) for each in facts.issues if each.code is Code.EDITED_IN_SWOOGO})
            more = f" Edited there by hand: {', '.join(edited)}." if edited else ""
            return f"Swoogo has it{named}.{more}"


def _next(facts: RecordFacts) -> str:
    if facts.mapping is None:
        return "Nothing is sent: the event is not mapped."
    if not facts.operations:
        return "A sync now would send nothing of it."
    parts = [_does(each) for each in facts.operations]
    credits_ = sum(each.credits for each in facts.operations)
    return f"A sync now would {' and '.join(parts)}, for {_counted(credits_, 'credit')}."


def _does(operation: Operation) -> str:
    match operation:
        case Create():
            return "create it"
        case Adopt():
            return f"take the record {operation.remote.id} of Swoogo for it"
        case Update():
            return f"update its {', '.join(sorted(field_label(each) for each in operation.before))}"
        case Link():
            parts = [f"put it on {_counted(len(operation.add), 'session')}"] if operation.add else []
            parts += [f"take it off {_counted(len(operation.remove), 'session')}"] if operation.remove else []
            return " and ".join(parts)
        case Delete():
            return "delete it in Swoogo"
        case SetImage():
            return "upload its image when its bytes are new"


def _holds(facts: RecordFacts) -> Iterable[Hold]:
    mapping, skip = facts.mapping, facts.skip
    if mapping is None:
        yield Hold("not_mapped", "Its event is not mapped to a Swoogo event.", "Map the event in Sessionboard.")
        return
    if skip and not skip.issue:
        yield Hold(skip.reason.value, *_reason(facts, skip, mapping))
    if skip is None and (facts.operations or facts.dirty):
        yield from _of_event(facts.holds, mapping)


def _reason(facts: RecordFacts, skip: Skip, mapping: EventMapping) -> tuple[str, str]:
    """The sentence of a reason without an issue, and what ends it."""
    stays = " It stays in Swoogo as it is." if facts.live else ""
    match skip.reason:
        case Reason.DELETED:
            return f"It was deleted in Sessionboard.{stays}", "Restore it in Sessionboard, or make a new one there."
        case Reason.NOT_ACCEPTED:
            status = facts.resource.status.replace("_", " ") if isinstance(facts.resource, Session) else "another one"
            return f"Its status is {status}; accepted sessions are synced.{stays}", "Accept it in Sessionboard."
        case Reason.ENDED:
            ended = facts.resource.ends_at if isinstance(facts.resource, Session) else None
            when = f" on {moment(ended, facts.clock)}" if ended else ""
            return f"It ended{when}; what has ended is left alone.{stays}", "Move it to a later time in Sessionboard."
        case Reason.NO_ELIGIBLE_SESSION:
            return f"This person is on no session that is synced.{stays}", "Put them on a session that is accepted."
        case Reason.SEALED:
            return (
                "It was synced before the organization disconnected; such sessions are not synced again.",
                "Make a new session in Sessionboard; changes of this one are made in Swoogo by hand.",
            )
        case Reason.PARKED:
            return (
                "Swoogo refused this change before, and it is the same still.",
                "Change it in Sessionboard, set right in Swoogo what is in its way, or have it tried once more.",
            )
        case Reason.HELD_BACK:
            until = mapping.settings.embargo_until
            if until is not None and facts.now < until:
                when = moment(until, facts.clock)
                return f"Nothing of this event is sent before {when}.{stays}", "It goes over by itself then."
            return (
                f"Every session of this person is held back by the settings of the mapping.{stays}",
                "It goes over when one of these sessions does.",
            )
        case Reason.WAITING:
            return (
                "Swoogo did not answer when it was created; it may appear there still, and is looked for first.",
                "There is nothing to do: it is decided within minutes.",
            )
        case Reason.GONE:
            return "It was deleted in Swoogo.", "An operator lifts that, and it is created again."
        case Reason.ISSUE:
            return "Something about it has to be set right first.", "Look at its issues."


def _of_event(holds: EventHolds, mapping: EventMapping) -> Iterable[Hold]:
    if holds.refused:
        yield Hold(
            "credential_refused",
            "Swoogo refuses the credential of its organization.",
            "Connect the organization again in Sessionboard.",
        )
    if holds.paused_for:
        yield Hold(
            "circuit_open",
            "Swoogo does not answer well, so calls are paused.",
            f"They are tried again by themselves in {holds.paused_for:.0f} s.",
        )
    if holds.working:
        yield Hold("pushing", "Its event is being pushed now.", "It is done with this push.")
    elif holds.failures:
        again = "" if holds.due_in is None else f" in {holds.due_in:.0f} s"
        yield Hold("failing", f"The last {_counted(holds.failures, 'push')} failed.", f"The next try comes{again}.")
    elif not mapping.continuous and holds.due_in is None:
        yield Hold("not_continuous", "Continuous sync is off.", "Start a sync.")
    elif holds.due_in is None:
        yield Hold("not_due", "Nothing has made the event due since.", "Start a sync, or wait for the next comparison.")
    else:
        yield Hold(
            "waiting",
            "More changes may come, so it waits for a quiet moment.",
            f"It goes over by itself in {holds.due_in:.0f} s." if holds.due_in else "It goes over now.",
        )


def _counted(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("sh") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
