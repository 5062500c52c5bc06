"""Creates and updates (`swoogo-api.md` 2.2, 2.8, 4, 7, 8.3, 9.1)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.swoogo import SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller, Clock
from tests.sandbox.swoogo.writing import SPEAKER


async def test_a_session_is_created_with_the_documented_defaults(swoogo: Caller) -> None:
    """swoogo-api.md 7.3: live at once, zone inherited; the answer is the full record, nested custom fields."""
    body = (
        await swoogo.create("sessions", event_id=12, name="Opening", date="2025-08-08", start_time="10:00:00")
    ).json()
    assert (body["session_status"], body["timezone"], body["session_included"]) == ("live", "Asia/Tokyo", False)
    assert (body["created_at"], body["updated_at"]) == ("2025-08-08 12:00:00", "2025-08-08 12:00:00")
    assert body["custom_fields"] == []
    assert body["times_with_timezone"] == "10:00 AM (JST)"


async def test_booleans_and_numbers_are_spelt_differently_in_each_answer(swoogo: Caller) -> None:
    """swoogo-api.md 2.8, 7.1, 7.3: create echoes 1 and text, get-one text, lists numbers; reads are booleans."""
    created = (await swoogo.create("sessions", event_id=12, name="A", capacity=20, locked_when_saved=1)).json()
    one = (await swoogo.get(f"/sessions/{created['id']}")).json()
    (item,) = await swoogo.items("/sessions?event_id=12&fields=capacity,locked_when_saved")
    assert (created["capacity"], created["locked_when_saved"], type(created["locked_when_saved"])) == ("20", 1, int)
    assert (one["capacity"], one["locked_when_saved"]) == ("20", True)
    assert item == {"capacity": 20, "locked_when_saved": True}


@pytest.mark.parametrize(
    ("form", "zone", "uses_event_zone"),
    [
        ({}, "Asia/Tokyo", True),
        ({"timezone": "Europe/Paris"}, "Europe/Paris", False),
        ({"timezone": "US/Eastern", "use_event_timezone": 0}, "US/Eastern", False),
        ({"timezone": "Europe/Paris", "use_event_timezone": 1}, "Asia/Tokyo", True),
    ],
)
async def test_a_session_has_its_own_zone_or_the_events(
    swoogo: Caller, form: dict[str, Any], zone: str, uses_event_zone: bool
) -> None:
    """swoogo-api.md 7.3: without a zone the event's is inherited."""
    made = (await swoogo.create("sessions", event_id=12, name="A", **form)).json()
    one = (await swoogo.get(f"/sessions/{made['id']}")).json()
    assert (one["timezone"], one["use_event_timezone"]) == (zone, uses_event_zone)


@pytest.mark.parametrize(("status", "answer"), [(201, "full"), (200, "full"), (201, "id_only")])
async def test_status_and_answer_of_a_create_are_switches(
    sandbox: SandboxSwoogo, swoogo: Caller, status: int, answer: str
) -> None:
    """swoogo-api.md 5, 11.3 nr 6."""
    sandbox.configure(switches={"create_status": status, "create_answer": answer})
    made = await swoogo.create("tracks", event_id=12, name="Data")
    assert made.status_code == status
    assert (set(made.json()) == {"id"}) == (answer == "id_only")
    assert await swoogo.ids("/tracks?event_id=12") == [made.json()["id"]]


@pytest.mark.parametrize("kind", ["sessions", "speakers", "sponsors", "locations", "tracks"])
async def test_a_json_body_is_the_wrong_media_type(sandbox: SandboxSwoogo, swoogo: Caller, kind: str) -> None:
    """swoogo-api.md 2.2, 4: create and update take forms; 415."""
    made = sandbox.create(
        kind, {"event_id": 12} | ({"email": "a@example.com"} if kind == "speakers" else {"name": "A"})
    )
    created = await swoogo.call("POST", f"/{kind}/create", json=SPEAKER | {"name": "B"})
    updated = await swoogo.call("PUT", f"/{kind}/update/{made['id']}", json={"name": "B"})
    assert (created.status_code, updated.status_code) == (415, 415)


@pytest.mark.parametrize(
    ("kind", "form", "fields"),
    [
        ("sessions", {}, ["event_id"]),
        ("sessions", {"event_id": 12}, ["name"]),
        ("sessions", {"event_id": 12, "name": " "}, ["name"]),
        ("sessions", {"event_id": 12, "name": "A", "date": "08.08.2025"}, ["date"]),
        ("sessions", {"event_id": 12, "name": "A", "date": "2025-02-30"}, ["date"]),
        ("sessions", {"event_id": 12, "name": "A", "start_time": "10:00"}, ["start_time"]),
        ("sessions", {"event_id": 12, "name": "A", "end_time": "25:00:00"}, ["end_time"]),
        ("sessions", {"event_id": 12, "name": "A", "timezone": "Mars/Base"}, ["timezone"]),
        ("sessions", {"event_id": 12, "name": "A", "capacity": "many"}, ["capacity"]),
        ("sessions", {"event_id": 12, "name": "A", "session_status": "new"}, ["session_status"]),
        ("sessions", {"event_id": 12, "name": "A", "location_id": 1, "track_id": "x"}, ["location_id", "track_id"]),
        ("speakers", {"event_id": 12}, ["email", "first_name", "last_name"]),
        ("speakers", SPEAKER | {"email": "ada"}, ["email"]),
        ("sponsors", {"event_id": 12}, ["name"]),
        ("sponsors", {"event_id": 12, "name": "A", "level": 999}, ["level"]),
        ("locations", {"event_id": 12, "name": "x" * 256}, ["name"]),
        ("locations", {"event_id": 12, "name": "A", "color": "red"}, ["color"]),
        ("tracks", {"event_id": "twelve", "name": "A"}, ["event_id"]),
    ],
)
async def test_what_is_wrong_with_a_create_is_a_bare_array(
    swoogo: Caller, kind: str, form: dict[str, Any], fields: list[str]
) -> None:
    """swoogo-api.md 4, 7.3, 7.6, 8.3: 422 with `[{field, message}]`, and nothing is made."""
    answer = await swoogo.create(kind, **form)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()] == fields
    assert all(set(problem) == {"field", "message"} for problem in answer.json())
    assert await swoogo.ids(f"/{kind}?event_id=12") == []


@pytest.mark.parametrize(("required", "status"), [(False, 201), (True, 422)])
async def test_whether_a_session_needs_a_date_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, required: bool, status: int
) -> None:
    """swoogo-api.md 11.1 nr 4: prose says yes, schema and 2016 no."""
    sandbox.configure(switches={"session_date_required": required})
    assert (await swoogo.create("sessions", event_id=12, name="A")).status_code == status
    assert (await swoogo.create("sessions", event_id=12, name="A", date="2025-08-08")).status_code == 201


@pytest.mark.parametrize("value", ["true", "false", "2", "yes"])
async def test_use_event_address_is_0_or_1_only(swoogo: Caller, value: str) -> None:
    """swoogo-api.md 7.6: `true` and `false` are a 422."""
    answer = await swoogo.create("locations", event_id=12, name="Hall", use_event_address=value)
    assert (answer.status_code, answer.json()[0]["field"]) == (422, "use_event_address")


@pytest.mark.parametrize(
    ("form", "reads"), [({}, True), ({"use_event_address": 0}, False), ({"use_event_address": 1}, True)]
)
async def test_a_location_answer(swoogo: Caller, form: dict[str, Any], reads: bool) -> None:
    """swoogo-api.md 7.6: the documented keys; boolean on the way out, default 1, no event_id."""
    body = (await swoogo.create("locations", event_id=12, name="Hall", capacity=100, color="#FF0000", **form)).json()
    assert set(body) == {
        *("id", "name", "capacity", "color", "use_event_address"),
        *("created_by", "created_at", "updated_by", "updated_at"),
    }
    assert (body["capacity"], body["color"], body["use_event_address"]) == (100, "#FF0000", reads)


async def test_location_and_track_must_be_of_the_sessions_event(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 7.3, 11.3 nr 10: one of each; another event's id is refused here."""
    made = sandbox.seed({"locations": [{"event_id": 12, "name": "A"}, {"event_id": 13, "name": "B"}]})["locations"]
    good = await swoogo.create("sessions", event_id=12, name="S", location_id=made[0])
    bad = await swoogo.create("sessions", event_id=12, name="S", location_id=made[1])
    assert (good.json()["location"], bad.status_code) == ("A", 422)


async def test_unknown_and_unwritable_fields_vanish(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 2.2: 2xx, and the value is as before."""
    body = (await swoogo.create("sessions", event_id=12, name="A", id=5, notes="n", nonsense=1, created_at="x")).json()
    assert (body["id"] != 5, body["notes"], "nonsense" in body) == (True, None, False)
    answer = await swoogo.update("sessions", body["id"], notes="n", c_77="x", event_id=13)
    assert (answer.status_code, answer.json()["notes"], answer.json()["event_id"]) == (200, None, 12)


async def test_an_update_is_partial(sandbox: SandboxSwoogo, swoogo: Caller, clock: Clock) -> None:
    """swoogo-api.md 2.2, 7.4: what is left out stays; updated_at moves, created_at does not."""
    made = sandbox.create("sessions", {"event_id": 12, "name": "A", "description": "text", "capacity": 5})
    clock.advance(60)
    body = (await swoogo.update("sessions", made["id"], event_id=12, name="B")).json()
    assert (body["name"], body["description"], body["capacity"]) == ("B", "text", "5")
    assert (body["created_at"], body["updated_at"]) == ("2025-08-08 12:00:00", "2025-08-08 12:01:00")
    assert (await swoogo.update("sessions", made["id"], name="")).status_code == 422


async def test_an_event_does_not_move_with_its_children(swoogo: Caller, clock: Clock) -> None:
    """swoogo-api.md 6: an event's updated_at stays."""
    clock.advance(60)
    await swoogo.create("sessions", event_id=12, name="A")
    assert (await swoogo.get("/events/12")).json()["updated_at"] == "2025-08-08 12:00:00"


@pytest.mark.parametrize(("moves", "updated"), [(False, "2025-08-08 12:00:00"), (True, "2025-08-08 12:01:00")])
async def test_whether_an_update_without_change_moves_the_timestamp_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, clock: Clock, moves: bool, updated: str
) -> None:
    """swoogo-api.md 11.3 nr 13."""
    sandbox.configure(switches={"noop_updates_timestamp": moves})
    made = sandbox.create("sessions", {"event_id": 12, "name": "A"})
    clock.advance(60)
    assert (await swoogo.update("sessions", made["id"], name="A")).json()["updated_at"] == updated


@pytest.mark.parametrize(("needs", "status"), [(False, 200), (True, 422)])
async def test_whether_a_session_update_needs_its_name_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, needs: bool, status: int
) -> None:
    """swoogo-api.md 11.1 nr 5: partial in prose, `event_id` and `name` required in the schema."""
    sandbox.configure(switches={"session_update_needs_name": needs})
    made = sandbox.create("sessions", {"event_id": 12, "name": "A"})
    assert (await swoogo.update("sessions", made["id"], capacity=5)).status_code == status
    assert (await swoogo.update("sessions", made["id"], capacity=5, event_id=12, name="A")).status_code == 200


@pytest.mark.parametrize(
    ("mode", "sent", "left"),
    [("empty", "", None), ("empty", "null", "old"), ("null", "null", None), ("null", "", "old")],
)
async def test_how_a_field_is_cleared_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, mode: str, sent: str, left: str | None
) -> None:
    """swoogo-api.md 2.2, 11.3 nr 7: the other spelling is ignored without a word."""
    sandbox.configure(switches={"clear_with": mode})
    made = sandbox.create("sessions", {"event_id": 12, "name": "A", "description": "old"})
    answer = await swoogo.update("sessions", made["id"], description=sent)
    assert (answer.status_code, answer.json()["description"]) == (200, left)


HI = "<p>Hi <b>you</b></p>"


ESCAPED = "&lt;p&gt;Hi &lt;b&gt;you&lt;/b&gt;&lt;/p&gt;"


@pytest.mark.parametrize(("mode", "kept"), [("kept", HI), ("stripped", "Hi you"), ("escaped", ESCAPED)])
async def test_whether_tags_are_kept_is_a_switch(sandbox: SandboxSwoogo, swoogo: Caller, mode: str, kept: str) -> None:
    """swoogo-api.md 11.3 nr 10: then the answer differs from what was sent."""
    sandbox.configure(switches={"html": mode})
    session = (await swoogo.create("sessions", event_id=12, name="<i>A</i>", description="<p>Hi <b>you</b></p>")).json()
    speaker = (await swoogo.create("speakers", **SPEAKER, bio="<p>Hi <b>you</b></p>")).json()
    assert (session["description"], speaker["bio"], session["name"]) == (kept, kept, "<i>A</i>")
