"""Surveys of the real client against the stateful sandbox, whatever the API turns out to do (swoogo-api.md 11.3)."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.domain.errors import RefusedError, UnavailableError
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Remote
from consumer.domain.surveys.survey import KindSurvey, Known
from sandbox.swoogo import Switches
from tests.contract.swoogo_bench import GOLD, HALL, SPEAKER, WORK, Bench, a_bench
from tests.unit.adapters.swoogo.world import EVENT, a_work

MANY = 450


def fill(bench: Bench, sessions: int = MANY) -> list[int]:
    """So many sessions more, in ascending order of their ids; nothing was charged for it."""
    rows = [{"event_id": EVENT, "name": f"Talk {number}", "date": "2025-08-08"} for number in range(sessions)]
    bench.sandbox.seed({"sessions": rows})
    return sorted(int(row["id"]) for row in bench.sandbox.state(EVENT)["sessions"])


async def known(bench: Bench, kind: Kind = Kind.SESSION) -> Known:
    """What a deep survey leaves for the next."""
    seen = await bench.swoogo.survey_kind(WORK, kind, Known())
    return after(seen)


def after(seen: KindSurvey, *, over: bool = True) -> Known:
    return Known({each: row.natural for each, row in seen.naturals({}).items()}, seen.newest, over)


async def edit(bench: Bench, identifier: int, **values: Any) -> None:
    """By hand, a second later than everything before."""
    bench.clock.ms += 1_000
    bench.sandbox.edit("sessions", identifier, values)


def delete(bench: Bench, kind: str, identifier: int) -> None:
    """By hand."""
    bench.sandbox.delete(kind, identifier)


async def spent(bench: Bench, before: int) -> int:
    return bench.credits() - before


SWITCHES = [
    pytest.param(Switches(page_overflow=overflow, per_page_cap=cap), id=f"{overflow}-{cap}")
    for overflow in ("last_page", "empty")
    for cap in (200, 1000)
]


@pytest.mark.rule("D2")
@pytest.mark.parametrize("switches", SWITCHES)
async def test_a_deep_survey_reads_every_page_whatever_comes_beyond_the_last(switches: Switches) -> None:
    """Complete, with fields; as many pages as there are."""
    async with a_bench(switches) as bench:
        ids = fill(bench)
        await bench.swoogo.event_timezone(WORK)
        before = bench.credits()
        seen = await bench.swoogo.survey_kind(WORK, Kind.SESSION, Known())
        assert (sorted(seen.ids), sorted(seen.rows), seen.whole) == (ids, ids, True)
        assert await spent(bench, before) == 30
        assert seen.rows[ids[-1]].fields["name"] == f"Talk {MANY - 1}"


@pytest.mark.rule("R3")
@pytest.mark.parametrize("switches", SWITCHES)
async def test_shallow_survey_of_an_unchanged_kind_is_one_call(switches: Switches) -> None:
    """Ten credits."""
    async with a_bench(switches) as bench:
        ids = fill(bench)
        held = await known(bench)
        before = bench.credits()
        seen = await bench.swoogo.survey_kind(WORK, Kind.SESSION, held)
        assert (sorted(seen.ids), seen.newest, seen.whole) == (ids, held.since, False)
        assert await spent(bench, before) == 10


@pytest.mark.rule("R2")
@pytest.mark.parametrize("switches", SWITCHES)
async def test_a_shallow_survey_shows_what_was_edited_and_what_was_made_by_hand(switches: Switches) -> None:
    """With their fields; the rest is known to be there from the count."""
    async with a_bench(switches) as bench:
        ids = fill(bench)
        held = await known(bench)
        await edit(bench, ids[3], name="By hand")
        made = fill(bench, 1)[-1]
        before = bench.credits()
        seen = await bench.swoogo.survey_kind(WORK, Kind.SESSION, held)
        assert seen.rows[ids[3]].fields["name"] == "By hand"
        assert seen.ids == {*ids, made}
        assert seen.newest > held.since
        assert await spent(bench, before) == 10


@pytest.mark.rule("R2")
async def test_edit_in_the_second_of_a_read_is_seen() -> None:
    """Stamps are whole seconds (swoogo-api.md 2.8); both surveys, by the event and by lists."""
    async with a_bench(Switches()) as bench:
        ids = fill(bench, 20)
        seen = await bench.swoogo.survey_kind(WORK, Kind.SESSION, Known())
        bench.sandbox.edit("sessions", ids[3], {"name": "By hand", "updated_at": seen.newest})
        open_, over = after(seen, over=False), after(seen, over=True)
        listed = await bench.swoogo.survey_kind(WORK, Kind.SESSION, open_)
        expanded = (await bench.swoogo.survey_event(WORK, {Kind.SESSION: open_})).kinds[Kind.SESSION]
        assert [each.rows[ids[3]].fields["name"] for each in (listed, expanded)] == ["By hand", "By hand"]
        later = (await bench.swoogo.survey_event(WORK, {Kind.SESSION: over})).kinds[Kind.SESSION]
        assert later.rows == {}


@pytest.mark.rule("R2")
@pytest.mark.parametrize("switches", SWITCHES)
async def test_more_edits_than_a_page_holds_are_all_seen(switches: Switches) -> None:
    """Further pages as long as they hold something new."""
    async with a_bench(switches) as bench:
        ids = fill(bench)
        held = await known(bench)
        for identifier in ids[:250]:
            await edit(bench, identifier, name="By hand")
        seen = await bench.swoogo.survey_kind(WORK, Kind.SESSION, held)
        assert {each for each, row in seen.rows.items() if row.fields["name"] == "By hand"} == set(ids[:250])


@pytest.mark.rule("D2")
@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize("also_made", [False, True])
async def test_the_count_tells_of_deletions_and_then_every_page_is_read(switches: Switches, also_made: bool) -> None:
    """Also when somebody made another record at the same time, so that the count is the same."""
    async with a_bench(switches) as bench:
        ids = fill(bench)
        held = await known(bench)
        delete(bench, "sessions", ids[7])
        bench.clock.ms += 1_000
        made = set(fill(bench, 1)) - set(ids) if also_made else set()
        seen = await bench.swoogo.survey_kind(WORK, Kind.SESSION, held)
        assert (seen.ids, seen.whole) == ({*ids, *made} - {ids[7]}, True)


@pytest.mark.rule("D2")
async def test_a_list_that_keeps_changing_while_it_is_read_concludes_nothing() -> None:
    """Deletions only from stable listings."""
    async with a_bench() as bench:
        ids = fill(bench)
        fetch, pages = bench.client._surveys._page, 0

        async def page(*arguments: Any) -> Any:
            nonlocal pages
            delete(bench, "sessions", ids[-1 - pages])
            pages += 1
            return await fetch(*arguments)

        bench.client._surveys._page = page  # type: ignore[method-assign,assignment]
        with pytest.raises(UnavailableError, match="changed while it was read"):
            await bench.swoogo.survey_kind(WORK, Kind.SESSION, Known())
        assert pages >= 4


@pytest.mark.rule("S5", "O1")
@pytest.mark.parametrize("kind", [Kind.LOCATION, Kind.TRACK, Kind.LEVEL])
async def test_what_records_refer_to_is_read_whole(kind: Kind) -> None:
    """Rooms, tracks and levels, for the daily survey."""
    async with a_bench() as bench:
        seen = await bench.swoogo.survey_kind(WORK, kind, Known())
        assert seen.whole
        name = GOLD if kind is Kind.LEVEL else {Kind.LOCATION: "Hall", Kind.TRACK: "Main"}[kind]
        assert [row.fields["name"] for row in seen.rows.values()] == [name]


@pytest.mark.rule("M7", "R3")
async def test_the_event_comes_with_its_records_and_zone_for_one_credit() -> None:
    async with a_bench() as bench:
        ids = fill(bench)
        await bench.swoogo.event_timezone(WORK)
        before = bench.credits()
        event = await bench.swoogo.survey_event(WORK, {})
        assert await spent(bench, before) == 1
        assert event.timezone == "Asia/Tokyo"
        assert {kind: len(seen.ids) for kind, seen in event.kinds.items()} == {
            Kind.SESSION: len(ids),
            Kind.SPEAKER: 1,
            Kind.SPONSOR: 0,
        }
        assert event.kinds[Kind.SPEAKER].rows[SPEAKER] == Remote(
            SPEAKER,
            "bob@example.com",
            event.kinds[Kind.SPEAKER].rows[SPEAKER].fields,
            event.kinds[Kind.SPEAKER].rows[SPEAKER].contact_id,
        )


@pytest.mark.rule("R3")
async def test_the_event_comes_with_the_kinds_that_are_asked_for() -> None:
    async with a_bench() as bench:
        fill(bench, 3)
        event = await bench.swoogo.survey_event(WORK, {}, {Kind.SPEAKER})
        assert event.kinds.keys() == {Kind.SPEAKER}


@pytest.mark.rule("R2", "R3")
async def test_only_changed_records_are_read_with_the_event() -> None:
    """What no one touched is known already."""
    async with a_bench() as bench:
        ids = fill(bench)
        first = (await bench.swoogo.survey_event(WORK, {})).kinds[Kind.SESSION]
        await edit(bench, ids[5], name="By hand")
        second = (await bench.swoogo.survey_event(WORK, {Kind.SESSION: after(first)})).kinds[Kind.SESSION]
        assert (second.ids, [*second.rows]) == (first.ids, [ids[5]])
        assert second.rows[ids[5]].fields["name"] == "By hand"
        assert second.newest > first.newest


@pytest.mark.rule("R3")
@pytest.mark.parametrize(("switch", "kinds"), [("absent", set()), ("truncated", {Kind.SESSION, Kind.SPEAKER})])
async def test_an_event_without_all_its_records_is_handed_out_as_it_came(switch: str, kinds: set[Kind]) -> None:
    """Whether they are all is for the reconcile to check; single records answer for themselves."""
    async with a_bench(Switches(event_expand=switch)) as bench:  # type: ignore[arg-type] # the table names its values
        ids = fill(bench)
        event = await bench.swoogo.survey_event(WORK, {})
        assert event.kinds.keys() >= kinds
        assert ids[-1] not in event.kinds.get(Kind.SESSION, KindSurvey(frozenset(), {})).ids
        assert await bench.swoogo.exists(WORK, Kind.SESSION, ids[-1])


@pytest.mark.rule("M6")
@pytest.mark.parametrize("status", [404, 403])
async def test_an_event_of_somebody_else_is_refused(status: int) -> None:
    """Whatever status says so (swoogo-api.md 11.2)."""
    async with a_bench(Switches(not_found_status=status)) as bench:  # type: ignore[arg-type]
        with pytest.raises(RefusedError):
            await bench.swoogo.survey_event(a_work(event_id=99), {})


@pytest.mark.rule("D2")
async def test_a_record_exists_until_it_is_deleted() -> None:
    async with a_bench() as bench:
        ids = fill(bench, 1)
        assert await bench.swoogo.exists(WORK, Kind.SESSION, ids[-1])
        delete(bench, "sessions", ids[-1])
        assert not await bench.swoogo.exists(WORK, Kind.SESSION, ids[-1])
        assert await bench.swoogo.exists(WORK, Kind.LOCATION, HALL)
