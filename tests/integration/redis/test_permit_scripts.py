"""What the scripts decide about credits and fences."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.scripts import Scripts
from tests.integration.redis.script_calls import CREDITS, FENCES, GRANT, WINDOW, credits_left, fence, take_permit

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("keys_of_its_own")]


async def ask_permit(scripts: Scripts, number: int) -> tuple[int, int]:
    return await take_permit(scripts, f"{GRANT}{number}")


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
    verdict, _ = await take_permit(scripts, subject="event/0", deadline=1, limit=10)
    assert verdict == -1
