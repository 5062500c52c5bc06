"""`sync`: asking for a manual sync and following it, with a worker that the test plays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from consumer.adapters.redis.circuits import RedisCircuits
from consumer.domain.push.cause import ManualSync
from consumer.domain.push.run import Run, Tally, Trigger
from consumer.domain.records.identity import Kind
from consumer.entrypoints.cli import sync
from consumer.ports import Lease
from consumer.settings import SwoogoSettings
from tests.support.builders import EVENT, a_mapping
from tests.support.desk import Desk, soon
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration


async def a_worker(desk: Desk, run: Run, *, failed: bool = False) -> Lease:
    """Does what was asked: waits for the request, claims, reports progress, reports the end, gives back."""

    async def asked() -> bool:
        return (await desk.stores.inbox.waiting(EVENT)).request is not None

    await wait_until(asked, "a sync is asked for")
    lease = await desk.claim()
    run = replace(run, id=desk.clock.new_id())
    await desk.board.started(replace(run, outcome="running", ended=0, planned_calls=4, done_calls=2))
    await desk.board.ended(run, {}, lease)
    await desk.stores.inbox.complete(lease, {}, retry_in=60 if failed else None, failed=failed)
    return lease


@pytest.mark.rule("C5", "N1")
@pytest.mark.parametrize(
    ("fields", "failed", "code"),
    [
        pytest.param({"tallies": {Kind.SESSION: Tally(created=2)}}, False, 0, id="completed"),
        pytest.param(
            {"outcome": "completed_with_issues", "tallies": {Kind.SESSION: Tally(left_out=2)}},
            False,
            0,
            id="something was left out, which is no failure",
        ),
        pytest.param(
            {"outcome": "completed_with_issues", "tallies": {Kind.SPEAKER: Tally(created=2, failed=1)}},
            False,
            1,
            id="a record failed",
        ),
        pytest.param({"outcome": "failed", "error": "Swoogo did not answer."}, True, 1, id="the run failed"),
    ],
)
async def test_a_manual_sync_is_followed_to_its_numbers(
    desk: Desk, fields: dict[str, Any], failed: bool, code: int
) -> None:
    """Asked for with continuous sync off. N1: how many were attempted and how many synced."""
    await desk.map(a_mapping(continuous=False))
    await desk.record(soon("s1"))
    worker = asyncio.create_task(a_worker(desk, desk.run(Trigger.MANUAL, **fields), failed=failed))

    document = await desk.read("sync", EVENT, "--scope", "agenda", code=code)

    lease = await worker
    assert isinstance(lease.cause, ManualSync)
    assert (lease.cause.request.id, lease.cause.request.scope) == (document["request"], "agenda")
    assert document["run"]["trigger"] == "manual"
    tallies = fields.get("tallies", {})
    assert {kind: each["synced"] for kind, each in document["run"]["kinds"].items()} == {
        kind.value: tally.synced for kind, tally in tallies.items()
    }


async def test_a_run_of_changes_that_ends_meanwhile_is_not_taken_for_the_sync(desk: Desk) -> None:
    await desk.map(a_mapping())
    await desk.record(soon("s1"))
    await desk.pushed({}, {}, desk.run(Trigger.MANUAL, tallies={Kind.SESSION: Tally(failed=9)}))

    async def work() -> None:
        lease = await a_worker(desk, desk.run(Trigger.MANUAL, tallies={Kind.SESSION: Tally(updated=1)}))
        assert isinstance(lease.cause, ManualSync)
        await desk.record(soon("s2"))
        await desk.pushed({}, {}, desk.run(tallies={Kind.SESSION: Tally(created=5)}))

    worker = asyncio.create_task(work())
    result = await desk.call("sync", EVENT)
    await worker
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Sync (manual) completed: took 3 s")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["sessions", "1", "of", "1", "1"] in lines


async def test_a_sync_says_that_calls_pause_and_why(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """While Swoogo is away no worker takes it up; silence would look like a command that hangs."""
    monkeypatch.setattr(sync, "EXPLAIN_AFTER", 0.05)
    stores = desk.stores
    mapping = a_mapping()
    await desk.map(mapping)
    circuits = RedisCircuits(stores.redis, stores.keys, stores.scripts, desk.clock, SwoogoSettings())
    for _ in range(5):
        await circuits.failed(mapping.credential, "Swoogo answered 503 to the event.")

    result = await desk.call("sync", EVENT, "--timeout", "2")

    assert result.exit_code == 3
    assert f"Calls for event {EVENT} have been paused for" in result.stderr
    assert "Swoogo answered 503 to the event. Next try in" in result.stderr


async def test_a_sync_that_nobody_takes_up_ends_in_time_with_exit_code_3(desk: Desk) -> None:
    await desk.map(a_mapping())
    result = await desk.call("sync", EVENT, "--timeout", "0.3")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no worker took the sync up within 0.3 seconds; is `swoogo-sync run` running?" in result.stderr


async def test_a_sync_that_does_not_end_in_time_says_that_it_goes_on(desk: Desk) -> None:
    await desk.map(a_mapping())

    async def begin() -> None:
        async def asked() -> bool:
            return (await desk.stores.inbox.waiting(EVENT)).request is not None

        await wait_until(asked, "a sync is asked for")
        await desk.claim()
        await desk.board.started(desk.run(Trigger.MANUAL, ended=0, outcome="running"))

    worker = asyncio.create_task(begin())
    result = await desk.call("sync", EVENT, "--timeout", "1")
    await worker
    assert result.exit_code == 3
    assert "the sync did not end within 1 seconds; it goes on" in result.stderr


async def test_a_sync_can_be_asked_for_without_waiting(desk: Desk) -> None:
    await desk.map(a_mapping())
    document = await desk.read("sync", EVENT, "--no-wait", "--scope", "sponsors")
    waiting = await desk.stores.inbox.waiting(EVENT)
    assert waiting.request is not None
    assert (waiting.request.id, waiting.request.scope) == (document["request"], "sponsors")
    assert (waiting.due_in, document["run"]) == (0, None)
    assert (await desk.call("sync", EVENT, "--no-wait")).stdout.startswith(f"A sync of event {EVENT} is asked for")


@pytest.mark.rule("R6")
async def test_selected_records_can_be_asked_for(desk: Desk) -> None:
    """Sessions and speakers by their Sessionboard ids, each named once or more."""
    await desk.map(a_mapping())
    await desk.record(soon("s1", "c1"), soon("s2"))
    await desk.read("sync", EVENT, "--no-wait", "--session", "s1", "--session", "s2", "--speaker", "c1")
    request = (await desk.stores.inbox.waiting(EVENT)).request
    assert request is not None
    assert (request.scope, request.session_ids, request.speaker_ids) == ("agenda", ("s1", "s2"), ("c1",))


@pytest.mark.rule("R6")
async def test_a_record_that_the_event_never_had_is_named(desk: Desk) -> None:
    """Nothing is asked for: a sync of nothing else would end well and say so nowhere."""
    await desk.map(a_mapping())
    await desk.record(soon("s1"))
    result = await desk.call("sync", EVENT, "--no-wait", "--session", "s1", "--session", "nope", "--speaker", "c9")
    assert result.exit_code == 1
    assert result.stderr == f"Event {EVENT} has no session nope.\nEvent {EVENT} has no speaker c9.\n"
    assert (await desk.stores.inbox.waiting(EVENT)).request is None
    document = await desk.read("sync", EVENT, "--session", "nope", code=1)
    assert document["unknown"] == ["session nope"]
