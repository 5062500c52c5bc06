"""End to end: freezes and approvals by the commands, through real Kafka and a Valkey that is lost."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from consumer.entrypoints.cli.app import app
from sandbox.demo.play import Play, play
from sandbox.demo.world import World
from sandbox.embedded import EmbeddedValkey
from tests.e2e.lost_redis import a_world, marker, rebuilt
from tests.support.conferences import edited, small
from tests.support.followed_topics import StatusTopic, following
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("U1", "U2", "U3", "G6")]

_events = itertools.count(9501)


@pytest.fixture
async def world(kafka_bootstrap: str, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    async with a_world(kafka_bootstrap, valkey) as running:
        yield running


async def command(world: World, *arguments: str, code: int = 0) -> Any:
    """What a command prints, with the settings of the world."""
    result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--json"], env=world.environment)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


async def titles(playing: Play) -> set[str]:
    return {row["name"] for row in (await playing.state())["sessions"]}


async def test_a_freeze_of_a_field_outlasts_a_loss_of_redis_and_ends_with_a_thaw(
    world: World, valkey: EmbeddedValkey
) -> None:
    async with play(world, small(), event_id=(number := next(_events)), org_id=str(uuid.uuid4())) as playing:
        await playing.connect()
        await playing.publish([small()], "import")
        assert playing.exact
        before = await titles(playing)
        event = str(number)
        done = await command(world, "freeze", event, "--kind", "session", "--field", "name", "--reason", "Print.")
        assert (done["in_force"], [each["words"] for each in done["freezes"]]) == (True, ["name of sessions"])
        async with Redis.from_url(valkey.url) as redis:
            generation = (await marker(redis, world))[b"id"]
            await redis.flushall()
            await rebuilt(playing, redis, generation)
        changed = edited(small(), 1, title="After the freeze", description="<p>Sent at once</p>")
        await playing.publish([changed], "while it is frozen")
        assert await titles(playing) == before, "the name waits"
        assert "<p>Sent at once</p>" in str(await playing.state()), "the rest goes"
        shown = await command(world, "plan", event)
        assert [each["fields"][0]["field"] for each in shown["frozen"]] == ["name"]
        await command(world, "thaw", event, "--reason", "Printed.")

        async def there() -> bool:
            return "After the freeze" in await titles(playing)

        await wait_until(there, "what waited is sent", 60)


async def test_a_plan_that_a_change_overtakes_is_refused_and_the_next_one_is_sent(world: World) -> None:
    number = next(_events)
    async with (
        following(StatusTopic, world.bootstrap, world.settings.kafka.topics.status) as status,
        play(world, small(), event_id=number, org_id=str(uuid.uuid4())) as playing,
    ):
        event = str(number)
        await playing.connect(settings={"approval": "required"})
        await playing.publish([small()], "import")
        assert await titles(playing) == set()
        shown = await command(world, "plan", event)
        assert shown["approval"] == "required"
        old = shown["plan_id"]
        await playing.publish([edited(small(), 1, title="Another one")], "a change")
        refused = await command(world, "approve", event, old, "--yes", "--reason", "Checked.", code=1)
        assert refused["sentence"].startswith(f"plan_changed: {old} is not what would be sent; it is ")
        assert await titles(playing) == set()
        done = await command(world, "approve", event, refused["plan_id"], "--yes", "--reason", "Checked.")
        assert done["in_force"]

        async def there() -> bool:
            return "Another one" in await titles(playing)

        await wait_until(there, "the approved plan is sent", 60)
        audit = await command(world, "audit", event)
        assert [(each["kind"], each["outcome"]) for each in audit["orders"]] == [
            ("approve", "done"),
            ("approve", "refused"),
        ]

        async def told() -> bool:
            return len(await status.messages("order.given", event_id=event)) == 2

        await wait_until(told, "both orders are on the status topic", 10)
