"""Tokens and who may see what (`swoogo-api.md` 1, 4)."""

from __future__ import annotations

import httpx
import pytest

from sandbox.swoogo import Credential, SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller, Clock, basic, client_of

UNAUTHORIZED = {
    "name": "Unauthorized",
    "message": "Your request was made with invalid credentials.",
    "code": 0,
    "status": 401,
}


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/token.json", "/api/v1/oauth2/token"])
async def test_a_token_answer_has_three_keys_and_a_utc_expiry(client: httpx.AsyncClient, path: str) -> None:
    """swoogo-api.md 1: `type` rather than `token_type`, no `expires_in`, 30 minutes, no zone."""
    answer = await client.post(path, data={"grant_type": "client_credentials"}, headers=basic("key", "s ecret:1"))
    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("access_token")
    assert body == {"expires_at": "2025-08-08 12:30:00", "type": "bearer"}


@pytest.mark.parametrize(
    "headers", [basic("key", "wrong"), basic("nobody", "x"), {}, {"Authorization": "Basic %%%"}], ids=str
)
async def test_wrong_credentials_get_the_measured_body(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """swoogo-api.md 1: one key only, unlike every other 401."""
    answer = await client.post("/oauth2/token", data={"grant_type": "client_credentials"}, headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"message": "You have provided invalid API details."}


async def test_a_token_call_must_be_a_form_with_the_one_grant(client: httpx.AsyncClient) -> None:
    """swoogo-api.md 1: form content type, and only client_credentials."""
    headers = basic("key", "s ecret:1")
    as_json = await client.post("/oauth2/token", json={"grant_type": "client_credentials"}, headers=headers)
    other = await client.post("/oauth2/token", data={"grant_type": "password"}, headers=headers)
    assert (as_json.status_code, other.status_code) == (415, 400)


async def test_a_token_works_until_it_expires(swoogo: Caller, clock: Clock) -> None:
    """swoogo-api.md 1 and 4: 30 minutes, then the documented 401."""
    assert (await swoogo.get("/events/12")).status_code == 200
    clock.advance(1799)
    assert (await swoogo.get("/events/12")).status_code == 200
    clock.advance(1)
    expired = await swoogo.get("/events/12")
    assert (expired.status_code, expired.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, basic("key", "s ecret:1")], ids=str)
async def test_a_call_without_a_good_token_is_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """swoogo-api.md 4: the documented 401 body."""
    answer = await client.get("/events", headers=headers)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(("revokes", "status"), [(False, 200), (True, 401)])
async def test_whether_a_new_token_ends_the_old_one_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, revokes: bool, status: int
) -> None:
    """swoogo-api.md 1: unknown. Tokens of other credentials are never touched."""
    sandbox.configure(switches={"new_token_revokes_old": revokes})
    other = Caller(swoogo.client, "other", "x")
    await other.get("/events")
    await swoogo.get("/events/12")
    await swoogo.token()
    assert (await swoogo.get("/events/12")).status_code == status
    assert (await other.get("/events/99")).status_code == 200


async def test_tokens_can_be_ended_at_once(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    await swoogo.get("/events/12")
    sandbox.expire_tokens()
    assert (await swoogo.get("/events/12")).status_code == 401


@pytest.mark.parametrize("status", [404, 403])
async def test_records_of_somebody_else_are_not_there(sandbox: SandboxSwoogo, swoogo: Caller, status: int) -> None:
    """swoogo-api.md 4 and 11.2: 404 also means not accessible; 403 is documented too, so a switch."""
    sandbox.configure(switches={"not_found_status": status})
    session = sandbox.create("sessions", {"event_id": 99, "name": "Foreign"})
    assert (await swoogo.get("/events/99")).status_code == status
    assert (await swoogo.get("/sessions?event_id=99")).status_code == status
    assert (await swoogo.get(f"/sessions/{session['id']}")).status_code == status
    assert (await swoogo.create("sessions", event_id=99, name="x")).status_code == status
    assert await swoogo.ids("/events") == [12, 13]


async def test_what_is_not_there_is_404_whatever_the_switch(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 4: missing is 404, in the object shape of the documented 401."""
    sandbox.configure(switches={"not_found_status": 403})
    answer = await swoogo.get("/sessions/1")
    assert answer.status_code == 404
    assert answer.json() == {"name": "Not Found", "message": "Session not found: 1", "code": 0, "status": 404}


async def test_a_credential_may_see_only_some_events_of_its_account(clock: Clock) -> None:
    """swoogo-api.md 1: access follows the user's rights."""
    sandbox = SandboxSwoogo(credentials=[Credential("key", "s", events=frozenset({1}))], clock=clock)
    sandbox.seed({"events": [{"id": 1, "name": "Mine"}, {"id": 2, "name": "Not mine"}]})
    async with client_of(sandbox) as client:
        caller = Caller(client, "key", "s")
        assert await caller.ids("/events") == [1]
        assert (await caller.get("/events/2")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/sessions/abc", 404), ("POST", "/sessions", 405), ("PUT", "/events/12", 405)],
)
async def test_unknown_paths_and_methods(swoogo: Caller, method: str, path: str, status: int) -> None:
    """swoogo-api.md 4: 404 and 405 with the object body."""
    answer = await swoogo.call(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
