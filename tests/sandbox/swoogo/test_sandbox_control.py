"""`/_control`: seeding, hands of people, journal, stats, settings, reset."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import pytest

from sandbox.swoogo import ConnectionDropped, ControlError, Credential, SandboxSwoogo, Switches
from tests.sandbox.swoogo.calls import Caller, Clock, basic, client_of

SEED: dict[str, Any] = {
    "credentials": [{"key": "k", "secret": "s", "account": "acme", "events": [1]}],
    "events": [{"id": 1, "name": "E", "timezone": "Europe/Paris", "account": "acme"}],
    "locations": [{"id": 5, "event_id": 1, "name": "Hall"}],
    "tracks": [{"id": 6, "event_id": 1, "name": "Data"}],
    "sessions": [{"id": 10, "event_id": 1, "name": "S", "location_id": 5}, {"id": 11, "event_id": 1, "name": "T"}],
    "speakers": [{"id": 20, "event_id": 1, "first_name": "Ada", "email": "ada@example.com", "sessions": [10]}],
    "sponsors": [{"id": 30, "event_id": 1, "name": "Acme", "level": "Gold"}],
    "links": [{"speaker_id": 20, "session_id": 11}],
}


async def post(client: httpx.AsyncClient, path: str, body: Any) -> Any:
    answer = await client.post(f"/_control{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_seed_is_there_for_calls_and_in_the_state(client: httpx.AsyncClient) -> None:
    made = await post(client, "/seed", SEED)
    assert made["sessions"] == [10, 11]
    caller = Caller(client, "k", "s")
    assert await caller.ids("/sessions?event_id=1") == [10, 11]
    assert (await caller.get("/sponsors/30")).json()["level"]["value"] == "Gold"
    state = (await client.get("/_control/state?event_id=1")).json()
    assert state["links"] == [{"speaker_id": 20, "session_id": 10}, {"speaker_id": 20, "session_id": 11}]
    assert [session["location"] for session in state["sessions"]] == ["Hall", None]
    assert (state["locations"][0]["event_id"], state["contacts"][0]["email"]) == (1, "ada@example.com")
    assert state["credentials"][-1] == {"key": "k", "account": "acme", "events": [1]}
    assert [choice["name"] for choice in state["levels"]["acme"]] == ["Gold"]
    assert "secret" not in str(state)


async def test_the_state_of_one_event_leaves_the_others_out(sandbox: SandboxSwoogo) -> None:
    sandbox.create("speakers", {"event_id": 13, "email": "bob@example.com"})
    state = sandbox.state(12)
    assert ([event["id"] for event in state["events"]], state["speakers"], state["contacts"]) == ([12], [], [])
    assert len(sandbox.state()["events"]) == 3


async def test_ids_grow_and_are_not_reused(sandbox: SandboxSwoogo) -> None:
    first = sandbox.create("tracks", {"event_id": 12, "name": "A"})["id"]
    sandbox.delete("tracks", first)
    second = sandbox.create("tracks", {"event_id": 12, "name": "B"})["id"]
    sandbox.create("tracks", {"id": second + 10, "event_id": 12, "name": "C"})
    assert (second, sandbox.create("tracks", {"event_id": 12, "name": "D"})["id"]) == (first + 1, second + 11)


async def test_a_person_edits_without_a_call(client: httpx.AsyncClient, sandbox: SandboxSwoogo, clock: Clock) -> None:
    """updated_at moves, nothing is journalled or charged."""
    await post(client, "/seed", SEED)
    clock.advance(60)
    edited = await post(client, "/edit", {"kind": "sessions", "id": 10, "values": {"name": "New", "notes": "n"}})
    assert (edited["name"], edited["notes"], edited["updated_at"]) == ("New", "n", "2025-08-08 12:01:00")
    created = await post(client, "/create", {"kind": "sessions", "values": {"event_id": 1, "name": "By hand"}})
    assert created["session_status"] == "live"
    await post(client, "/link", {"speaker_id": 20, "session_ids": [created["id"]]})
    await post(client, "/unlink", {"speaker_id": 20, "session_ids": [10, 11]})
    await post(client, "/delete", {"kind": "sponsors", "id": 30})
    state = sandbox.state(1)
    assert (state["speakers"][0]["session_ids"], state["sponsors"]) == ([created["id"]], [])
    assert (sandbox.journal(), sandbox.stats()["calls"]) == ([], 0)


async def test_registrants_keep_a_session(client: httpx.AsyncClient, sandbox: SandboxSwoogo) -> None:
    """swoogo-api.md 7.5: also from a person."""
    await post(client, "/seed", SEED)
    ids = await post(client, "/register", {"session_id": 10, "count": 2})
    assert sandbox.state(1)["sessions"][0]["registrant_ids"] == ids
    answer = await client.post("/_control/delete", json={"kind": "sessions", "id": 10})
    assert (answer.status_code, "registrants" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/seed", {"talks": []}),
        ("/seed", {"sessions": [{"event_id": 77, "name": "A"}]}),
        ("/seed", {"events": [{"id": 12, "name": "Again"}]}),
        ("/seed", {"sessions": [{"event_id": 12, "title": "A"}]}),
        ("/seed", {"sessions": [{"event_id": 12, "name": "A", "direct_link": "x"}]}),
        ("/seed", {"sponsors": [{"event_id": 12, "name": "A", "level": 4}]}),
        ("/seed", {"links": [{"speaker_id": 1, "session_id": 1}]}),
        ("/create", {"kind": "talks", "values": {}}),
        ("/create", {"values": {}}),
        ("/edit", {"kind": "sessions", "id": 1, "values": {}}),
        ("/register", {"session_id": 1}),
        ("/settings", {"switches": {"delete_status": 299}}),
        ("/settings", {"switches": {"nonsense": 1}}),
        ("/settings", {"limit": 0}),
        ("/settings", {"colour": "red"}),
        ("/faults", [{"do": {}}]),
        ("/seed", []),
    ],
)
async def test_a_request_that_makes_no_sense_is_a_400(client: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await client.post(f"/_control{path}", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


async def test_a_link_across_events_is_refused(sandbox: SandboxSwoogo) -> None:
    speaker = sandbox.create("speakers", {"event_id": 12, "email": "a@example.com"})
    session = sandbox.create("sessions", {"event_id": 13, "name": "A"})
    with pytest.raises(ControlError):
        sandbox.link(speaker["id"], [session["id"]])


async def test_the_journal_tells_every_call(client: httpx.AsyncClient, swoogo: Caller) -> None:
    """Bodies are decoded, `since` leaves the known ones out, and no secret is in it."""
    await swoogo.create("tracks", event_id=12, name="Data")
    await swoogo.get("/events/12?fields=id")
    await swoogo.call("PUT", "/image/contact/1/profile_picture", files={"file": ("a.png", b"abc")})
    entries = (await client.get("/_control/journal?since=1")).json()
    assert [entry["n"] for entry in entries] == [2, 3, 4]
    assert entries[0] == {
        "n": 2,
        "at": 1754654400.0,
        "credential": "key",
        "method": "POST",
        "path": "/tracks/create",
        "query": "",
        "status": 201,
        "credits": 1,
        "fault": None,
        "body": {"event_id": "12", "name": "Data"},
    }
    assert (entries[1]["query"], entries[1]["body"]) == ("fields=id", None)
    assert entries[2]["body"]["file"]["size"] == 3
    whole = (await client.get("/_control/journal")).text
    assert "s ecret" not in whole
    assert "Bearer" not in whole
    assert (await client.get("/_control/journal?since=4")).json() == []


async def test_secrets_in_a_form_are_left_out(sandbox: SandboxSwoogo, client: httpx.AsyncClient) -> None:
    headers = basic("key", "s ecret:1")
    form = {"grant_type": "client_credentials", "client_secret": "s ecret:1"}
    assert (await client.post("/oauth2/token", data=form, headers=headers)).status_code == 400
    assert sandbox.journal()[0]["body"] == {"grant_type": "client_credentials", "client_secret": "***"}


async def test_an_event_takes_its_records_along(sandbox: SandboxSwoogo) -> None:
    sandbox.seed({"sessions": [{"id": 1, "event_id": 12, "name": "A"}, {"id": 2, "event_id": 13, "name": "B"}]})
    sandbox.delete("events", 12)
    assert [session["id"] for session in sandbox.state()["sessions"]] == [2]


async def test_the_stats_count_calls_credits_and_creates(client: httpx.AsyncClient, swoogo: Caller) -> None:
    await swoogo.create("tracks", event_id=12, name="Data")
    await swoogo.create("tracks", event_id=12)
    await swoogo.get("/sessions?event_id=12")
    stats = (await client.get("/_control/stats")).json()
    assert stats["by_route"] == {
        "GET /sessions": {"calls": 1, "credits": 10},
        "POST /oauth2/token": {"calls": 1, "credits": 0},
        "POST /tracks/create": {"calls": 2, "credits": 2},
    }
    assert (stats["creates"], stats["credits"], stats["calls"]) == ({"tracks": 1}, 12, 4)
    assert stats["by_status"] == {"200": 2, "201": 1, "422": 1}


async def test_settings_change_at_run_time(client: httpx.AsyncClient, swoogo: Caller) -> None:
    body = {
        "switches": {"create_status": 200, "limiter": "leaky_bucket"},
        "limit": 50,
        "window": 5,
        "token_lifetime": 9,
    }
    settings = await post(client, "/settings", body)
    assert (settings["switches"]["create_status"], settings["limit"], settings["latency_ms"]) == (200, 50, 0)
    assert (await client.get("/_control/settings")).json() == settings
    assert (await swoogo.create("tracks", event_id=12, name="Data")).status_code == 200
    assert (await swoogo.token()).json()["expires_at"] == "2025-08-08 12:00:09"


async def test_faults_are_set_and_cleared(client: httpx.AsyncClient, swoogo: Caller) -> None:
    rule = {"match": {"path": "/events"}, "times": None, "do": {"status": 500}}
    assert (await post(client, "/faults", [rule])) == [{**rule, "seen": 0, "hits": 0}]
    assert (await swoogo.get("/events")).status_code == 500
    assert (await client.get("/_control/faults")).json()[0]["hits"] == 1
    assert (await client.delete("/_control/faults")).status_code == 200
    assert (await swoogo.get("/events")).status_code == 200


async def test_the_sample_of_the_page_does_what_the_page_says(client: httpx.AsyncClient, swoogo: Caller) -> None:
    """What is read from docs/architecture/sandbox.md is posted as it stands there."""
    page = (Path(__file__).parents[3] / "docs" / "architecture" / "sandbox.md").read_text()
    [body] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    rules = json.loads(body)
    assert [{**rule, "seen": 0, "hits": 0} for rule in rules] == await post(client, "/faults", rules)
    session = {"event_id": 12, "name": "Talk", "date": "2026-06-01", "start_time": "09:00:00", "end_time": "10:00:00"}
    statuses = [(await swoogo.create("sessions", **session)).status_code for _ in range(4)]
    assert statuses == [201, 201, 503, 201]
    for _ in range(2):
        with pytest.raises(ConnectionDropped):
            await swoogo.create("speakers", event_id=12, first_name="A", last_name="B", email="a@example.org")
    assert len((await client.get("/_control/state")).json()["speakers"]) == 2
    answered = [(await swoogo.get("/events")).status_code for _ in range(200)]
    assert 1 <= answered.count(500) <= 20


async def test_tokens_can_be_ended(client: httpx.AsyncClient, swoogo: Caller) -> None:
    await swoogo.get("/events")
    await post(client, "/expire-tokens", {})
    assert (await swoogo.get("/events")).status_code == 401


async def test_a_reset_brings_back_how_it_was_made(clock: Clock) -> None:
    sandbox = SandboxSwoogo(credentials=[Credential("k0", "s")], limit=70, clock=clock)
    async with client_of(sandbox) as client:
        await post(client, "/seed", SEED)
        await Caller(client, "k", "s").get("/events/1")
        sandbox.configure(limit=5, switches={"html": "stripped"})
        sandbox.add_faults([{"do": {"status": 500}, "times": None}])
        await post(client, "/reset", {})
        state = sandbox.state()
        assert (state["events"], [credential["key"] for credential in state["credentials"]]) == ([], ["k0"])
        assert (sandbox.journal(), sandbox.stats()["calls"], sandbox.faults()) == ([], 0, [])
        assert (sandbox.settings.limit, sandbox.settings.switches) == (70, Switches())
        assert (await Caller(client, "k0", "s").get("/events")).headers["X-Rate-Limit-Remaining"] == "60"


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [("delete_status", "200", 200), ("delete_path", "rest", "rest"), ("ids_needs_event", "true", True)],
)
def test_switches_are_read_from_text(name: str, given: str, value: object) -> None:
    assert getattr(Switches().with_values({name: given}), name) == value


def test_the_first_choice_of_a_switch_is_its_default() -> None:
    """So that the order in the source reads as likeliest first."""
    switches = Switches()
    for name, hint in get_type_hints(Switches).items():
        if hint is not bool:
            assert getattr(switches, name) == get_args(hint)[0]
