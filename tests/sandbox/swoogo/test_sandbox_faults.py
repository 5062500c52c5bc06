"""Faults that can be asked for, and what each leaves behind."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from sandbox.swoogo import ConnectionDropped, ControlError, SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller


def fault(sandbox: SandboxSwoogo, do: dict[str, Any], times: int | None = 1, **match: Any) -> None:
    sandbox.add_faults([{"match": {"path": "/tracks/create", **match}, "times": times, "do": do}])


def tracks(sandbox: SandboxSwoogo) -> list[str]:
    return [track["name"] for track in sandbox.state()["tracks"]]


async def create(swoogo: Caller) -> httpx.Response:
    return await swoogo.create("tracks", event_id=12, name="Data")


async def test_a_status_is_answered_instead(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    fault(sandbox, {"status": 503, "body": {"message": "down"}, "headers": {"Retry-After": "7"}})
    answer = await create(swoogo)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (503, {"message": "down"}, "7")
    assert tracks(sandbox) == []
    assert (await create(swoogo)).status_code == 201


@pytest.mark.parametrize(("when", "left"), [("before", []), ("after", ["Data"])])
async def test_a_dropped_connection_is_a_transport_error(
    sandbox: SandboxSwoogo, swoogo: Caller, when: str, left: list[str]
) -> None:
    fault(sandbox, {"drop": when})
    with pytest.raises(ConnectionDropped) as caught:
        await create(swoogo)
    assert isinstance(caught.value, httpx.TransportError)
    assert tracks(sandbox) == left
    entry = sandbox.journal()[-1]
    assert (entry["status"], entry["fault"], entry["credits"]) == (None, f"drop {when}", len(left))


@pytest.mark.parametrize(
    ("do", "status", "body", "left"),
    [
        ({"html": True}, 502, "<!DOCTYPE html>", []),
        ({"html": True, "status": 200, "effect": True}, 200, "<!DOCTYPE html>", ["Data"]),
        ({"empty": True}, 201, "", ["Data"]),
        ({"empty": True, "effect": False}, 0, None, []),
        ({"status": 500, "effect": True}, 500, "", ["Data"]),
        ({"slow_drip": 1}, 201, '{"id":', ["Data"]),
    ],
)
async def test_odd_bodies(
    sandbox: SandboxSwoogo, swoogo: Caller, do: dict[str, Any], status: int, body: str | None, left: list[str]
) -> None:
    if body is None:
        with pytest.raises(ControlError):
            fault(sandbox, do)
        return
    fault(sandbox, do)
    answer = await create(swoogo)
    assert answer.status_code == status
    assert answer.text.startswith(body)
    assert (answer.text == "") == (body == "")
    assert tracks(sandbox) == left


async def test_half_a_body_is_no_json(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    fault(sandbox, {"half_json": True})
    answer = await create(swoogo)
    assert answer.text.startswith('{"id":')
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert tracks(sandbox) == ["Data"]


async def test_json_may_nest_without_end(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    fault(sandbox, {"deep_json": True})
    answer = await create(swoogo)
    with pytest.raises(RecursionError):
        answer.json()
    assert tracks(sandbox) == ["Data"]


async def test_a_field_can_be_lost_as_an_unwritable_one_is(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 2.2: 2xx, and the value is unchanged."""
    made = sandbox.create("sessions", {"event_id": 12, "name": "A", "description": "old"})
    sandbox.add_faults([{"match": {"path": "/sessions/update"}, "do": {"drop_field": "description"}}])
    answer = await swoogo.update("sessions", made["id"], name="B", description="new")
    assert (answer.status_code, answer.json()["name"], answer.json()["description"]) == (200, "B", "old")


@pytest.mark.parametrize("do", [{"hang": True}, {"delay_ms": 60_000}])
async def test_no_answer_comes(sandbox: SandboxSwoogo, swoogo: Caller, do: dict[str, Any]) -> None:
    fault(sandbox, do)
    await swoogo.token()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await create(swoogo)
    assert tracks(sandbox) == []


async def test_a_delay_goes_with_any_other_fault(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    fault(sandbox, {"delay_ms": 1, "status": 500})
    assert (await create(swoogo)).status_code == 500


async def test_a_rule_starts_at_the_nth_match_and_hits_some_times(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    fault(sandbox, {"status": 500}, times=2, nth=2)
    assert [(await create(swoogo)).status_code for _ in range(5)] == [201, 500, 500, 201, 201]
    assert [(rule["seen"], rule["hits"]) for rule in sandbox.faults()] == [(5, 2)]


async def test_a_share_of_the_calls_is_hit_the_same_ones_every_time(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """Half of them, drawn from a seed; each costs its credit where that is asked for."""
    seen = []
    for _ in range(2):
        sandbox.add_faults(
            [
                {
                    "match": {"path": "/tracks", "share": 0.5, "seed": 7},
                    "times": None,
                    "do": {"status": 503, "costs": True},
                }
            ]
        )
        before = sandbox.stats()["credits"]
        seen.append([(await create(swoogo)).status_code for _ in range(40)])
        assert sandbox.stats()["credits"] - before == 40
        sandbox.clear_faults()
    assert seen[0] == seen[1]
    assert 10 < seen[0].count(503) < 30
    with pytest.raises(ControlError):
        sandbox.add_faults([{"match": {"share": 3}, "do": {"status": 503}}])


async def test_a_rule_without_end_stops_when_cleared(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    fault(sandbox, {"status": 500}, times=None)
    assert [(await create(swoogo)).status_code for _ in range(3)] == [500] * 3
    sandbox.clear_faults()
    assert (await create(swoogo)).status_code == 201


@pytest.mark.parametrize(
    ("match", "status"),
    [
        ({"method": "post"}, 500),
        ({"method": "PUT"}, 201),
        ({"path": r"^/tracks/create$"}, 500),
        ({"path": r"^/sessions"}, 201),
        ({"credential": "key"}, 500),
        ({"credential": "other"}, 201),
    ],
)
async def test_what_a_rule_matches(sandbox: SandboxSwoogo, swoogo: Caller, match: dict[str, Any], status: int) -> None:
    """A path is matched without prefix and suffix."""
    await swoogo.get("/events/12")
    fault(sandbox, {"status": 500}, **match)
    answer = await swoogo.call("POST", "/api/v1/tracks/create.json", data={"event_id": "12", "name": "Data"})
    assert answer.status_code == status


async def test_the_token_call_can_fail_too(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    sandbox.add_faults([{"match": {"path": "/oauth2/token", "credential": "key"}, "do": {"status": 503}}])
    assert (await swoogo.token()).status_code == 503
    assert (await swoogo.token()).status_code == 200


@pytest.mark.parametrize(
    "rule",
    [
        {"do": {}},
        {"do": {"status": 500, "drop": "after"}},
        {"do": {"drop": "sometimes"}},
        {"do": {"explode": True}},
        {"match": {"verb": "GET"}, "do": {"status": 500}},
        {"match": {"path": "("}, "do": {"status": 500}},
        {"times": 0, "do": {"status": 500}},
        {"when": 1, "do": {"status": 500}},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(sandbox: SandboxSwoogo, rule: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        sandbox.add_faults([{"do": {"status": 500}}, rule])
    assert sandbox.faults() == []
