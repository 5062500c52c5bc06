"""What the tests of unanswered creates share."""

from __future__ import annotations

from consumer.domain.records.identity import Kind
from consumer.ports import SyncRequest
from tests.support.builders import a_session
from tests.support.service_world import SUBJECT, World

SESSION = [a_session("s1")]


def lose_answers_of(world: World, kind: Kind, *, effect: bool) -> None:
    """The next create of a kind gets no answer, with its effect or without."""

    async def before(work: object, call: object) -> None:
        if str(call) == f"create {kind.value}":
            world.swoogo.before_call = None
            if effect:
                world.swoogo.trouble.lost_after = 1
            else:
                world.swoogo.trouble.lost_before = 1

    world.swoogo.before_call = before


async def until_done(world: World, most: int = 10) -> None:
    """Push whenever the event is due, until it is no more."""
    for _ in range(most):
        if world.inbox.state(SUBJECT).due is None:
            return
        await world.push()
    raise AssertionError("The event stays due.")


def request() -> SyncRequest:
    return SyncRequest("pressed")
