"""`swoogo-sync replay` as people run it: asked first, stopped by Ctrl-C half-way, gone on with."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.replays import RedisReplays
from consumer.entrypoints.cli.app import app
from consumer.ports import event_subject
from consumer.settings import PREFIX
from tests.integration.kafka.kafka_world import EVENT, KafkaWorld
from tests.support.terminal import CTRL_C, terminal

pytestmark = [pytest.mark.integration, pytest.mark.rule("G1", "G3")]

RECORDS, RATE = 600, 20
KEYS = Keys("test")


@pytest.fixture
async def environment(kafka: KafkaWorld, redis_url: str) -> Mapping[str, str]:
    """Settings of a command, and a topic with records that no one has recorded."""
    await kafka.send(*[None] * RECORDS, keys=[f"{EVENT}/s{number}".encode() for number in range(RECORDS)])
    values = {
        "KAFKA__BOOTSTRAP_SERVERS": kafka.settings.bootstrap_servers,
        "KAFKA__TOPICS__SESSIONS": kafka.topics.sessions,
        "REDIS__URL": redis_url,
        "REDIS__PREFIX": "test",
    }
    return {PREFIX + name: value for name, value in values.items()}


async def recorded(redis: Redis) -> int:
    return int(await redis.hlen(KEYS.subject(event_subject(EVENT), "rows")))


async def call(environment: Mapping[str, str], *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["replay", "sessions", *arguments], env=environment)


async def test_ctrl_c_leaves_a_position_and_resume_reads_the_rest_once(
    kafka: KafkaWorld, redis: Redis, environment: Mapping[str, str]
) -> None:
    async with terminal("replay", "sessions", "--rate", str(RATE), environment=environment) as shown:
        await shown.asks()
        assert await recorded(redis) == 0
        shown.type("y\n")
        await shown.shows(rf" 3% {RATE} read .* left")
        shown.type(CTRL_C)
        assert await shown.ended() == 130
        told = re.search(r"Stopped after (\d+) records; go on with:\s+swoogo-sync (.*)", shown.text)
        assert "Traceback" not in shown.text
    assert told
    assert told[2].split() == ["replay", "sessions", "--resume", "--rate", str(RATE)]
    before = await recorded(redis)
    kept = await RedisReplays(redis, KEYS).kept(kafka.topics.sessions)
    assert kept is not None
    [span] = kept[0].values()
    # What was recorded in the moment of the interruption may be read once more; nothing is passed over.
    assert RATE <= int(told[1]) <= span.start <= before < RECORDS == span.end

    result = await call(environment, "--resume", "--yes", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["done"], document["read"], document["news"]) == (True, RECORDS - span.start, RECORDS - before)
    assert document["offsets"] == {"0": [span.start, RECORDS]}
    assert await recorded(redis) == RECORDS
    assert len((await kafka.bench.inbox.load(EVENT)).marks) == RECORDS

    result = await call(environment, "--resume", "--yes")
    assert result.exit_code == 1
    assert "was interrupted; start one without --resume" in result.output


async def test_ctrl_c_at_the_question_ends_it_and_nothing_is_read(redis: Redis, environment: Mapping[str, str]) -> None:
    """Asyncio takes the signal over, and would wait for an answer that no one gives."""
    async with terminal("replay", "sessions", environment=environment) as shown:
        await shown.asks()
        shown.type(CTRL_C)
        assert await shown.ended() == 1
        assert "Aborted" in shown.text
    assert await recorded(redis) == 0
