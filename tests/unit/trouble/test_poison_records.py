"""Swoogo answers 500 to one record for ever, and everything else is well."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
import pytest

from consumer.domain.issues.issue import Code
from consumer.domain.records.snapshot import Session
from tests.unit.trouble.site import Site, one_event, sessions

DAY = 86_400.0


class Poison(httpx.AsyncBaseTransport):
    """Answers 500 to writes that hold this word, until it is `healed`."""

    def __init__(self, site: Site, path: str) -> None:
        self._app, self._path, self.healed, self.hits = site.wire._app, path, False, 0
        site.wire._app = self  # type: ignore[assignment]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        if not self.healed and b"Poison" in await request.aread() and re.search(self._path, request.url.path):
            self.hits += 1
            return httpx.Response(500, json={"message": "Oops"})
        return await self._app.handle_async_request(request)


def poisoned() -> list[Session]:
    first, second, third = sessions("New")
    return [first, replace(second, title="Poison"), third]


@pytest.mark.rule("G1")
async def test_where_swoogo_fails_at_everything_nothing_is_set_aside() -> None:
    """One change waits while every call answers 500 for hours; it goes out by itself afterwards."""
    site = await one_event()
    await site.settle()
    site.sandbox.add_faults([{"match": {"path": "sessions|events"}, "times": None, "do": {"status": 500}}])
    await site.say("ev", sessions("New")[0])
    await site.settle()
    assert await site.codes() == set()
    site.sandbox.clear_faults()
    await site.settle(within=1_200)
    assert "New 1" in str(site.sandbox.state(site.swoogo_ids["ev"])["sessions"])
    await site.client.aclose()


@pytest.mark.rule("G1")
async def test_where_swoogo_fails_at_five_in_a_push_none_counts_as_refused() -> None:
    """It is Swoogo's trouble then, although the event can be read; all of them go out by themselves afterwards."""
    site = await one_event()
    await site.settle()
    site.sandbox.add_faults([{"match": {"path": "sessions/"}, "times": None, "do": {"status": 500}}])
    many = [replace(sessions("New")[0], id=f"many-{number}", title=f"Many {number}") for number in range(5)]
    await site.say("ev", *many)
    await site.settle(within=3_600)
    assert await site.codes() == set()
    site.sandbox.clear_faults()
    await site.settle(within=1_200)
    state = str(site.sandbox.state(site.swoogo_ids["ev"])["sessions"])
    assert [each.title for each in many if each.title not in state] == []
    await site.client.aclose()


def made(site: Site) -> int:
    """Calls that reached Swoogo, but for tokens."""
    return sum("oauth2" not in call["path"] for call in site.calls())


@pytest.mark.rule("G1", "G2")
@pytest.mark.parametrize("synced", [False, True], ids=["create", "update"])
async def test_a_record_that_swoogo_fails_at_holds_up_nothing_else(*, synced: bool) -> None:
    """It is named, tried again by reconciles alone, and neither delays other changes nor costs calls without end."""
    site = await one_event()
    if synced:
        await site.settle()
    poison = Poison(site, "sessions/update" if synced else "sessions/create")
    await site.say("ev", *poisoned())
    await site.settle(within=900)
    assert await site.codes() == {Code.REFUSED}
    before, calls = poison.hits, made(site)
    await site.settle(within=DAY)
    assert poison.hits == before
    assert made(site) == calls
    # Another change arrives in its own time, and does not look for the record every time.
    await site.say("ev", replace(poisoned()[0], description="<p>Later</p>"))
    await site.settle(within=10)
    assert "<p>Later</p>" in str(site.sandbox.state(site.swoogo_ids["ev"])["sessions"])
    assert made(site) == calls + 1
    await site.reconcile()
    assert poison.hits > before
    poison.healed = True
    await site.reconcile()
    await site.settle()
    assert site.differences() == []
    assert await site.codes() == set()
    await site.client.aclose()
