"""End to end: what people do in Swoogo is known in seconds, for next to no credits, and nothing forged is believed."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any, Final

import httpx
import pytest
from typer.testing import CliRunner

from consumer.adapters.redis import codecs
from consumer.adapters.redis.status import RedisRuns
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.adapters.redis.webhooks import RedisHints
from consumer.domain.connections.webhooks import HEADER
from consumer.domain.issues.issue import Code
from consumer.entrypoints.cli.app import app
from sandbox.demo.play import Play, play
from sandbox.demo.world import World
from tests.e2e.conftest import OpenWorld
from tests.support.conferences import small
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

PATH: Final = "p4thSecret0123456789"
SECRET: Final = "s3cret-0123456789"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def credits_spent(world: World) -> int:
    return int((await world.get("stats"))["credits"])


async def drift(stores: Stores, event: str) -> list[str]:
    issues = await RedisRuns(stores.redis, stores.keys).issues(event)
    return [issue.field for issue in issues.values() if issue.code is Code.EDITED_IN_SWOOGO]


async def tombstones(stores: Stores, event: str) -> int:
    held: Any = await stores.redis.hvals(stores.keys.event(event, "ledger"))
    return sum(b'"gone"' in row for row in held)


async def settled(playing: Play, stores: Stores) -> None:
    """Webhooks are registered, and the look that follows is over."""
    event = str(playing.event.id)

    async def looked() -> bool:
        row: Any = await stores.redis.hget(stores.keys.event(event, "survey"), "last")
        return bool(row and codecs.survey.decode(row).hinted_credits)

    await wait_until(looked, "the event is looked at after its webhooks are registered", timeout=30)
    # A stamp of Swoogo is a whole second: the next one is certainly later than what was written and read.
    later = int(time.time()) + 2
    await wait_until(lambda: time.time() >= later, "another second has begun", timeout=5)


@pytest.mark.rule("W1", "W2", "W3")
async def test_edits_and_deletions_by_hand_are_known_in_seconds(open_world: OpenWorld) -> None:
    port = free_port()
    settings = {
        "WEBHOOKS__ENABLED": "on",
        "WEBHOOKS__PUBLIC_URL": f"http://127.0.0.1:{port}/hooks",
        "WEBHOOKS__PATH_SECRET": PATH,
        "WEBHOOKS__SECRET": SECRET,
        "WEBHOOKS__PORT": str(port),
        "WEBHOOKS__CLOCK_TOLERANCE": "0",
    }
    async with open_world(settings=settings) as world:
        world.start_service("worker")
        world.start_service("receiver", ROLE="webhooks", KEYS__PRIVATE="")
        stores = open_stores(world.settings)
        try:
            async with play(world, small(), event_id=6901, org_id="org-webhooks") as begun:
                await begun.connect()
                await begun.publish([small()], "small")
                await settled(begun, stores)
                await know_what_people_do(begun, stores)
                document = await doctor(world)
                assert [(each["object"], each["state"]) for each in document["webhooks"]] == [
                    (name, "registered") for name in ("session", "speaker", "sponsor")
                ]
                assert all(each["id"] and each["heard_at"] for each in document["webhooks"])
                await believe_nothing_forged(begun, stores, port)
        finally:
            await stores.redis.aclose()


async def doctor(world: World) -> Any:
    """What `doctor --json` says."""
    result = await asyncio.to_thread(CliRunner().invoke, app, ["doctor", "--json"], env=world.environment)
    return json.loads(result.stdout)


async def know_what_people_do(begun: Play, stores: Stores) -> None:
    """W2: an edit for no credit, a deletion for the one that proves it; both within 5 seconds."""
    world, event = begun.world, str(begun.event.id)
    one, two = (await world.get("state"))["sessions"][:2]
    spent = await credits_spent(world)
    await world.post("edit", {"kind": "sessions", "id": one["id"], "values": {"name": "Edited by hand"}})

    async def drifted() -> bool:
        return await drift(stores, event) == ["name"]

    await wait_until(drifted, "the edit is drift", timeout=5)
    assert await credits_spent(world) == spent
    await world.post("delete", {"kind": "sessions", "id": two["id"]})

    async def gone() -> bool:
        return await tombstones(stores, event) == 1

    await wait_until(gone, "the deletion is a tombstone", timeout=5)
    assert await credits_spent(world) == spent + 1


async def believe_nothing_forged(begun: Play, stores: Stores, port: int) -> None:
    """W3: without the secret nothing is read; with it, old news is no news."""
    world, event = begun.world, str(begun.event.id)
    one = (await world.get("state"))["sessions"][0]
    ledger: Any = await stores.redis.hgetall(stores.keys.event(event, "ledger"))
    spent = await credits_spent(world)
    old = {
        "action": "update",
        "object": "session",
        "datetime": "2026-01-01 00:00:00",
        "session": one | {"name": "Forged", "updated_at": "2026-01-01 00:00:00"},
    }
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/hooks") as client:
        for path, secret, status in ((PATH, "guess", 401), ("guess", SECRET, 401), (PATH, SECRET, 204)):
            for _ in range(50):
                answer = await client.post(f"/{path}/{event}", json=old, headers={HEADER: secret})
                assert (answer.status_code, answer.content) == (status, b"")
    hints = RedisHints(stores.redis, stores.keys, stores.scripts)

    async def taken() -> bool:
        return not (await hints.load(event)).known

    await wait_until(taken, "what had the secret was looked at", timeout=5)
    assert await credits_spent(world) == spent
    assert await stores.redis.hgetall(stores.keys.event(event, "ledger")) == ledger
    assert await drift(stores, event) == ["name"]
    await begun.publisher.send([begun.publisher.writer.mapping_removed(at=begun.now())])

    async def removed() -> bool:
        return not (await world.get("webhooks"))["webhooks"]

    await wait_until(removed, "the webhooks go with the mapping", timeout=10)
