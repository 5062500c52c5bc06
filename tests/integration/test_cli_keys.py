"""`keys sealed` and `keys reseal` on a real Redis: where a rotation of the key pair stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.sealing import KeyPair, seal, unseal
from consumer.domain.connections.connection import Connection, IntegrationRequest, disconnect_key, integration_key
from consumer.domain.records.identity import stamp
from consumer.ports import Change, org_subject
from consumer.settings import PREFIX
from tests.support.desk import Desk, a_desk

pytestmark = [pytest.mark.integration, pytest.mark.rule("C2")]

OLD, NEW, STRANGER = KeyPair.generate(), KeyPair.generate(), KeyPair.generate()
KEY, SECRET = "canary-consumer-key", "canary-consumer-secret"


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as made:
        keys = {f"{PREFIX}KEYS__PRIVATE": NEW.private, f"{PREFIX}KEYS__PREVIOUS": OLD.private}
        yield replace(made, environment={**made.environment, **keys})


async def use(desk: Desk, org_id: str, *, sealed: str = "", secret_name: str = "") -> None:
    """What connecting leaves behind."""
    await desk.stores.connections.put_connection(
        org_id, Connection(org_id, "c" * 16, continuous=True, sealed=sealed, secret_name=secret_name)
    )


async def ask(desk: Desk, request: IntegrationRequest, *, at: int = 1) -> None:
    """What an integration event leaves behind."""
    key = integration_key(request.org_id) if request.connected else disconnect_key(request.org_id)
    change = Change(key, stamp(at, at, 0), codecs.encode(request))
    await desk.stores.inbox.record(org_subject(request.org_id), [change])


async def test_a_rotation_is_done_when_every_credential_was_published_again(desk: Desk) -> None:
    """Which credentials still need the old key, and what to do about each."""
    await use(desk, "org-new", sealed=seal(NEW.public, KEY, SECRET))
    await use(desk, "org-old", sealed=seal(OLD.public, KEY, SECRET))
    await use(desk, "org-mounted", secret_name="mounted")
    document = await desk.read("keys", "sealed", code=1)
    assert (document["public"], document["done"]) == (NEW.public, False)
    assert {row["org_id"]: row["key"] for row in document["credentials"]} == {
        "org-mounted": "mounted secret",
        "org-new": "current key",
        "org-old": "previous key",
    }
    shown = await desk.call("keys", "sealed")
    assert shown.exit_code == 1
    lines = shown.stdout.splitlines()
    assert "org-old  in use  previous key: publish it again: swoogo-sync keys reseal org-old" in lines
    assert lines[-1] == ("1 of 3 credentials do not open with the current key; leave SWOOGO_SYNC_KEYS__PREVIOUS set.")

    box = (await desk.read("keys", "reseal", "org-old"))["sealed"]
    found = unseal(NEW.private, box)
    assert (found.consumer_key, found.consumer_secret, found.org_id) == (KEY, SECRET, "org-old")
    await use(desk, "org-old", sealed=box)
    finished = await desk.call("keys", "sealed")
    assert finished.exit_code == 0
    assert finished.stdout.splitlines()[-1] == (
        "Every credential (3) opens with the current key: SWOOGO_SYNC_KEYS__PREVIOUS can be taken away."
    )
    everything = shown.output + finished.output + (await desk.call("keys", "reseal", "org-old")).output
    assert not any(secret in everything for secret in (KEY, SECRET, OLD.private, NEW.private))


async def test_unused_credentials_count_until_disconnected(desk: Desk) -> None:
    """A refused or waiting box is opened again some day; one that was disconnected after is not."""
    await ask(desk, IntegrationRequest("org-1", connected=True, sealed=seal(OLD.public, KEY, SECRET)))
    document = await desk.read("keys", "sealed", code=1)
    assert [(row["what"], row["key"]) for row in document["credentials"]] == [("published last", "previous key")]
    await ask(desk, IntegrationRequest("org-1", connected=False), at=2)
    assert (await desk.read("keys", "sealed"))["credentials"] == []


async def test_what_opens_with_neither_key_is_said_and_cannot_be_sealed_anew(desk: Desk) -> None:
    await use(desk, "org-lost", sealed=seal(STRANGER.public, KEY, SECRET))
    document = await desk.read("keys", "sealed", code=1)
    (row,) = document["credentials"]
    assert (row["key"], row["advice"]) == ("no key of ours", "ask the organization to connect again")
    lost = await desk.call("keys", "reseal", "org-lost")
    assert lost.exit_code == 2
    assert lost.stderr.startswith("The credentials are sealed to another key: seal them to ")
    unknown = await desk.call("keys", "reseal", "org-unknown")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr == "Organization org-unknown has no sealed credentials.\n"
