"""EXPLAIN one record in words: what it is on both sides, what holds it back, and what would change that (U4).

Guarantees: names a record by its label, never a person; every reason for leaving a record out has a sentence and says
what ends it; issues keep the sentences that they have everywhere (`domain.issues.sentences`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.explaining.event_holds import EventHolds, Hold, counted, holds_of
from consumer.domain.explaining.sync_state import Became, SessionConditions, became
from consumer.domain.issues.issue import Code, Hand, Issue, hand_of
from consumer.domain.issues.sentences import field_label
from consumer.domain.planning.eligibility import ENDS, Reason, Skip
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, SetImage, Update
from consumer.domain.records.identity import Kind, kind_of
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.schedule import zone
from consumer.domain.records.snapshot import Contact, Session, Sponsor

Resource = Session | Contact | Sponsor


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """Everything that is known of one record.

    Attributes:
        label: what people call it, see `domain.issues.labels`; "" when nothing is known.
        resource: as Sessionboard last sent it.
        copied: a speaker without a contact record, known by the copy inside a session (P5).
        dirty: a change of it waits.
        mapping: of its event; None: there is none.
        now: ms.
        frozen: what would be done to it but for a freeze (U1).
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
    frozen: tuple[Operation, ...] = ()

    @property
    def clock(self) -> ZoneInfo | None:
        """The event's zone."""
        return zone(self.mapping.timezone) if self.mapping else None

    @property
    def live(self) -> bool:
        return self.entry is not None and self.entry.live


@dataclass(frozen=True, slots=True)
class Explanation:
    """A record in words. `here`: in Sessionboard; `between`: what was sent; `there`: in Swoogo; `next`: the next push.

    `holds` does not repeat what issues say.
    """

    state: Became
    here: str
    between: str
    there: str
    next: str
    holds: tuple[Hold, ...] = ()


def explain(facts: RecordFacts) -> Explanation:
    holds = tuple(_holds(facts))
    return Explanation(
        _state(facts),
        _here(facts),
        _between(facts),
        _there(facts),
        _next(facts),
        holds,
    )


def _state(facts: RecordFacts) -> Became:
    """The state that the agenda shows, for records of every kind."""
    reason, hands = facts.skip.reason if facts.skip else None, [hand_of(each.code) for each in facts.issues]
    sends = facts.skip is None and bool(facts.operations or facts.dirty)
    return became(
        SessionConditions(
            live=facts.live,
            gone=facts.entry is not None and facts.entry.state is State.GONE,
            changed=sends or reason in {Reason.WAITING, Reason.UNAPPROVED},
            hands=sum(
                hand.needed and each.code is not Code.GONE_IN_SWOOGO
                for hand, each in zip(hands, facts.issues, strict=True)
            ),
            held=reason in {Reason.HELD_BACK, Reason.FROZEN} or Hand.HELD in hands,
            edited=Hand.EDITED in hands,
            ended=reason is Reason.ENDED,
        )
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
            return f"{counted(len(entry.pushed), 'field')} of it sent; what is kept of that changed{when or ' once'}."


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
            more = f" Edited there: {', '.join(edited)}." if edited else ""
            return f"Swoogo has it{named}.{more}"


def _next(facts: RecordFacts) -> str:
    if facts.mapping is None:
        return "Nothing is sent: the event is not mapped."
    if not facts.operations:
        return "A sync now would send nothing of it."
    parts = [_does(each) for each in facts.operations if each.key == facts.key]
    links = [each for each in facts.operations if each.key != facts.key and isinstance(each, Link)]
    put, taken = sum(len(each.add) for each in links), sum(len(each.remove) for each in links)
    parts += [f"put {counted(put, 'speaker')} on it"] if put else []
    parts += [f"take {counted(taken, 'speaker')} off it"] if taken else []
    credits_ = sum(each.credits for each in facts.operations)
    return f"A sync now would {' and '.join(parts)}, for {counted(credits_, 'credit')}."


def _does(operation: Operation) -> str:
    match operation:
        case Create():
            return "create it"
        case Adopt():
            return f"take the record {operation.remote.id} of Swoogo for it"
        case Update():
            return f"update its {', '.join(sorted(field_label(each) for each in operation.before))}"
        case Link():
            parts = [f"put it on {counted(len(operation.add), 'session')}"] if operation.add else []
            parts += [f"take it off {counted(len(operation.remove), 'session')}"] if operation.remove else []
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
    if facts.frozen and skip is None:
        yield Hold(Reason.FROZEN.value, *ENDS[Reason.FROZEN])
    if skip is None and (facts.operations or facts.dirty):
        yield from holds_of(facts.holds, mapping, facts.now)


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
        case Reason.HELD_BACK:
            until = mapping.settings.embargo_until
            if until is not None and facts.now < until:
                when = moment(until, facts.clock)
                return f"Nothing of this event is sent before {when}.{stays}", "It goes over by itself then."
            return (
                f"Every session of this person is held back by the settings of the mapping.{stays}",
                "It goes over when one of these sessions does.",
            )
        case _:
            return ENDS[skip.reason]
