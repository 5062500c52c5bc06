"""U5: parked changes over all events, chosen by code, organization and age; a dry run changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.trouble_index import TroubleIndex
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.records.identity import fingerprint
from consumer.domain.records.ledger import Entry, State
from tests.support.builders import a_mapping
from tests.support.desk import Desk, a_desk, sent, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("U5")]

HOUR: Final = 3_600_000
SESSION: Final = soon("s1", description="<p>New</p>")
PUSHED: Final = Entry(State.APPLIED, swoogo_id=7, pushed=sent(soon("s1")), natural="n", at=1)
"""Swoogo has the session, but not its description: that was refused."""
REFUSED: Final = Issue("session/s1", Code.REFUSED, parked=fingerprint({"description": "<p>New</p>"}))
DENIED: Final = Issue("session/s2", Code.NO_PERMISSION, parked="f2")


async def parked(desk: Desk, event_id: str, org_id: str, *issues: Issue) -> None:
    """An event with these parked changes."""
    await desk.map(replace(a_mapping(event_id=event_id), org_id=org_id, swoogo_event_id=len(event_id)))
    await desk.record(SESSION, event_id=event_id)
    run = replace(desk.run(), event_id=event_id, org_id=org_id)
    await desk.pushed({"session/s1": PUSHED}, {each.id: each for each in issues}, run, event_id=event_id)


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as made:
        now = made.clock.now()
        await parked(made, "a", "org-1", replace(REFUSED, at=now - 3 * HOUR), replace(DENIED, at=now))
        await parked(made, "bb", "org-1", replace(REFUSED, at=now, rounds=3))
        await parked(made, "ccc", "org-2", replace(DENIED, at=now - 3 * HOUR))
        await parked(made, "dddd", "org-2")
        yield made


def index(desk: Desk) -> TroubleIndex:
    return TroubleIndex(desk.stores.redis, desk.stores.keys)


async def dump(redis: Redis) -> dict[Any, Any]:
    """Every value there is, byte by byte."""
    return {key: await redis.dump(key) for key in await redis.keys("*")}


async def asked(desk: Desk) -> dict[str, set[str]]:
    """Event -> keys that the next claim retries."""
    found = {}
    for event_id in ("a", "bb", "ccc", "dddd"):
        commands = (await desk.stores.inbox.load(event_id)).commands
        assert all(each == LedgerCommand(Action.RETRY, each.key) for each in commands)
        if commands:
            found[event_id] = {each.key for each in commands}
    return found


@pytest.mark.parametrize("complete", [True, False], ids=["indexed", "before the index is complete"])
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), {("a", "session/s1"), ("a", "session/s2"), ("bb", "session/s1"), ("ccc", "session/s2")}),
        (("--code", "refused"), {("a", "session/s1"), ("bb", "session/s1")}),
        (("--org", "org-2"), {("ccc", "session/s2")}),
        (("--older-than", "2h"), {("a", "session/s1"), ("ccc", "session/s2")}),
        (("bb",), {("bb", "session/s1")}),
        (("--code", "has_registrants"), set()),
    ],
)
async def test_parked_changes_are_chosen_over_all_events(
    desk: Desk, options: tuple[str, ...], found: set[tuple[str, str]], *, complete: bool
) -> None:
    if complete:
        await index(desk).fill()
    rows = (await desk.read("parked", "list", *options))["parked"]
    assert {(row["event_id"], row["key"]) for row in rows} == found


async def test_a_dry_run_says_what_each_would_do_and_changes_nothing(desk: Desk, redis: Redis) -> None:
    await index(desk).fill()
    before = await dump(redis)
    document = await desk.read("parked", "retry", "--all", "--dry-run")
    assert {(row["event_id"], row["key"]): row["would"] for row in document["parked"]} == {
        ("a", "session/s1"): "Send the description again, 1 credit",
        ("a", "session/s2"): "Nothing, it is no longer needed",
        ("bb", "session/s1"): "Nothing, it failed 3 times",
        ("ccc", "session/s2"): "Nothing, it is no longer needed",
    }
    assert document["credits"] == 1
    text = (await desk.call("parked", "retry", "--code", "refused", "--dry-run")).stdout
    assert "A retry would send 1 change of 2, for 1 credit. Nothing was done." in " ".join(text.split())
    assert await dump(redis) == before


async def test_a_retry_by_code_goes_to_every_event_and_leaves_what_failed_three_times(desk: Desk) -> None:
    document = await desk.read("parked", "retry", "--code", "refused", "--yes")
    assert [(each["event_id"], each["keys"]) for each in document["events"]] == [("a", ["session/s1"])]
    assert document["exhausted"] == 1
    assert await asked(desk) == {"a": {"session/s1"}}
    await desk.read("parked", "retry", "--code", "refused", "--again", "--reason", "It is allowed now.", "--yes")
    assert await asked(desk) == {"a": {"session/s1"}, "bb": {"session/s1"}}


@pytest.mark.parametrize(
    ("options", "code"),
    [((), 2), (("--all", "--again"), 2), (("--older-than", "old"), 2), (("--code", "refused"), 1)],
    ids=["nothing chosen", "no reason", "no age", "not confirmed"],
)
async def test_a_retry_of_many_is_refused_without(desk: Desk, options: tuple[str, ...], code: int) -> None:
    assert (await desk.call("parked", "retry", *options)).exit_code == code
    assert await asked(desk) == {}


async def test_the_index_has_what_stands_and_is_filled_where_it_has_nothing(desk: Desk, redis: Redis) -> None:
    known = index(desk)
    assert await known.by_event() is None, "events of before may be missing"
    await known.fill()
    written = await known.by_event()
    assert written is not None
    assert {
        event: {code: each.count for code, each in trouble.codes.items()} for event, trouble in written.items()
    } == {
        "a": {"refused": 1, "no_permission": 1},
        "bb": {"refused": 1},
        "ccc": {"no_permission": 1},
    }
    await redis.delete(desk.stores.keys.trouble())
    await known.fill()
    assert await known.by_event() == written
    await desk.ask("a")
    await desk.pushed({}, {}, replace(desk.run(), event_id="a", org_id="org-1"), event_id="a")
    assert set(await known.by_event() or {}) == {"bb", "ccc"}
