"""U5: a change that Swoogo refuses again when a person has it retried has gone one more round."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.push.open_issues import parked_since
from tests.support.builders import EVENT, NOW, a_session
from tests.support.service_world import World
from tests.unit.services.test_push_retry import refuse

pytestmark = pytest.mark.rule("U5")

AGAIN: Final = Issue("session/s1", Code.REFUSED, parked="print")
FORMER: Final = replace(AGAIN, at=NOW - 9, rounds=1)


@pytest.mark.parametrize(
    ("issue", "former", "again", "at", "rounds"),
    [
        (AGAIN, None, True, NOW, 0),
        (AGAIN, FORMER, True, NOW - 9, 2),
        (AGAIN, FORMER, False, NOW - 9, 1),
        (AGAIN, replace(FORMER, at=0), True, NOW, 2),
        (FORMER, FORMER, True, NOW - 9, 1),
    ],
    ids=["new", "retried and refused", "tried by a reconcile", "since when is not known", "not sent"],
)
def test_rounds_count_refusals_of_a_retry(
    issue: Issue, former: Issue | None, at: int, rounds: int, *, again: bool
) -> None:
    found = parked_since(issue, former, NOW, again=again)
    assert (found.at, found.rounds) == (at, rounds)


async def test_a_round_is_counted_by_the_push_and_a_new_change_begins_at_none(world: World) -> None:
    await world.sync(a_session("s1"))
    refuse(world, on=True)
    await world.sync(a_session("s1", description="<p>Another</p>"))
    for rounds in (1, 2):
        await world.inbox.request_commands(EVENT, [LedgerCommand(Action.RETRY, "session/s1")])
        await world.push()
        assert [issue.rounds for issue in await world.issues()] == [rounds]
    await world.sync(a_session("s1", description="<p>And another</p>"))
    assert [issue.rounds for issue in await world.issues()] == [0]
