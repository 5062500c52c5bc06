"""What became of each accepted session of an event (K1): drawn as the agenda, counted by `status EVENT`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from consumer.adapters.redis.programme import Programme
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.explaining.sync_state import Became, SessionConditions, became
from consumer.domain.issues.issue import Code, Hand
from consumer.domain.planning.eligibility import embargoed
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from consumer.domain.records.snapshot import ACCEPTED
from consumer.entrypoints.documents.control import FreezeRow
from consumer.entrypoints.documents.issues import IssueRow

_MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One accepted session. `became`: see `domain.explaining.sync_state`; `live`: it is in Swoogo. Times are ms."""

    id: str
    title: str
    room: str
    track: str
    seats: int | None
    starts_at: int | None
    ends_at: int | None
    became: Became
    live: bool
    swoogo_id: int | None = None


def programme_rows(
    programme: Programme,
    mapping: EventMapping | None,
    issues: Iterable[IssueRow],
    freezes: Iterable[FreezeRow],
    now: int,
    *,
    unapproved: bool = False,
) -> tuple[SessionRow, ...]:
    """Every accepted session, and others that need a hand, in no particular order. `now`: ms.

    `unapproved`: records of the event wait for approval, so a session that is not in Swoogo and not over waits.

    A freeze of some fields alone says nothing of a session: which changes wait behind it is for the plan to say.
    """
    frozen = any(each.kind in {"", Kind.SESSION} and not each.fields for each in freezes)
    held = frozen or (mapping is not None and embargoed(mapping.settings, now))
    about = tuple((each.id.partition("#")[0], Hand(each.hand)) for each in issues if _is_about_session(each))
    return _rows(programme, about, now // _MINUTE, held=held, unapproved=unapproved)


def _is_about_session(issue: IssueRow) -> bool:
    return issue.kind == Kind.SESSION and issue.code != Code.GONE_IN_SWOOGO


@lru_cache(maxsize=8)
def _rows(
    programme: Programme, issues: tuple[tuple[str, Hand], ...], minute: int, *, held: bool, unapproved: bool
) -> tuple[SessionRow, ...]:
    hands: dict[str, list[Hand]] = defaultdict(list)
    for identifier, hand in issues:
        hands[identifier].append(hand)
    found = []
    for identifier, session in programme.sessions.items():
        about = hands.get(identifier, [])
        needed = sum(hand.needed for hand in about)
        if session.deleted or (session.status != ACCEPTED and not needed):
            continue
        entry = programme.entries.get(identifier)
        live = entry is not None and entry.state == State.APPLIED
        ended = session.ends_at is not None and session.ends_at <= minute * _MINUTE
        known = SessionConditions(
            live=live,
            gone=entry is not None and entry.state == State.GONE,
            changed=identifier in programme.dirty or (unapproved and not (live or ended)),
            hands=needed,
            held=Hand.HELD in about or (held and (not live or identifier in programme.dirty)),
            edited=Hand.EDITED in about,
            ended=ended,
        )
        found.append(
            SessionRow(
                identifier,
                session.title,
                session.room.name if session.room else "",
                session.track.name if session.track else "",
                session.room.capacity if session.room else None,
                session.starts_at,
                session.ends_at,
                became(known),
                live,
                entry.swoogo_id if entry and live else None,
            )
        )
    return tuple(found)


def programme_counts(rows: Iterable[SessionRow]) -> Mapping[str, int]:
    """What became of them -> how many, and `accepted` and `live`: all of them, and those that are there."""
    held = tuple(rows)
    counts = Counter(row.became.value for row in held)
    return {"accepted": len(held), "live": sum(row.live for row in held), **counts}
