"""K3, K4: every route of the table is attacked: by strangers, by other organizations, by forged forms, by odd ids."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final
from unittest.mock import AsyncMock

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from consumer.entrypoints.console import routes
from consumer.entrypoints.console.routes import ROUTES, Page
from consumer.entrypoints.console.viewer import LOCAL, Role, Viewer
from consumer.settings import ConsoleSettings
from tests.support.builders import EVENT, ORG, a_mapping
from tests.support.console import Visitor, a_visitor
from tests.support.desk import soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("K3", "K4")]

PROBE: Final = Page("probe", "/events/{event_id}/probe", "event:show", Role.ADMIN, ("GET", "POST"), order=True)
"""Stands for an order, whatever orders there are."""
DEEP: Final = Page("deep", "/events/{event_id}/deep/{key:path}", "event:show")
TABLE: Final = (*ROUTES, PROBE, DEEP)
ABOUT_AN_EVENT: Final = [page for page in TABLE if "{event_id}" in page.path]
ORDERS: Final = [page for page in TABLE if page.order]
ANSWERING: Final = [(page, method) for page in TABLE for method in page.methods]
ORDERS_ON: Final = ConsoleSettings(orders="on", secret=SecretStr("s" * 32), rate=100_000)
THEIRS: Final = "event-of-another"


def named(page: Any) -> str:
    return getattr(page, "name", str(page))


def address(page: Page, event_id: str = EVENT, other: str = "session") -> str:
    """Of a page; `other`: for every part but the event."""
    path = page.path.replace("{event_id}", event_id)
    path = path.replace("{kind}", "sync") if page.order else path
    return re.sub(r"\{[^}]*\}", other, path)


@pytest.fixture
async def visitor(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Visitor]:
    monkeypatch.setattr(routes, "ROUTES", TABLE)
    async with a_visitor(redis_url) as made:
        await made.desk.map(a_mapping())
        await made.desk.map(replace(a_mapping(event_id=THEIRS), org_id="another", swoogo_event_id=77))
        await made.desk.record(soon("s1"))
        made.settings = ORDERS_ON
        yield made


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, AsyncMock]:
    """Stands for the code of every page; it must not be reached."""
    found: dict[str, AsyncMock] = {}
    for page in TABLE:
        module, _, function = page.target.partition(":")
        found[page.target] = found.get(page.target) or AsyncMock(side_effect=AssertionError("the page was asked"))
        monkeypatch.setattr(f"consumer.entrypoints.console.pages.{module}.{function}", found[page.target])
    return found


async def _send(visitor: Visitor, method: str, path: str) -> Any:
    return await (visitor.post(path, {"reason": "x"}) if method == "POST" else visitor.get(path))


def test_the_table_says_of_each_post_that_it_is_an_order() -> None:
    for page in ROUTES:
        assert set(page.methods) <= {"GET", "POST"}, page.name
        assert ("POST" not in page.methods) or page.order, f"{page.name} takes forms and is no order"
        assert not page.order or page.least > Role.VIEWER, f"a viewer gives orders at {page.name}"
        assert "{event_id" in page.path or page.least is Role.OPERATOR or page.name in {"events", "search"}, page.name


async def test_a_stranger_reaches_no_page(visitor: Visitor, drawn: Any) -> None:
    visitor.viewer = None
    for page, method in ANSWERING:
        assert (await _send(visitor, method, address(page))).status_code == 401, page.name


async def test_a_role_that_is_too_low_reaches_no_page(visitor: Visitor, drawn: Any) -> None:
    for page, method in ANSWERING:
        for role in [role for role in Role if role < page.least]:
            visitor.viewer = replace(LOCAL, role=role)
            assert (await _send(visitor, method, address(page))).status_code == 403, page.name


async def test_an_event_of_another_organization_is_as_one_that_is_not(visitor: Visitor, drawn: Any) -> None:
    for page in ABOUT_AN_EVENT:
        visitor.viewer = Viewer("eve", "Eve", max(page.least, Role.ADMIN), frozenset({ORG}))
        for method in page.methods:
            theirs = await _send(visitor, method, address(page, THEIRS))
            none = await _send(visitor, method, address(page, "event-of-no-one"))
            assert (theirs.status_code, none.status_code) == (404, 404), page.name
            assert theirs.text.replace(THEIRS, "") == none.text.replace("event-of-no-one", ""), page.name
    assert not [target for target, mock in drawn.items() if mock.called]


async def test_an_admin_without_an_organization_sees_no_event(visitor: Visitor) -> None:
    visitor.viewer = Viewer("eve", "Eve", Role.ADMIN, frozenset())
    for event_id in (EVENT, THEIRS):
        assert (await visitor.get(f"/events/{event_id}")).status_code == 404
    page = await visitor.get("/")
    assert "/events/" not in page.text


QUERIES: Final = ("", "q=event", "state=hand", "org=another", "organization=another", "page=2", "all=1")


async def test_lists_hold_the_events_of_the_viewers_organizations(visitor: Visitor) -> None:
    """Every page that is about no single event, in ways of asking for more."""
    for page in [page for page in ROUTES if "{" not in page.path]:
        visitor.viewer = Viewer("eve", "Eve", page.least, frozenset({ORG}))
        for query in QUERIES:
            assert THEIRS not in (await visitor.get(f"{page.path}?{query}")).text, (page.name, query)


async def test_nothing_is_ordered_while_orders_are_off(visitor: Visitor, drawn: Any) -> None:
    visitor.settings = ORDERS_ON.model_copy(update={"orders": "off"})
    for viewer in (LOCAL, Viewer("ada", "Ada", Role.ADMIN, frozenset({ORG}))):
        visitor.viewer = viewer
        for page in ORDERS:
            for method in page.methods:
                assert (await _send(visitor, method, address(page))).status_code == 403, page.name


async def test_no_page_holds_a_form_that_sends_while_orders_are_off(visitor: Visitor) -> None:
    visitor.settings = ORDERS_ON.model_copy(update={"orders": "off"})
    for page in TABLE:
        text = (await visitor.get(address(page))).text
        assert 'method="post"' not in text.lower(), page.name
        assert 'name="token"' not in text, page.name


async def test_a_page_that_only_reads_takes_no_form(visitor: Visitor, drawn: Any) -> None:
    for page in TABLE:
        if "POST" not in page.methods:
            assert (await visitor.post(address(page))).status_code == 405, page.name


@pytest.mark.parametrize("page", ORDERS, ids=named)
async def test_an_order_without_a_form_of_ours_is_refused(visitor: Visitor, drawn: Any, page: Page) -> None:
    eve = replace(LOCAL, actor="eve")
    for fields in (
        {"token": ""},
        {"token": visitor.forms.token(eve)},
        {"token": f"{visitor.forms.token(LOCAL)}x"},
        {"token": f"0.{visitor.forms.token(LOCAL).partition('.')[2]}"},
    ):
        assert (await visitor.post(address(page), fields)).status_code == 403
    for headers in ({"origin": "null"}, {"origin": "https://evil.example.org"}, {"sec-fetch-site": "cross-site"}):
        assert (await visitor.post(address(page), {"reason": "x"}, **headers)).status_code == 403
    bare = await visitor.ask("POST", address(page), {}, {"token": visitor.forms.token(LOCAL)})
    assert bare.status_code == 403


@pytest.mark.parametrize("page", ORDERS, ids=named)
async def test_no_order_is_given_by_a_link(visitor: Visitor, page: Page, redis: Redis) -> None:
    """A GET with everything that a form has changes nothing."""
    before = {key: await redis.dump(key) for key in await redis.keys("*")}
    token = visitor.forms.token(LOCAL)
    await visitor.get(f"{address(page)}?token={token}&reason=x&confirm=yes&order=1")
    assert {key: await redis.dump(key) for key in await redis.keys("*")} == before


async def test_an_order_has_the_name_of_who_signed_in_and_the_event_of_its_address(visitor: Visitor) -> None:
    """Whatever else a form says; a reason of any length and any marks is one short line."""
    visitor.viewer = Viewer("eve", "Eve", Role.ADMIN, frozenset({ORG}))
    claimed = {"actor": "ada", "name": "Ada", "role": "operator", "event_id": THEIRS, "event": THEIRS, "at": "0"}
    reason = "because\r\n\u202e<script>\x1b[31m" + "y" * 20_000
    answer = await visitor.post(f"/events/{EVENT}/orders/sync", {**claimed, "order": "order-0001", "reason": reason})
    assert answer.status_code == 303, answer.text
    [given] = await visitor.stores.orders.store.given(EVENT)
    assert (given.order.actor, given.order.event_id) == ("eve", EVENT)
    assert given.order.reason.startswith("because")
    assert given.order.reason.isprintable()
    assert len(given.order.reason) <= 200
    assert await visitor.stores.orders.store.given(THEIRS) == []
    assert "<script>" not in (await visitor.get(f"/events/{EVENT}/audit")).text


@pytest.mark.parametrize("kind", ["void", "replay", "discard", "nothing", "SYNC", "sync%00", "../sync"])
async def test_an_order_that_has_no_page_cannot_be_given(visitor: Visitor, kind: str) -> None:
    fields = {"order": "order-0001", "reason": "x", "keys": "session/s1"}
    assert (await visitor.post(f"/events/{EVENT}/orders/{kind}", fields)).status_code in {400, 404, 405}
    assert await visitor.stores.orders.store.given(EVENT) == []


IDS: Final = {
    "a slash": ("%2F", 404),
    "a way up": ("..%2F..%2Fetc%2Fpasswd", 404),
    "a way up, twice encoded": ("%252e%252e%252f", 404),
    "a NUL": ("a%00b", 400),
    "a line": ("a%0d%0ab", 400),
    "a mark of direction": ("%E2%80%AE", 400),
    "no UTF-8": ("%FF%FE", 404),
    "a pattern": ("*", 404),
    "braces of a hash tag": ("%7Ba%7D", 404),
    "a key of another": (f"{THEIRS}%7D:ledger", 404),
    "very long": ("a" * 3_000, 414),
    "long": ("a" * 1_500, 404),
}


@pytest.mark.parametrize("what", IDS)
async def test_an_id_that_is_none_finds_nothing(visitor: Visitor, what: str) -> None:
    identifier, status = IDS[what]
    visitor.viewer = Viewer("eve", "Eve", Role.ADMIN, frozenset({ORG}))
    for page in ABOUT_AN_EVENT:
        answer = await visitor.get(address(page, identifier))
        assert answer.status_code == status, (page.name, answer.text)
        assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_part_of_an_address_that_is_none_is_no_mistake(visitor: Visitor) -> None:
    for page in [page for page in TABLE if page.path.count("{") > 1]:
        for identifier, _ in IDS.values():
            answer = await visitor.get(address(page, EVENT, identifier))
            assert answer.status_code in {200, 303, 400, 404, 414}, (page.name, identifier)


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/..%2Fapp.py", "/static/%2e%2e/app.py", "/static/"])
async def test_only_what_is_meant_to_be_served_is(visitor: Visitor, path: str) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 404
    assert "import" not in answer.text


async def test_a_page_that_fails_says_nothing_of_why(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = AsyncMock(side_effect=KeyError("canary"))
    monkeypatch.setattr("consumer.entrypoints.console.pages.events.show", broken)
    visitor.raising = False
    answer = await visitor.get("/")
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert json.dumps(dict(answer.headers)).count("no-store") == 1
