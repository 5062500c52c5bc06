"""`ledger adopt` and `ledger forget` at the command line: what is asked for, what is refused, what is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.sentences import for_operator
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.records.ledger import State
from consumer.entrypoints.cli.app import app
from tests.support.builders import EVENT, a_mapping, an_entry, an_intent
from tests.support.desk import Desk, a_desk, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("G2")]

ADOPT = LedgerCommand(Action.ADOPT, "session/s1", 7)
FORGET = LedgerCommand(Action.FORGET, "session/s1")


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    """An event with an unanswered create, a session in Swoogo and one deleted there."""
    async with a_desk(redis_url) as made:
        await made.map(a_mapping())
        await made.record(soon("s1"))
        await made.pushed(
            {
                "session/s1": an_intent("talk"),
                "session/s2": an_entry(8),
                "session/s3": an_entry(9, state=State.GONE),
                "location/r1": an_intent("hall 1"),
                "location/r2": an_entry(20),
            }
        )
        yield made


async def asked(desk: Desk) -> set[LedgerCommand]:
    return set((await desk.stores.inbox.load(EVENT)).commands)


@pytest.mark.parametrize(
    ("command", "order"),
    [
        (("adopt", EVENT, "session/s1", "7"), ADOPT),
        (("adopt", EVENT, "session/s3", "9"), LedgerCommand(Action.ADOPT, "session/s3", 9)),
        (("adopt", EVENT, "location/r1", "20"), LedgerCommand(Action.ADOPT, "location/r1", 20)),
        (("forget", EVENT, "session/s1"), FORGET),
        (("forget", EVENT, "location/r1"), LedgerCommand(Action.FORGET, "location/r1")),
    ],
    ids=["adopt", "adopt a deleted one", "adopt the location of another room", "forget", "forget a room"],
)
async def test_an_order_is_kept_for_whoever_claims_the_event_next(
    desk: Desk, command: tuple[str, ...], order: LedgerCommand
) -> None:
    """The command line writes no ledger."""
    document = await desk.read("ledger", *command, "--yes")
    assert document == {
        "event_id": EVENT,
        "act": order.act.value,
        "key": order.key,
        "swoogo_id": order.swoogo_id or None,
        "at_once": True,
    }
    assert await asked(desk) == {order}
    assert str((await desk.stores.inbox.due(10)).subjects[0]) == f"event/{EVENT}"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("adopt", EVENT, "session/s9", "7"), "has no session/s9; a key looks like session/ID."),
        (("adopt", EVENT, "session/s1", "8"), "cannot be adopted: 8 in Swoogo is session s2."),
        (("adopt", EVENT, "session/s2", "7"), "cannot be adopted: it is 8 in Swoogo already."),
        (("adopt", EVENT, "session/s2", "8"), "cannot be adopted: it is that in Swoogo already."),
        (("forget", EVENT, "session/s2"), "no unanswered create of session/s2."),
        (("forget", EVENT, "session/s3"), "no unanswered create of session/s3."),
        (("forget", EVENT, "nothing"), "no unanswered create of nothing."),
    ],
)
async def test_what_cannot_be_done_is_said_at_once(desk: Desk, command: tuple[str, ...], says: str) -> None:
    """Nothing in Swoogo is forgotten, so nothing is made twice."""
    result = await desk.call("ledger", *command, "--yes")
    assert result.exit_code == 1
    assert says in result.stderr
    assert await asked(desk) == set()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
@pytest.mark.parametrize("command", [("adopt", EVENT, "session/s1", "7"), ("forget", EVENT, "session/s1")])
async def test_without_yes_it_is_asked_whether_that_is_meant(
    desk: Desk, command: tuple[str, ...], answer: str, code: int
) -> None:
    result = await asyncio.to_thread(CliRunner().invoke, app, ["ledger", *command], env=desk.environment, input=answer)
    assert result.exit_code == code
    assert "session/s1" in result.stderr
    assert len(await asked(desk)) == (not code)


@pytest.mark.rule("N2")
async def test_the_issue_names_the_commands_that_settle_it() -> None:
    """A sentence to act on."""
    sentence = for_operator(Issue("session/s1", Code.AMBIGUOUS_MATCH, detail="ids 7, 9"), "e1")
    assert "ids 7, 9" in sentence
    assert "swoogo-sync ledger adopt e1 session/s1 SWOOGO_ID" in sentence
    assert "swoogo-sync ledger forget e1 session/s1" in sentence


async def many_removals(desk: Desk) -> list[LedgerCommand]:
    """Four sessions of ours that are declined at once, and the orders that confirm their removal."""
    await desk.map(a_mapping(remove_deleted_sessions=True))
    numbers = range(30, 34)
    await desk.record(*(soon(f"s{number}", status="declined") for number in numbers))
    await desk.pushed({f"session/s{number}": an_entry(number, pushed={"name": "Talk"}) for number in numbers})
    return [LedgerCommand(Action.RETRY, f"session/s{number}#removal", number, "Really.") for number in numbers]


@pytest.mark.rule("D4")
async def test_many_removals_are_shown_and_confirmed_one_by_one(desk: Desk) -> None:
    """Without a reason they are only shown; with one, exactly these are confirmed."""
    orders = await many_removals(desk)
    shown = await desk.read("ledger", "remove", EVENT)
    assert (shown["confirmed"], [each["swoogo_id"] for each in shown["removals"]]) == (False, [30, 31, 32, 33])
    assert await asked(desk) == set()
    document = await desk.read("ledger", "remove", EVENT, "--reason", " Really. ", "--yes")
    assert (document["confirmed"], document["at_once"], len(document["removals"])) == (True, True, 4)
    assert await asked(desk) == set(orders)
    assert (await desk.call("ledger", "remove", EVENT)).exit_code == 1, "nothing waits any more"


@pytest.mark.rule("D4")
async def test_no_removal_is_confirmed_without_an_answer(desk: Desk) -> None:
    """The question comes first, and the records are named before it."""
    await many_removals(desk)
    result = await desk.call("ledger", "remove", EVENT, "--reason", "Really.")
    assert result.exit_code == 1
    assert "session s30  Swoogo 30" in result.output
    assert await asked(desk) == set()
