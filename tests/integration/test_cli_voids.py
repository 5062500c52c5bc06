"""`pairs void` at the command line: what is asked for, what is refused, what is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from consumer.domain.connections.pair import PairEnd
from consumer.domain.orders.ledger_commands import voiding
from consumer.entrypoints.cli.app import app
from consumer.ports import Lease, org_subject
from tests.support.builders import EVENT, ORG, SWOOGO_EVENT, a_mapping, an_entry
from tests.support.desk import Desk, a_desk, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("M8")]

WHY = ("--reason", "mapped by mistake")


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    """An event that was mapped and is no more."""
    async with a_desk(redis_url) as made:
        await made.map(a_mapping())
        await ended(made)
        yield made


async def ended(desk: Desk) -> None:
    await desk.pairs.end(Lease(org_subject(ORG), 1, "op"), EVENT, PairEnd.REMOVED, desk.clock.now())
    await desk.stores.connections.put_mapping(ORG, EVENT, None)
    await desk.stores.inbox.set_continuous(EVENT, on=False)


async def asked(desk: Desk) -> set[str]:
    return {str(each) for each in (await desk.stores.inbox.load(EVENT)).commands}


async def test_a_running_service_is_asked_and_the_event_is_due_at_once(desk: Desk) -> None:
    document = await desk.read("pairs", "void", EVENT, *WHY, "--yes")
    assert document == {
        "event_id": EVENT,
        "swoogo_event_id": SWOOGO_EVENT,
        "org_id": ORG,
        "reason": "mapped by mistake",
    }
    assert await asked(desk) == {str(voiding(EVENT, SWOOGO_EVENT, "mapped by mistake"))}
    assert str((await desk.stores.inbox.due(10)).subjects[0]) == f"event/{EVENT}"


async def test_it_asks_first_and_a_no_changes_nothing(desk: Desk) -> None:
    arguments = ["pairs", "void", EVENT, *WHY]
    for answer, code in (("n\n", 1), ("y\n", 0)):
        assert await asked(desk) == set()
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments, input=answer, env=desk.environment)
        assert result.exit_code == code
        assert f"Let event {EVENT} and Swoogo event {SWOOGO_EVENT} be mapped to others?" in result.output
    assert len(await asked(desk)) == 1


async def test_a_pair_that_has_to_stay_is_named_with_why(desk: Desk) -> None:
    for event, says in (("unheard-of", "It has no pair."),):
        result = await desk.call("pairs", "void", event, *WHY, "--yes")
        assert (result.exit_code, result.stderr) == (1, f"The pair of event {event} cannot be voided. {says}\n")
    await desk.map(a_mapping())
    result = await desk.call("pairs", "void", EVENT, *WHY, "--yes")
    assert result.exit_code == 1
    assert f"It is mapped to Swoogo event {SWOOGO_EVENT}. Remove the mapping first." in result.stderr
    await desk.record(soon("s1"))
    await desk.pushed({"session/s1": an_entry(7), "location/r1": an_entry(8)})
    await ended(desk)
    result = await desk.call("pairs", "void", EVENT, *WHY, "--yes")
    assert result.exit_code == 1
    assert "2 records were synced to Swoogo event" in result.stderr
    assert await asked(desk) == set()


@pytest.mark.parametrize("arguments", [(), ("--reason", " ")])
async def test_u3_without_a_reason_nothing_is_asked(desk: Desk, arguments: tuple[str, ...]) -> None:
    result = await desk.call("pairs", "void", EVENT, *arguments, "--yes")
    assert result.exit_code == 2
    assert await asked(desk) == set()


async def test_while_a_worker_has_the_event_it_is_to_be_asked_again(desk: Desk) -> None:
    await desk.ask()
    await desk.claim()
    result = await desk.call("pairs", "void", EVENT, *WHY, "--yes")
    assert result.exit_code == 3
    assert "A worker has event" in result.stderr
