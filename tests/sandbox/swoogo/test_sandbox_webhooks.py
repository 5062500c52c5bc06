"""Webhooks of the sandbox: as documented, a switch for each unknown, and faults on the way (`swoogo-api.md` 10)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from sandbox.swoogo import Credential, SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller, Clock, client_of
from tests.sandbox.swoogo.conftest import EVENT, OTHER_EVENT

HOOK = {
    "name": "ours",
    "url": "http://receiver/path",
    "trigger_object": "session",
    "trigger_on_insert": "1",
    "trigger_on_update": "1",
    "trigger_on_delete": "1",
    "public_user": "1",
    "admin_user": "1",
    "api_call": "0",
    "all_fields": "1",
    "event_ids[]": str(EVENT),
    "headers[0][key]": "X-Secret",
    "headers[0][value]": "s3cret",
}


class Receiver:
    """Takes deliveries; answers what `statuses` say, then 204."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.statuses: list[int] = []

    async def __call__(self, _: str, headers: Mapping[str, str], content: bytes) -> int:
        self.headers.append(headers)
        self.got.append(json.loads(content) if headers["content-type"] == "application/json" else {"form": content})
        status = self.statuses.pop(0) if self.statuses else 204
        if not status:
            raise httpx.ConnectError("silent")
        return status


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(clock: Clock, receiver: Receiver) -> SandboxSwoogo:
    sandbox = SandboxSwoogo(credentials=[Credential("key", "s ecret:1")], clock=clock, deliver=receiver)
    sandbox.webhooks._spacing = 0.0
    sandbox.seed({"events": [{"id": EVENT, "name": "Conference"}, {"id": OTHER_EVENT, "name": "Meeting"}]})
    return sandbox


async def register(sandbox: SandboxSwoogo, **changed: str) -> int:
    async with client_of(sandbox) as client:
        answer = await Caller(client, "key", "s ecret:1").call("POST", "/webhooks/create", data=HOOK | changed)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def test_a_persons_changes_are_delivered_whole_with_the_secret(
    sandbox: SandboxSwoogo, receiver: Receiver
) -> None:
    await register(sandbox)
    made = sandbox.create("sessions", {"event_id": EVENT, "name": "Talk"})["id"]
    sandbox.create("sessions", {"event_id": OTHER_EVENT, "name": "Elsewhere"})
    sandbox.edit("sessions", made, {"name": "Better talk"})
    sandbox.delete("sessions", made)
    await sandbox.webhooks.settled()
    assert [(each["action"], each["object"], each["session"]["name"]) for each in receiver.got] == [
        ("insert", "session", "Talk"),
        ("update", "session", "Better talk"),
        ("delete", "session", "Better talk"),
    ]
    assert receiver.got[0]["datetime"] == "2025-08-08 12:00:00"
    assert receiver.got[0]["initiated_by"] == "admin_user"
    assert receiver.got[0]["session"]["event_id"] == EVENT
    assert receiver.headers[0]["X-Secret"] == "s3cret"


async def test_calls_of_the_api_are_delivered_only_where_switched_on(
    sandbox: SandboxSwoogo, receiver: Receiver
) -> None:
    await register(sandbox)
    async with client_of(sandbox) as client:
        swoogo = Caller(client, "key", "s ecret:1")
        await swoogo.create("sessions", event_id=EVENT, name="By the API")
        await sandbox.webhooks.settled()
        assert receiver.got == []
        sandbox.configure(switches={"webhook_echo": True})
        await swoogo.create("sessions", event_id=EVENT, name="Echoed")
    await sandbox.webhooks.settled()
    assert [each["initiated_by"] for each in receiver.got] == ["api_call"]


@pytest.mark.parametrize(
    ("switches", "shown"),
    [
        ({}, {"action": "delete", "session": {"id": 200_001, "name": "Talk"}}),
        ({"webhook_words": "past"}, {"action": "deleted", "session": {"id": 200_001, "name": "Talk"}}),
        ({"webhook_delete_payload": "id_only"}, {"action": "delete", "session": {"id": 200_001}}),
        ({"webhook_delete_payload": "flat"}, {"action": "delete", "id": 200_001}),
    ],
)
async def test_what_is_unknown_of_deliveries_is_a_switch(
    sandbox: SandboxSwoogo, receiver: Receiver, switches: dict[str, Any], shown: dict[str, Any]
) -> None:
    await register(sandbox)
    sandbox.configure(switches=switches)
    made = sandbox.create("sessions", {"event_id": EVENT, "name": "Talk"})["id"]
    sandbox.delete("sessions", made)
    await sandbox.webhooks.settled()
    last = receiver.got[-1]
    if "session" in last:
        last["session"] = {name: last["session"][name] for name in ("id", "name") if name in last["session"]}
    assert {name: last[name] for name in ("action", "session", "id") if name in last} == shown


@pytest.mark.parametrize(("retries", "attempts"), [(5, 3), (1, 2), (0, 1)])
async def test_a_delivery_is_repeated_until_a_2xx(
    sandbox: SandboxSwoogo, receiver: Receiver, retries: int, attempts: int
) -> None:
    await register(sandbox)
    sandbox.configure(switches={"webhook_retries": retries})
    receiver.statuses = [0, 500, 204]
    sandbox.create("sessions", {"event_id": EVENT, "name": "Talk"})
    await sandbox.webhooks.settled()
    assert len(receiver.got) == attempts


@pytest.mark.parametrize(("do", "came"), [({"drop": "before"}, 0), ({"drop": "after"}, 2), ({"delay_ms": 1}, 1)])
async def test_a_delivery_is_lost_doubled_or_late_when_a_fault_says_so(
    sandbox: SandboxSwoogo, receiver: Receiver, do: dict[str, Any], came: int
) -> None:
    await register(sandbox)
    sandbox.add_faults([{"match": {"method": "HOOK", "path": "^/session/insert$"}, "do": do}])
    sandbox.create("sessions", {"event_id": EVENT, "name": "Talk"})
    await sandbox.webhooks.settled()
    assert len(receiver.got) == came


async def test_a_late_delivery_comes_after_the_next_one_unless_order_is_kept(
    sandbox: SandboxSwoogo, receiver: Receiver
) -> None:
    for order, expected in (("any", ["update", "insert"]), ("kept", ["insert", "update"])):
        sandbox.webhooks.clear()
        receiver.got.clear()
        await register(sandbox)
        sandbox.configure(switches={"webhook_order": order})
        sandbox.add_faults([{"match": {"method": "HOOK", "path": "insert"}, "do": {"delay_ms": 5}}])
        made = sandbox.create("sessions", {"event_id": EVENT, "name": "Talk"})["id"]
        sandbox.edit("sessions", made, {"name": "Edited"})
        await sandbox.webhooks.settled()
        assert [each["action"] for each in receiver.got] == expected


async def test_a_webhook_is_read_changed_and_removed_by_its_account(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    hook = await register(sandbox)
    assert (await swoogo.items("/webhooks"))[0]["trigger_on_update"] is True
    changed = await swoogo.call("PUT", f"/webhooks/update/{hook}", data={"url": "https://new", "enabled": "0"})
    assert (changed.json()["url"], changed.json()["enabled"], changed.json()["name"]) == ("https://new", False, "ours")
    assert (await swoogo.call("DELETE", f"/webhooks/delete/{hook}")).status_code == 204
    assert (await swoogo.get(f"/webhooks/{hook}")).status_code == 404
    refused = await swoogo.call("POST", "/webhooks/create", data={"name": "x", "url": "y", "trigger_object": "track"})
    assert refused.status_code == 422


async def test_the_control_shows_deliveries_and_no_secret(sandbox: SandboxSwoogo, client: httpx.AsyncClient) -> None:
    await register(sandbox)
    sandbox.create("sessions", {"event_id": EVENT, "name": "Talk"})
    await sandbox.webhooks.settled()
    state = (await client.get("/_control/webhooks")).json()
    assert state["deliveries"][0]["outcome"] == "204"
    assert "s3cret" not in json.dumps(state)
