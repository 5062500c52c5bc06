"""The dispatcher where a mapping is missing, work breaks, or a lease is lost."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from consumer.adapters.redis import codecs
from consumer.domain.connection_state import ServedRequest
from consumer.domain.connections.connection import IntegrationRequest, MappingRequest
from consumer.domain.errors import UnavailableError
from consumer.domain.push.run import Run, Trigger
from consumer.domain.records.identity import Kind
from consumer.observability.telemetry import Telemetry
from consumer.ports import Change, Due, EventState, Lease, SyncRequest, event_subject, org_subject
from consumer.settings import load_settings
from tests.support.builders import EVENT, ORG, a_connection, a_mapping, a_session
from tests.support.fakes.clock import settle
from tests.support.service_world import SETTINGS, SUBJECT, World
from tests.support.waiting import wait_until
from tests.unit.services.running import Running


@pytest.mark.rule("M5")
async def test_an_event_without_a_mapping_is_released_and_keeps_its_marks(running: Running) -> None:
    await running.change("unmapped")
    state = running.world.inbox.state(event_subject("unmapped"))
    await wait_until(lambda: running.world.inbox.completed, "the event is released")
    assert (list(state.marks), state.due, state.continuous) == (["session/of unmapped"], None, False)
    assert running.world.swoogo.calls == []


@pytest.mark.rule("M4", "N1")
async def test_open_run_ends_when_the_event_has_no_pair(running: Running) -> None:
    """Stopped in the middle of a push, and the mapping removed: no one comes back to that run."""
    board = running.world.board
    await board.started(Run("left behind", "unmapped", Trigger.CHANGES, 1, org_id=ORG, swoogo_event_id=7))
    await running.change("unmapped")
    await wait_until(lambda: running.world.inbox.completed, "the event is released")
    [run] = await board.runs("unmapped")
    assert (run.id, run.outcome, run.ended > 0) == ("left behind", "failed", True)
    assert [(told.outcome, told.pair_ended) for told in board.topic.runs] == [("running", False), ("failed", True)]
    assert await board.current("unmapped") == run


@pytest.mark.rule("M5")
async def test_a_mapping_accepted_just_as_its_event_is_released_syncs_all_the_same(world: World) -> None:
    """The connector may be at work on another replica at that very moment."""
    switch = world.inbox.set_continuous

    async def accepted_meanwhile(event_id: str, *, on: bool, by: Lease | None = None, ended: bool = False) -> bool:
        world.inbox.set_continuous = switch  # type: ignore[method-assign]
        await world.connections.put_mapping(ORG, event_id, a_mapping(event_id=event_id))
        await switch(event_id, on=True)
        return await switch(event_id, on=on, by=by, ended=ended)

    made = Running(world)
    await made.change("new")
    world.inbox.set_continuous = accepted_meanwhile  # type: ignore[method-assign]
    await wait_until(lambda: made.synced("new"), "the event is pushed under its new mapping")
    made.stop.set()
    await asyncio.wait_for(made.task, 5)


@pytest.mark.rule("C4", "C5", "G1")
@pytest.mark.parametrize("accepted", [True, False])
async def test_sync_requested_with_a_mapping_waits_for_the_mapping(running: Running, accepted: bool) -> None:
    """Also where nothing but that request makes the event due. A refused mapping ends the waiting."""
    world = running.world
    await world.connections.put_connection(ORG, replace(a_connection(), continuous=False))
    world.swoogo.zones[502] = "Europe/London"
    running.held.add("new")
    wanted = MappingRequest(ORG, "new", True, 502 if accepted else 503, "Europe/London")
    await world.given(a_session("of new"), event_id="new")
    await world.connections.add_requester("new", ORG)
    await world.inbox.record(org_subject(ORG), [Change("mapping/new", "1", codecs.encode(wanted))])
    await wait_until(lambda: running.waiting, "the mapping is being looked at")
    await world.inbox.request_sync("new", SyncRequest("asked"), "1")
    running.dispatcher.wake.set()
    await wait_until(lambda: world.inbox.completed, "the event is released")
    running.gate.set()
    await wait_until(lambda: not world.inbox.state(org_subject(ORG)).marks, "the mapping is dealt with")
    await world.clock.advance(SETTINGS.retry_first)
    running.dispatcher.wake.set()
    state = world.inbox.state(event_subject("new"))
    await wait_until(lambda: state.request is None, "the request is dealt with")
    assert running.synced("new") == accepted
    assert state.due is None
    served = [each for each in world.state_log.written if isinstance(each, ServedRequest)]
    assert served == [ServedRequest("new", "asked", "1")], "G6: it is not brought back, served or let go"


async def test_a_defect_in_one_subject_stops_no_other_and_its_lease_runs_out(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running.map("broken")
    load = running.world.inbox.load

    async def broken(event_id: str, *, snapshot: bool = True) -> EventState:
        if event_id == "broken":
            raise RuntimeError("a defect of ours")
        return await load(event_id, snapshot=snapshot)

    monkeypatch.setattr(running.world.inbox, "load", broken)
    await running.change("broken")
    state = running.world.inbox.state(event_subject("broken"))
    await wait_until(lambda: state.epoch, "the defect was met")
    await running.change(EVENT)
    await wait_until(lambda: running.synced(EVENT), "the other is pushed")
    assert state.marks
    monkeypatch.undo()
    await running.world.clock.advance(SETTINGS.lease)
    running.dispatcher.wake.set()
    await wait_until(lambda: running.synced("broken"), "it is claimed again and pushed")


@pytest.mark.rule("G4")
async def test_a_lease_is_renewed_while_the_work_goes_on(running: Running) -> None:
    running.held.add(EVENT)
    await running.change(EVENT)
    await wait_until(lambda: running.waiting, "the push is under way")
    epoch = running.world.inbox.state(SUBJECT).epoch
    for _ in range(12):
        await running.world.clock.advance(SETTINGS.lease / 3)
        assert await running.world.inbox.claim(SUBJECT, "thief") is None
    running.gate.set()
    await wait_until(lambda: running.synced(EVENT), "the change is pushed")
    assert running.world.inbox.state(SUBJECT).epoch == epoch


@pytest.mark.rule("G4")
async def test_renewal_that_misses_its_cancellation_still_ends(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`asyncio.wait_for`, which redis-py sends with, loses a cancellation that comes with its timeout (Python 3.11)."""
    renewing = asyncio.Event()

    async def deaf(lease: Lease) -> None:
        renewing.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    monkeypatch.setattr(running.world.inbox, "renew", deaf)
    running.held.add(EVENT)
    await running.change(EVENT)
    await wait_until(lambda: running.waiting == [EVENT], "the push is at work")
    await running.world.clock.advance(SETTINGS.lease / 3 + 1)
    await wait_until(renewing.is_set, "a renewal is under way")
    running.gate.set()
    await wait_until(lambda: running.synced(EVENT) and not running.dispatcher._running, "the push lets go")


@pytest.mark.rule("G4")
async def test_work_whose_lease_was_lost_is_broken_off(running: Running) -> None:
    running.held.add(EVENT)
    await running.change(EVENT)
    await wait_until(lambda: running.waiting, "the push is under way")
    running.world.inbox.state(SUBJECT).epoch += 1
    await running.world.clock.advance(SETTINGS.lease / 3)
    await wait_until(lambda: running.broken_off, "the work is broken off")
    assert running.world.inbox.completed == []
    assert not running.task.done()


async def test_push_that_cannot_be_released_returns_after_its_lease(running: Running) -> None:
    running.world.ledger.changelog.failures.append(UnavailableError("Kafka is down."))
    await running.change(EVENT)
    await wait_until(lambda: not running.world.ledger.changelog.failures, "the changelog failed")
    await settle()
    assert running.world.marks
    await running.world.clock.advance(SETTINGS.lease)
    running.dispatcher.wake.set()
    await wait_until(lambda: running.synced(EVENT), "the next claim finishes it")
    assert len(running.world.swoogo.called("create")) == 1


@pytest.mark.rule("G1")
async def test_an_inbox_that_is_away_is_asked_again(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def away(limit: int) -> Due:
        asked.append(limit)
        raise UnavailableError("Redis did not answer.")

    monkeypatch.setattr(running.world.inbox, "due", away)
    await running.change(EVENT)
    await wait_until(lambda: len(asked) >= 2, "it is asked again")
    turned = running.dispatcher.turned_at
    assert turned == running.world.clock.ticks() // 1_000_000
    monkeypatch.undo()
    await wait_until(lambda: running.synced(EVENT), "the change is pushed")


@pytest.mark.rule("G1")
async def test_liveness_tells_a_first_round_that_never_ends(running: Running) -> None:
    world, watch, nothing = running.world, Telemetry(load_settings()), AsyncMock()
    began = asyncio.Event()

    async def never(_: int) -> None:
        began.set()
        await asyncio.Event().wait()

    stuck = replace(running.dispatcher, inbox=AsyncMock(due=never), rebuilder=None, turned_at=0)
    task = asyncio.create_task(stuck.run(asyncio.Event()))
    await began.wait()
    async with watch.monitor(nothing, nothing, nothing, nothing, world.clock, stuck):
        assert (await watch.health.ask("live")).found == {"dispatcher": ""}
        world.clock.ms += 60_000
        assert "has not come round for 60 seconds" in (await watch.health.ask("live")).text
    task.cancel()


@pytest.mark.rule("G1")
async def test_liveness_is_independent_of_the_time_of_day(running: Running) -> None:
    """The clock goes by the Redis server's, which is months off the system's here, and is set back and forth."""
    clock, watch = running.world.clock, Telemetry(load_settings())
    nothing: Any = AsyncMock()
    clock.off, running.dispatcher.turned_at = -600_000, 0
    await wait_until(lambda: running.dispatcher.turned_at, "the loop comes round")
    async with watch.monitor(nothing, nothing, nothing, nothing, clock, running.dispatcher):
        assert (await watch.health.ask("live")).found == {"dispatcher": ""}
        clock.off = 0
        assert (await watch.health.ask("live")).found == {"dispatcher": ""}
        clock.ms += 60_000
        assert "has not come round for 60 seconds" in (await watch.health.ask("live")).text


async def test_organization_is_connected_or_retried_without_swoogo(running: Running) -> None:
    request = IntegrationRequest("new", connected=True, secret_name="first")
    running.world.credentials.unavailable = 1
    await running.world.inbox.record(org_subject("new"), [Change("integration/new", "1", codecs.encode(request))])
    await wait_until(lambda: running.world.inbox.completed, "the first try is over")
    [(_, marks, retry_in, failed)] = running.world.inbox.completed
    assert (marks, retry_in, failed) == ({}, SETTINGS.retry_first, True)
    await running.world.clock.advance(SETTINGS.retry_first)
    running.dispatcher.wake.set()
    await wait_until(lambda: running.world.board.topic.announcements, "the second try succeeds")
    assert running.world.board.topic.announcements[0].action == "integration.accepted"


@pytest.mark.rule("M8")
async def test_records_of_another_organization_are_not_pushed_and_end_the_pair(running: Running) -> None:
    """They came while no one looked at the mapping: in between, nothing of them reaches Swoogo."""
    world = running.world
    request = MappingRequest(ORG, EVENT, True, world.mapping.swoogo_event_id, world.mapping.timezone)
    await world.inbox.record(org_subject(ORG), [Change(f"mapping/{EVENT}", "1", codecs.encode(request))])
    await wait_until(lambda: not world.inbox.state(org_subject(ORG)).marks, "the mapping is dealt with")
    await world.given(a_session("s1"), a_session("s2", org_id="theirs"))
    await world.clock.advance(60)
    running.dispatcher.wake.set()
    await wait_until(lambda: not world.inbox.state(event_subject(EVENT)).continuous, "the pair has ended")
    assert world.swoogo.records[Kind.SESSION] == {}
    assert await world.connections.mapping(EVENT) is None


@pytest.mark.rule("G6")
async def test_while_a_server_is_lost_what_it_lacks_waits_and_the_rest_is_pushed(running: Running) -> None:
    """An event waits for its organization and credentials too; organizations, and events without a pair, for all."""
    lacks = {"event/lost", "org/lost", "cred/lost"}
    running.dispatcher.rebuilder = AsyncMock(
        may_push=AsyncMock(side_effect=lambda *tags: lacks.isdisjoint(tags)),
        is_redis_complete=AsyncMock(return_value=False),
        deferral=lambda *_: "",
    )
    connections, inbox = running.world.connections, running.world.inbox
    waiting = {
        "lost": a_mapping(),
        "of a lost organization": replace(a_mapping(), org_id="lost"),
        "of a lost credential": replace(a_mapping(), credential="lost"),
        "reconnected meanwhile": replace(a_mapping(), org_id="reconnected"),
    }
    await connections.put_connection("reconnected", replace(a_connection("reconnected"), credential="lost"))
    for event, mapping in waiting.items():
        await connections.put_mapping(mapping.org_id, event, replace(mapping, event_id=event))
    await running.change(EVENT, "unmapped", *waiting)
    await wait_until(lambda: running.synced(EVENT), "the event that lacks nothing is pushed")
    waited = {event_subject(event) for event in ("unmapped", *waiting)}
    await wait_until(lambda: all(inbox.state(each).hold for each in waited), "the others are put off")
    assert len(running.world.swoogo.records[Kind.SESSION]) == 1
    assert all(inbox.state(each).continuous for each in waited), "none is taken for unmapped"
