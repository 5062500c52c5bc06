"""State and due index lie in different slots, so any order of two workers' writes leaves a subject findable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from consumer.adapters.redis import codecs
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.keys import DUE_SHARDS, Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.connections.mapping import EventMapping
from consumer.ports import DueSubject, SyncRequest, event_subject, org_subject
from tests.contract.bench import Bench, Times, a_change, in_redis, stamped
from tests.support.builders import EVENT
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G1")]

SUBJECT = event_subject(EVENT)


class Interrupted(Scripts):
    """Lets somebody else act between a script and the write of the index that follows it."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.then: Callable[[], Awaitable[Any]] | None = None

    async def _interrupt(self) -> None:
        then, self.then = self.then, None
        if then:
            await then()

    async def record_changes(self, *args: Any, **given: Any) -> tuple[int, int, bool]:
        answer = await super().record_changes(*args, **given)
        await self._interrupt()
        return answer

    async def claim_subject(self, *args: Any, **given: Any) -> Any:
        answer = await super().claim_subject(*args, **given)
        await self._interrupt()
        return answer

    async def complete_subject(self, *args: Any, **given: Any) -> int:
        answer = await super().complete_subject(*args, **given)
        await self._interrupt()
        return answer


@pytest.fixture
def scripts(redis: Redis) -> Interrupted:
    return Interrupted(redis)


@pytest.fixture
def here(redis: Redis, scripts: Interrupted) -> Bench:
    """The replica that is interrupted."""
    return in_redis(redis, Times(quiet=0.1), scripts)


@pytest.fixture
def there(redis: Redis) -> Bench:
    """The replica that acts in between."""
    return in_redis(redis, Times(quiet=0.1))


async def comes_due(bench: Bench) -> None:
    async def ask() -> bool:
        return SUBJECT in (await bench.inbox.due(10)).subjects

    await bench.until(ask, "the event is offered", 2)


async def test_a_change_recorded_just_as_an_event_is_given_back_makes_it_due(
    here: Bench, there: Bench, scripts: Interrupted
) -> None:
    lease = await here.leased()
    marks = (await here.inbox.load(EVENT)).marks
    scripts.then = lambda: there.inbox.record(SUBJECT, [a_change("session/new", 2)])
    await here.inbox.complete(lease, marks)
    await comes_due(there)


async def test_a_change_recorded_just_as_a_claim_finds_nothing_due_makes_it_due(
    here: Bench, there: Bench, scripts: Interrupted
) -> None:
    await here.inbox.set_continuous(EVENT, on=True)
    scripts.then = lambda: there.inbox.record(SUBJECT, [a_change()])
    assert await here.inbox.claim(SUBJECT, "op") is None
    await comes_due(there)


@pytest.mark.rule("C5")
async def test_manual_sync_does_not_wait_for_the_retry_of_a_failure(
    here: Bench, there: Bench, scripts: Interrupted
) -> None:
    lease = await here.leased()
    scripts.then = lambda: there.inbox.request_sync(EVENT, SyncRequest("r"), stamped(1))
    await here.inbox.complete(lease, {}, retry_in=600, failed=True)
    await comes_due(there)


@pytest.mark.rule("C4")
async def test_change_is_due_when_continuous_sync_comes_on_meanwhile(
    here: Bench, there: Bench, scripts: Interrupted
) -> None:
    scripts.then = lambda: there.inbox.set_continuous(EVENT, on=True)
    await here.inbox.record(SUBJECT, [a_change()])
    await comes_due(there)


async def test_an_event_dealt_with_in_between_is_not_left_in_the_index(
    here: Bench, there: Bench, scripts: Interrupted
) -> None:
    await here.inbox.set_continuous(EVENT, on=True)

    async def deal_with_it() -> None:
        await there.inbox.request_sync(EVENT, SyncRequest("r"), stamped(1))
        lease = await there.inbox.claim(SUBJECT, "there")
        assert lease is not None
        await there.inbox.complete(lease, (await there.inbox.load(EVENT)).marks)

    scripts.then = deal_with_it
    await here.inbox.record(SUBJECT, [a_change()])
    assert (await here.inbox.due(10)).next_in is None


async def test_late_write_of_the_index_is_repaired(redis: Redis, here: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker wakes after its lease: its old write takes the event out, and then the keeper ends its work."""
    lease = await here.leased()
    await here.inbox.complete(lease, {}, retry_in=60)
    written, go_on = asyncio.Event(), asyncio.Event()
    execute = Pipeline.execute

    async def standing_still(pipe: Any, *args: Any, **given: Any) -> Any:
        answer = await execute(pipe, *args, **given)
        written.set()
        await go_on.wait()
        return answer

    monkeypatch.setattr(Pipeline, "execute", standing_still)
    assert isinstance(here.inbox, RedisInbox)
    task = asyncio.create_task(here.inbox._due.put(SUBJECT, -1))
    await asyncio.wait_for(written.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    index = Keys("test").due_of(SUBJECT)
    assert await redis.zscore(index, str(SUBJECT)) is None
    go_on.set()
    await wait_until(lambda: redis.zscore(index, str(SUBJECT)), "the event is in the index again", 30)


async def test_what_was_left_out_of_the_index_or_lies_elsewhere_is_mended(redis: Redis, here: Bench) -> None:
    """A worker that woke took it out and was killed: nothing else would find it before it is recorded again."""
    org, quiet, keys = org_subject("org"), event_subject("quiet"), Keys("test")
    await here.inbox.set_continuous(EVENT, on=True)
    for subject in (SUBJECT, org, quiet):
        await here.inbox.record(subject, [a_change()])
    right = {subject: await redis.zscore(keys.due_of(subject), str(subject)) for subject in (SUBJECT, org)}
    await redis.zrem(keys.due_of(SUBJECT), str(SUBJECT))
    await redis.zadd(keys.due_of(org), {str(org): 32_503_680_000_000})
    await redis.zadd(keys.due_of(quiet), {str(quiet): 1})
    await here.inbox.repair_index(1.0)
    assert {subject: await redis.zscore(keys.due_of(subject), str(subject)) for subject in right} == right
    assert await redis.zscore(keys.due_of(quiet), str(quiet)) is None
    assert None not in right.values()


async def test_however_many_are_due_at_once_they_are_found(redis: Redis, here: Bench) -> None:
    """After an outage; a dispatcher asks for more and more while the first ones have to wait for their credential."""
    index = Keys("test").due(0)
    await redis.zadd(index, {f"event/e{number}": number for number in range(5_000)})
    found = await here.inbox.due(8_192)
    assert [subject.id for subject in found.subjects] == [f"e{number}" for number in range(5_000)]


async def queued(redis: Redis, bench: Bench) -> DueSubject:
    """An event that is due and waits in the queue of a credential, as the dispatcher puts it there."""
    await bench.inbox.record(SUBJECT, [a_change()])
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    [hint] = (await bench.inbox.due(10)).entries
    pair = EventMapping(EVENT, "org", 1, "Europe/London", "a credential", continuous=True)
    await redis.set(Keys("test").event(EVENT, "mapping"), codecs.encode(pair))
    await bench.inbox.queue({"a credential": [hint]})
    assert await redis.zscore(Keys("test").due_of(SUBJECT), str(SUBJECT)) is None
    return hint


@pytest.mark.rule("G1")
@pytest.mark.parametrize("gone", ["nothing", "the entry", "the name of the queue", "the credential"])
async def test_what_waits_in_a_queue_is_left_there_while_it_is_found(redis: Redis, here: Bench, gone: str) -> None:
    keys = Keys("test")
    hint = await queued(redis, here)
    match gone:
        case "the entry":
            await redis.delete(keys.queue("a credential"))
        case "the name of the queue":
            await redis.delete(keys.queues_of("a credential"))
        case "the credential":
            await redis.delete(keys.event(EVENT, "mapping"))
    await here.inbox.repair_index(1.0)
    score = await redis.zscore(keys.due_of(SUBJECT), str(SUBJECT))
    assert score == (None if gone == "nothing" else hint.due)


@pytest.mark.rule("G1")
async def test_what_a_former_version_claims_from_the_index_leaves_its_queue(redis: Redis, here: Bench) -> None:
    """It knows no queues: its repair puts back what is in one, and what it claims there leaves it when tried here."""
    keys, hint = Keys("test"), await queued(redis, here)
    await redis.zadd(keys.due_of(SUBJECT), {str(SUBJECT): hint.due})
    assert await here.inbox.claim(SUBJECT, "former version")
    assert await here.inbox.claim(SUBJECT, "this one") is None
    await here.inbox.leave_queue("a credential", hint)
    assert not [key async for key in redis.scan_iter("*queue*")]
    assert (await redis.zscore(keys.due_of(SUBJECT), str(SUBJECT)) or 0) > hint.due


@pytest.mark.rule("G1")
async def test_each_replica_goes_on_with_the_repair_where_the_last_was(redis: Redis, here: Bench, there: Bench) -> None:
    """However often another one is elected, what was dropped from the index is found again within a turn."""
    keys, events = Keys("test"), [f"event-{number}" for number in range(1_200)]
    await redis.sadd(keys.events(), *events)
    await here.inbox.record(SUBJECT, [a_change()])
    await here.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    await redis.zrem(keys.due_of(SUBJECT), str(SUBJECT))
    turns = 0
    while not await (here, there)[turns % 2].inbox.repair_index(0.05):
        turns += 1
    assert 10 < turns <= 20, "a part of all at each, from the first to the last"
    assert await redis.zscore(keys.due_of(SUBJECT), str(SUBJECT)) is not None


async def test_the_index_is_repaired_in_slices_however_many_there_are(redis: Redis, here: Bench) -> None:
    keys, events = Keys("test"), [f"event-{number}" for number in range(1_200)]
    await redis.sadd(keys.events(), *events)
    for event in events:
        await redis.zadd(keys.due_of(event_subject(event)), {str(event_subject(event)): 1})
    sizes, left, through = [], len(events), False
    while not through:
        through = await here.inbox.repair_index(1.0)
        now = sum([await redis.zcard(keys.due(shard)) for shard in range(DUE_SHARDS)])
        sizes.append(left - now)
        left = now
    assert left == 0
    assert max(sizes) <= 600
