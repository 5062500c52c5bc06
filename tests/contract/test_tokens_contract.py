"""The shared token: good until it expires, dropped only by who means this one, asked for by one at a time."""

from __future__ import annotations

import asyncio

from tests.contract.bench import CREDENTIAL, Bench
from tests.contract.conftest import MakeBench


async def test_a_token_is_shared_and_gone_when_it_expires(make_bench: MakeBench) -> None:
    here, there = make_bench(), make_bench()
    assert await here.tokens.get(CREDENTIAL) is None
    start = await here.now()
    await here.tokens.put(CREDENTIAL, "secret-token", 0.3)
    assert await there.tokens.get(CREDENTIAL) == "secret-token"
    assert await there.tokens.get("another") is None

    async def expired() -> bool:
        return await there.tokens.get(CREDENTIAL) is None

    assert await there.until(expired, "the token expires") - start >= 300


async def test_a_refused_token_is_dropped_unless_another_has_come_in_its_place(bench: Bench) -> None:
    await bench.tokens.put(CREDENTIAL, "new", 60)
    await bench.tokens.drop(CREDENTIAL, "old")
    assert await bench.tokens.get(CREDENTIAL) == "new"
    await bench.tokens.drop(CREDENTIAL, "new")
    assert await bench.tokens.get(CREDENTIAL) is None
    await bench.tokens.drop(CREDENTIAL, "new")


async def test_one_at_a_time_asks_for_a_token_and_asking_twice_is_the_same(bench: Bench) -> None:
    answers = await asyncio.gather(*(bench.tokens.lock(CREDENTIAL, f"owner-{number}", 60) for number in range(10)))
    assert sum(answers) == 1
    owner = f"owner-{answers.index(True)}"
    assert await bench.tokens.lock(CREDENTIAL, owner, 60)
    await bench.tokens.unlock(CREDENTIAL, "somebody else")
    assert not await bench.tokens.lock(CREDENTIAL, "somebody else", 60)
    assert await bench.tokens.lock("another", "somebody else", 60)
    await bench.tokens.unlock(CREDENTIAL, owner)
    assert await bench.tokens.lock(CREDENTIAL, "somebody else", 60)


async def test_locks_of_different_purposes_do_not_know_of_each_other(bench: Bench) -> None:
    assert await bench.tokens.lock(CREDENTIAL, "one", 60)
    assert await bench.tokens.lock(CREDENTIAL, "another", 60, what="levels")
    await bench.tokens.unlock(CREDENTIAL, "one")
    assert not await bench.tokens.lock(CREDENTIAL, "one", 60, what="levels")
    await bench.tokens.unlock(CREDENTIAL, "another", what="levels")
    assert await bench.tokens.lock(CREDENTIAL, "one", 60, what="levels")


async def test_a_lock_whose_owner_died_ends_by_itself(bench: Bench) -> None:
    start = await bench.now()
    await bench.tokens.lock(CREDENTIAL, "died", 0.2)
    assert await bench.until(lambda: bench.tokens.lock(CREDENTIAL, "heir", 60), "the lock is free") - start >= 200
