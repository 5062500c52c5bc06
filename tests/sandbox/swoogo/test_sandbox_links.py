"""Speakers and their sessions (`swoogo-api.md` 8.4)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.swoogo import SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller, Clock

ADA = 300


@pytest.fixture(autouse=True)
def agenda(sandbox: SandboxSwoogo) -> None:
    """Speaker 300 on session 1; sessions 2 and 3 beside it; session 9 in another event."""
    sandbox.seed(
        {
            "sessions": [{"id": n, "event_id": 13 if n == 9 else 12, "name": f"S{n}"} for n in (1, 2, 3, 9)],
            "speakers": [{"id": ADA, "event_id": 12, "first_name": "Ada", "email": "ada@example.com", "sessions": [1]}],
        }
    )


def linked(sandbox: SandboxSwoogo) -> list[int]:
    ids: list[int] = sandbox.state()["speakers"][0]["session_ids"]
    return ids


@pytest.mark.parametrize(("mode", "left"), [("additive", [1, 2, 3]), ("replace", [2, 3])])
async def test_whether_links_are_added_or_replaced_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, mode: str, left: list[int]
) -> None:
    """swoogo-api.md 8.4: the word is "add"; the answer is the full speaker with its sessions."""
    sandbox.configure(switches={"link_mode": mode})
    answer = await swoogo.link(ADA, [2, 3])
    assert (answer.status_code, answer.json()["email"]) == (200, "ada@example.com")
    assert [session["id"] for session in answer.json()["sessions"]] == left
    assert "description" in answer.json()["sessions"][0]
    assert linked(sandbox) == left


@pytest.mark.parametrize(("mode", "status"), [("ok", 200), ("refused", 422)])
async def test_whether_a_link_may_be_made_twice_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, mode: str, status: int
) -> None:
    """swoogo-api.md 8.4: unknown; a refusal links nothing at all."""
    sandbox.configure(switches={"link_duplicate": mode})
    assert (await swoogo.link(ADA, [1, 2])).status_code == status
    assert linked(sandbox) == ([1, 2] if status == 200 else [1])


@pytest.mark.parametrize(
    "body",
    [
        {"session_ids": [2, 9]},
        {"session_ids": [2, 77]},
        {"session_ids": "2"},
        {"session_ids": ["2"]},
        {"session_ids": [True]},
        {},
    ],
    ids=str,
)
async def test_sessions_of_other_events_and_other_shapes_are_refused(
    sandbox: SandboxSwoogo, swoogo: Caller, body: dict[str, Any]
) -> None:
    """swoogo-api.md 8.4: a required array of ints, all of the speaker's event; 422, and nothing is linked."""
    answer = await swoogo.call("POST", f"/speakers/{ADA}/session.json", json=body)
    assert (answer.status_code, answer.json()[0]["field"]) == (422, "session_ids")
    assert linked(sandbox) == [1]


async def test_what_an_unknown_session_is_answered_with_is_a_switch(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 8.4 is silent; nothing is linked either way."""
    sandbox.configure(switches={"link_unknown_status": 404})
    answer = await swoogo.link(ADA, [2, 77])
    assert (answer.status_code, linked(sandbox)) == (404, [1])


async def test_the_json_path_takes_json_only(swoogo: Caller) -> None:
    """swoogo-api.md 8.4, 5 row 20: a form belongs to the plain path; bad JSON is a 400."""
    assert (await swoogo.call("POST", f"/speakers/{ADA}/session.json", data={"session_ids[]": "2"})).status_code == 415
    assert (await swoogo.call("POST", f"/speakers/{ADA}/session", data={"session_ids[]": "2"})).status_code == 200
    headers = {"content-type": "application/json"}
    broken = await swoogo.call("POST", f"/speakers/{ADA}/session.json", content=b"{", headers=headers)
    assert broken.status_code == 400


async def test_a_session_is_taken_off_by_path(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 5 row 21: one candidate; not linked is a 404; the other spelling is none."""
    assert (await swoogo.call("DELETE", f"/speakers/{ADA}/session.json", json={"session_ids": [1]})).status_code == 405
    assert (await swoogo.call("DELETE", f"/speakers/{ADA}/session/1")).status_code == 204
    assert linked(sandbox) == []
    assert (await swoogo.call("DELETE", f"/speakers/{ADA}/session/1")).status_code == 404


async def test_sessions_are_taken_off_by_a_body(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 5 row 21: the other candidate, with the other status."""
    sandbox.configure(switches={"unlink": "body", "delete_status": 200})
    path = f"/speakers/{ADA}/session.json"
    assert (await swoogo.call("DELETE", f"/speakers/{ADA}/session/1")).status_code == 404
    assert (await swoogo.call("DELETE", path, json={"session_ids": [1, 2]})).status_code == 422
    assert linked(sandbox) == [1]
    assert (await swoogo.call("DELETE", path, json={"session_ids": [1]})).status_code == 200
    assert linked(sandbox) == []


@pytest.mark.parametrize(("moves", "updated"), [(False, "2025-08-08 12:00:00"), (True, "2025-08-08 12:01:00")])
async def test_whether_a_link_moves_the_speakers_timestamp_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, clock: Clock, moves: bool, updated: str
) -> None:
    """swoogo-api.md 8.4 is silent."""
    sandbox.configure(switches={"link_updates_timestamp": moves})
    clock.advance(60)
    assert (await swoogo.link(ADA, [2])).json()["updated_at"] == updated


async def test_a_speaker_of_somebody_else_is_not_there(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 11.2."""
    foreign = sandbox.create("speakers", {"event_id": 99, "email": "x@example.com"})
    assert (await swoogo.link(foreign["id"], [1])).status_code == 404
