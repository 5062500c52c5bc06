"""The Lua scripts themselves: harmless when run twice, loaded again when the server forgot them, named when they fail.

redis-py repeats a command whose reply was lost, so a second run with the same arguments must change nothing.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import pytest
from pydantic import RedisDsn
from redis.asyncio import Redis

from consumer.adapters.redis.archive import GOES, HELD
from consumer.adapters.redis.budget import read_credits
from consumer.adapters.redis.client import connect
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.errors import UnavailableError
from consumer.ports import event_subject
from consumer.settings import RedisSettings
from tests.contract.bench import CREDENTIAL, Times, a_change, a_work, in_redis, stamped
from tests.support.builders import EVENT, an_entry, session_key

pytestmark = pytest.mark.integration

STATE, ROWS, VERSIONS, DIRTY, ORDERS = (f"{{s}}:{name}" for name in ("state", "rows", "versions", "dirty", "orders"))
OVERTAKEN = "{s}:overtaken"
REQUESTS = ("{s}:requests", "{s}:served")
HOLDERS = "{s}:holders"
FRESH, WITHDRAWN = "{s}:fresh", "{s}:withdrawn"
SWITCHED = [STATE, DIRTY, HOLDERS, FRESH]
CREDITS, FENCES, GRANT = (f"{{c}}:{name}" for name in ("credits", "fences", "grant"))
RESTORED = [STATE, "{s}:ledger", "{s}:unlogged", "{s}:figures"]
WINDOW = 60_000
EXPECTED = 2**52
"""No permit is late."""
EPOCH = 2**52
"""Of the first claim: the epoch before it is in the state, and later than any clock."""

Run = Callable[[Scripts], Awaitable[Any]]


def record(scripts: Scripts) -> Awaitable[Any]:
    changes: list[str | bytes] = ["session/s1", stamped(1), b"row", "session/s2", stamped(2), b"row"]
    return scripts.record_changes(
        [STATE, ROWS, VERSIONS, DIRTY, OVERTAKEN, WITHDRAWN], quiet=5_000, max_wait=9_000, always=True, changes=changes
    )


def record_to_claim(scripts: Scripts) -> Awaitable[Any]:
    return scripts.record_changes(
        [STATE, ROWS, VERSIONS, DIRTY, OVERTAKEN, WITHDRAWN],
        quiet=0,
        max_wait=0,
        always=True,
        changes=["session/s1", stamped(1), b"row"],
    )


def request(scripts: Scripts) -> Awaitable[Any]:
    row = b'{"id":"r","scope":"all","session_ids":[],"speaker_ids":[],"stamp":"%s"}' % stamped(1).encode()
    return scripts.request_sync([STATE, *REQUESTS], request_id="r", stamp=stamped(1), request=row)


def remind(scripts: Scripts) -> Awaitable[Any]:
    return scripts.remind([STATE, VERSIONS, "{s}:other"], key="session/s1")


def hold(scripts: Scripts) -> Awaitable[Any]:
    return scripts.hold_mapping(HOLDERS, org_id="o", epoch=7)


def switch_on(scripts: Scripts) -> Awaitable[Any]:
    return scripts.set_continuous(SWITCHED, on=True, survey_in=9_000)


def ask_survey(scripts: Scripts) -> Awaitable[Any]:
    return scripts.request_survey(STATE, depth="deep")


def ask_lift(scripts: Scripts) -> Awaitable[Any]:
    return scripts.request_orders(STATE, ORDERS, orders=["lift 0 session/s1"])


def claim(scripts: Scripts) -> Awaitable[Any]:
    return scripts.claim_subject([STATE, *REQUESTS], op_id="op", lease=60_000)


def complete(scripts: Scripts, retry_in: int = 5_000, failed: bool = True, survey_in: int = -1) -> Awaitable[Any]:
    return scripts.complete_subject(
        [STATE, DIRTY, ORDERS, *REQUESTS],
        epoch=EPOCH,
        quiet=0,
        max_wait=0,
        retry_in=retry_in,
        failed=failed,
        always=False,
        op_id="op",
        asked=["r"],
        survey_in=survey_in,
        rest_in=-1,
        marks=["session/s1", stamped(1)],
    )


def write(scripts: Scripts, replace: bool = False) -> Awaitable[Any]:
    names = [STATE, "{s}:ledger", "{s}:figures", "{s}:unlogged"]
    return scripts.write_counted(names, epoch=EPOCH, fields=["k1", b"v1", "k2", b""], replace=replace)


def complete_all(scripts: Scripts) -> Awaitable[Any]:
    return complete(scripts, retry_in=-1, failed=False)


def archive(scripts: Scripts) -> Awaitable[Any]:
    names = [STATE, *(f"{{s}}:{name}" for name in ("archive", "figures", *HELD, *GOES))]
    return scripts.archive_event(names, epoch=EPOCH, at=7, ledger=b"packed", rows=[b"session/s1", b"row", b"1"])


def mark_published(scripts: Scripts, mark: str = "?7") -> Awaitable[Any]:
    return scripts.write_fenced(STATE, "{s}:published", epoch=EPOCH, fields=["k1", mark, "k2", mark])


def note_sent(scripts: Scripts) -> Awaitable[Any]:
    return scripts.note_sent("{s}:published", mark="?7", fields=["k1", "digest", "k2", ""])


def ack_outbox(scripts: Scripts) -> Awaitable[Any]:
    return scripts.ack_outbox(STATE, "{s}:ledger", "{s}:unlogged", epoch=EPOCH, fields=["k1", b"v1", "k2", b""])


def permit(scripts: Scripts) -> Awaitable[Any]:
    return scripts.take_permit(
        [CREDITS, FENCES, GRANT],
        subject="s",
        epoch=1,
        deadline=1_000,
        cost=10,
        priority=1,
        limit=15,
        window=WINDOW,
        slots=60,
        expected=EXPECTED,
        late=0,
    )


def settle(what: str) -> Run:
    return lambda scripts: scripts.settle_permit(
        CREDITS, GRANT, cost=10, what=what, remaining=3, reset=5_000, limit=15, window=WINDOW, slots=60
    )


def generation_lock(scripts: Scripts) -> Awaitable[Any]:
    return scripts.take_lock("{g}:lock", owner="me", milliseconds=60_000)


async def server(scripts: Scripts) -> str:
    """The process that answers."""
    info = await cast("Any", scripts).named["commit_rebuild"].registered_client.info("server")
    return str(info["run_id"])


async def commit_rebuild(scripts: Scripts) -> bool:
    names = [f"{{g}}:{name}" for name in ("marker", "lock", "progress", "restored", "standings", "about")]
    fields = ["id", "g1", "server", await server(scripts)]
    return await scripts.commit_rebuild(
        names, owner="me", server=await server(scripts), done=True, about=["format", "1"], fields=fields
    )


async def checkpoint_rebuild(scripts: Scripts, *, owner: str = "me", process: str = "", epoch: int = 3) -> bool:
    return await scripts.checkpoint_rebuild(
        ["{g}:lock", "{g}:restored", "{g}:standings"],
        owner=owner,
        server=process or await server(scripts),
        lineage="g1/s",
        standings=[("connection/o", epoch, b'{"epoch":%d}' % epoch)],
        fields=["ledger/0", "7"],
    )


async def advance_marker(scripts: Scripts) -> bool:
    process = await server(scripts)
    return await scripts.advance_marker(
        "{g}:marker", server=process, checked=process, generation="g1", fields=["ledger/0", "7"]
    )


def keep_rebuild(scripts: Scripts) -> Awaitable[bool]:
    return scripts.keep_rebuild(["{g}:lock", "{g}:progress"], owner="me", milliseconds=60_000, progress=b"{}")


async def rebuilding_pairs(scripts: Scripts) -> None:
    await cast("Any", scripts).named["commit_rebuild"].registered_client.hset("{p}:rebuilder", "owner", "me")


def restore_pair(scripts: Scripts) -> Awaitable[int]:
    row = b'{"event_id":"ev","swoogo_event_id":1,"org_id":"o","mapped_at":5,"ended_at":null,"epoch":0}'
    names = [f"{{p}}:{name}" for name in ("records", "event_of", "unlogged", "holders", "rebuilder", "voided")]
    return scripts.restore_pair(names, owner="me", event_id="ev", swoogo_event_id=1, org_id="o", row=row)


def fence(scripts: Scripts) -> Awaitable[Any]:
    return scripts.set_fence(FENCES, subject="s", epoch=1, until=2**52)


def lock(scripts: Scripts) -> Awaitable[Any]:
    return scripts.take_lock("{l}:lock", owner="mine", milliseconds=60_000)


def write_pair(scripts: Scripts) -> Awaitable[Any]:
    return scripts.write_pair(
        "{p}:records",
        "{p}:event_of",
        "{p}:unlogged",
        "{p}:holders",
        "{p}:voided",
        event_id="ev",
        swoogo_event_id=7,
        before=b"",
        after=b"row",
        org_id="o",
        epoch=7,
        round_=0,
    )


def void_pair(scripts: Scripts) -> Awaitable[Any]:
    names = [f"{{p}}:{name}" for name in ("records", "event_of", "unlogged", "voided")]
    return scripts.void_pair(*names, event_id="ev", swoogo_event_id=7, row=b"row", round_=0)


def seize(scripts: Scripts) -> Awaitable[Any]:
    return scripts.seize_subject(STATE, op_id="erase", lease=9_000)


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
    "bring_back": (
        [record_to_claim, claim, complete_all, archive],
        lambda scripts: scripts.bring_back(
            [STATE, "{s}:archive", "{s}:figures", "{s}:ledger"], at=7, ledger={b"session/1": b'{"state":"applied"}'}
        ),
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
        lambda scripts: scripts.requeue_changelog(STATE, "{s}:ledger", "{s}:unlogged", epoch=EPOCH),
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


async def contents(redis: Redis) -> dict[bytes, Any]:
    """Every key and what it holds, but for when a script last looked at the clock, and how many wrote."""
    found: dict[bytes, Any] = {}
    for key in cast("list[bytes]", await redis.keys()):
        match await redis.type(key):
            case b"hash":
                held = cast("dict[bytes, bytes]", await redis.hgetall(key))
                found[key] = {field: value for field, value in held.items() if field not in {b"seen", b"revision"}}
            case b"set":
                found[key] = await redis.smembers(key)
            case _:
                found[key] = await redis.get(key)
    return found


@pytest.fixture(autouse=True)
async def forget(redis: Redis) -> Any:
    """These tests use keys of their own, which the check for leaks does not know."""
    await redis.hset(STATE, "epoch", str(EPOCH - 1))
    yield
    await redis.flushdb()


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


async def credits_left(redis: Redis) -> int:
    fields = cast("dict[bytes, bytes]", await redis.hgetall(CREDITS))
    seconds, micros = await redis.time()
    return read_credits(fields, seconds * 1000 + micros // 1000, 15, WINDOW).left or 0


async def test_looking_changes_nothing(redis: Redis) -> None:
    scripts = Scripts(redis)
    for step in (record, fence, permit):
        await step(scripts)
    before = await contents(redis)
    assert await credits_left(redis) == 5
    assert await scripts.next_due("{d}:due", 10) == (-1, [])
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


@pytest.mark.rule("G6")
async def test_whoever_ticks_off_too_late_has_the_newer_row_sent_again(redis: Redis) -> None:
    """A worker that lost its lease between reading and writing put an old row last on the changelog."""
    scripts = Scripts(redis)
    await record_to_claim(scripts)
    await claim(scripts)
    await write(scripts)
    await redis.delete("{s}:unlogged")  # the heir has sent it on
    late = [STATE, "{s}:ledger", "{s}:unlogged"]
    assert not await scripts.ack_outbox(*late, epoch=EPOCH - 1, fields=["k1", b"v1", "k2", b""])
    assert await redis.smembers("{s}:unlogged") == set()
    assert not await scripts.ack_outbox(*late, epoch=EPOCH - 1, fields=["k1", b"v0"])
    assert await redis.smembers("{s}:unlogged") == {b"k1"}


@pytest.mark.rule("G4", "G6")
async def test_an_epoch_grows_although_redis_forgot_the_last_one(redis: Redis) -> None:
    """A worker that was paused through a loss and its rebuild must not fit a new claim."""
    scripts = Scripts(redis)
    await redis.delete(STATE)
    await record_to_claim(scripts)
    first, *_ = await claim(scripts)
    await redis.flushdb()
    await record_to_claim(scripts)
    second, *_ = await scripts.claim_subject([STATE, *REQUESTS], op_id="another", lease=60_000)
    assert second > first


@pytest.mark.rule("G3", "G6")
@pytest.mark.parametrize(
    ("held", "unlogged", "logged", "expected"),
    [
        (None, False, (b'{"epoch":5,"at":9}', 5, 9), b'{"epoch":5,"at":9}'),
        (b'{"epoch":5,"at":9}', False, (b'{"epoch":5,"at":10}', 5, 10), b'{"epoch":5,"at":10}'),
        (b'{"epoch":5,"at":9}', False, (b'{"epoch":4,"at":99}', 4, 99), b'{"epoch":5,"at":9}'),
        (b'{"epoch":5,"at":9}', False, (b'{"epoch":6,"at":1}', 6, 1), b'{"epoch":6,"at":1}'),
        (b'{"epoch":5,"at":9}', False, (b"", 0, 10), None),
        (b'{"epoch":5,"at":9}', True, (b"", 0, 8), b'{"epoch":5,"at":9}'),
        (b'{"epoch":5,"at":9}', True, (b"", 0, 10), None),
        (None, True, (b'{"epoch":5,"at":9}', 5, 9), None),
    ],
    ids=[
        "missing",
        "later in the same claim",
        "of an earlier claim",
        "of a later claim",
        "forgotten",
        "forgotten before it was written",
        "forgotten after it was written",
        "forgotten here and not told yet",
    ],
)
async def test_of_an_entry_in_redis_and_on_the_changelog_the_newer_one_stays(
    redis: Redis, held: bytes | None, unlogged: bool, logged: tuple[bytes, int, int], expected: bytes | None
) -> None:
    """Highest epoch, then moment; what the outbox names is newer than what the changelog has of it so far."""
    scripts = Scripts(redis)
    if held:
        await redis.hset("{s}:ledger", "k", held)
    if unlogged:
        await redis.sadd("{s}:unlogged", "k")
    await scripts.restore_entries(RESTORED, ["k", *logged])
    assert await redis.hget("{s}:ledger", "k") == expected


@pytest.mark.rule("G4", "G6")
async def test_whoever_held_an_event_of_which_something_was_restored_has_lost_it(redis: Redis) -> None:
    scripts = Scripts(redis)
    await record_to_claim(scripts)
    await claim(scripts)
    assert await scripts.restore_entries(RESTORED, ["k", b'{"epoch":%d,"at":1}' % EPOCH, EPOCH, 1]) == 1
    assert not await write(scripts)
    assert await scripts.renew_lease(STATE, epoch=EPOCH, lease=60_000) == 0


@pytest.mark.rule("G6")
async def test_a_rebuild_whose_redis_was_wiped_meanwhile_is_not_complete(redis: Redis) -> None:
    scripts = Scripts(redis)
    await generation_lock(scripts)
    await redis.flushdb()
    assert not await commit_rebuild(scripts)
    assert not await keep_rebuild(scripts)
    assert not await checkpoint_rebuild(scripts)
    assert await redis.keys() == []


@pytest.mark.rule("G6")
async def test_a_rebuild_never_touches_the_lock_of_another(redis: Redis) -> None:
    scripts = Scripts(redis)
    await scripts.take_lock("{g}:lock", owner="another", milliseconds=1_000)
    assert not await keep_rebuild(scripts)
    assert not await checkpoint_rebuild(scripts)
    assert not await commit_rebuild(scripts)
    assert await redis.keys("{g}:*") == [b"{g}:lock"]
    assert 0 < await redis.pttl("{g}:lock") <= 1_000


@pytest.mark.rule("G6")
async def test_what_another_server_process_has_is_not_said_to_be_restored(redis: Redis) -> None:
    """A copy that was put in its place may hold the lock, and lacks what was put back since it was made."""
    scripts = Scripts(redis)
    await generation_lock(scripts)
    assert not await checkpoint_rebuild(scripts, process="0" * 40)
    assert await redis.keys("{g}:*") == [b"{g}:lock"]


@pytest.mark.rule("G6")
async def test_an_older_standing_read_late_does_not_replace_a_newer_one(redis: Redis) -> None:
    scripts = Scripts(redis)
    await generation_lock(scripts)
    for epoch, held in ((3, 3), (5, 5), (4, 5)):
        assert await checkpoint_rebuild(scripts, epoch=epoch)
        assert await redis.hget("{g}:standings", "connection/o") == b'{"epoch":%d}' % held


@pytest.mark.rule("G6")
async def test_a_rebuild_that_wakes_up_late_puts_back_no_pair(redis: Redis) -> None:
    scripts = Scripts(redis)
    assert await restore_pair(scripts) == -1
    await redis.hset("{p}:rebuilder", "owner", "another")
    assert await restore_pair(scripts) == -1
    assert await redis.hgetall("{p}:records") == {}


async def ask_permit(scripts: Scripts, number: int) -> tuple[int, int]:
    return await scripts.take_permit(
        [CREDITS, FENCES, f"{GRANT}{number}"],
        subject="s",
        epoch=1,
        deadline=1_000,
        cost=1,
        priority=1,
        limit=15,
        window=WINDOW,
        slots=60,
        expected=EXPECTED,
        late=0,
    )


async def answered(scripts: Scripts, number: int, remaining: int) -> None:
    await scripts.settle_permit(
        CREDITS,
        f"{GRANT}{number}",
        cost=1,
        what="spent",
        remaining=remaining,
        reset=5_000,
        limit=15,
        window=WINDOW,
        slots=60,
    )


@pytest.mark.rule("G5", "G6")
async def test_after_a_loss_one_call_asks_what_is_left_and_the_others_wait_for_it(redis: Redis) -> None:
    """Our count is gone, Swoogo's is not: 15 credits of which 12 were spent before the loss."""
    scripts = Scripts(redis)
    await fence(scripts)
    await scripts.invalidate_credits(CREDITS, window=WINDOW)
    assert await credits_left(redis) == 0
    assert (await ask_permit(scripts, 1))[0] == 1
    assert (await ask_permit(scripts, 2))[0] == 0
    await answered(scripts, 1, remaining=2)
    assert [(await ask_permit(scripts, number))[0] for number in (3, 4, 5)] == [1, 1, 0]


@pytest.mark.rule("G5", "G6")
async def test_where_swoogo_does_not_say_what_is_left_the_window_counts_as_spent(redis: Redis) -> None:
    scripts = Scripts(redis)
    await fence(scripts)
    await scripts.invalidate_credits(CREDITS, window=WINDOW)
    assert (await ask_permit(scripts, 1))[0] == 1
    await answered(scripts, 1, remaining=-1)
    assert (await ask_permit(scripts, 2))[0] == 0
    await redis.hset(CREDITS, mapping={"doubt": "1", "probe": "1"})  # the window has passed
    assert (await ask_permit(scripts, 3))[0] == 1


@pytest.mark.rule("G4")
async def test_a_fence_ends_some_time_after_the_lease_it_stands_for(redis: Redis) -> None:
    """Nothing stays of a credential that is no longer used; a longer lease is not cut short by another."""
    scripts = Scripts(redis)
    seconds, _ = await redis.time()
    now = int(seconds) * 1000
    assert await scripts.set_fence(FENCES, subject="event/long", epoch=1, until=now + 600_000)
    assert await scripts.set_fence(FENCES, subject="event/short", epoch=1, until=now + 10_000)
    assert 600_000 < await redis.pttl(FENCES) <= 661_000


@pytest.mark.rule("G4")
async def test_fences_of_a_credential_that_is_always_in_use_do_not_pile_up(redis: Redis) -> None:
    """Those that ended go; those in force stay, and no lower epoch gets past them."""
    scripts = Scripts(redis)
    seconds, _ = await redis.time()
    now = int(seconds) * 1000
    assert await scripts.set_fence(FENCES, subject="event/held", epoch=5, until=now + 600_000)
    for number in range(300):
        assert await scripts.set_fence(FENCES, subject=f"event/{number}", epoch=1, until=now - 1_000)
    assert await redis.hlen(FENCES) <= 100
    assert not await scripts.set_fence(FENCES, subject="event/held", epoch=4, until=now + 600_000)
    assert await scripts.set_fence(FENCES, subject="event/0", epoch=1, until=now - 1_000)
    verdict, _ = await scripts.take_permit(
        [CREDITS, FENCES, GRANT],
        subject="event/0",
        epoch=1,
        deadline=1,
        cost=1,
        priority=1,
        limit=10,
        window=WINDOW,
        slots=60,
        expected=EXPECTED,
        late=0,
    )
    assert verdict == -1


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
    hashes, seen = [VERSIONS, ROWS, DIRTY, OVERTAKEN], []
    for size in (1, len(changes)):
        await redis.flushdb()
        news = 0
        for start in range(0, len(changes), size):
            some = [part for change in changes[start : start + size] for part in change]
            keys = [STATE, ROWS, VERSIONS, DIRTY, OVERTAKEN, WITHDRAWN]
            news += (await Scripts(redis).record_changes(keys, quiet=0, max_wait=0, always=True, changes=some))[0]
        seen.append((news, [await redis.hgetall(name) for name in hashes]))
    assert seen[0] == seen[1]
    assert all(seen[0][1])
