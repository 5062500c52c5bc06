"""Associations and lists, on the client and on the fake."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from consumer.domain.errors import RefusedError
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Remote
from tests.contract.swoogo_bench import (
    GUESSES,
    HALL,
    OTHER,
    SESSION,
    SESSION_FIELDS,
    SPEAKER,
    TRACK,
    WORK,
    Bench,
    a_bench,
    sessions_of,
)
from tests.unit.adapters.swoogo.world import EVENT


@pytest.fixture(params=GUESSES, ids=[name for name, _, _ in GUESSES])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """The client and the sandbox under one guess."""
    _, switches, settings = request.param
    async with a_bench(switches, **settings) as made:
        yield made


@pytest.mark.rule("S7")
async def test_links_are_added_whatever_is_there(bench: Bench) -> None:
    """Those there stay, also where the API replaces; sending one again changes nothing."""
    await bench.swoogo.link(WORK, SPEAKER, [SESSION])
    await bench.swoogo.link(WORK, SPEAKER, [OTHER], already=[SESSION])
    assert sessions_of(bench) == [SESSION, OTHER]
    await bench.swoogo.link(WORK, SPEAKER, [OTHER], already=[SESSION])
    await bench.swoogo.link(WORK, SPEAKER, [SESSION, OTHER])
    assert sessions_of(bench) == [SESSION, OTHER]


@pytest.mark.rule("S7")
async def test_a_session_of_another_event_is_refused(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="Session 999 is invalid") as caught:
        await bench.swoogo.link(WORK, SPEAKER, [999])
    assert caught.value.field == "session_ids"
    assert sessions_of(bench) == []


@pytest.mark.rule("S8")
async def test_a_link_is_taken_away(bench: Bench) -> None:
    await bench.swoogo.link(WORK, SPEAKER, [SESSION, OTHER])
    await bench.swoogo.unlink(WORK, SPEAKER, SESSION)
    assert sessions_of(bench) == [OTHER]


@pytest.mark.rule("S8")
async def test_what_is_not_linked_needs_no_taking_away() -> None:
    async with a_bench() as bench:
        await bench.swoogo.unlink(WORK, SPEAKER, SESSION)
        assert sessions_of(bench) == []


@pytest.mark.rule("S5", "P2")
async def test_a_list_holds_what_adoption_needs(bench: Bench) -> None:
    """Natural keys and comparable fields."""
    speakers = await bench.swoogo.list(WORK, Kind.SPEAKER, {})
    contact = bench.record("speakers", SPEAKER)["contact_id"]
    empty = {"job_title": "", "company": "", "bio": ""}
    fields = {"first_name": "Bob", "last_name": "Ray", "email": "bob@example.com"} | empty
    assert speakers.rows == {SPEAKER: Remote(SPEAKER, "bob@example.com", fields, contact)}
    halls = await bench.swoogo.list(WORK, Kind.LOCATION, {})
    assert halls.rows == {HALL: Remote(HALL, "hall", {"name": "Hall"})}
    sessions = await bench.swoogo.list(WORK, Kind.SESSION, {})
    assert sessions.rows[SESSION].natural == "keynote|2025-08-08|"
    assert (speakers.fresh, speakers.at) == (True, bench.clock.now())


@pytest.mark.rule("R2")
async def test_what_a_list_shows_is_no_drift_from_what_a_write_answered(bench: Bench) -> None:
    """Numbers as text in one place and as numbers in another are one value (swoogo-api.md 2.8)."""
    made = await bench.swoogo.create(WORK, Kind.SESSION, SESSION_FIELDS, "op")
    written = await bench.swoogo.update(WORK, Kind.SESSION, made.swoogo_id, {"name": "Opening & Welcome"})
    listed = (await bench.swoogo.list(WORK, Kind.SESSION, {})).rows[made.swoogo_id].fields
    assert listed == written.seen


@pytest.mark.rule("R3")
async def test_a_large_unchanged_list_costs_one_page(bench: Bench) -> None:
    """R3; ten credits a page (swoogo-api.md 3)."""
    bench.sandbox.seed({"tracks": [{"event_id": EVENT, "name": f"T{n}"} for n in range(450)]})
    first = await bench.swoogo.list(WORK, Kind.TRACK, {})
    assert len(first.rows) == 451
    known = {identifier: row.natural for identifier, row in first.rows.items()}
    before = bench.budget.credits
    new = bench.sandbox.create("tracks", {"event_id": EVENT, "name": "New"})["id"]
    again = await bench.swoogo.list(WORK, Kind.TRACK, known)
    assert bench.budget.credits - before == 10
    assert again.rows.keys() == first.rows.keys() | {new}


@pytest.mark.rule("D2")
async def test_a_deletion_is_seen_wherever_it_was(bench: Bench) -> None:
    """An old record's deletion takes all pages, and shows."""
    bench.sandbox.seed({"tracks": [{"event_id": EVENT, "name": f"T{n}"} for n in range(450)]})
    first = await bench.swoogo.list(WORK, Kind.TRACK, {})
    known = {identifier: row.natural for identifier, row in first.rows.items()}
    bench.sandbox.delete("tracks", TRACK)
    bench.sandbox.delete("tracks", max(known))
    again = await bench.swoogo.list(WORK, Kind.TRACK, known)
    assert again.rows.keys() == known.keys() - {TRACK, max(known)}
