"""`freeze`, `thaw`, `approve` and `audit` at the command line; no service runs, so nothing is in force yet."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from consumer.domain.planning.control import Control, Freeze
from tests.support.builders import EVENT, a_mapping
from tests.support.desk import Desk, a_desk, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("U1", "U2", "U3")]


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as made:
        await made.map(a_mapping(approval_required=True))
        await made.record(soon("s1"))
        yield made


async def test_a_freeze_waits_for_the_running_service_and_says_so(desk: Desk) -> None:
    result = await desk.call("freeze", EVENT, "--reason", "Print.", "--timeout", "0")
    assert result.exit_code == 3
    assert "No running service has seen to it yet" in result.output
    audit = await desk.read("audit", EVENT)
    [order] = audit["orders"]
    assert (order["kind"], order["reason"], order["outcome"]) == ("freeze", "Print.", "done")
    assert order["actor"].startswith("cli:")
    shown = (await desk.call("audit", EVENT)).output
    assert "cli:" in shown
    assert "freeze: the event" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--reason", " "), "Say why"),
        (("--field", "name", "--reason", "x"), "--field goes with --kind"),
        (("--until", "soon", "--reason", "x"), "it is a moment such as"),
        (("--until", "2020-01-01T00:00:00+00:00", "--reason", "x"), "which is over"),
    ],
    ids=["no reason", "a field of no kind", "no moment", "a moment that is over"],
)
async def test_a_freeze_that_cannot_be_is_not_ordered(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    result = await desk.call("freeze", EVENT, *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert (await desk.read("audit", EVENT))["orders"] == []


async def test_what_is_frozen_is_in_the_plan_with_who_and_why(desk: Desk) -> None:
    freeze = Freeze("session", (), 0, 5, "cli:ada", "Print.")
    await desk.stores.inbox.put_control(Control(EVENT, freeze.name, 5, "o1", freeze))
    document = await desk.read("plan", EVENT)
    assert [each["kind"] for each in document["frozen"]] == ["session"]
    assert document["left_out"]["session"] == {"frozen": 1}
    shown = (await desk.call("plan", EVENT)).output
    assert "Frozen: sessions, until somebody ends it, by cli:ada: Print." in " ".join(shown.split())


async def test_a_plan_is_approved_by_its_id_alone(desk: Desk) -> None:
    plan = (await desk.read("plan", EVENT))["plan_id"]
    assert f"swoogo-sync approve {EVENT} {plan}" in " ".join((await desk.call("plan", EVENT)).output.split())
    refused = await desk.read("approve", EVENT, "0000-0000-0000", "--yes", "--timeout", "0", code=1)
    assert refused["sentence"].startswith(f"plan_changed: 0000-0000-0000 is not what would be sent; it is {plan} now")
    done = await desk.read("approve", EVENT, plan, "--yes", "--timeout", "0", code=3)
    assert (done["done"], done["in_force"]) == (True, False)
    outcomes = [each["outcome"] for each in (await desk.read("audit", EVENT))["orders"]]
    assert outcomes == ["done", "refused"]


async def test_the_plan_that_is_shown_can_be_approved_with_it(desk: Desk) -> None:
    plan = (await desk.read("plan", EVENT))["plan_id"]
    asked = await desk.call("plan", EVENT, "--approve", "--timeout")
    assert asked.exit_code == 2, "it takes none: the command approve does"
    refused = await desk.call("plan", EVENT, "--approve")  # no one answers yes
    assert refused.exit_code == 1
    assert (await desk.read("audit", EVENT))["orders"] == []
    assert plan in refused.output


async def test_an_event_without_approvals_has_nothing_to_approve(desk: Desk) -> None:
    await desk.map(a_mapping())
    plan = (await desk.read("plan", EVENT))["plan_id"]
    refused = await desk.read("approve", EVENT, plan, "--yes", code=1)
    assert refused["sentence"].startswith("The mapping of this event asks for no approval")
