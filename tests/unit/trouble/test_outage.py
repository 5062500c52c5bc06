"""While Swoogo is away, events wait; credits, calls and log lines stay few, and all is right afterwards.

Two events of one credential and one of another, real client, sandbox; hours pass in a moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import structlog

from consumer.adapters.sealing import credential_id
from consumer.domain.issues.issue import Code
from tests.support.builders import ZONE, a_session
from tests.unit.trouble.site import Site, a_site, sessions

pytestmark = pytest.mark.rule("G5")

HOUR = 3_600.0
MOST = 300.0
"""Seconds between two probes at most."""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """`e1` and `e2` of one credential, `other` of another; all synced."""
    site = a_site("key", "stranger", circuit_max=MOST)
    ids = site.sandbox.seed({"events": [{"name": each, "timezone": ZONE} for each in "abc"]})["events"]
    for event_id, swoogo_id, key in zip(("e1", "e2", "other"), ids, ("key", "key", "stranger"), strict=True):
        await site.map(event_id, swoogo_id, key)
        await site.say(event_id, *sessions())
    await site.settle()
    assert not [each for event_id in site.said for each in site.differences(event_id)]
    yield site
    await site.client.aclose()


def down(site: Site, do: dict[str, Any]) -> None:
    """Every call with the credential ends so; the token call, which does not name it, too."""
    site.sandbox.expire_tokens()
    site.sandbox.add_faults([{"match": {"credential": "key"}, "times": None, "do": do}])


def unreachable(error: type[httpx.HTTPError]) -> Callable[[httpx.Request], None]:
    """Nothing gets through to the sandbox."""

    def refuse(request: httpx.Request) -> None:
        raise error("away")

    return refuse


OUTAGES: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "body": {"message": "Oops"}},
    "503": {"status": 503},
    "html": {"html": True},
    "dropped": {"drop": "before"},
    "401 for ever": {"status": 401, "body": {"message": "Your request was made with invalid credentials."}},
    "403 for all": {"status": 403, "body": {"message": "Forbidden"}},
}


@pytest.mark.parametrize("do", OUTAGES.values(), ids=OUTAGES.keys())
async def test_an_outage_costs_neither_credits_nor_log_lines_and_ends_by_itself(site: Site, do: dict[str, Any]) -> None:
    """Six hours with changes all the time: about one probe every five minutes, one line at each end."""
    down(site, do)
    with structlog.testing.capture_logs() as lines:
        before = len(site.wire.attempts)
        for number in range(72):
            for event_id in ("e1", "e2"):
                await site.say(event_id, *sessions(f"Hour {number}"))
            await site.settle(within=HOUR / 12)
        attempts = len(site.wire.attempts) - before
    # With a refused token a probe is two calls, and a call for a new token in between.
    assert attempts <= 3 * 6 * HOUR / (MOST / 2) + 40
    assert len(lines) <= 6, "only runs that were under way when it opened"
    assert site.circuits.opened == [credential_id("key")]
    await site.say("other", *sessions("Untouched"))
    await site.settle(within=60)
    assert site.differences("other") == [], "the other credential goes on"
    site.sandbox.clear_faults()
    await site.settle(within=2 * MOST)
    await site.reconcile()
    assert site.differences("e1") + site.differences("e2") == []
    assert site.circuits.closed == [credential_id("key")]
    assert Code.AMBIGUOUS_MATCH not in await site.codes("e1")


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError])
async def test_what_never_reaches_swoogo_is_an_outage_too(site: Site, error: type[httpx.HTTPError]) -> None:
    """Connection refused, black hole, reset: for every credential by itself."""
    await site.say("e1", *sessions("Changed"))
    await site.say("other", *sessions("Changed"))
    site.wire.before = unreachable(error)
    attempts = len(site.wire.attempts)
    await site.settle(within=2 * HOUR)
    assert len(site.wire.attempts) - attempts <= 2 * (2 * HOUR / (MOST / 2) + 30)
    assert sorted(site.circuits.opened) == sorted([credential_id("key"), credential_id("stranger")])
    site.wire.before = lambda request: None
    await site.settle(within=2 * MOST)
    await site.reconcile()
    assert [each for event_id in site.said for each in site.differences(event_id)] == []


@pytest.mark.rule("G2")
async def test_the_probe_is_never_a_create(site: Site) -> None:
    """What finds out whether Swoogo is back has no effect there."""
    rule = {"match": {"path": "sessions|speakers|events", "credential": "key"}, "times": None, "do": OUTAGES["503"]}
    site.sandbox.add_faults([rule])
    new = a_session("s4", title="Never there before")
    await site.say("e1", *sessions("Changed"), new)
    await site.settle(within=600)
    assert (await site.circuits.look(credential_id("key"))).open
    before = len(site.calls())
    await site.settle(within=HOUR)
    probes = [call for call in site.calls()[before:] if "oauth2" not in call["path"]]
    assert probes
    assert {(call["method"], call["path"].strip("/").partition("/")[0]) for call in probes} == {("GET", "events")}
    site.sandbox.clear_faults()
    await site.settle()
    assert site.differences("e1") == []


@pytest.mark.rule("C5")
async def test_a_manual_sync_finds_out_at_once(site: Site) -> None:
    """Somebody waits for it; without one the next probe would be minutes away."""
    down(site, OUTAGES["503"])
    await site.say("e1", *sessions("Changed"))
    await site.settle(within=2 * HOUR)
    site.sandbox.clear_faults()
    assert (await site.circuits.look(credential_id("key"))).wait(site.clock.now()) > 60
    await site.ask("e2")
    await site.settle(within=10)
    assert site.circuits.closed == [credential_id("key")]
    assert site.differences("e2") == []
    await site.settle(within=2 * MOST)
    assert site.differences("e1") == []


@pytest.mark.rule("M4")
async def test_one_event_that_is_forbidden_stops_no_other(site: Site) -> None:
    """403 about one event is that event's trouble: its records are told, the other event goes on."""
    rule = {"match": {"path": "sessions/update"}, "times": 3, "do": {"status": 403, "body": {"message": "Forbidden"}}}
    site.sandbox.add_faults([rule])
    await site.say("e1", *sessions("Forbidden"))
    await site.settle(within=60)
    assert await site.codes("e1") == {Code.NO_PERMISSION}
    assert site.circuits.opened == []
    await site.say("e2", *sessions("Fine"))
    await site.settle(within=60)
    assert site.differences("e2") == []


async def test_bad_records_are_told_while_others_go_through(site: Site) -> None:
    """A 500 to one record of each event is told of that record."""
    rule = {"match": {"path": "sessions/update/\\d*1$"}, "times": None, "do": {"status": 500}}
    site.sandbox.add_faults([rule])
    for number in range(5):
        await site.say("e1", *sessions(f"Try {number}"))
        await site.say("e2", *sessions(f"Try {number}"))
        await site.settle(within=300)
    assert await site.codes("e1") | await site.codes("e2") == {Code.REFUSED}
    site.sandbox.clear_faults()
    await site.reconcile()
    assert site.differences("e1") + site.differences("e2") == []


async def test_403_about_two_events_in_a_row_is_about_the_credential(site: Site) -> None:
    """The token is good, every record is forbidden: it opens, and what was refused is tried again after it."""
    rule = {"match": {"path": "sessions|events", "credential": "key"}, "times": None, "do": OUTAGES["403 for all"]}
    site.sandbox.add_faults([rule])
    for event_id in ("e1", "e2"):
        await site.say(event_id, *sessions("Forbidden"))
    await site.settle(within=60)
    assert site.circuits.opened == [credential_id("key")]
    site.sandbox.clear_faults()
    await site.settle()
    await site.reconcile()
    assert site.differences("e1") + site.differences("e2") == []
