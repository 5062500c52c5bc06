"""Tokens that are refused, throttled or late, and verifying credentials."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from consumer.domain.connections.connection import IntegrationRequest
from consumer.domain.errors import CredentialError, LeaseLostError, UnavailableError
from consumer.domain.push.run import Trigger
from tests.unit.adapters.swoogo.token_calls import GOOD, ID, call
from tests.unit.adapters.swoogo.world import KEY, SECRET, Reply, a_work, a_world, answer, token

pytestmark = pytest.mark.rule("C3")


WORK = a_work()


REQUEST = IntegrationRequest("org-1", connected=True, secret_name=KEY)


REFUSED = answer({"message": "You have provided invalid API details."}, 401)


@pytest.mark.parametrize("status", [400, 401, 403, 422])
async def test_refused_credentials_are_the_organizations_trouble(status: int) -> None:
    """swoogo-api.md 1: 401 `You have provided invalid API details.`"""
    world = a_world(GOOD, token_replies=[answer({"message": "You have provided invalid API details."}, status)])
    with pytest.raises(CredentialError, match="refuses the consumer key and secret") as caught:
        await call(world)
    assert SECRET not in str(caught.value)
    assert world.api.calls == []
    assert not world.tokens.locks
    assert not world.budget.open


async def test_refused_credentials_are_not_tried_by_every_call_again() -> None:
    world = a_world(GOOD, token_replies=[REFUSED, token("t")])
    results = await asyncio.gather(*(call(world) for _ in range(10)), return_exceptions=True)
    assert {type(result) for result in results} == {CredentialError}
    assert len(world.api.token_calls) == 1
    world.clock.ms += 10_000
    await call(world)


@pytest.mark.parametrize(
    "broken",
    [
        answer(None, 503),
        answer(None, 500),
        httpx.Response(200, content=b"<html>"),
        httpx.ReadError("reset"),
        httpx.ConnectError("refused"),
    ],
)
async def test_trouble_with_the_token_call_is_unavailable(broken: Reply) -> None:
    world = a_world(GOOD, token_replies=[broken])
    with pytest.raises(UnavailableError, match="token") as caught:
        await call(world)
    assert caught.value.__cause__ is None
    assert world.api.calls == []
    assert not world.tokens.locks
    assert not world.budget.open


@pytest.mark.rule("G5")
async def test_a_throttled_token_call_holds_the_credential() -> None:
    """A 429 counts for all replicas, whichever call gets it."""
    world = a_world(GOOD, token_replies=[answer(None, 429, x_rate_limit_reset="30")])
    with pytest.raises(UnavailableError) as caught:
        await call(world)
    assert (caught.value.after, world.budget.holds) == (30, [30])


async def test_a_redirected_token_call_names_the_setting() -> None:
    world = a_world(GOOD, token_replies=[answer(None, 301, location="https://elsewhere.example")])
    with pytest.raises(UnavailableError, match="SWOOGO_SYNC_SWOOGO__BASE_URL"):
        await call(world)
    assert len(world.api.token_calls) == 1


async def test_credits_of_the_token_call_are_ignored() -> None:
    """It is made before anybody is known; its limit may be another one (swoogo-api.md 3)."""
    world = a_world(
        GOOD, token_replies=[answer({"access_token": "t"}, x_rate_limit_remaining="1", x_rate_limit_reset="9")]
    )
    await call(world)
    assert world.budget.observed == []


@pytest.mark.parametrize(("costs", "credits_"), [(True, 2), (False, 1)])
async def test_whether_the_token_call_costs_a_credit_is_a_setting(costs: bool, credits_: int) -> None:
    world = a_world(GOOD, token_costs_credit=costs)
    await call(world)
    assert world.budget.credits == world.client.spent(WORK) == credits_


@pytest.mark.rule("G5")
async def test_higher_priority_does_not_wait_for_a_lower_ones_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reconcile waiting for credits holds no lock that a manual sync of this process needs for its own."""
    world = a_world(GOOD)
    waiting = asyncio.Event()
    permit = world.budget.permit

    async def patient(work: Any, cost: int, seconds: float) -> Any:
        if work.trigger is Trigger.RECONCILE:
            waiting.set()
            await asyncio.Event().wait()
        return await permit(work, cost, seconds)

    monkeypatch.setattr(world.budget, "permit", patient)
    reconcile = asyncio.create_task(call(world, Trigger.RECONCILE))
    await waiting.wait()
    await call(world, Trigger.MANUAL)
    reconcile.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reconcile


@pytest.mark.rule("G4")
async def test_a_claim_that_ends_while_waiting_leaves_the_token_to_others() -> None:
    world = a_world(GOOD)
    world.budget.lease_lost = True
    with pytest.raises(LeaseLostError):
        await call(world)
    world.budget.lease_lost = False
    await call(world)


async def test_verifying_is_one_token_request_whose_token_is_kept() -> None:
    """C3; no permit: no lease stands behind it."""
    world = a_world(GOOD)
    await world.client.credentials.verify(REQUEST)
    assert world.api.log == ["token call"]
    await call(world)
    assert len(world.api.token_calls) == 1
    assert world.client.credentials.credential_of(REQUEST) == ID


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (REFUSED, CredentialError),
        (answer(None, 503), UnavailableError),
        (answer(None, 429, x_rate_limit_reset="30"), UnavailableError),
    ],
)
async def test_a_failed_verification_says_whose_fault_it_is(reply: Reply, error: type[Exception]) -> None:
    world = a_world(GOOD, token_replies=[reply])
    with pytest.raises(error):
        await world.client.credentials.verify(REQUEST)
    assert world.tokens.tokens == {}


async def test_a_good_verification_ends_the_memory_of_a_refusal() -> None:
    world = a_world(GOOD, token_replies=[REFUSED, token("t")])
    with pytest.raises(CredentialError):
        await call(world)
    await world.client.credentials.verify(REQUEST)
    await call(world)
