"""Credits (`swoogo-api.md` 3)."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from sandbox.swoogo import SandboxSwoogo
from sandbox.swoogo.credits import Allowance, CreditMeter
from tests.sandbox.swoogo.calls import Caller, Clock


def headers(answer: httpx.Response) -> tuple[int, int, int]:
    limit, remaining, reset = (int(answer.headers[f"X-Rate-Limit-{name}"]) for name in ("Limit", "Remaining", "Reset"))
    return limit, remaining, reset


@pytest.mark.parametrize(
    ("path", "cost"),
    [
        ("/events", 10),
        ("/sessions?event_id=12", 10),
        ("/speakers?event_id=12", 10),
        ("/sponsors/fields", 10),
        ("/contacts", 10),
        ("/events/12", 1),
        ("/events/12?expand=sessions,speakers,sponsors", 1),
    ],
)
async def test_a_list_costs_ten_and_the_rest_one(swoogo: Caller, path: str, cost: int) -> None:
    """swoogo-api.md 3: and the three headers say so; Reset is seconds to wait."""
    assert headers(await swoogo.get(path)) == (2000, 2000 - cost, 600)


async def test_a_write_costs_one(swoogo: Caller) -> None:
    """swoogo-api.md 3: also a link, whose path looks like no list."""
    assert headers(await swoogo.create("tracks", event_id=12, name="A"))[1] == 1999
    assert headers(await swoogo.link(1, [1]))[1] == 1998


async def test_over_the_limit_is_429_until_the_reset(sandbox: SandboxSwoogo, swoogo: Caller, clock: Clock) -> None:
    """swoogo-api.md 3: wait `X-Rate-Limit-Reset` seconds; a refused call does nothing and costs nothing."""
    sandbox.configure(limit=12)
    await swoogo.get("/sessions?event_id=12")
    clock.advance(100.5)
    refused = await swoogo.get("/sessions?event_id=12")
    assert (refused.status_code, refused.json()["name"]) == (429, "Too Many Requests")
    assert headers(refused) == (12, 2, 500)
    assert (await swoogo.create("tracks", event_id=12, name="A")).status_code == 201
    assert (await swoogo.create("tracks", event_id=12, name="B")).status_code == 201
    assert (await swoogo.create("tracks", event_id=12, name="C")).status_code == 429
    assert len(sandbox.state()["tracks"]) == 2
    clock.advance(499.4)
    assert (await swoogo.get("/events/12")).status_code == 429
    clock.advance(0.1)
    assert headers(await swoogo.get("/events/12")) == (12, 11, 600)
    assert sandbox.stats()["refused_429"] == 3


async def test_every_credential_has_its_own_credits(swoogo: Caller) -> None:
    """swoogo-api.md 3: per API credential, not per token."""
    other = Caller(swoogo.client, "other", "x")
    assert headers(await swoogo.get("/events"))[1] == 1990
    assert headers(await other.get("/events/99"))[1] == 1999
    await swoogo.token()
    assert headers(await swoogo.get("/events/12"))[1] == 1989


@pytest.mark.parametrize(("costs", "remaining"), [(False, 1999), (True, 1998)])
async def test_whether_a_token_costs_a_credit_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, costs: bool, remaining: int
) -> None:
    """swoogo-api.md 3: unknown."""
    sandbox.configure(switches={"token_costs_credit": costs})
    assert headers(await swoogo.get("/events/12"))[1] == remaining


@pytest.mark.parametrize(("costs", "remaining"), [(True, 1988), (False, 2000)])
async def test_whether_a_refusal_costs_credits_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, costs: bool, remaining: int
) -> None:
    """swoogo-api.md 3: unknown; a 400, 404 and 422 are priced as the call would be, a 500 always."""
    sandbox.configure(switches={"refused_costs_credit": costs})
    assert (await swoogo.get("/sessions")).status_code == 400
    assert (await swoogo.create("tracks")).status_code == 422
    assert headers(await swoogo.get("/sessions/1"))[1] == remaining
    assert headers(await swoogo.get("/sessions?event_id=12&search=id=x"))[1] == remaining - 10


async def test_the_headers_can_be_missing(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 3: documented as always there; the switch takes them away."""
    assert "X-Rate-Limit-Remaining" in (await swoogo.token()).headers
    sandbox.configure(switches={"rate_headers": "never"})
    assert not [name for name in (await swoogo.get("/events/12")).headers if name.startswith("x-rate")]


async def test_a_leaky_bucket_refills_all_the_time(sandbox: SandboxSwoogo, swoogo: Caller, clock: Clock) -> None:
    """swoogo-api.md 3: Yii2's limiter; Reset is the time until full, and the whole window on a refusal."""
    sandbox.configure(switches={"limiter": "leaky_bucket"}, limit=20, window=100)
    await swoogo.get("/events")
    assert headers(await swoogo.get("/events")) == (20, 0, 100)
    refused = await swoogo.get("/events/12")
    assert (refused.status_code, headers(refused)) == (429, (20, 0, 100))
    clock.advance(5)
    assert headers(await swoogo.get("/events/12")) == (20, 0, 100)
    clock.advance(50)
    assert headers(await swoogo.get("/events/12")) == (20, 9, 55)


def meter_after(spends: list[tuple[float, int]]) -> CreditMeter:
    meter, allowance = CreditMeter(), Allowance(limit=10, window=100, limiter="fixed_window")
    for at, cost in spends:
        meter.spend(cost, now=at, allowance=allowance)
    return meter


@pytest.mark.parametrize(
    ("spends", "sliding", "fixed"),
    [
        ([(0, 5), (99, 5)], 10, 10),
        ([(0, 1), (99, 9), (100, 10)], 19, 10),
        ([(0, 5), (100, 5)], 5, 5),
        ([(0, 1), (50, 4), (149, 5), (150, 5)], 10, 10),
    ],
)
def test_the_most_credits_in_any_window(spends: list[tuple[float, int]], sliding: int, fixed: int) -> None:
    """A burst at the end of a fixed window and one at the start of the next are one sliding window."""
    meter = meter_after(spends)
    assert (meter.most_sliding, meter.most_fixed) == (sliding, fixed)


async def test_the_stats_show_the_windows(sandbox: SandboxSwoogo, swoogo: Caller, clock: Clock) -> None:
    await swoogo.get("/events/12")
    clock.advance(599)
    await swoogo.get("/events")
    clock.advance(1)
    await swoogo.token()
    swoogo_again = Caller(swoogo.client, "key", "s ecret:1")
    await swoogo_again.get("/events")
    assert sandbox.stats()["credentials"]["key"] == {
        "credits": 21,
        "refused_429": 0,
        "most_in_sliding_window": 20,
        "most_in_fixed_window": 11,
    }


async def test_latency_is_half_before_and_half_after_the_effect(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """So a client that is killed in between leaves a write without an answer."""
    await swoogo.get("/events/12")
    sandbox.configure(latency_ms=40)
    loop = asyncio.get_running_loop()
    started = loop.time()
    call = asyncio.create_task(swoogo.create("tracks", event_id=12, name="A"))
    while not sandbox.state()["tracks"]:
        await asyncio.wait([call], timeout=0.001)
    assert not call.done()
    assert loop.time() - started >= 0.02
    await call
    assert loop.time() - started >= 0.04


async def test_calls_that_overlap_never_pass_the_limit(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 3: latency makes calls overlap, the credits are still counted one by one."""
    sandbox.configure(limit=30, latency_ms=2)
    await swoogo.token()
    answers = await asyncio.gather(*(swoogo.create("tracks", event_id=12, name=f"T{n}") for n in range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] * 30 + [429] * 20
