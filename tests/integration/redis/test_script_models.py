"""Random histories: the scripts against the rules they apply, written down plainly.

The server's own clock decides, so a model is asked with the moments just before and just after a script ran, and
the script's answer must lie between the two.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.client import read_hash
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.debounce import due_at
from tests.contract.bench import stamped
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration

STATE, ROWS, VERSIONS, DIRTY, ORDERS = (f"{{s}}:{name}" for name in ("state", "rows", "versions", "dirty", "orders"))
CREDITS, FENCES = "{c}:credits", "{c}:fences"


async def now_of(redis: Redis) -> int:
    seconds, micros = await redis.time()
    return int(seconds * 1000 + micros // 1000)


@pytest.fixture(autouse=True)
async def forget(redis: Redis) -> AsyncIterator[None]:
    """These tests use keys of their own, which the check for leaks does not know."""
    yield
    await redis.flushdb()


@dataclass
class Subject:
    """What the inbox should know of one event: stamps, marks, and the moments that decide when it is due."""

    quiet: int
    max_wait: int
    stamps: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    first: int | None = None
    hold: int = 0
    due: int | None = None

    def record(self, changes: list[tuple[str, str]]) -> int:
        """How many are news (G3)."""
        news = 0
        for key, stamp in changes:
            if stamp > self.stamps.get(key, ""):
                self.stamps[key] = self.marks[key] = stamp
                news += 1
        return news

    def complete(self, marks: dict[str, str]) -> None:
        """Marks that moved meanwhile stay."""
        for key, stamp in marks.items():
            if self.marks.get(key) == stamp:
                del self.marks[key]


@pytest.mark.parametrize("seed", range(12))
async def test_a_history_of_changes_and_pushes_agrees_with_the_rules_of_debounce(redis: Redis, seed: int) -> None:
    """G1, G3: news are counted, marks are kept, and the event is due when `domain.debounce.due_at` says so."""
    chance = random.Random(seed)
    scripts = Scripts(redis)
    model = Subject(quiet=chance.choice([0, 5, 60_000]), max_wait=chance.choice([60_000, 90_000]))
    epoch = 0
    for step in range(60):
        if chance.random() < 0.75:
            changes = [(f"session/{chance.randrange(6)}", stamped(chance.randrange(1, 40))) for _ in range(3)]
            before = await now_of(redis)
            news, due = await scripts.record_changes(
                [STATE, ROWS, VERSIONS, DIRTY],
                quiet=model.quiet,
                max_wait=model.max_wait,
                always=True,
                changes=[part for key, stamp in changes for part in (key, stamp, stamp.encode())],
            )
            after = await now_of(redis)
            assert news == model.record(changes)
            if model.marks and (news or model.due is None):
                low, high = (
                    due_at(now, now if model.first is None else model.first, model.quiet, model.max_wait, model.hold)
                    for now in (before, after)
                )
                assert low <= due <= high
                model.due = due
                model.first = int(await redis.hget(STATE, "first") or 0)
                assert model.first <= after
            assert due == (-1 if model.due is None else model.due)
        elif model.due is not None:
            # Whoever waits for the moment itself would wait a minute: the moment is brought here instead.
            await redis.hset(STATE, "due", 0)
            seen = dict(model.marks)
            epoch, *_ = await scripts.claim_subject(STATE, op_id=f"op-{step}", lease=60_000)
            assert epoch
            dealt_with = {key: stamp for key, stamp in seen.items() if chance.random() < 0.8}
            retry = chance.choice([-1, -1, 40_000])
            before = await now_of(redis)
            due = await scripts.complete_subject(
                [STATE, DIRTY, ORDERS],
                epoch=epoch,
                quiet=model.quiet,
                max_wait=model.max_wait,
                retry_in=retry,
                failed=retry > 0,
                always=True,
                op_id=f"op-{step}",
                request=b"",
                survey_in=-1,
                marks=[part for mark in dealt_with.items() for part in mark],
            )
            after = await now_of(redis)
            model.complete(dealt_with)
            model.first, model.hold, model.due = None, 0, None
            if retry > 0:
                assert before + retry <= due <= after + retry
                model.hold = model.due = due
            elif model.marks:
                assert before + model.quiet <= due <= after + model.quiet
                model.due = due
            else:
                assert due == -1
        assert await read_hash(redis, DIRTY) == _bytes(model.marks)
        assert await read_hash(redis, ROWS) == _bytes(model.stamps)


@dataclass
class Call:
    """Credits of one call: they count from the permit until a window after the answer."""

    cost: int
    started: int
    answered: tuple[int, int] | None = None

    def counts(self, at: int) -> bool:
        """Whether it certainly counts at this moment."""
        return self.answered is None or self.answered[0] > at

    def may_count(self, at: int) -> bool:
        """Whether it may count, given that moments are known to a slot only."""
        return self.answered is None or self.answered[1] > at


@pytest.mark.parametrize("seed", range(6))
async def test_permits_agree_with_a_count_of_the_calls_of_the_last_window(redis: Redis, seed: int) -> None:
    """G5: never more than the limit in any window, and no refusal while a window has room."""
    chance = random.Random(seed)
    scripts = Scripts(redis)
    limit, window, slots = 30, 200, 20
    await scripts.set_fence(FENCES, subject="s", epoch=1, until=2**52)
    calls: dict[str, Call] = {}
    refusals = 0
    for step in range(80):
        grant = f"{{c}}:grant:{step}"
        cost = chance.choice([1, 1, 10])
        before = await now_of(redis)
        verdict, wait = await scripts.take_permit(
            [CREDITS, FENCES, grant],
            subject="s",
            epoch=1,
            deadline=1_000,
            cost=cost,
            priority=1,
            limit=limit,
            window=window,
            slots=slots,
        )
        after = await now_of(redis)
        if verdict == 1:
            assert sum(call.cost for call in calls.values() if call.counts(after - window)) + cost <= limit
            calls[grant] = Call(cost, after)
        else:
            refusals += 1
            oldest = before - window - 2 * window // slots
            assert sum(call.cost for call in calls.values() if call.may_count(oldest)) + cost > limit
            assert 0 < wait <= window + 2 * window // slots
        open_calls = [name for name, call in calls.items() if call.answered is None]
        # Deadlines are far shorter than a window: no call stays open for long.
        overdue = [name for name in open_calls if after - calls[name].started > window // 4]
        if open_calls and (overdue or chance.random() < 0.8):
            settled = chance.choice(overdue or open_calls)
            what = chance.choice(["spent", "spent", "returned"])
            before = await now_of(redis)
            await scripts.settle_permit(
                CREDITS,
                settled,
                cost=calls[settled].cost,
                what=what,
                remaining=-1,
                reset=0,
                limit=limit,
                window=window,
                slots=slots,
            )
            if what == "returned":
                del calls[settled]
            else:
                calls[settled].answered = (before, await now_of(redis))
        pause = await now_of(redis) + chance.choice([0, 0, 5, 15])
        await wait_until(partial(_reached, redis, pause), "a moment passed")
    assert refusals


async def _reached(redis: Redis, moment: int) -> bool:
    return await now_of(redis) >= moment


def _bytes(texts: dict[str, str]) -> dict[bytes, bytes]:
    return {key.encode(): text.encode() for key, text in texts.items()}
