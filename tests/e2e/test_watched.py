"""A running service is watched from outside: probes, and the metrics of what it did."""

from __future__ import annotations

import pytest

from sandbox.demo.play import Play
from tests.support.conferences import edited, small
from tests.support.scrape import Looking, looking_at, value
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e


async def probes_of(playing: Play) -> Looking:
    replica = playing.world.replicas[0]
    return await looking_at(replica.log_path)


async def test_probes_are_green_and_metrics_tell_of_the_servers(playing: Play) -> None:
    """Readiness knows Redis and Kafka; the lag is that of the brokers."""
    service = await probes_of(playing)
    for path in ("/startupz", "/readyz", "/livez"):

        async def green(path: str = path) -> bool:
            return await service.status(path) == 200

        await wait_until(green, f"{path} is green", 60)
    topic = playing.world.topics.sessions
    scraped = await service.samples()
    assert ("swoogo_sync_consumer_lag_records", frozenset({("topic", topic)})) in scraped
    assert value(scraped, "probe_failing") == 0
    assert value(scraped, "build_info", role="all") == 1


async def test_a_push_is_told_by_metrics_and_one_line(playing: Play) -> None:
    """What a push did is in its canonical line, and every line of it has the run's id."""
    service = await probes_of(playing)
    await playing.connect()
    started = value(await service.samples(), "pushes_total", trigger="changes")

    async def told(pushes: int) -> bool:
        # A push is counted when it is over, a moment after the event is idle; changes count from the first one on.
        return value(await service.samples(), "pushes_total", trigger="changes") >= started + pushes

    await playing.publish([small()], "small")
    await wait_until(lambda: told(1), "the first push is counted", 60)
    before = await service.samples()
    started = value(before, "pushes_total", trigger="changes")
    await playing.publish([edited(small(), 1, title="Another title")], "one edit")
    await wait_until(lambda: told(1), "the edit's push is counted", 60)
    after = await service.samples()

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("calls_total", operation="update", kind="session", outcome="applied") == 1
    assert grown("pushes_total", trigger="changes", outcome="completed") == 1
    assert grown("records_synced_total", kind="session", result="updated") == 1
    assert grown("credits_spent_total", trigger="changes") == 1
    assert grown("changes_total", slo="met") == grown("changes_total") == 1
    assert grown("change_to_swoogo_seconds_count", kind="session") == 1
    assert grown("plan_operations_sum", operation="update") == 1
    assert grown("records_total", topic=playing.world.topics.sessions, result="news") == 1
    assert grown("intents_open") == grown("parked_records") == value(after, "probe_failing") == 0
    assert value(after, "pushes_running") == 0
    event = f"event_id={playing.event.id} "
    lines = playing.world.replicas[0].log_path.read_text().splitlines()
    line = [each for each in lines if "push.completed" in each and event in each][-1]
    assert "calls={'update': 1}" in line
    assert "plan={'update': 1}" in line
    assert "change_to_swoogo_seconds=" in line
    assert "waited_for_credits" in line
