"""The Lua scripts themselves: harmless when run twice, loaded again when the server forgot them, named when they fail.

redis-py repeats a command whose reply was lost, so a second run with the same arguments must change nothing.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from pydantic import RedisDsn
from redis.asyncio import Redis

from consumer.adapters.redis.client import connect
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.errors import UnavailableError
from consumer.ports import event_subject
from consumer.settings import RedisSettings
from tests.contract.bench import CREDENTIAL, Times, a_change, a_work, in_redis, stamped
from tests.integration.redis.script_calls import (
    DIRTY,
    EPOCH,
    HOLDERS,
    OVERTAKEN,
    RESTORED,
    ROWS,
    STATE,
    SWITCHED,
    VERSIONS,
    WITHDRAWN,
    Run,
    ack_outbox,
    advance_marker,
    archive,
    ask_lift,
    ask_survey,
    bring_back,
    checkpoint_rebuild,
    claim,
    commit_rebuild,
    complete,
    complete_all,
    contents,
    credits_left,
    fence,
    generation_lock,
    hold,
    keep_rebuild,
    lock,
    mark_published,
    note_sent,
    permit,
    rebuilding_pairs,
    record,
    record_to_claim,
    remind,
    request,
    restore_pair,
    seize,
    settle,
    switch_on,
    void_pair,
    write,
    write_pair,
)
from tests.support.builders import EVENT, an_entry, session_key

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("keys_of_its_own")]

CASES: dict[str, tuple[list[Run], Run]] = {
    "record_changes": ([], record),
    "request_sync": ([], request),
    "remind": ([record], remind),
    "set_continuous on": ([record], switch_on),
    "set_continuous off": ([record], lambda scripts: scripts.set_continuous(SWITCHED, on=False, survey_in=9_000)),
    "set_continuous by the event's own lease": (
        [switch_on, record_to_claim, claim],
        lambda scripts: scripts.set_continuous(SWITCHED, on=False, survey_in=9_000, epoch=EPOCH),
    ),
    "set_continuous by an organization": (
        [hold, record],
        lambda scripts: scripts.set_continuous(SWITCHED, on=True, survey_in=9_000, org_id="o", epoch=7),
    ),
    "hold_mapping": ([], hold),
    "write_held": (
        [hold],
        lambda scripts: scripts.write_held("{s}:mapping", HOLDERS, field="o", epoch=7, value=b"row", org_id="o"),
    ),
    "request_survey": ([], ask_survey),
    "request_survey while one goes on": ([ask_survey, claim], ask_survey),
    "put_control": (
        [record_to_claim, claim],
        lambda scripts: scripts.put_control(
            [STATE, "{s}:controls"], name="freeze", revision=2, row=b'{"revision":2}', expected=0, epoch=EPOCH
        ),
    ),
    "begin_order": ([], lambda scripts: scripts.begin_order("{s}:audit", order_id="o", row=b"row", kept=1)),
    "request_orders": ([record, switch_on], ask_lift),
    "claim_subject for a survey": ([ask_survey], claim),
    "complete_subject after a survey": (
        [switch_on, ask_survey, claim],
        lambda scripts: complete(scripts, retry_in=-1, failed=False, survey_in=9_000),
    ),
    "complete_subject after a survey that failed": (
        [ask_survey, claim],
        lambda scripts: complete(scripts, retry_in=-1, survey_in=9_000),
    ),
    "claim_subject": ([record_to_claim], claim),
    "complete_subject that failed": ([record_to_claim, claim], complete),
    "complete_subject that is done": (
        [record_to_claim, claim],
        lambda scripts: complete(scripts, retry_in=-1, failed=False),
    ),
    "write_fenced": ([record_to_claim, claim], mark_published),
    "write_counted": ([record_to_claim, claim], write),
    "write_counted that replaces": ([record_to_claim, claim], lambda scripts: write(scripts, replace=True)),
    "archive_event": ([record_to_claim, claim, complete_all], archive),
    "bring_back": ([record_to_claim, claim, complete_all, archive], bring_back),
    "bring_back of a part": ([record_to_claim, claim, complete_all, archive], partial(bring_back, last=False)),
    "clear_marks": (
        [record_to_claim, claim],
        lambda scripts: scripts.clear_marks(STATE, DIRTY, epoch=EPOCH, marks=["session/s1", stamped(1)]),
    ),
    "settle_figures": (
        [record_to_claim, claim],
        lambda scripts: scripts.settle_figures(
            ["{s}:figures", STATE, DIRTY], revision=b"", oldest=0, counts={"ledger/session/applied": 2}
        ),
    ),
    "ack_outbox": ([record_to_claim, claim, write], ack_outbox),
    "requeue_changelog": (
        [record_to_claim, claim, write, ack_outbox],
        lambda scripts: scripts.requeue_changelog(STATE, "{s}:unlogged", epoch=EPOCH, names=[b"k1", b"k2"]),
    ),
    "note_sent": ([record_to_claim, claim, mark_published], note_sent),
    "note_sent that finds another mark": ([record_to_claim, claim, partial(mark_published, mark="?9")], note_sent),
    "write_pair": ([], write_pair),
    "void_pair": ([write_pair], void_pair),
    "tick_off_pairs": (
        [write_pair],
        lambda scripts: scripts.tick_off_pairs("{p}:records", "{p}:unlogged", fields=["ev", b"row"]),
    ),
    "swap_equal": (
        [lock],
        lambda scripts: scripts.swap_equal("{l}:lock", before=b"mine", after=b"another"),
    ),
    "commit_rebuild": ([generation_lock], commit_rebuild),
    "keep_rebuild": ([generation_lock], keep_rebuild),
    "checkpoint_rebuild": ([generation_lock], checkpoint_rebuild),
    "advance_marker": ([generation_lock, commit_rebuild], advance_marker),
    "restore_pair": ([rebuilding_pairs], restore_pair),
    "restore_entries": (
        [record_to_claim],
        lambda scripts: scripts.restore_entries(RESTORED, ["k1", b'{"epoch":7,"at":3}', 7, 3, "k2", b"", 0, 4]),
    ),
    "forget_marks": (
        [record],
        lambda scripts: scripts.forget_marks(STATE, DIRTY, marks=["session/s1", stamped(1)]),
    ),
    "set_fence": ([], fence),
    "take_permit": ([fence], permit),
    "settle_permit spent": ([fence, permit], settle("spent")),
    "settle_permit returned": ([fence, permit], settle("returned")),
    "settle_permit throttled": ([fence, permit], settle("throttled")),
    "drop_equal": ([fence], lambda scripts: scripts.drop_equal("{l}:lock", "mine")),
    "take_lock": ([], lock),
    "swap_field": ([record], lambda scripts: scripts.swap_field(ROWS, field="session/s1", old=b"row", new=b"new")),
    "seize_subject": ([], seize),
    "seize_subject given back": ([seize], lambda scripts: scripts.seize_subject(STATE, op_id="erase", lease=0)),
}

COUNTED_ONCE = {
    "begin_order",
    "bring_back",
    "seize_subject",
    "record_changes",
    "request_sync",
    "take_permit",
    "restore_entries",
    "restore_pair",
}
"""Their second answer says that there was nothing left to do."""


@pytest.mark.rule("G2", "G5")
@pytest.mark.parametrize("name", CASES)
async def test_script_is_idempotent(redis: Redis, name: str) -> None:
    """Nothing is charged, claimed or counted twice because a reply was lost."""
    scripts = Scripts(redis)
    before, run = CASES[name]
    for step in before:
        await step(scripts)
    if name == "drop_equal":
        await redis.set("{l}:lock", "mine")
    at_first = await contents(redis)
    first = await run(scripts)
    after_one = await contents(redis)
    second = await run(scripts)
    assert await contents(redis) == after_one
    if name not in COUNTED_ONCE:
        assert second == first
    assert after_one != at_first or name == "set_continuous on"


async def test_renewing_twice_only_moves_the_end_of_the_lease(redis: Redis) -> None:
    scripts = Scripts(redis)
    await record_to_claim(scripts)
    await claim(scripts)
    first = await scripts.renew_lease(STATE, epoch=EPOCH, lease=60_000)
    before = await contents(redis)
    second = await scripts.renew_lease(STATE, epoch=EPOCH, lease=60_000)
    after = await contents(redis)
    assert first <= second < first + 5_000
    changed = {b"until", b"due"}
    assert {field: value for field, value in after[STATE.encode()].items() if field not in changed} == {
        field: value for field, value in before[STATE.encode()].items() if field not in changed
    }


async def test_looking_changes_nothing(redis: Redis) -> None:
    scripts = Scripts(redis)
    for step in (record, fence, permit):
        await step(scripts)
    before = await contents(redis)
    assert await credits_left(redis) == 5
    assert await scripts.next_due("{d}:due", 10) == (-1, [])
    parts = ("state", "dirty", "unlogged", "survey", "ledger", "issues", "figures")
    assert await scripts.sum_events([f"{{s}}:{name}" for name in parts]) == ([], {})
    assert await contents(redis) == before


async def test_scripts_that_the_server_forgot_are_loaded_again(redis: Redis) -> None:
    """A failover or SCRIPT FLUSH loses them."""
    bench = in_redis(redis, Times(lease=60.0))
    lease = await bench.leased()
    await redis.script_flush()
    await bench.inbox.record(lease.subject, [a_change("session/s2", 2)])
    await redis.script_flush()
    await bench.ledger.put(lease, {session_key(): an_entry(1)})
    await redis.script_flush()
    await bench.budget.spent(await bench.budget.permit(a_work(lease), 1, 1.0))
    assert await bench.budget.left(CREDENTIAL) == bench.times.limit - 1
    await bench.inbox.renew(lease)
    await bench.ledger.flush(lease)
    await bench.inbox.complete(lease, {})
    assert bench.changelog.written == [(EVENT, session_key(), an_entry(1))]


@pytest.mark.rule("G1")
async def test_a_server_that_does_not_answer_is_unavailable_for_every_port() -> None:
    """The caller backs off and comes again; nothing else is ever raised for it."""
    redis = connect(RedisSettings(url=RedisDsn("redis://127.0.0.1:1/0"), timeout=0.2))
    bench = in_redis(redis, Times())
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: bench.inbox.record(event_subject(EVENT), [a_change()]),
        lambda: bench.inbox.due(1),
        lambda: bench.inbox.load(EVENT),
        lambda: bench.ledger.load(EVENT),
        lambda: bench.connections.mapping(EVENT),
        lambda: bench.budget.left(CREDENTIAL),
        lambda: bench.tokens.get(CREDENTIAL),
        lambda: bench.board.issues(EVENT),
    ]
    try:
        for call in calls:
            with pytest.raises(UnavailableError, match="Redis did not answer"):
                await call()
    finally:
        await redis.aclose()


@pytest.mark.rule("G3")
async def test_a_batch_is_recorded_as_if_each_change_came_alone(redis: Redis) -> None:
    """More than one slice, keys that come twice, older versions after newer ones, and what is overtaken."""

    def stamp(time: int, offset: int) -> str:
        return f"{time:015d}.{time:015d}.{offset:019d}.0"

    chance = random.Random(7)
    changes = [
        (f"session/{chance.randrange(400)}", stamp(chance.randrange(9), at), b"row %d" % chance.randrange(3))
        for at in range(1_300)
    ]
    hashes, seen, scripts = [VERSIONS, ROWS, DIRTY, OVERTAKEN], [], Scripts(redis)
    for size in (1, len(changes)):
        await redis.flushdb()
        news = 0
        for start in range(0, len(changes), size):
            some = [part for change in changes[start : start + size] for part in change]
            keys = [STATE, ROWS, VERSIONS, DIRTY, OVERTAKEN, WITHDRAWN]
            news += (await scripts.record_changes(keys, quiet=0, max_wait=0, always=True, changes=some))[0]
        seen.append((news, [await redis.hgetall(name) for name in hashes]))
    assert seen[0] == seen[1]
    assert all(seen[0][1])
