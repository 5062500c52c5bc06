"""The agenda of an event as its page shows it: days, rooms, the picture, its legend, and the same as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import lru_cache

from consumer.domain.explaining.sync_state import Became
from consumer.entrypoints.console import looks
from consumer.entrypoints.console.agenda import NO_ROOM, Block, Picture, Slot, by_day, clock_of, picture, room_groups
from consumer.entrypoints.console.looks import Look
from consumer.entrypoints.console.times import day_name
from consumer.entrypoints.documents.programme import SessionRow


@dataclass(frozen=True, slots=True)
class Tab:
    """A day, or some rooms of it. `query`: asks for it; `hand`: a session of it needs a hand."""

    words: str
    query: str
    number: int
    current: bool
    hand: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A session: in the table, and what the picture needs besides its place."""

    id: str
    title: str
    room: str
    clock: str
    look: Look
    quiet: bool
    live: bool
    backwards: bool


@dataclass(frozen=True, slots=True)
class Agenda:
    """One day. `legend`: look and number of each state that there is; `away`: one of them is not in Swoogo.

    `undated`: sessions without a start, which stand in no picture.
    """

    days: tuple[Tab, ...]
    groups: tuple[Tab, ...]
    heading: str
    picture: Picture | None
    lines: dict[str, Line]
    legend: tuple[tuple[Look, int], ...]
    away: bool
    undated: tuple[Line, ...]

    def line(self, block: Block) -> Line:
        """What is known of a session that is drawn."""
        return self.lines[block.id]


@lru_cache(maxsize=8)
def agenda_of(rows: tuple[SessionRow, ...], timezone: tzinfo, today: date, wanted: str, group: str) -> Agenda | None:
    """The agenda of an event; None where it has no session.

    `today`: on its clocks. `wanted`: the day that was asked for, as `2026-10-14`; otherwise today's, or the first with
    something to look at. `group`: which rooms of the day, from 0.
    """
    if not rows:
        return None
    known = {row.id: row for row in rows}
    slots = [_slot(row, row.starts_at) for row in rows if row.starts_at is not None]
    undated = tuple(_line(row, "") for row in rows if row.starts_at is None)
    days = by_day(slots, timezone)
    if not days:
        return Agenda((), (), "", None, {}, (), away=False, undated=undated)
    day = _day(days, known, wanted, today)
    groups = room_groups(days[day])
    chosen = int(group) if group.isdecimal() and int(group) < len(groups) else 0
    drawn = [slot for slot in days[day] if slot.room in groups[chosen]]
    lines = {slot.id: _line(known[slot.id], clock_of(slot, timezone)) for slot in drawn}
    counts = Counter(known[slot.id].became for slot in drawn)
    return Agenda(
        days=tuple(
            Tab(day_name(each), f"?day={each}", len(found), each == day, _needs_hand(found, known))
            for each, found in days.items()
        ),
        groups=tuple(_rooms(each, n, day, days[day], known, current=n == chosen) for n, each in enumerate(groups))
        if len(groups) > 1
        else (),
        heading=f"{day:%A} {day.day} {day:%B}",
        picture=picture(drawn, timezone),
        lines=lines,
        legend=tuple((looks.of_session(each), counts[each]) for each in looks.LEGEND if counts[each]),
        away=any(not known[slot.id].live for slot in drawn),
        undated=undated,
    )


def _slot(row: SessionRow, starts_at: int) -> Slot:
    mark = row.became is not Became.IN_SWOOGO
    return Slot(row.id, row.title, row.room or NO_ROOM, starts_at, row.ends_at, row.seats, mark)


def _day(days: dict[date, list[Slot]], known: dict[str, SessionRow], wanted: str, today: date) -> date:
    named = {str(each): each for each in days}
    if wanted in named:
        return named[wanted]
    if today in days:
        return today
    return next((each for each, found in days.items() if _needs_hand(found, known)), next(iter(days)))


def _needs_hand(slots: Sequence[Slot], known: dict[str, SessionRow]) -> bool:
    return any(known[slot.id].became is Became.NEEDS_HAND for slot in slots)


def _rooms(
    rooms: tuple[str, ...],
    number: int,
    day: date,
    slots: Sequence[Slot],
    known: dict[str, SessionRow],
    *,
    current: bool,
) -> Tab:
    here = [slot for slot in slots if slot.room in rooms]
    words = rooms[0] if len(rooms) == 1 else f"{rooms[0]} to {rooms[-1]}"
    return Tab(words, f"?day={day}&rooms={number}", len(here), current, _needs_hand(here, known))


def _line(row: SessionRow, clock: str) -> Line:
    backwards = row.starts_at is not None and row.ends_at is not None and row.ends_at <= row.starts_at
    look = looks.of_session(row.became)
    return Line(
        row.id, row.title, row.room or NO_ROOM, clock, look, row.became is Became.IN_SWOOGO, row.live, backwards
    )
