"""The Swoogo port on the real client against the stateful sandbox, under every guess about the API.

The same scenarios hold whatever the open questions turn out to be (swoogo-api.md 11.3): a setting of the client
stands against each switch of the sandbox, or the client copes with both values by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from consumer.domain.records.identity import Kind
from sandbox.swoogo import Switches
from tests.contract.swoogo_bench import (
    GOLD,
    GUESSES,
    HALL,
    SESSION,
    SESSION_FIELDS,
    SPEAKER_FIELDS,
    TRACK,
    WORK,
    Bench,
    a_bench,
)


@pytest.fixture(params=GUESSES, ids=[name for name, _, _ in GUESSES])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """The client and the sandbox under one guess."""
    _, switches, settings = request.param
    async with a_bench(switches, **settings) as made:
        yield made


STORED = {
    "kept": "<p>Ümläut &amp; more</p>",
    "stripped": "Ümläut &amp; more",
    "escaped": "&lt;p&gt;Ümläut &amp;amp; more&lt;/p&gt;",
}
"""The description as the sandbox holds it then."""


def expected_misses(bench: Bench) -> tuple[str, ...]:
    return () if bench.sandbox.settings.switches.html == "kept" else ("description",)


@pytest.mark.rule("S1", "S2", "S5", "S9", "R5")
async def test_a_session_is_created_as_it_was_meant(bench: Bench) -> None:
    written = await bench.swoogo.create(WORK, Kind.SESSION, SESSION_FIELDS, "op")
    held = bench.record("sessions", written.swoogo_id)
    html = bench.sandbox.settings.switches.html
    assert {name: held[name] for name in ("name", "date", "start_time", "end_time", "location_id", "track_id")} == {
        "name": "Opening & Welcome",
        "date": "2025-08-09",
        "start_time": "10:00:00",
        "end_time": "11:30:00",
        "location_id": HALL,
        "track_id": TRACK,
    }
    assert held["description"] == STORED[html]
    assert (held["capacity"], held["use_event_timezone"]) == (20, True)
    if bench.sandbox.settings.switches.create_answer == "full":
        assert written.not_applied == expected_misses(bench)
        assert written.seen["capacity"] == "20"
        assert written.seen["location"] == str(HALL)
    else:
        assert (written.not_applied, written.seen) == ((), {})


@pytest.mark.rule("R2")
@pytest.mark.parametrize("insists", [False, True])
async def test_a_name_is_sent_along_only_where_swoogo_insists(insists: bool) -> None:
    """swoogo-api.md 7.4: prose says updates are partial, the schema wants a name. A name edited by hand stays."""
    async with a_bench(Switches(session_update_needs_name=insists)) as bench:
        bench.sandbox.edit("sessions", SESSION, {"name": "By hand"})
        for start in ("09:00:00", "09:30:00"):
            await bench.swoogo.update(WORK, Kind.SESSION, SESSION, {"start_time": start}, "Keynote")
        held = bench.record("sessions", SESSION)
        assert (held["start_time"], held["name"]) == ("09:30:00", "Keynote" if insists else "By hand")
        updates = [call for call in bench.sandbox.journal() if call["method"] == "PUT"]
        # Refused once for want of a name, then never again.
        assert [call["status"] for call in updates] == ([422, 200, 200] if insists else [200, 200])


@pytest.mark.rule("R2")
async def test_an_update_changes_what_it_names_and_nothing_else(bench: Bench) -> None:
    """swoogo-api.md 7.4: partial."""
    made = await bench.swoogo.create(WORK, Kind.SESSION, SESSION_FIELDS, "op")
    fields = {"name": "Closing", "date": "2025-08-09", "start_time": "17:00:00"}
    written = await bench.swoogo.update(WORK, Kind.SESSION, made.swoogo_id, fields)
    held = bench.record("sessions", made.swoogo_id)
    assert (held["name"], held["start_time"], held["end_time"]) == ("Closing", "17:00:00", "11:30:00")
    assert (written.swoogo_id, written.not_applied) == (made.swoogo_id, ())
    assert written.seen["start_time"] == "17:00:00"


@pytest.mark.rule("R4")
async def test_cleared_fields_are_cleared(bench: Bench) -> None:
    """R4; what clears a field is a guess."""
    made = await bench.swoogo.create(WORK, Kind.SESSION, SESSION_FIELDS, "op")
    cleared = {"name": "Opening", "location": "", "track": "", "capacity": "", "description": ""}
    written = await bench.swoogo.update(WORK, Kind.SESSION, made.swoogo_id, cleared)
    held = bench.record("sessions", made.swoogo_id)
    assert [held[name] for name in ("location_id", "track_id", "capacity", "description")] == [None] * 4
    assert written.not_applied == ()
    assert {written.seen[name] for name in ("location", "track", "capacity", "description")} == {""}


@pytest.mark.rule("M7")
async def test_a_session_can_have_a_zone_of_its_own(bench: Bench) -> None:
    fields = SESSION_FIELDS | {"timezone": "America/New_York"}
    made = await bench.swoogo.create(WORK, Kind.SESSION, fields, "op")
    held = bench.record("sessions", made.swoogo_id)
    assert (held["timezone"], held["use_event_timezone"]) == ("America/New_York", False)
    listed = await bench.swoogo.list(WORK, Kind.SESSION, {})
    assert listed.rows[made.swoogo_id].fields["timezone"] == "America/New_York"
    assert listed.rows[SESSION].fields["timezone"] == ""
    written = await bench.swoogo.update(WORK, Kind.SESSION, made.swoogo_id, {"name": "Opening", "timezone": ""})
    assert bench.record("sessions", made.swoogo_id)["use_event_timezone"] is True
    assert (written.not_applied, written.seen["timezone"]) == ((), "")


@pytest.mark.rule("P1")
async def test_a_speaker_is_created_with_its_contact(bench: Bench) -> None:
    """swoogo-api.md 8.1: the contact is told, for the headshot."""
    written = await bench.swoogo.create(WORK, Kind.SPEAKER, SPEAKER_FIELDS, "op")
    held = bench.record("speakers", written.swoogo_id)
    assert {name: held[name] or "" for name in SPEAKER_FIELDS} == SPEAKER_FIELDS
    if bench.sandbox.settings.switches.create_answer == "full":
        assert written.contact_id == held["contact_id"]
        assert written.not_applied == ()
    listed = await bench.swoogo.list(WORK, Kind.SPEAKER, {})
    assert listed.matching("ann.oz@example.com")[0].contact_id == held["contact_id"]


@pytest.mark.rule("S5", "O1")
async def test_places_and_sponsors_are_created(bench: Bench) -> None:
    """A location takes 0 and 1 only (swoogo-api.md 7.6), a level is written as its id (9.1)."""
    level = bench.sandbox.state()["levels"]["main"][0]["id"]
    hall = await bench.swoogo.create(WORK, Kind.LOCATION, {"name": "Stage"}, "op-1")
    track = await bench.swoogo.create(WORK, Kind.TRACK, {"name": "Side"}, "op-2")
    fields = {"name": "Acme", "website": "https://acme.example", "description": "<b>A</b>", "level": str(level)}
    sponsor = await bench.swoogo.create(WORK, Kind.SPONSOR, fields, "op-3")
    assert bench.record("locations", hall.swoogo_id)["use_event_address"] is True
    assert bench.record("tracks", track.swoogo_id)["name"] == "Side"
    assert bench.record("sponsors", sponsor.swoogo_id)["level"] == {"id": level, "value": GOLD}
    if bench.sandbox.settings.switches.create_answer == "full":
        assert sponsor.seen["level"] == str(level)
    cleared = await bench.swoogo.update(WORK, Kind.SPONSOR, sponsor.swoogo_id, {"name": "Acme", "level": ""})
    assert bench.record("sponsors", sponsor.swoogo_id)["level"] is None
    assert cleared.not_applied == ()
