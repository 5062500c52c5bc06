"""What Swoogo refused is tried once more when an operator asks for it, and only then."""

from __future__ import annotations

import pytest

from consumer.domain.errors import RefusedError
from consumer.domain.issues.issue import Code
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from tests.support.builders import EVENT, a_session
from tests.support.service_world import SUBJECT, World

pytestmark = pytest.mark.rule("R5")

RETRY = LedgerCommand(Action.RETRY, "session/s1")


def refuse(world: World, *, on: bool) -> None:
    """Whether Swoogo refuses the session from now on."""
    natural = world.entry("session/s1").natural
    world.swoogo.trouble.refused = {natural: RefusedError("Not now.")} if on else {}


async def test_a_retry_is_one_more_try_and_is_over_after_it(world: World) -> None:
    await world.sync(a_session("s1"))
    refuse(world, on=True)
    await world.sync(a_session("s1", description="<p>Another</p>"))
    [issue] = await world.issues()
    assert (issue.key, issue.code) == ("session/s1", Code.REFUSED)
    assert issue.at == world.clock.now()
    since, calls = issue.at, len(world.swoogo.calls)
    await world.clock.advance(60)
    await world.push()
    assert len(world.swoogo.calls) == calls, "parked"
    await world.inbox.request_commands(EVENT, [RETRY])
    await world.push()
    assert len(world.swoogo.calls) == calls + 1, "tried once more"
    [issue] = await world.issues()
    assert issue.at == since, "since the first refusal"
    assert not world.inbox.state(SUBJECT).commands
    await world.push()
    assert len(world.swoogo.calls) == calls + 1, "and parked again"
    refuse(world, on=False)
    await world.inbox.request_commands(EVENT, [RETRY])
    await world.push()
    assert await world.issues() == []


async def test_a_retry_waits_for_a_push_that_goes_through(world: World) -> None:
    """Level-triggered: Swoogo was silent, so the order stands."""
    await world.sync(a_session("s1"))
    refuse(world, on=True)
    await world.sync(a_session("s1", description="<p>Another</p>"))
    refuse(world, on=False)
    await world.inbox.request_commands(EVENT, [RETRY])
    world.swoogo.trouble.unavailable = 1
    await world.push()
    assert world.inbox.state(SUBJECT).commands == {RETRY}
    await world.push()
    assert await world.issues() == []
    assert not world.inbox.state(SUBJECT).commands
