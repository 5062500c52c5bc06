"""K1: what is stuck and what the service stands on, read from Redis; Kafka is away and the answer says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.arrivals import RecentArrivals
from consumer.adapters.redis.budget import RedisBudget
from consumer.adapters.redis.credential_overview import CredentialOverview
from consumer.adapters.redis.server_time import ServerTime
from consumer.adapters.redis.trouble_index import TroubleIndex
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.pacing.circuit import Circuit
from consumer.settings import load_settings
from tests.support.builders import EVENT, ORG, a_connection, a_mapping
from tests.support.desk import Desk, a_desk

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1")]

REFUSED: Final = Issue("session/s1", Code.REFUSED, parked="f1")
ASKING: Final = Issue("event", Code.TOO_MANY_REMOVALS)


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as made:
        await made.map(a_mapping())
        await made.stores.connections.put_connection(ORG, a_connection())
        await redis.sadd(made.stores.keys.orgs(), ORG)
        yield made


async def stuck(desk: Desk) -> dict[str, Any]:
    """What is stuck, by its kind, without the replicas and the Kafka that no test here runs."""
    document = await desk.read("operations")
    return {each["kind"]: each for each in document["stuck"] if each["kind"] not in {"replicas", "kafka"}}


async def pushed(desk: Desk, *issues: Issue, **run: Any) -> None:
    await desk.ask()
    await desk.pushed({}, {each.id: each for each in issues}, replace(desk.run(org_id=ORG), **run))


async def test_kafka_that_is_away_is_not_known_and_nothing_else_suffers(desk: Desk) -> None:
    document = await desk.read("operations")
    assert (document["letters"], document["kafka_ms"], document["topics"]) == (None, 0, [])
    assert "did not answer" in document["kafka"]
    assert [each["org_id"] for each in document["credentials"]] == [ORG]
    assert document["parked"] is None, "no replica has gone through the events yet"


async def test_what_is_parked_fails_or_asks_is_stuck_until_it_is_over(desk: Desk) -> None:
    await TroubleIndex(desk.stores.redis, desk.stores.keys).fill()
    assert await stuck(desk) == {}
    await pushed(desk, REFUSED, ASKING)
    found = await stuck(desk)
    assert {kind: each["what"] for kind, each in found.items()} == {
        "parked": "1 parked change",
        "asking": "1 event asks an operator",
    }
    assert found["asking"]["event_id"] == EVENT
    document = await desk.read("operations")
    assert [(each["code"], each["count"], each["events"]) for each in document["parked"]] == [("refused", 1, 1)]
    text = (await desk.call("operations")).stdout
    assert f"swoogo-sync ledger remove {EVENT}" in text
    await pushed(desk)
    assert await stuck(desk) == {}


async def test_a_refused_credential_and_an_open_circuit_are_stuck(desk: Desk, redis: Redis) -> None:
    held = a_connection()
    await redis.set(desk.stores.keys.org(ORG, "refused"), held.credential)
    assert set(await stuck(desk)) == {"credential"}
    await redis.delete(desk.stores.keys.org(ORG, "refused"))
    now = desk.clock.now()
    circuit = Circuit(since=now - 60_000, until=now + 30_000, reason="No answer.")
    await redis.set(desk.stores.keys.credential(held.credential, "circuit"), codecs.encode(circuit), ex=60)
    found = await stuck(desk)
    assert found["circuit"]["since_ms"] == now - 60_000
    assert (found["circuit"]["why"], found["circuit"]["until_ms"] > now) == ("No answer.", True)


async def test_arrivals_are_kept_for_all_replicas_and_bounded(desk: Desk) -> None:
    arrivals = RecentArrivals(desk.stores.redis, desk.stores.keys)
    began = desk.clock.now()
    await arrivals.note([12.0, 3.25, 700.0])
    await arrivals.note([])
    assert await arrivals.since(began - 60_000) == [3.2, 12.0, 700.0]
    assert await arrivals.since(began + 60_000) == []
    await arrivals.note([float(each) for each in range(1_000)])
    kept = await arrivals.since(0)
    assert len(kept) <= 60
    document = await desk.read("operations")
    assert document["freshness"]["changes"] == len(kept)
    assert document["freshness"]["half"] <= document["freshness"]["most"]


@pytest.mark.rule("G4")
@pytest.mark.parametrize("hold", [0, 60_000], ids=["open", "held"])
async def test_credits_are_counted_as_the_permits_count_them(desk: Desk, redis: Redis, hold: int) -> None:
    settings = load_settings().swoogo
    seconds, micros = await redis.time()
    now = seconds * 1000 + micros // 1000
    width = round(settings.credit_window * 1000) // 60
    held = a_connection().credential
    rows: dict[Any, Any] = {f"b{now // width - age}": 10 for age in (0, 1, 30, 59, 60, 61)}
    more: dict[Any, Any] = {
        "foreign": 7,
        "foreign_until": now + 60_000,
        "behind": 0,
        "seen": now,
        "hold": now + hold if hold else 0,
    }
    key = desk.stores.keys.credential(held, "credits")
    await redis.hset(key, mapping={**rows, **more})
    await redis.expire(key, 60)
    stores = desk.stores
    time = ServerTime(redis, desk.clock)
    budget = RedisBudget(redis, stores.keys, stores.scripts, stores.leases, desk.clock, settings, time)
    (stats,) = await CredentialOverview(redis, stores.keys, settings).stats_of([ORG], now)
    assert (stats.credits.left or 0) == await budget.left(held)
    assert (stats.credits.left is None) is (hold > 0)
    assert len(stats.credits.slots) == 60
    assert stats.credits.slots[-2:] == (10, 10)
    assert stats.credits.full_at > now
