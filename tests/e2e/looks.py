"""What the end-to-end tests look at: issues and rows of an event in Redis, and how far an import is."""

from __future__ import annotations

from typing import Any

from consumer.adapters.redis.client import connect
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.status import RedisRuns
from consumer.domain.issues.issue import Issue
from sandbox.demo.play import Play
from sandbox.demo.world import World
from tests.support.waiting import wait_until


async def issues_of(playing: Play) -> dict[str, Issue]:
    """What stands for its event, by id."""
    settings = playing.world.settings
    redis = connect(settings.redis)
    try:
        return dict(await RedisRuns(redis, Keys(settings.redis.prefix)).issues(str(playing.event.id)))
    finally:
        await redis.aclose()


async def kept(world: World, event_id: str) -> dict[str, Any]:
    """All that is written for an event under its lease."""
    redis = connect(world.settings.redis)
    keys = Keys(world.settings.redis.prefix)
    try:
        hashes = {name: await redis.hgetall(keys.event(event_id, name)) for name in ("ledger", "directory", "issues")}
        return {**hashes, "runs": await redis.lrange(keys.event(event_id, "runs"), 0, -1)}
    finally:
        await redis.aclose()


async def half_way(playing: Play, records: int) -> None:
    """Wait until Swoogo holds so many sessions of an import that goes on."""

    async def reached() -> bool:
        for replica in playing.world.replicas:
            replica.check()
        return len((await playing.state())["sessions"]) >= records

    await wait_until(reached, f"{records} sessions are in Swoogo", 60)
