"""What the commands say while Redis is rebuilt, and after a loss."""

from __future__ import annotations

import json

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.rebuild_marker import RedisMarkers
from consumer.adapters.redis.scripts import Scripts
from consumer.ports.rebuild import RebuildProgress, Rebuilt
from tests.support.builders import EVENT, NOW, a_mapping
from tests.support.desk import Desk

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]

COMMANDS = [
    ("sync", EVENT),
    ("plan", EVENT),
    ("issues", EVENT),
    ("runs", "list", EVENT),
    ("reconcile", EVENT),
    ("status", EVENT),
]


def markers_of(desk: Desk) -> RedisMarkers:
    bound = desk.stores
    return RedisMarkers(bound.redis, bound.keys, bound.scripts)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
async def test_during_a_rebuild_a_command_says_so_and_not_that_nothing_is_mapped(
    desk: Desk, command: tuple[str, ...]
) -> None:
    assert await markers_of(desk).lock("owner")
    progress = RebuildProgress("ledger", 3, 12, NOW, seconds_left=60.0, trouble="Kafka gave no record.")
    assert await markers_of(desk).keep("owner", progress)
    said = await desk.call(*command)
    assert said.exit_code == 3
    assert "Redis is being rebuilt from Kafka: 25%, phase ledger, 3 of 12 read, about 60 s left." in said.stderr
    assert "It does not go on at present: Kafka gave no record." in said.stderr
    assert "not mapped" not in said.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
async def test_a_redis_that_was_exchanged_is_not_asked_before_it_was_compared(
    desk: Desk, redis: Redis, command: tuple[str, ...]
) -> None:
    await lost(desk)
    await redis.hset(Keys("cli-test").generation("marker"), "server", "the process before")
    said = await desk.call(*command)
    assert said.exit_code == 3
    assert "compares it with Kafka first" in said.stderr


async def lost(desk: Desk, **deferred: list[str]) -> None:
    """Redis was lost, and is rebuilt."""
    markers = markers_of(desk)
    assert await markers.lock("owner")
    assert await markers.commit("owner", await markers.look(), Rebuilt("g2", {}, deferred, lost_at=NOW))


async def test_after_a_loss_runs_are_said_to_be_lost(desk: Desk) -> None:
    await desk.map(a_mapping())
    await lost(desk)
    for command in (("runs", "list", EVENT), ("status",)):
        said = await desk.call(*command)
        assert said.exit_code == 0
        assert "runs that ended before are lost with it; the status topic has" in said.stdout
    document = json.loads((await desk.call("runs", "list", EVENT, "--json")).stdout)
    assert document["lost"].startswith("20")


@pytest.mark.rule("G5")
async def test_an_event_whose_credits_are_unknown_says_until_when(desk: Desk, redis: Redis) -> None:
    await desk.map(a_mapping())
    key = Keys("cli-test").credential(a_mapping().credential, "credits")
    await Scripts(redis).invalidate_credits(key, window=600_000)
    for command in (("status",), ("status", EVENT)):
        said = await desk.call(*command)
        assert "with one call at a time until Swoogo says what credits are left, at the latest until 20" in said.stdout


async def test_an_event_that_is_left_to_a_later_version_says_so(desk: Desk) -> None:
    await desk.map(a_mapping())
    await lost(desk, **{EVENT: ["session/2"]})
    said = await desk.call("status", EVENT)
    assert "waits for a later version of the service, which alone reads its changelog (session/2)." in said.stdout
