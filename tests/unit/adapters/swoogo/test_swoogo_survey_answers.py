"""Surveys over odd answers: what is not a record, a count or an order is never taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.domain.errors import UnavailableError
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Known
from tests.unit.adapters.swoogo.world import EVENT, a_work, a_world, answer, page

WORK = a_work()


def row(identifier: Any, stamp: str | None = "2025-08-08 10:00:00", **fields: Any) -> dict[str, Any]:
    return {"id": identifier, "updated_at": stamp, "name": f"Talk {identifier}", **fields}


@pytest.mark.rule("D2")
@pytest.mark.parametrize(
    ("sessions", "ids"),
    [
        pytest.param([row(1), row("2")], {1, 2}, id="ids as text"),
        pytest.param({"1": row(1), "2": row("2")}, {1, 2}, id="an object keyed by id"),
        pytest.param([], set(), id="none"),
        pytest.param(None, None, id="null"),
        pytest.param("many", None, id="text"),
        pytest.param([row(1), None], None, id="a row that is nothing"),
        pytest.param([row(1), {"name": "x"}], None, id="a row without an id"),
        pytest.param([row(1), row("x")], None, id="a row whose id is none"),
        pytest.param([row(1), row(0)], None, id="a row with id 0"),
    ],
)
async def test_records_come_with_the_event_or_not_at_all(sessions: Any, ids: set[int] | None) -> None:
    """Half an array is no array."""
    world = a_world(answer({"id": EVENT, "timezone": " Asia/Tokyo ", "sessions": sessions}))
    event = await world.client.survey_event(WORK, {})
    held = event.kinds.get(Kind.SESSION)
    assert (held.ids if held else None) == ids
    assert event.timezone == "Asia/Tokyo"
    assert world.budget.credits == 2, "the token and the event"


@pytest.mark.rule("M6")
@pytest.mark.parametrize("body", [[], {}, {"id": EVENT + 1}, {"id": None, "sessions": []}, "text"])
async def test_another_thing_than_the_event_is_no_survey(body: Any) -> None:
    world = a_world(answer(body))
    with pytest.raises(UnavailableError, match="another thing"):
        await world.client.survey_event(WORK, {})


@pytest.mark.rule("R2")
async def test_a_record_without_a_moment_is_always_read() -> None:
    """An attribute that Swoogo does not show costs time, never an edit."""
    world = a_world(answer({"id": EVENT, "sessions": [row(1, None), row(2), row(3, "2025-08-09 10:00:00")]}))
    event = await world.client.survey_event(WORK, {Kind.SESSION: Known({}, "2025-08-08 10:00:00", over=True)})
    assert event.kinds[Kind.SESSION].rows.keys() == {1, 3}
    assert event.kinds[Kind.SESSION].newest == "2025-08-09 10:00:00"


@pytest.mark.rule("R2", "D2")
@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([row(1, "2025-08-08 09:00:00"), row(2)], "a sort that was ignored"),
        ([row(2), row(1, None)], "a field that was ignored"),
    ],
)
async def test_a_list_in_another_order_than_asked_for_is_read_whole(rows: list[dict[str, Any]], why: str) -> None:
    """Only then is it known what changed."""
    world = a_world(page(rows, 2), page([row(2), row(1)], 2))
    seen = await world.client.survey_kind(WORK, Kind.SESSION, Known({1: "", 2: ""}, "2025-08-01 00:00:00"))
    assert (seen.ids, seen.whole) == ({1, 2}, True), why
    assert [call.url.params["sort"] for call in world.api.calls] == ["-updated_at", "-id"]


@pytest.mark.rule("R3")
async def test_a_shallow_survey_stops_at_what_was_there_before() -> None:
    """The second page holds nothing new, so no one asks for a third."""
    pages = [
        [row(9, "2025-08-08 12:00:00"), row(8, "2025-08-08 11:59:00")],
        [row(7, "2025-08-08 11:00:00"), row(6, "2025-08-08 10:00:00")],
    ]
    world = a_world(*(page(rows, 6) for rows in pages))
    known = Known(dict.fromkeys(range(4, 9), ""), "2025-08-08 11:00:00")
    seen = await world.client.survey_kind(WORK, Kind.SESSION, known)
    assert seen.ids == set(range(4, 10))
    assert [call.url.params["page"] for call in world.api.calls] == ["1", "2"]
    assert {call.url.params["per-page"] for call in world.api.calls} == {"200"}


@pytest.mark.rule("D2")
async def test_a_count_that_moves_between_pages_starts_all_over_and_then_gives_up() -> None:
    world = a_world(page([row(4), row(3)], 4), page([row(2)], 3), page([row(4), row(3)], 4), page([row(2)], 3))
    with pytest.raises(UnavailableError, match="changed while it was read"):
        await world.client.survey_kind(WORK, Kind.SESSION, Known())


async def test_an_empty_kind_is_whole() -> None:
    world = a_world(page([], 0))
    seen = await world.client.survey_kind(WORK, Kind.SPONSOR, Known())
    assert (seen.ids, seen.whole, seen.newest) == (set(), True, "")


@pytest.mark.rule("D2")
async def test_whoever_was_deleted_last_leaves_an_empty_list() -> None:
    """The count is 0 and one was known."""
    world = a_world(page([], 0), page([], 0))
    seen = await world.client.survey_kind(WORK, Kind.SPONSOR, Known({5: "acme"}, "2025-08-08 10:00:00"))
    assert (seen.ids, seen.whole) == (set(), True)
