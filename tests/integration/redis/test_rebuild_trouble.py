"""A rebuild in trouble, on a real Redis: Kafka stands still, replicas die, Redis is slow, records are strange."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from consumer.adapters.redis import rebuild_marker
from consumer.domain.errors import RetryableError, UnavailableError
from consumer.domain.records.identity import Kind
from consumer.observability.telemetry import Telemetry
from consumer.services import rebuild
from consumer.services.rebuild import Rebuilder
from consumer.services.workers import cancel_and_wait
from consumer.settings import load_settings
from deploy.generate import RULES
from tests.support.builders import an_entry
from tests.support.conferences import small
from tests.support.proxy import Proxy
from tests.support.rebuild_ground import CONNECTION, EVENT, MAPPING, PAIR, Ground, restored
from tests.support.rendered import ROOT
from tests.support.tools import promtool
from tests.support.toxics import DOWNSTREAM, Latency
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]

_DIES: Final = 200
"""More effects than a rebuild of the small conference has."""


async def test_what_was_read_in_part_is_not_whole(ground: Ground) -> None:
    """Kafka stands still in the middle; the next attempt goes on from there, with what the first one read."""
    ground.synced()
    ground.history.batch, ground.history.give = 1, 3
    replica = ground.replica()
    with pytest.raises(UnavailableError, match="gave no record"):
        await replica.rebuilder.restore()
    assert not await replica.rebuilder.is_redis_complete()
    told = await replica.markers.progress()
    assert told is not None
    assert (told.read, told.phase) == (3, "ledger")
    assert "gave no record" in told.trouble
    assert replica.rebuilder.progress == told
    assert ground.history.announced == []
    ground.history.give = None
    ground.history.reads.clear()
    other = ground.replica()
    assert await other.rebuilder.restore()
    assert ground.history.reads[0] == (ground.history.ledger, 3, 4)
    found = await restored(ground, other)
    assert (found["pairs"], found["connection"], found["mapping"]) == ({EVENT: PAIR}, CONNECTION, MAPPING)
    assert found["asked"] == {}
    marker = await other.markers.look()
    assert {place.topic: offset for place, offset in marker.offsets.items()} == {
        place.topic: offset - (place.topic == ground.history.ledger)
        for place, offset in (await ground.history.ends()).items()
    }


class KilledError(Exception):
    """The process is no more."""


@dataclass
class Mortal:
    """A port of a process that is killed after so many effects; nothing gets out of it from then on."""

    inner: Any
    life: list[int]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not inspect.iscoroutinefunction(inspect.unwrap(found)):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            if self.life[0] > 0:
                answer = await found(*args, **kwargs)
                self.life[0] -= 1
                if self.life[0] > 0:
                    return answer
            raise KilledError

        return call


async def test_a_rebuild_killed_at_any_effect_is_taken_over(ground: Ground) -> None:
    """Whatever the first one had done, the second one ends with the same as one that was never disturbed."""
    ground.synced()
    ground.history.batch = 5
    undisturbed = ground.replica()
    assert await undisturbed.rebuilder.restore()
    expected = await restored(ground, undisturbed)
    died, heir = ground.replica(), ground.replica()
    # A client that is broken off while it connects would leave a socket behind.
    await asyncio.gather(*(died.stores.redis.ping() for _ in range(30)))
    for dies in range(1, _DIES):
        await ground.redis.flushdb()
        on, life = replace(died.rebuilder.on), [dies]
        for name in ("markers", "restorer", "inbox", "connections"):
            setattr(on, name, Mortal(getattr(on, name), life))
        try:
            await Rebuilder(on).restore()
        except KilledError:
            await ground.redis.delete(heir.stores.keys.generation("lock"))  # it runs out
            assert await heir.rebuilder.restore(), dies
            assert await restored(ground, heir) == expected, dies
        else:
            break
    assert 20 < dies < _DIES - 1


async def test_one_replica_rebuilds_however_slow_redis_is(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    """5 ms to Redis, many events in one batch, and a lock shorter than a batch: it is renewed beside the work."""
    monkeypatch.setattr(rebuild_marker, "_LOCK_MS", 1_500)
    monkeypatch.setattr(rebuild, "_KEEP_SECONDS", 0.2)
    ground.synced()
    for number in range(1_000):
        ground.history.log_entry(f"event-{number}", "session/s1", an_entry(number + 1, epoch=7, at=50))
    server = int(redis_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])
    async with Proxy(server) as proxy:
        proxy.add(Latency(0.005), DOWNSTREAM)
        slow = redis_url.replace(f":{server}", f":{proxy.port}")
        replicas = [ground.replica(url=slow) for _ in range(2)]
        stop = asyncio.Event()
        running = [asyncio.create_task(each.rebuilder.run(stop)) for each in replicas]
        await wait_until(lambda: all(each.rebuilder.complete for each in replicas), "Redis is complete", 60)
        stop.set()
        await asyncio.gather(*running)
    assert len(ground.history.announced) == 1
    assert [topic for topic, *_ in ground.history.reads].count(ground.history.ledger) == 1


async def test_a_replica_that_did_not_rebuild_is_ready_again_and_no_alert_fires(ground: Ground, tmp_path: Path) -> None:
    """The real rules, fed with what two replicas show during a rebuild of some minutes and after it."""
    ground.synced()
    first, second = ground.replica(), ground.replica()
    watches = [Telemetry(load_settings()), Telemetry(load_settings())]
    for watch, replica in zip(watches, (first, second), strict=True):
        watch.rebuilds(replica.rebuilder)
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def held() -> None:
        reading.set()
        await go_on.wait()

    ground.history.before_read = held
    stop = asyncio.Event()
    running = [asyncio.create_task(first.rebuilder.run(stop))]
    await asyncio.wait_for(reading.wait(), 30)
    running.append(asyncio.create_task(second.rebuilder.run(stop)))
    await wait_until(lambda: second.rebuilder.progress is not None, "the other one sees that it is rebuilt", 30)
    during = [await shown(each) for each in watches]
    go_on.set()
    await wait_until(lambda: second.rebuilder.complete and first.rebuilder.complete, "both go on", 30)
    after = [await shown(each) for each in watches]
    stop.set()
    await asyncio.gather(*running)
    assert during == [{"running": 1.0, "failing": 1.0}] * 2
    series = []
    for pod, (before, now) in enumerate(zip(during, after, strict=True)):
        names = {
            "running": f'swoogo_sync_ledger_rebuild_running{{namespace="a",pod="{pod}"}}',
            "failing": f'swoogo_sync_probe_failing{{namespace="a",pod="{pod}",probe="ready",check="rebuild"}}',
        }
        series += [{"series": name, "values": f"{before[key]:g}x3 {now[key]:g}x40"} for key, name in names.items()]
    alerts = ("SwoogoSyncNotReady", "SwoogoSyncRebuilding")
    tests = [{"eval_time": "40m", "alertname": name, "exp_alerts": []} for name in alerts]
    file = tmp_path / "replicas.test.yml"
    case = {"interval": "1m", "input_series": series, "alert_rule_test": tests}
    file.write_text(yaml.safe_dump({"rule_files": [str(ROOT / RULES)], "evaluation_interval": "1m", "tests": [case]}))
    run = subprocess.run([promtool(), "test", "rules", str(file)], capture_output=True, text=True, check=False)  # noqa: ASYNC221
    assert run.returncode == 0, run.stdout + run.stderr


async def shown(watch: Telemetry) -> dict[str, float]:
    """What a replica's metrics say of rebuilding."""
    found = {"running": 0.0, "failing": 0.0}
    for line in (await watch.scrape()).decode().splitlines():
        if line.startswith("swoogo_sync_ledger_rebuild_running"):
            found["running"] = float(line.rsplit(" ", 1)[1])
        if line.startswith("swoogo_sync_probe_failing") and 'probe="ready"' in line and 'check="rebuild"' in line:
            found["failing"] = float(line.rsplit(" ", 1)[1])
    return found


async def test_replica_paused_beyond_its_lock_changes_nothing(ground: Ground) -> None:
    """It wakes up in the middle of a batch, when another replica has ended the rebuild and pairs have changed since."""
    ground.synced()
    ground.history.batch = 2
    asleep, heir = ground.replica(), ground.replica()
    sleeping, wake = asyncio.Event(), asyncio.Event()

    async def stand_still() -> None:
        sleeping.set()
        await wake.wait()

    ground.history.before_read = stand_still
    late = asyncio.create_task(asleep.rebuilder.restore())
    await asyncio.wait_for(sleeping.wait(), 30)
    await ground.redis.delete(heir.stores.keys.generation("lock"))
    assert await heir.rebuilder.restore()
    await ground.redis.hset(heir.stores.keys.pairs("records"), EVENT, b"changed since")
    wake.set()
    with pytest.raises(RetryableError, match="lost again"):
        await late
    assert await ground.redis.hget(heir.stores.keys.pairs("records"), EVENT) == b"changed since"
    assert len(ground.history.announced) == 1


async def test_looking_while_another_one_rebuilds_does_not_end_it(ground: Ground) -> None:
    """Cancelled as a stop does it: the lock is given back, and the next one goes on at once."""
    ground.synced()
    replica, other = ground.replica(), ground.replica()
    reading = asyncio.Event()

    async def held() -> None:
        reading.set()
        await asyncio.Event().wait()

    ground.history.before_read = held
    task = asyncio.create_task(replica.rebuilder.restore())
    await asyncio.wait_for(reading.wait(), 30)
    await cancel_and_wait(task)
    assert await other.rebuilder.restore()
    assert (await restored(ground, other))["careful"] == {Kind.SESSION, Kind.SPONSOR}
    assert len((await restored(ground, other))["sessions"]) == len(small().talks)
