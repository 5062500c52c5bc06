"""Names of every sort and what Swoogo may store of them, through the real client against the sandbox."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict, replace
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.adapters.redis import codecs
from consumer.domain.issues.issue import Code
from consumer.domain.records.identity import Kind, Source, key_of, stamp
from consumer.domain.records.snapshot import Contact, Resource, Session, Sponsor
from consumer.ports import Change, event_subject
from sandbox.swoogo import Switches
from tests.support.builders import ZONE, a_contact, a_room, a_session, a_track
from tests.support.machines import drawn
from tests.support.names import STORED, names, resources_named
from tests.unit.trouble.site import Site, a_site

pytestmark = pytest.mark.rule("R3", "G2")

CREATES = {kind: re.compile(f"/{kind.value}s/create") for kind in Kind} | {Kind.LEVEL: re.compile("/sponsors/field/")}
LATE_SECONDS = 60


class Loss:
    """Loses the answer of the first create of a kind; its effect comes at once, late, or never."""

    def __init__(self, site: Site, kind: Kind, effect: str) -> None:
        self.site, self.kind, self.effect, self.lost = site, kind, effect, False
        self.late: list[tuple[int, httpx.Request]] = []
        self._app = site.wire._app
        site.wire._app = self  # type: ignore[assignment]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange; what is late comes before the first call after its moment."""
        while self.late and self.late[0][0] <= self.site.clock.now():
            await self._answered(self.late.pop(0)[1])
        write = request.method in {"POST", "PUT"} and CREATES[self.kind].search(request.url.path)
        if not write or self.lost:
            return await self._answered(request)
        self.lost = True
        if self.effect == "at once":
            await self._answered(request)
        if self.effect == "late":
            self.late.append((self.site.clock.now() + LATE_SECONDS * 1000, request))
        raise httpx.ReadError("The connection was closed.", request=request)

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        response = await self._app.handle_async_request(request)
        await response.aread()
        return response


async def an_event(switches: Switches, *resources: Resource) -> Site:
    site = a_site()
    site.sandbox.configure(switches=asdict(switches))
    seed: dict[str, list[dict[str, Any]]] = {
        "events": [{"name": "Conference", "timezone": ZONE}],
        "fields": [{"resource": "sponsors", "attribute": "level", "choices": []}],
    }
    [swoogo_id] = site.sandbox.seed(seed)["events"]
    await site.map("ev", swoogo_id, "key")
    for number, resource in enumerate(resources):
        source = {Session: Source.SESSION, Contact: Source.CONTACT}.get(type(resource), Source.SPONSOR)
        change = Change(key_of(source, resource.id), stamp(number + 1, 1, 0), codecs.encode(resource))
        await site.inbox.record(event_subject("ev"), [change])
    return site


def held(site: Site, kind: Kind) -> list[str]:
    """Names of the records of a kind."""
    state = site.sandbox.state(site.swoogo_ids["ev"])
    if kind is Kind.LEVEL:
        return [choice["name"] for choices in state["levels"].values() for choice in choices]
    return [row["email" if kind is Kind.SPEAKER else "name"] for row in state[f"{kind.value}s"]]


def writes(site: Site) -> list[str]:
    """Every write that had an effect; what was refused is tried once more at a reconcile (R5)."""
    calls = [call for call in site.calls() if call["method"] != "GET" and "oauth2" not in call["path"]]
    return [f"{call['method']} {call['path']}" for call in calls if call["status"] < 400]


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
@drawn(25)
@example("ampersand escaped", "Q&A", "never")
@example("ampersand escaped", "Q&A", "late")
@given(st.sampled_from(list(STORED)), names, st.sampled_from(["at once", "late", "never"]))
def test_an_unanswered_create_is_never_done_twice(kind: Kind, stored: str, name: str, effect: str) -> None:
    """At worst a person is asked."""

    async def scenario() -> None:
        site = await an_event(STORED[stored], *resources_named(kind, name))
        loss = Loss(site, kind, effect)
        await site.settle()
        await site.reconcile()
        assert len(held(site, kind)) <= 1, "G2"
        if loss.lost and effect != "never" and held(site, kind):
            live = any(each.live for key, each in site.ledger.entries["ev"].items() if key.startswith(kind.value))
            assert live or Code.AMBIGUOUS_MATCH in await site.codes()
        await site.client.aclose()

    asyncio.run(scenario())


@drawn(25)
@example("ampersand escaped", ["Q&A"] * 5)
@example("tags stripped", ["<b>x</b>"] * 5)
@given(st.sampled_from(list(STORED)), st.lists(names, min_size=5, max_size=5))
def test_a_sync_comes_to_rest(stored: str, texts: list[str]) -> None:
    """One record each, and neither a second sync nor a reconcile writes anything."""
    title, room, track, person, sponsor = texts

    async def scenario() -> None:
        [acme] = resources_named(Kind.LEVEL, room)
        assert isinstance(acme, Sponsor)
        site = await an_event(
            STORED[stored],
            a_session("s1", title=title, room=a_room(name=room), track=a_track(name=track), people=["c1"]),
            a_contact("c1", first_name=person, last_name=person, email=f"a{person}b@example.org"),
            replace(acme, name=sponsor),
        )
        await site.settle()
        assert all(len(held(site, kind)) <= 1 for kind in Kind)
        written = writes(site)
        await site.ask("ev")
        await site.settle()
        await site.reconcile()
        assert writes(site) == written
        await site.client.aclose()

    asyncio.run(scenario())
