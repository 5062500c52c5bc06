"""`/events/EVENT`: is everything right in Swoogo, what needs a hand, when will it be done?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.explaining.sync_state import Became
from consumer.domain.issues.issue import Code, Hand
from consumer.domain.issues.sentences import reason_words
from consumer.domain.records.identity import Kind
from consumer.entrypoints.console import looks, times
from consumer.entrypoints.console.looks import Look
from consumer.entrypoints.console.page import Ask, Facts, MissingError, Shown
from consumer.entrypoints.console.pages.programme import agenda_of
from consumer.entrypoints.console.routes import event_links, record_links
from consumer.entrypoints.console.viewer import Role
from consumer.entrypoints.console.words import KINDS, facts_of, result_words, run_words
from consumer.entrypoints.documents.control import FreezeRow
from consumer.entrypoints.documents.issues import IssueRow
from consumer.entrypoints.documents.programme import SessionRow
from consumer.entrypoints.documents.run import RunDocument
from consumer.entrypoints.documents.status import EventDocument, read_known_event
from consumer.entrypoints.documents.words import counted

_RUNS: Final = 8
_WAITING: Final = 8
"""Sessions on their way that are named."""


async def show(ask: Ask) -> Shown:
    """One event. Raises MissingError, UnavailableError."""
    event_id = ask.parts["event_id"]
    document = await read_known_event(ask.stores, event_id, _RUNS)
    if document is None:
        raise MissingError
    mapping = document.mapping
    timezone = times.zone_of(mapping.timezone if mapping else "")
    name = document.event.name or event_id
    facts = _facts(ask, document, document.programme, mapping, timezone)
    return Shown("event.html", name, facts, timezone=mapping.timezone if mapping else "")


def _facts(
    ask: Ask, document: EventDocument, rows: tuple[SessionRow, ...], mapping: EventMapping | None, timezone: tzinfo
) -> Facts:
    row, now = document.event, ask.now
    sessionboard, swoogo = event_links(ask.settings, mapping)
    hands = by_hand(ask, document.issues, mapping, {row.id: row.swoogo_id for row in rows})
    lead, rest = lead_of(rows)
    day, rooms = ask.query.get("day", ""), ask.query.get("rooms", "")
    return {
        "event_id": row.event_id,
        "name": row.name or row.event_id,
        "look": looks.of_state(row.state),
        "about": _about(rows, mapping, timezone),
        "sessionboard": sessionboard,
        "swoogo": swoogo,
        "lead": lead,
        "hands": row.hands,
        "rest": rest,
        "facts": facts_of(row, now, timezone),
        "needs": tuple(need.sentence for need in document.attention.needs if need.kind in _NEEDS_SAID),
        "agenda": agenda_of(rows, timezone, times.at(now, timezone).date(), day, rooms),
        "todo": tuple(hands[hand] for hand in Hand if hand.needed and hand in hands),
        "freezes": tuple(_freeze(each, now, timezone) for each in document.freezes),
        "held": hands.get(Hand.HELD),
        "edited": hands.get(Hand.EDITED),
        "known": hands.get(Hand.KNOW),
        "waiting": _waiting(document.pending, rows),
        "kinds": _kinds(row.ledger, row.left_out),
        "runs": tuple(_run(run, now, timezone) for run in document.runs),
        "pairs": sum(len(mapping.settings.field_maps.of(kind)) for kind in Kind) if mapping else 0,
        "orders": _orders(mapping, {each.code for each in document.issues}, ask.viewer.role),
    }


def _orders(mapping: EventMapping | None, codes: AbstractSet[str], role: Role) -> tuple[tuple[str, str], ...]:
    """Kinds of orders that somebody in this role can give here, and their words."""
    if mapping is None:
        return ()
    removing = Code.TOO_MANY_REMOVALS in codes and role >= Role.OPERATOR
    approving = (("approve", "Approve the plan…"),) if mapping.settings.approval_required else ()
    return (*approving, *((("remove", "Confirm deletions…"),) if removing else ()), *_ORDERS)


_ORDERS: Final = (
    ("sync", "Sync now…"),
    ("reconcile", "Compare with Swoogo…"),
    ("freeze", "Freeze…"),
    ("thaw", "End a freeze…"),
)
_NEEDS_SAID: Final = frozenset({"credential_refused", "circuit_open", "failing", "waiting"})
"""What needs a hand besides issues, which have their own list."""
_REST: Final = (
    (Became.WAITING, "waits", "wait"),
    (Became.HELD, "is held on purpose", "are held on purpose"),
    (Became.NEEDS_HAND, "needs a hand", "need a hand"),
    (Became.GONE, "was deleted in Swoogo", "were deleted in Swoogo"),
    (Became.OVER, "was over before it was synced", "were over before they were synced"),
    (Became.LEFT_OUT, "is left out", "are left out"),
    (Became.EDITED, "was edited in Swoogo", "were edited in Swoogo"),
)


def lead_of(rows: Sequence[SessionRow]) -> tuple[str, str]:
    """`138 of 143 accepted sessions are in Swoogo.`, and what the others are."""
    live = sum(row.live for row in rows)
    if not rows:
        return "There is no accepted session yet.", ""
    if live == len(rows):
        return (
            f"All {counted(live, 'accepted session')} are in Swoogo." if live > 1 else "The session is in Swoogo.",
            "",
        )
    away = Counter(row.became for row in rows if not row.live)
    if len(rows) == 1:
        return "The one accepted session is not in Swoogo.", next(
            f"It {one}." for state, one, _ in _REST if away[state]
        )
    said = [f"{number:,} {one if number == 1 else many}" for state, one, many in _REST if (number := away[state])]
    if not live:
        return f"None of {len(rows):,} accepted sessions is in Swoogo.", f"{', '.join(said)}."
    verb = "is" if live == 1 else "are"
    lead = f"{live:,} of {len(rows):,} accepted sessions {verb} in Swoogo."
    if len(rows) - live == 1:
        return lead, f"The other one {said[0].removeprefix('1 ')}."
    other = f"The other {len(rows) - live:,}"
    return lead, f"{other}: {', '.join(said)}." if len(said) > 1 else f"{other} {said[0].partition(' ')[2]}."


def _about(rows: Sequence[SessionRow], mapping: EventMapping | None, timezone: tzinfo) -> str:
    """`13–15 October 2026 · organization o1`."""
    starts = [row.starts_at for row in rows if row.starts_at is not None]
    dates = [times.span(*(times.at(each, timezone).date() for each in (min(starts), max(starts))))] if starts else []
    return " · ".join([*dates, *([f"Organization {mapping.org_id}"] if mapping else [])])


def _freeze(freeze: FreezeRow, now: int, timezone: tzinfo) -> tuple[str, str]:
    """`Name of sessions is frozen until 28 Sep, 09:00.`, and who ordered it, why."""
    what = freeze.words[:1].upper() + freeze.words[1:]
    many = freeze.kind and (not freeze.fields or len(freeze.fields) > 1)
    until = times.when(freeze.until_ms, now, timezone) if freeze.until_ms else ""
    ends = f"until {until}" if until else "until somebody ends it"
    return f"{what} {'are' if many else 'is'} frozen {ends}.", f"{freeze.actor}: “{freeze.reason}”"


def _waiting(pending: Mapping[str, Sequence[str]], rows: Sequence[SessionRow]) -> Facts | None:
    if not pending:
        return None
    titles = {row.id: row.title for row in rows}
    sessions = [key.partition("/")[2] for key in pending.get(Kind.SESSION, ())]
    named = [(each, titles[each]) for each in sessions if each in titles]
    numbers = [(source, len(keys)) for source, keys in pending.items()]
    left = [(source, number - (len(named[:_WAITING]) if source == Kind.SESSION else 0)) for source, number in numbers]
    more = ", ".join(counted(number, source) for source, number in left if number)
    return {"sessions": tuple(named[:_WAITING]), "more": f"and {more}" if more and named else more}


def _kinds(ledger: Mapping[str, int], left_out: Mapping[str, int]) -> tuple[Facts, ...]:
    lines = []
    for kind, words in KINDS.items():
        live = ledger.get(f"{kind}/applied", 0)
        why = [
            f"{number:,} {reason_words(reason.partition(':')[2])}"
            for reason, number in left_out.items()
            if reason.startswith(f"{kind}:")
        ]
        if live or why:
            lines.append({"kind": words, "live": live, "more": f"Left out: {', '.join(why)}" if why else ""})
    return tuple(lines)


def _run(run: RunDocument, now: int, timezone: tzinfo) -> Facts:
    return {
        "id": run.id,
        "when": times.when(run.started_ms, now, timezone),
        "words": run_words(run),
        "result": result_words(run),
        "look": looks.of_outcome(run.outcome),
        "credits": run.credits,
    }


SHOWN: Final = 25
"""Issues of one heading that are listed; `issues EVENT` has the rest, which is counted."""


@dataclass(frozen=True, slots=True)
class Todo:
    """An issue. `title`: of the record where it is known without naming a person; `out`: where it is corrected."""

    look: Look
    sentence: str
    code: str
    kind: str
    id: str
    out: str
    where: str


@dataclass(frozen=True, slots=True)
class Heading:
    """Issues with the same thing to do. `left`: how many are not listed."""

    words: str
    number: int
    items: tuple[Todo, ...]
    left: int


def by_hand(
    ask: Ask, issues: Sequence[IssueRow], mapping: EventMapping | None, there: Mapping[str, int | None]
) -> Mapping[Hand, Heading]:
    """Issues by the hand they need. `there`: id of a session -> its id in Swoogo."""
    found: dict[Hand, list[IssueRow]] = {}
    for issue in issues:
        found.setdefault(Hand(issue.hand), []).append(issue)
    return {
        hand: Heading(
            hand.words,
            len(some),
            tuple(_todo(ask, hand, each, mapping, there) for each in some[:SHOWN]),
            max(len(some) - SHOWN, 0),
        )
        for hand, some in found.items()
    }


def _todo(
    ask: Ask, hand: Hand, issue: IssueRow, mapping: EventMapping | None, swoogo: Mapping[str, int | None]
) -> Todo:
    record = issue.id.partition("#")[0]
    swoogo_id = swoogo.get(record) if issue.kind == Kind.SESSION else None
    here, there = (
        event_links(ask.settings, mapping)
        if issue.kind == "event"
        else record_links(ask.settings, mapping, issue.kind, record, swoogo_id)
    )
    out, where = (there, "Swoogo") if there and hand is not Hand.SESSIONBOARD else (here, "Sessionboard")
    look = looks.of_hand(hand)
    if issue.code == "gone_in_swoogo":
        look = looks.of_session(Became.GONE)
    return Todo(look, issue.sentence, issue.code, issue.kind, record, out, where)
