"""K1: where the agenda draws each session, and how it breaks their titles."""

from __future__ import annotations

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from consumer.entrypoints.console.agenda import (
    AT_ONCE,
    NO_ROOM,
    Block,
    Slot,
    break_title,
    by_day,
    picture,
    room_groups,
    width_of,
)
from tests.support.builders import at

pytestmark = pytest.mark.rule("K1")

LONDON: Final = ZoneInfo("Europe/London")


def slot(identifier: str, start: str, end: str | None = None, room: str = "Hall", title: str = "Talk") -> Slot:
    return Slot(identifier, title, room, at(start), at(end) if end else None)


def blocks(*slots: Slot, timezone: ZoneInfo = LONDON) -> dict[str, Block]:
    return {block.id: block for column in picture(slots, timezone).columns for block in column.blocks}


def test_a_minute_is_as_high_everywhere() -> None:
    drawn = blocks(slot("a", "2026-07-01 09:00", "2026-07-01 10:00"), slot("b", "2026-07-01 10:15", "2026-07-01 12:15"))
    assert (drawn["a"].y, drawn["a"].height) == (39, 76)
    assert (drawn["b"].y, drawn["b"].height) == (137, 154)


def test_hours_begin_with_the_first_session_and_end_with_the_last() -> None:
    drawn = picture([slot("a", "2026-07-01 09:40", "2026-07-01 10:10")], LONDON)
    assert drawn.hours == (("09:00", 38), ("10:00", 116), ("11:00", 194))
    assert drawn.span == "09:00 to 11:00"


@pytest.mark.parametrize(
    ("spans", "lanes"),
    [
        ([("09:00", "10:00"), ("10:00", "11:00")], [(2.0, 95.5), (2.0, 95.5)]),
        ([("09:00", "10:00"), ("09:30", "11:00")], [(2.0, 47.75), (50.0, 47.75)]),
        ([("09:00", "12:00"), ("09:30", "10:00"), ("10:00", "11:00")], [(2.0, 47.75), (50.0, 47.75), (50.0, 47.75)]),
        (
            [("09:00", "12:00"), ("09:00", "10:00"), ("09:00", "10:00"), ("10:30", "12:00")],
            [(2.0, 31.83), (34.0, 31.83), (66.0, 31.83), (34.0, 63.67)],
        ),
        ([("09:00", "10:00"), ("09:00", "10:00"), ("09:00", "10:00")], [(2.0, 31.83), (34.0, 31.83), (66.0, 31.83)]),
    ],
)
def test_sessions_at_one_time_share_the_room(spans: list[tuple[str, str]], lanes: list[tuple[float, float]]) -> None:
    slots = [slot(f"{n}", f"2026-07-01 {start}", f"2026-07-01 {end}") for n, (start, end) in enumerate(spans)]
    drawn = blocks(*slots)
    assert [(drawn[f"{n}"].x, drawn[f"{n}"].width) for n in range(len(spans))] == lanes


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-07-01 23:00", "2026-07-02 01:00", 120),
        ("2026-07-01 22:00", "2026-07-03 17:00", 120),
        ("2026-07-01 23:59", "2026-07-09 01:00", 12),
        ("2026-07-01 09:00", "2026-07-01 08:00", 45),
        ("2026-07-01 09:00", None, 45),
        ("2026-07-01 09:00", "2026-07-01 09:01", 12),
        ("2026-03-29 00:30", "2026-03-29 03:30", 120),
        ("2026-10-25 00:30", "2026-10-25 02:30", 180),
    ],
    ids=["past midnight", "three days", "a minute", "backwards", "without an end", "short", "clocks on", "clocks back"],
)
def test_a_session_is_as_high_as_it_is_long(start: str, end: str | None, minutes: int) -> None:
    drawn = blocks(slot("a", start, end))["a"]
    assert drawn.height == pytest.approx(max(minutes * 1.3 - 2, 18), abs=3)
    assert drawn.backwards is (end is not None and end < start)


def test_what_goes_on_for_days_draws_no_empty_evening() -> None:
    week, talk = (
        slot("week", "2026-07-01 09:00", "2026-07-05 17:00"),
        slot("talk", "2026-07-01 10:00", "2026-07-01 12:00"),
    )
    assert [label for label, _ in picture([week, talk], LONDON).hours] == ["09:00", "10:00", "11:00", "12:00"]


def test_hours_are_those_that_clocks_show() -> None:
    drawn = picture([slot("a", "2026-03-29 00:30", "2026-03-29 03:30")], LONDON)
    assert [label for label, _ in drawn.hours] == ["00:00", "02:00", "03:00", "04:00"]


def test_days_are_those_of_the_event() -> None:
    days = by_day([slot("a", "2026-07-01 00:30"), slot("b", "2026-07-01 23:30"), slot("c", "2026-07-03 09:00")], LONDON)
    assert {day: [each.id for each in found] for day, found in days.items()} == {
        date(2026, 7, 1): ["a", "b"],
        date(2026, 7, 3): ["c"],
    }


def test_rooms_are_in_order_and_what_has_none_comes_last() -> None:
    rooms = ["Dock 10", NO_ROOM, "Dock 2", "Attic"]
    drawn = picture([slot(room, "2026-07-01 09:00", room=room) for room in rooms], LONDON)
    assert [column.room for column in drawn.columns] == ["Attic", "Dock 2", "Dock 10", NO_ROOM]
    assert [column.x for column in drawn.columns] == [0, 25, 50, 75]
    assert drawn.width == 480


def test_forty_rooms_get_narrower_columns() -> None:
    drawn = picture([slot(f"{n}", "2026-07-01 09:00", room=f"Room {n}") for n in range(40)], LONDON)
    assert (len(drawn.columns), drawn.width) == (40, 40 * 96)


def test_a_full_day_is_drawn_some_rooms_at_a_time() -> None:
    full = [
        slot(f"{room}-{n}", f"2026-07-01 {8 + n // 3:02}:{n % 3 * 20:02}", room=f"Room {room}")
        for room in range(12)
        for n in range(28)
    ]
    groups = room_groups(full)
    assert [room for group in groups for room in group] == [f"Room {room}" for room in range(12)]
    assert all(len([each for each in full if each.room in group]) <= AT_ONCE for group in groups)
    assert len(groups) == 4
    one_room = [slot(f"{n}", "2026-07-01 09:00") for n in range(AT_ONCE + 1)]
    assert room_groups(one_room) == [("Hall",)]


@pytest.mark.parametrize(
    ("title", "width", "lines", "broken"),
    [
        ("Keynote: The Long Night Shift", 90, 2, ("Keynote: The", "Long Night Shift")),
        ("Keynote: The Long Night Shift", 90, 1, ("Keynote: The…",)),
        ("Short", 90, 3, ("Short",)),
        ("", 90, 3, ()),
        ("Donaudampfschifffahrtsgesellschaft", 90, 3, ("Donaudampfschif", "ffahrtsgesellscha", "ft")),
        ("日本語のとても長い題名です", 60, 2, ("日本語のと", "ても長い…")),
        ("ABC", 1, 2, ("A", "…")),
    ],
)
def test_titles_are_broken_by_how_wide_they_are(title: str, width: float, lines: int, broken: tuple[str, ...]) -> None:
    found = break_title(title, width, lines)
    assert found == broken
    assert all(width_of(line) <= max(width, width_of("…")) for line in found)


def test_the_icon_takes_room_from_the_first_line_only() -> None:
    assert break_title("Lightning talks", 84, 2) == ("Lightning talks",)
    assert break_title("Lightning talks", 84, 2, icon=18) == ("Lightning", "talks")


def test_beside_an_icon_in_a_narrow_block_the_title_begins_below() -> None:
    assert break_title("Hack Week", 40, 3, icon=18) == ("", "Hack", "Week")
    assert break_title("Hack Week", 40, 1, icon=18) == ("H…",)
