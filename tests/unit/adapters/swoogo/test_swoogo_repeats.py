"""What the client does without a usable answer: repeats, deadlines, 429 and 401."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from consumer.domain.errors import CredentialError, RefusedError, RetryableError, UnansweredError, UnavailableError
from consumer.domain.pacing.circuit import CircuitRule
from consumer.domain.records.identity import Kind
from tests.support.waiting import wait_until
from tests.unit.adapters.swoogo.client_uses import ALL, EMAIL, USES, WORK, Use, create, settled, update
from tests.unit.adapters.swoogo.world import Reply, a_work, a_world, answer

REPEATABLE = pytest.mark.parametrize(("use", "good", "cost"), USES[1:], ids=[use.__name__ for use, _, _ in USES[1:]])


HTML = httpx.Response(200, content=b"<!DOCTYPE html><html></html>")


HALF = httpx.Response(200, content=b'{"id": 9, "na')


RESET = httpx.ReadError("reset")


BROKEN: list[tuple[str, Reply]] = [
    ("500", answer({"message": "boom"}, 500)),
    ("503 without a body", answer(None, 503)),
    ("HTML in a 200", HTML),
    ("half JSON in a 200", HALF),
    ("HTML in a 502", httpx.Response(502, content=b"<html>")),
    ("connection reset", RESET),
    ("disconnected", httpx.RemoteProtocolError("Server disconnected without sending a response.")),
]


AFTER_A_BYTE = pytest.mark.parametrize("broken", [reply for _, reply in BROKEN], ids=[name for name, _ in BROKEN])


@pytest.mark.rule("G2")
@AFTER_A_BYTE
async def test_a_create_is_never_repeated_once_it_was_sent(broken: Reply) -> None:
    """It may exist; the next survey looks for it."""
    world = a_world(broken, answer({"id": 9}))
    with pytest.raises(UnansweredError):
        await create(world)
    assert len(world.api.calls) == 1
    assert world.budget.credits == 2
    assert settled(world)


@REPEATABLE
@AFTER_A_BYTE
async def test_what_is_safe_to_repeat_is_repeated_once_after_a_moment(
    use: Use, good: Reply, cost: int, broken: Reply
) -> None:
    world = a_world(broken, good)
    await use(world)
    assert len(world.api.calls) == 2
    assert world.clock.slept == [0.5]
    assert world.budget.credits == 1 + 2 * cost


@REPEATABLE
@AFTER_A_BYTE
async def test_a_lasting_failure_is_unavailable_after_one_repeat(
    use: Use, good: Reply, cost: int, broken: Reply
) -> None:
    world = a_world(broken)
    with pytest.raises(UnavailableError):
        await use(world)
    assert len(world.api.calls) == 2
    assert settled(world)


@pytest.mark.rule("G2")
@pytest.mark.parametrize("body", [None, {}, [], {"id": None}, {"id": "x"}, {"id": True}, "ok"])
async def test_a_create_answered_without_an_id_is_unanswered(body: Any) -> None:
    with pytest.raises(UnansweredError, match="without an id"):
        await create(a_world(answer(body, 201)))


@ALL
@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")], ids=repr
)
async def test_a_call_that_never_left_is_unavailable_also_for_creates(
    use: Use, good: Reply, cost: int, error: Exception
) -> None:
    """No byte was sent: nothing can have been created, and nothing is charged."""
    world = a_world(error)
    with pytest.raises(UnavailableError):
        await use(world)
    assert (world.budget.credits, world.client.spent(WORK)) == (1, 1)
    assert settled(world)


async def test_a_create_that_could_not_be_sent_is_sent_after_a_moment() -> None:
    world = a_world(httpx.ConnectError("refused"), answer({"id": 9}))
    assert (await create(world)).swoogo_id == 9


@REPEATABLE
async def test_a_slow_answer_is_not_waited_for_twice(use: Use, good: Reply, cost: int) -> None:
    world = a_world(httpx.ReadTimeout("slow"), good)
    with pytest.raises(UnavailableError, match="in time"):
        await use(world)
    assert len(world.api.calls) == 1


async def forever(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def test_the_deadline_ends_a_call_whatever_the_server_does() -> None:
    """swoogo-api.md 11.2: the API can hang."""
    world = a_world(forever, deadline=0.5)
    with pytest.raises(UnansweredError, match=r"within 0\.5 seconds\. The call was the creation of a speaker"):
        await create(world)
    with pytest.raises(UnavailableError, match=r"within 0\.5 seconds"):
        await update(world)
    assert settled(world)


async def test_a_server_that_asks_for_time_gets_it() -> None:
    world = a_world(answer(None, 503, retry_after="120"), answer({"id": 7}))
    with pytest.raises(UnavailableError) as caught:
        await update(world)
    assert caught.value.after == 120
    assert len(world.api.calls) == 1


@pytest.mark.rule("G5")
async def test_a_429_gives_its_credits_back_and_waits_through_the_permit() -> None:
    """swoogo-api.md 3: X-Rate-Limit-Reset is seconds. A create is sent again too: nothing was done."""
    world = a_world(answer(None, 429, x_rate_limit_reset="42", x_rate_limit_remaining="0"), answer({"id": 9}))
    assert (await create(world)).swoogo_id == 9
    assert world.budget.holds == [42]
    assert world.api.log.count("permit 1") == 3
    assert (world.budget.credits, world.client.spent(WORK)) == (2, 2)
    assert world.budget.observed == []
    assert settled(world)


@pytest.mark.parametrize(
    ("headers", "hold"),
    [
        ({}, 600),
        ({"retry_after": "7"}, 7),
        ({"x_rate_limit_reset": "0"}, 1),
        ({"x_rate_limit_reset": "1754654400"}, 600),
        ({"x_rate_limit_reset": "soon"}, 600),
        ({"x_rate_limit_reset": "nan"}, 600),
    ],
)
async def test_a_429_without_a_sane_reset_waits_for_the_window_at_most(headers: dict[str, str], hold: float) -> None:
    world = a_world(answer(None, 429, **headers), answer({"id": 7}))
    await update(world)
    assert world.budget.holds == [hold]


async def test_a_429_without_end_gives_up() -> None:
    world = a_world(answer(None, 429, x_rate_limit_reset="5"))
    with pytest.raises(UnavailableError, match="429") as caught:
        await update(world)
    assert caught.value.after == 5
    assert len(world.budget.holds) == len(world.api.calls) == 6
    assert settled(world)


@pytest.mark.rule("G5")
async def test_what_swoogo_says_is_left_is_passed_on() -> None:
    world = a_world(answer({"id": 7}, x_rate_limit_remaining="1490", x_rate_limit_reset="300"))
    await update(world)
    assert world.budget.observed == [(1490, 300)]


@ALL
async def test_a_401_is_answered_with_one_new_token(use: Use, good: Reply, cost: int) -> None:
    """swoogo-api.md 1: ask again on a 401. A create is sent again too: nothing was done."""
    world = a_world(answer({"message": "invalid credentials"}, 401), good)
    await use(world)
    assert len(world.api.token_calls) == 2
    assert [call.headers["authorization"] for call in world.api.calls] == ["Bearer token-1", "Bearer token-2"]
    assert settled(world)


async def test_a_second_401_is_the_credentials_fault() -> None:
    world = a_world(answer({"message": "invalid credentials"}, 401))
    with pytest.raises(CredentialError):
        await update(world)
    assert len(world.api.calls) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_names_the_setting(status: int) -> None:
    """The credential would travel along."""
    away = answer(None, status, location="https://elsewhere.example/")
    world = a_world(away)
    with pytest.raises(UnavailableError, match=r"https://api\.swoogo\.com/api/v1; set SWOOGO_SYNC_SWOOGO__BASE_URL"):
        await update(world)
    assert {call.url.host for call in world.api.calls} == {"api.swoogo.com"}
    with pytest.raises(UnansweredError, match="SWOOGO_SYNC_SWOOGO__BASE_URL"):
        await create(a_world(away))


async def test_an_answer_beyond_the_cap_is_no_answer() -> None:
    huge = httpx.Response(200, content=b'"' + b"x" * 200_000 + b'"')
    world = a_world(huge, max_answer_bytes=100_000)
    with pytest.raises(UnavailableError, match="larger than 100000 bytes"):
        await update(world)
    assert len(world.api.calls) == 1
    with pytest.raises(UnansweredError):
        await create(world)


@pytest.mark.rule("G2")
async def test_a_create_that_was_answered_is_not_lost_with_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store of the credits failing after the answer must not make a created record look uncreated."""
    world = a_world(answer({"id": 9}))

    async def broken(*_: Any, **__: Any) -> None:
        raise UnavailableError("the store is away")

    monkeypatch.setattr(world.budget, "spent", broken)
    assert (await create(world)).swoogo_id == 9
    world = a_world(RESET)
    monkeypatch.setattr(world.budget, "spent", broken)
    with pytest.raises(UnansweredError):
        await create(world)


async def test_a_call_broken_off_counts_and_passes_the_cancellation_on() -> None:
    world = a_world(forever)
    running = asyncio.create_task(update(world))
    await wait_until(lambda: world.api.calls, "the call is under way")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert world.budget.credits == 2
    assert settled(world)


async def test_no_cookie_of_one_credential_travels_with_another() -> None:
    world = a_world(answer({"id": 7}, set_cookie="session=secret; Path=/"))
    await update(world)
    await world.client.update(a_work(key="another"), Kind.TRACK, 7, {"name": "New"})
    assert all("cookie" not in call.headers for call in world.api.calls)
    assert not world.client._channel._http.cookies


async def test_no_secret_or_address_is_in_an_error_or_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    broken: list[Reply] = [reply for _, reply in BROKEN]
    broken += [answer([{"field": "email", "message": f"{EMAIL} is taken"}], 422), answer(None, 401)]
    broken += [httpx.LocalProtocolError("Illegal header value b'Bearer token-1'"), answer({"id": None})]
    said = []
    for reply in broken:
        with pytest.raises((RetryableError, RefusedError, CredentialError)) as caught:
            await create(a_world(reply))
        said += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
    text = " ".join(said) + caplog.text
    for secret in (EMAIL, "ann%40", "token-", "s ecret", "Basic ", "Bearer "):
        assert secret not in text


@pytest.mark.rule("G5")
async def test_an_open_circuit_lets_no_call_out() -> None:
    """Also one that was planned before it opened."""
    world = a_world(answer({"message": "boom"}, 500), rule=CircuitRule(failures=1))
    await world.circuits.failed(WORK.connection.credential, "Swoogo is away.")
    with pytest.raises(UnavailableError) as told:
        await create(world)
    assert told.value.after > 0
    assert world.api.calls == []
    assert settled(world)
