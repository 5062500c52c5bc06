"""The agenda as a picture, rooms by time: where each session stands, as numbers. No colour, no markup, no clock."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from consumer.entrypoints.console import times

MINUTE: Final = 1.3
"""Pixels of a minute."""
_TOP: Final = 38
"""Pixels above the first hour: the names of the rooms."""
_BELOW: Final = 13
_USUAL: Final = 45
"""Minutes of a session that does not say when it ends, or ends before it starts."""
_LEAST: Final = 120
"""Minutes that are drawn of a session that goes on for days, if no other runs longer."""
_SHORTEST: Final = 18.0
_LINE: Final = 13
_WIDEST, _WIDE, _NARROW = 240, 120, 96
"""Pixels below which a room does not get; of up to three rooms, what it gets."""
_FEW_ROOMS: Final = 10
_LATEST: Final = time(6)
"""A session that ends later than that on another date is not drawn to its end: a night has nothing in it."""
AT_ONCE: Final = 100
"""Sessions in one picture; a day with more is shown some rooms at a time."""
NO_ROOM: Final = "No room"


@dataclass(frozen=True, slots=True)
class Slot:
    """A session that has a start. Times are ms; `mark`: it is drawn with a wide band and an icon."""

    id: str
    title: str
    room: str
    starts_at: int
    ends_at: int | None = None
    seats: int | None = None
    mark: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One session in its column. `x` and `width` are percent of the column; `y`, `height` and `text_x` are pixels.

    `clock`: `10:15–11:00` as Sessionboard says, `backwards`: that it ends before it starts.
    """

    id: str
    x: float
    y: float
    width: float
    height: float
    text_x: int
    lines: tuple[str, ...]
    clock: str
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A room. `x` and `width` are percent of the picture."""

    room: str
    seats: int | None
    x: float
    width: float
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """One day, or some rooms of it. `hours`: label and pixels; `width`: pixels below which it does not get."""

    day: date
    width: int
    height: int
    hours: tuple[tuple[str, int], ...]
    columns: tuple[Column, ...]

    @property
    def span(self) -> str:
        """`09:00 to 18:00`."""
        return f"{self.hours[0][0]} to {self.hours[-1][0]}"


def by_day(slots: Iterable[Slot], timezone: tzinfo) -> dict[date, list[Slot]]:
    """The sessions of each date on the event's clock, in order of time and room."""
    found: dict[date, list[Slot]] = defaultdict(list)
    for slot in sorted(slots, key=lambda each: (each.starts_at, each.room, each.title, each.id)):
        found[times.at(slot.starts_at, timezone).date()].append(slot)
    return dict(sorted(found.items()))


def room_groups(slots: Sequence[Slot]) -> list[tuple[str, ...]]:
    """The rooms of a day, as many together as fit one picture: by name as people count, what has no room last."""
    counts: dict[str, int] = defaultdict(int)
    for slot in slots:
        counts[slot.room] += 1
    groups: list[tuple[str, ...]] = []
    held, filled = list[str](), 0
    for room in sorted(counts, key=_room_order):
        if held and filled + counts[room] > AT_ONCE:
            groups.append(tuple(held))
            held, filled = [], 0
        held.append(room)
        filled += counts[room]
    return [*groups, tuple(held)] if held else groups


def picture(slots: Sequence[Slot], timezone: tzinfo) -> Picture:
    """Draw sessions of one day. `slots` has at least one."""
    day = times.at(min(slot.starts_at for slot in slots), timezone).date()
    spans = _spans(slots, timezone)
    first = _whole_hour(min(start for start, _ in spans.values()), timezone)
    last = max(end for _, end in spans.values())
    hours = [first]
    while hours[-1] < last:
        hours.append(hours[-1] + 3_600_000)
    rooms = sorted({slot.room for slot in slots}, key=_room_order)
    pixels = _WIDEST if len(rooms) <= 3 else _WIDE if len(rooms) < _FEW_ROOMS else _NARROW
    columns = []
    for at, room in enumerate(rooms):
        here = [slot for slot in slots if slot.room == room]
        blocks = _blocks(here, spans, first, pixels, timezone)
        seats = next((slot.seats for slot in here if slot.seats), None)
        columns.append(Column(room, seats, round(at * 100 / len(rooms), 3), round(100 / len(rooms), 3), blocks))
    labels = tuple((f"{times.at(hour, timezone):%H:%M}", _TOP + _pixels(hour - first)) for hour in hours)
    return Picture(day, len(rooms) * pixels, labels[-1][1] + _BELOW, labels, tuple(columns))


def clock_of(slot: Slot, timezone: tzinfo) -> str:
    """`10:15–11:00`, or `10:15` where it does not say when it ends."""
    start = f"{times.at(slot.starts_at, timezone):%H:%M}"
    return start if slot.ends_at is None else f"{start}–{times.at(slot.ends_at, timezone):%H:%M}"


def _blocks(
    slots: Sequence[Slot], spans: dict[str, tuple[int, int]], first: int, pixels: int, timezone: tzinfo
) -> tuple[Block, ...]:
    """Sessions of one room; those at one time share its width."""
    blocks = []
    for cluster in _clusters(slots, spans):
        lanes = _lanes(cluster, spans)
        share = 1 / (max(lanes.values()) + 1)
        for slot in cluster:
            wide = share * _free(slot, cluster, lanes, spans)
            start, end = spans[slot.id]
            height = max(_pixels(end - start) - 2.0, _SHORTEST)
            text_x = 15 if slot.mark else 10
            room = pixels * 0.955 * wide - text_x - 4
            lines = break_title(slot.title, room, max(int((height - 8) // _LINE), 1), 18 if slot.mark else 0)
            backwards = slot.ends_at is not None and slot.ends_at <= slot.starts_at
            blocks.append(
                Block(
                    slot.id,
                    round(2 + lanes[slot.id] * 96 * share, 2),
                    _TOP + _pixels(start - first) + 1,
                    round(95.5 * wide, 2),
                    round(height),
                    text_x,
                    lines,
                    clock_of(slot, timezone),
                    backwards,
                )
            )
    return tuple(blocks)


def _clusters(slots: Sequence[Slot], spans: dict[str, tuple[int, int]]) -> list[list[Slot]]:
    """Sessions that run at one time, directly or by way of another."""
    found: list[list[Slot]] = []
    until = 0
    for slot in sorted(slots, key=lambda each: (spans[each.id][0], -spans[each.id][1], each.title, each.id)):
        start, end = spans[slot.id]
        if not found or start >= until:
            found.append([])
            until = 0
        found[-1].append(slot)
        until = max(until, end)
    return found


def _lanes(cluster: Sequence[Slot], spans: dict[str, tuple[int, int]]) -> dict[str, int]:
    """Session -> which part of the column it takes, from 0."""
    free: list[int] = []
    lanes: dict[str, int] = {}
    for slot in cluster:
        start, end = spans[slot.id]
        lane = next((at for at, until in enumerate(free) if until <= start), len(free))
        free[lane : lane + 1] = [end]
        lanes[slot.id] = lane
    return lanes


def _free(slot: Slot, cluster: Sequence[Slot], lanes: dict[str, int], spans: dict[str, tuple[int, int]]) -> int:
    """How many parts of the column a session may take from its own on: those that are free while it runs."""
    start, end = spans[slot.id]
    taken = [lanes[each.id] for each in cluster if spans[each.id][0] < end and start < spans[each.id][1]]
    beyond = [lane for lane in taken if lane > lanes[slot.id]]
    return min(beyond, default=max(lanes.values()) + 1) - lanes[slot.id]


def _spans(slots: Sequence[Slot], timezone: tzinfo) -> dict[str, tuple[int, int]]:
    """Session -> from when to when it is drawn, ms. One that goes on for days ends with the last of the others."""
    spans: dict[str, tuple[int, int]] = {}
    longer = list[Slot]()
    for slot in slots:
        start, end = slot.starts_at, slot.ends_at
        if end is None or end <= start:
            end = start + _USUAL * 60_000
        midnight = datetime.combine(times.at(start, timezone).date() + timedelta(days=1), time(), timezone).timestamp()
        if end > (midnight + _LATEST.hour * 3600) * 1000:
            end = round(midnight * 1000)
            longer.append(slot)
        spans[slot.id] = start, end
    last = max((spans[slot.id][1] for slot in slots if slot not in longer), default=0)
    for slot in longer:
        start, midnight_ms = spans[slot.id]
        spans[slot.id] = start, max(min(midnight_ms, max(last, start + _LEAST * 60_000)), start + 60_000)
    return spans


def _whole_hour(moment: int, timezone: tzinfo) -> int:
    then = times.at(moment, timezone)
    return moment - (then.minute * 60 + then.second) * 1000 - moment % 1000


def _pixels(milliseconds: int) -> int:
    return round(milliseconds / 60_000 * MINUTE)


def _room_order(room: str) -> tuple[bool, list[tuple[int, str]]]:
    """`Dock 2` before `Dock 10`."""
    parts = re.findall(r"\d+|\D+", room.casefold())
    return room == NO_ROOM, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


_THIN: Final = frozenset("iIljtfr.,:;'|!()[] ’‘·")
_BROAD: Final = frozenset("mwMW@%—…")
_FEW: Final = 30.0
"""Pixels beside an icon that are no room for a title."""


def width_of(text: str) -> float:
    """Pixels that a text takes at 11 px, a little more than less."""
    return sum(
        3.6
        if letter in _THIN
        else 9.6
        if letter in _BROAD
        else 11.0
        if ord(letter) > 0x1100
        else 7.4
        if letter.isupper()
        else 6.1
        for letter in text
    )


def break_title(title: str, width: float, lines: int, icon: float = 0) -> tuple[str, ...]:
    """A title as at most so many lines; what does not fit ends with an ellipsis.

    `width`: pixels of a line. `lines`: at least 1. `icon`: pixels at the end of the first line that are taken; where
    few are left, the title begins below.
    """
    found = [""] if icon and lines > 1 and width - icon < _FEW else []
    words = title.split()
    while words and len(found) < lines:
        space = width - (icon if not found else 0)
        taken = 0
        while taken < len(words) and width_of(" ".join(words[: taken + 1])) <= space:
            taken += 1
        if taken == 0:  # a word longer than a line
            fits = next(n for n in range(len(words[0]), 0, -1) if n == 1 or width_of(words[0][:n]) <= space)
            found.append(words[0][:fits])
            words[0] = words[0][fits:]
            words = words if words[0] else words[1:]
            continue
        found.append(" ".join(words[:taken]))
        words = words[taken:]
    if words and found:
        found[-1] = _ellipsis(found[-1], width - (icon if len(found) == 1 else 0))
    return tuple(found)


def _ellipsis(line: str, width: float) -> str:
    while line and width_of(line + "…") > width:
        line = line[:-1].rstrip()
    return line + "…"
