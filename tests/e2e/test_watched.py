"""Issue 6, point 4: a running service is watched from outside: probes, and the metrics of what it did."""

from __future__ import annotations

import pytest

from sandbox.demo.play import Play
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
