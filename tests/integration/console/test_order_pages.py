"""U3, K3: each order is asked for on a page of its own, given once, and stands in the audit; a GET changes nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.order import OrderKind
from consumer.domain.records.ledger import State
from consumer.entrypoints.console.pages import orders
from consumer.entrypoints.console.viewer import LOCAL, Role
from tests.support.builders import EVENT, a_contact, a_mapping, an_entry, an_intent, session_key
from tests.support.console import Visitor, a_visitor
from tests.support.desk import soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("U3", "K3")]

REFUSED = Issue(session_key("s2"), Code.REFUSED, detail="No.", parked="print")
ABOUT = {
    OrderKind.LIFT: session_key("s3"),
    OrderKind.RETRY: session_key("s2"),
    OrderKind.ADOPT: session_key("s4"),
    OrderKind.FORGET: session_key("s4"),
}


@pytest.fixture
async def visitor(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Visitor]:
    """One session waits, one was refused, one was deleted in Swoogo, one has an unanswered create."""
    monkeypatch.setattr(orders, "_SECONDS", 0.0)
    async with a_visitor(redis_url) as made:
        desk = made.desk
        await desk.map(a_mapping())
        await desk.record(soon("s1", "c1"), a_contact("c1"), *(soon(f"s{number}") for number in (2, 3, 4)))
        lease = await desk.claim()
        entries = {
            session_key("s3"): an_entry(3, state=State.GONE),
            session_key("s4"): an_intent("talk"),
        }
        await desk.ledger.put(lease, entries)
        await desk.board.ended(desk.run(), {REFUSED.id: REFUSED}, lease)
        await desk.stores.inbox.complete(lease, {})
        made.settings = made.settings.model_copy(update={"orders": "on"})
        yield made


def path(kind: OrderKind, more: str = "") -> str:
    keys = f"?keys={ABOUT[kind]}" if kind in ABOUT else ""
    return f"/events/{EVENT}/orders/{kind.value}{keys}{more}"


def form(html: str) -> dict[str, str]:
    """The hidden fields of the form on a page, without its token."""
    hidden = re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', html)
    return {name: value for name, value in hidden if name != "token"}


async def given(visitor: Visitor) -> list[tuple[str, str, str]]:
    """Kind, actor and reason of what was ordered, the newest first."""
    found = await visitor.stores.orders.store.given(EVENT)
    return [(each.order.kind.value, each.order.actor, each.order.reason) for each in found]


@pytest.mark.parametrize("kind", [kind for kind in orders.KINDS if kind not in {OrderKind.APPROVE, OrderKind.REMOVE}])
async def test_an_order_is_asked_for_then_given_once(visitor: Visitor, kind: OrderKind) -> None:
    page = await visitor.page(path(kind))
    assert orders.KINDS[kind].what in page.text
    assert "Given by This machine" in page.text.replace("Given byThis", "Given by This")
    assert "Cost" in page.text
    assert await given(visitor) == [], "a GET changes nothing"
    fields = {**form(page.html), "reason": "Because.", "swoogo_id": "7"}
    for _ in range(2):
        answer = await visitor.post(path(kind).partition("?")[0], fields)
        assert answer.status_code == 303, answer.text
    assert await given(visitor) == [(kind.value, "local", "Because.")]
    audit = await visitor.page(answer.headers["location"])
    assert "Ordered by local" in audit.text
    assert "Because." in audit.text


async def test_each_order_asks_the_service_for_what_it_says(visitor: Visitor) -> None:
    for kind in ABOUT:
        page = await visitor.page(path(kind))
        await visitor.post(path(kind), {**form(page.html), "reason": "Because.", "swoogo_id": "7"})
    commands = {str(each) for each in (await visitor.stores.inbox.load(EVENT)).commands}
    assert commands == {"lift 0 session/s3", "retry 0 session/s2", "adopt 7 session/s4", "forget 0 session/s4"}


async def test_without_a_reason_nothing_is_ordered(visitor: Visitor) -> None:
    page = await visitor.page(path(OrderKind.SYNC))
    answer = await visitor.post(path(OrderKind.SYNC), {**form(page.html), "reason": "  "})
    assert answer.status_code == 200
    assert "Say why" in answer.text
    assert await given(visitor) == []


async def test_without_the_id_of_a_form_nothing_is_ordered(visitor: Visitor) -> None:
    answer = await visitor.post(path(OrderKind.SYNC), {"reason": "Because.", "order": "../x"})
    assert answer.status_code == 400
    assert await given(visitor) == []


@pytest.mark.parametrize(
    ("kind", "least"), [(kind, shown.least) for kind, shown in orders.KINDS.items()], ids=lambda each: str(each)
)
async def test_a_role_that_is_too_low_is_refused(visitor: Visitor, kind: OrderKind, least: Role) -> None:
    for role in Role:
        visitor.viewer = replace(LOCAL, role=role)
        if role < least:
            assert (await visitor.get(path(kind))).status_code == 403
            assert (await visitor.post(path(kind), {"order": "a" * 20, "reason": "x"})).status_code == 403
    assert await given(visitor) == []


async def test_with_orders_off_there_is_no_button_and_no_page(visitor: Visitor) -> None:
    visitor.settings = visitor.settings.model_copy(update={"orders": "off"})
    page = await visitor.page(f"/events/{EVENT}")
    assert not [link for link in page.links if "/orders/" in link]
    assert (await visitor.get(path(OrderKind.SYNC))).status_code == 403
    assert (await visitor.post(path(OrderKind.SYNC), {"order": "a" * 20, "reason": "x"})).status_code == 403
    assert await given(visitor) == []


async def test_what_a_freeze_would_hold_is_shown_by_record(visitor: Visitor) -> None:
    page = await visitor.page(path(OrderKind.FREEZE, "?kind=session"))
    assert "What would stay behind" in page.text
    assert "No call, 0 credits" in page.text
    assert ["Title of s1session", "create: name, date, start_time, end_time, description", "1"] in page.rows


@pytest.mark.rule("U2")
async def test_another_plan_than_the_one_that_was_shown_is_refused_and_the_reason_kept(visitor: Visitor) -> None:
    await visitor.desk.map(a_mapping(approval_required=True))
    page = await visitor.page(path(OrderKind.APPROVE))
    fields = {**form(page.html), "reason": "Checked with all."}
    await visitor.desk.record(soon("s9"))
    answer = await visitor.post(path(OrderKind.APPROVE), fields)
    assert answer.status_code == 409
    assert f"plan_changed: {fields['plan']} is not what would be sent" in answer.text
    assert "Checked with all." in answer.text
    again = form(answer.text)
    assert again["plan"] not in {"", fields["plan"]}
    done = await visitor.post(path(OrderKind.APPROVE), {**again, "reason": "Checked with all."})
    assert done.status_code == 303
    outcomes = [each.receipt and each.receipt.done for each in await visitor.stores.orders.store.given(EVENT)]
    assert outcomes == [True, False]


async def test_an_event_without_orders_says_so(visitor: Visitor) -> None:
    assert "No order was given for this event." in (await visitor.page(f"/events/{EVENT}/audit")).text
    assert "No order was given that concerns no event or many." in (await visitor.page("/audit")).text
