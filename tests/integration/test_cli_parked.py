"""`parked list` and `parked retry` on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from tests.support.builders import EVENT, NOW, a_mapping
from tests.support.desk import Desk, a_desk

pytestmark = [pytest.mark.integration, pytest.mark.rule("R5")]

REFUSED = Issue("session/s1", Code.REFUSED, field="name", detail="Taken by ada@example.org.", parked="f1", at=NOW)
LINK = Issue("speaker/c1#sessions", Code.NO_PERMISSION, parked="f2")
NOTICE = Issue("session/s2", Code.MULTI_DAY_CLAMPED)


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as made:
        await made.map(a_mapping())
        await made.ask()
        found = {issue.id: issue for issue in (REFUSED, LINK, NOTICE)}
        await made.pushed({}, found, made.run())
        yield made


async def test_what_swoogo_refused_is_listed_with_its_field_and_since_when(desk: Desk) -> None:
    rows = (await desk.read("parked", "list", EVENT))["parked"]
    assert [(row["key"], row["code"], row["field"]) for row in rows] == [
        ("session/s1", "refused", "name"),
        ("speaker/c1#sessions", "no_permission", ""),
    ]
    assert rows[0]["since"] == "2026-06-01T08:00:00+00:00"
    assert "ada@example.org" not in (await desk.call("parked", "list")).output
    assert (await desk.read("parked", "list", "other"))["parked"] == []


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        ((), {"session/s1", "speaker/c1#sessions"}),
        (("speaker/c1",), {"speaker/c1#sessions"}),
        (("session/s1",), {"session/s1"}),
    ],
)
async def test_a_retry_is_an_order_to_whoever_claims_the_event_next(
    desk: Desk, keys: tuple[str, ...], chosen: set[str]
) -> None:
    document = await desk.read("parked", "retry", EVENT, *keys)
    (event,) = document["events"]
    assert (event["event_id"], set(event["keys"]), event["at_once"]) == (EVENT, chosen, True)
    orders = (await desk.stores.inbox.load(EVENT)).commands
    assert orders == {LedgerCommand(Action.RETRY, key) for key in chosen}
    assert (await desk.stores.inbox.waiting(EVENT)).due_in == 0


async def test_what_is_not_parked_is_not_retried(desk: Desk) -> None:
    result = await desk.call("parked", "retry", EVENT, "session/s2")
    assert result.exit_code == 1
    assert "nothing parked" in result.output
