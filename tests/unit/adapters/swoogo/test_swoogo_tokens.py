"""Access tokens: asked for once, shared, replaced; credentials tried (swoogo-api.md 1)."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import httpx
import pytest

from consumer.domain.errors import UnavailableError
from consumer.domain.push.run import Trigger
from tests.unit.adapters.swoogo.token_calls import GOOD, ID, call
from tests.unit.adapters.swoogo.world import MemoryTokens, Reply, World, a_world, answer, token

pytestmark = pytest.mark.rule("C3")


async def test_the_token_call_is_exactly_the_documented_one() -> None:
    """swoogo-api.md 1: Basic of the url-encoded pair, a form, one field."""
    world = a_world(GOOD)
    await call(world)
    asked = world.api.token_calls[0]
    assert (asked.method, asked.url.path, asked.url.query) == ("POST", "/api/v1/oauth2/token", b"")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded;charset=UTF-8"
    assert asked.content == b"grant_type=client_credentials"
    scheme, _, encoded = asked.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded)) == ("Basic", b"k%2Fey%3A1:s%20ecret%2B%C3%A9")


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (token("t", "2025-08-08 12:30:00"), 1_740),
        (token("t", "2025-08-08T12:30:00Z"), 1_740),
        (token("t", "2025-08-08 21:30:00+09:00"), 1_740),
        (token("t", "2025-08-08 12:01:30"), 30),
        (token("t", "2025-08-08 12:01:00"), 15),
        (token("t", "2025-08-08 08:00:00"), 15),
        (token("t", "2035-08-08 08:00:00"), 86_400),
        (answer({"access_token": "t", "expires_in": 600}), 540),
        (answer({"access_token": "t", "expires_in": "600"}), 540),
        (answer({"access_token": "t", "expires_at": None, "expires_in": None}), 1_740),
        (answer({"access_token": "t", "expires_at": "soon"}), 1_740),
        (answer({"access_token": "t"}, 201), 1_740),
    ],
)
async def test_a_token_is_used_until_a_minute_before_its_end(reply: Reply, seconds: float) -> None:
    """swoogo-api.md 1: expires_at is UTC without saying so; expires_in is not documented and tolerated.

    What was just given is good for a moment even when the clocks disagree.
    """
    world = a_world(GOOD, token_replies=[reply])
    await call(world)
    assert world.tokens.kept_for == [seconds]


async def test_the_zone_of_this_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """swoogo-api.md 1: expires_at without a zone is UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        world = a_world(GOOD, token_replies=[token("t", "2025-08-08 12:30:00")])
        await call(world)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert world.tokens.kept_for == [1_740]


async def test_one_token_serves_until_its_time_is_up() -> None:
    world = a_world(GOOD)
    await call(world)
    world.clock.ms += 1_739_000
    await call(world)
    assert len(world.api.token_calls) == 1
    world.clock.ms += 2_000
    await call(world)
    assert len(world.api.token_calls) == 2


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": "a b"},
        {"access_token": "a\r\nb"},
        {"access_token": "é"},
        {"token": "t"},
    ],
)
async def test_an_answer_without_a_usable_token_is_unavailable(body: Any) -> None:
    """A token with a line end would surface in an error about an illegal header."""
    with pytest.raises(UnavailableError, match="without an access token"):
        await call(a_world(GOOD, token_replies=[answer(body)]))


@pytest.mark.parametrize("trigger_count", [1, 3])
async def test_however_many_calls_start_at_once_one_token_is_asked_for(trigger_count: int) -> None:
    triggers = list(Trigger)[:trigger_count]
    world = a_world(GOOD)
    await asyncio.gather(*(call(world, trigger) for trigger in triggers * 20))
    assert len(world.api.token_calls) == 1
    assert len(world.api.calls) == 20 * trigger_count
    assert not world.tokens.locks


async def test_replicas_share_a_token_and_its_making(monkeypatch: pytest.MonkeyPatch) -> None:
    """One replica asks, the other waits for what it gets."""
    first, second = a_world(GOOD), a_world(GOOD)
    share(first, second)
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slowly(_: httpx.Request) -> httpx.Response:
        asked.set()
        await may_answer.wait()
        return token("shared")

    waits = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.set()
        await may_answer.wait()

    monkeypatch.setattr(second.clock, "sleep", sleep)
    first.api.token_replies.append(slowly)
    one = asyncio.create_task(call(first))
    await asked.wait()
    other = asyncio.create_task(call(second))
    await waits.wait()
    may_answer.set()
    await asyncio.gather(one, other)
    assert second.api.token_calls == []
    assert second.budget.credits == 1
    assert second.api.calls[0].headers["authorization"] == "Bearer shared"


async def test_a_replica_that_died_while_asking_is_not_waited_for_for_ever() -> None:
    world = a_world(GOOD)
    await world.tokens.lock(ID, "dead", 40)
    await call(world)
    assert 40 <= sum(world.clock.slept) < 41
    assert len(world.api.token_calls) == 1


async def test_a_lock_that_never_comes_free_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world(GOOD)

    async def taken(*_: Any) -> bool:
        return False

    monkeypatch.setattr(world.tokens, "lock", taken)
    with pytest.raises(UnavailableError, match="another replica"):
        await call(world)
    assert world.api.log == ["permit 1"]
    assert world.budget.credits == 0
    assert not world.budget.open


async def test_a_revoked_token_is_replaced_once_for_all_calls_under_way() -> None:
    """One new token for all, whatever the order in which the refusals come."""
    world = a_world(GOOD)
    await call(world)

    async def by_token(request: httpx.Request) -> httpx.Response:
        return answer(None, 401) if request.headers["authorization"] == "Bearer token-1" else GOOD

    world.api.replies[:] = [by_token]
    await asyncio.gather(*(call(world) for _ in range(20)))
    assert len(world.api.token_calls) == 2


async def test_a_refused_token_does_not_come_back_from_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read of the store that was under way when the token was dropped must not make it the current one."""
    world = a_world(GOOD)
    await call(world)

    async def by_token(request: httpx.Request) -> httpx.Response:
        return answer(None, 401) if request.headers["authorization"] == "Bearer token-1" else GOOD

    async def keeps(*_: Any) -> None:
        return

    world.api.replies[:] = [by_token]
    monkeypatch.setattr(world.tokens, "drop", keeps)
    await call(world)
    assert len(world.api.token_calls) == 2


async def test_a_token_that_another_replica_got_meanwhile_is_used() -> None:
    world = a_world(answer(None, 401), GOOD)
    await call_with_other_token(world)
    assert world.api.token_calls == []
    assert [each.headers["authorization"] for each in world.api.calls] == ["Bearer old", "Bearer new"]


async def call_with_other_token(world: World) -> None:
    await world.tokens.put(ID, "old", 100)

    async def replaced(request: httpx.Request) -> httpx.Response:
        await world.tokens.put(ID, "new", 100)
        return answer(None, 401)

    world.api.replies[0] = replaced
    await call(world)


def share(first: World, second: World) -> None:
    """Let two replicas see one store of tokens; each has a clock of its own."""
    tokens: MemoryTokens = first.tokens
    second.tokens.tokens, second.tokens.locks = tokens.tokens, tokens.locks
