"""Every replica killed while changes come in: `status` and `doctor` say that nothing runs, and what waits."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner

from consumer.adapters.redis import replicas
from consumer.entrypoints.cli.app import app
from sandbox.demo.play import play
from sandbox.demo.world import World
from tests.e2e.conftest import OpenWorld
from tests.support.conferences import small
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e


async def document(world: World, *command: str, code: int = 0) -> Any:
    result = await asyncio.to_thread(CliRunner().invoke, app, [*command, "--json"], env=world.environment)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


async def shown(world: World) -> str:
    return (await asyncio.to_thread(CliRunner().invoke, app, ["status"], env=world.environment)).stdout


async def test_with_every_replica_killed_status_and_doctor_say_so(
    open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world() as world:
        service = world.start_service()
        conference = small(talks=2, people=1)
        async with play(world, conference, event_id=6801, org_id="org-nothing-runs") as begun:
            await begun.connect()
            await begun.publish([conference], "small")
            alive = (await document(world, "status"))["running"]
            assert [each["alive"] for each in alive["replicas"]] == [True]
            assert {topic["members"] for topic in alive["topics"]} == {1}
            assert {topic["behind"] for topic in alive["topics"]} == {0}
            assert "1 replica runs" in await shown(world)

            await asyncio.to_thread(service.stop, hard=True)
            # Half a minute later no one has heard of it; here a moment is enough.
            monkeypatch.setattr(replicas, "ALIVE_MS", 0)
            published = await begun.publisher.publish(small(talks=3, people=1), at=begun.now())
            dead = (await document(world, "status"))["running"]
            assert [each["alive"] for each in dead["replicas"]] == [False]
            waiting = [topic for topic in dead["topics"] if topic["behind"]]
            assert sum(topic["behind"] for topic in waiting) == published > 0
            assert all(topic["oldest"] for topic in waiting)
            said = await shown(world)
            assert "No replica runs: the last one" in said
            assert re.search("records? waits? on Kafka, the oldest for", said)
            examined = await document(world, "doctor", code=1)
            wrong = [each["sentence"] for each in examined["checks"] if each["grade"] == "error"]
            assert any("No replica runs" in sentence for sentence in wrong)
            assert any(re.search("waits? on Kafka", sentence) for sentence in wrong)


async def test_a_replica_that_stops_in_order_is_no_longer_named(open_world: OpenWorld) -> None:
    async with open_world() as world:
        world.start_service()

        async def running() -> bool:
            return bool((await document(world, "status"))["running"]["replicas"])

        await wait_until(running, "the replica is heard", 30.0)
        await world.stop_services()
        assert not await running()
        assert "none did within a day" in await shown(world)
