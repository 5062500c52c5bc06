"""The dispatcher: what is due is worked on side by side, each with its lease, and trouble of one is its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from consumer.adapters.redis import codecs
from consumer.domain.connection import IntegrationRequest, MappingRequest
from consumer.domain.connection_state import ServedRequest
from consumer.domain.errors import UnavailableError
from consumer.domain.identity import Kind
from consumer.domain.ledger import State
from consumer.domain.run import Run, Trigger
from consumer.observability.telemetry import Telemetry
from consumer.ports import Change, Due, EventState, Lease, SyncRequest, Work, event_subject, org_subject
from consumer.settings import load_settings
from tests.support.builders import EVENT, ORG, a_connection, a_mapping, a_session
from tests.support.fakes.clock import settle
from tests.support.fakes.swoogo import Called
from tests.support.service_world import SETTINGS, SUBJECT, World, push_settings
from tests.support.waiting import wait_until


class Running:
    """A dispatcher at work, and a gate that Swoogo calls of chosen events wait at."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stop = asyncio.Event()
        self.gate = asyncio.Event()
        self.held: set[str] = set()
        self.waiting: list[str] = []
        self.broken_off: list[str] = []
        world.swoogo.before_call = self._hold
        self.dispatcher = world.dispatcher(poll_interval=0.02)
        self.task = asyncio.create_task(self.dispatcher.run(self.stop))

    async def _hold(self, work: Work, call: Called) -> None:
        event = work.mapping.event_id
        if event in self.held:
            self.waiting.append(event)
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.broken_off.append(event)
                raise

    async def map(self, *events: str) -> None:
        """Further pairs of the organization."""
        for event in events:
            await self.world.connections.put_mapping(ORG, event, a_mapping(event_id=event))

    async def change(self, *events: str) -> None:
        """Each event has a change, which is due now."""
        for event in events:
            await self.world.inbox.set_continuous(event, on=False)
            await self.world.given(a_session(f"of {event}"), event_id=event)
            await self.world.inbox.set_continuous(event, on=True)

    def synced(self, event: str) -> bool:
        """Whether the change of `change` is in Swoogo and dealt with."""
        there = any(row["name"] == f"Title of of {event}" for row in self.world.swoogo.records[Kind.SESSION].values())
        return there and not self.world.inbox.state(event_subject(event)).marks


@pytest.fixture
async def running(world: World) -> AsyncIterator[Running]:
    """A dispatcher, ended after the test."""
    made = Running(world)
    yield made
    made.stop.set()
    made.gate.set()
    await asyncio.wait_for(made.task, 5)


async def test_what_is_due_is_pushed_and_given_back(running: Running) -> None:
    await running.change(EVENT)
    await wait_until(lambda: running.synced(EVENT), "the change is pushed")
    assert (await running.world.inbox.due(1)).next_in is None


async def test_a_wake_up_is_not_waited_for_until_the_next_poll(world: World) -> None:
    made = Running(world)
    made.dispatcher.settings = push_settings(poll_interval=10.0)
    await settle()
    await made.change(EVENT)
    made.dispatcher.wake.set()
    await wait_until(lambda: made.synced(EVENT), "the change is pushed")
    made.stop.set()
    await asyncio.wait_for(made.task, 5)


async def test_stopping_finishes_what_runs_and_claims_nothing_new(running: Running) -> None:
    await running.map("late")
    running.held.add(EVENT)
    await running.change(EVENT)
    await wait_until(lambda: running.waiting, "the push is under way")
    running.stop.set()
    running.dispatcher.wake.set()
    await settle()
    await running.change("late")
    await settle()
    assert not running.task.done()
    running.gate.set()
    await asyncio.wait_for(running.task, 5)
    assert running.synced(EVENT)
    assert not running.synced("late")
    assert running.world.inbox.state(event_subject("late")).marks


@pytest.mark.rule("G1", "G4")
async def test_stop_finishes_calls_and_releases_the_event(world: World) -> None:
    """No call is begun after the stop, none is left without its answer, and no one waits for the lease."""
    made = Running(world)
    made.held.add(EVENT)
    await world.inbox.set_continuous(EVENT, on=False)
    await world.given(*(a_session(f"s{number}") for number in range(30)))
    await world.inbox.set_continuous(EVENT, on=True)
    await wait_until(lambda: len(made.waiting) == SETTINGS.concurrency, "the push is under way")
    made.stop.set()
    made.dispatcher.wake.set()
    await settle()
    made.gate.set()
    await asyncio.wait_for(made.task, 5)
    created = len(world.swoogo.records[Kind.SESSION])
    assert SETTINGS.concurrency <= created <= 2 * SETTINGS.concurrency
    assert {entry.state for entry in world.ledger.entries[EVENT].values()} == {State.APPLIED}
    assert len(world.marks) == 30
    assert (await world.inbox.due(1)).subjects == (SUBJECT,)
    world.pusher.stopping.clear()
    again = Running(world)
    await wait_until(lambda: not world.marks, "the next one goes on")
    again.stop.set()
    await asyncio.wait_for(again.task, 5)
    assert len(world.swoogo.records[Kind.SESSION]) == 30


@pytest.mark.rule("G1", "G2")
async def test_call_longer_than_the_drain_is_cancelled_and_stays_an_intent(world: World) -> None:
    """A push that waits for credits does not hold up a stop; nothing is lost or created again blindly."""
    made = Running(world)
    made.dispatcher.settings = push_settings(poll_interval=0.02, shutdown_grace=0.05)
    made.held.add(EVENT)
    await made.change(EVENT)
    await wait_until(lambda: made.waiting, "the push is under way")
    made.stop.set()
    made.dispatcher.wake.set()
    await asyncio.wait_for(made.task, 5)
    assert made.broken_off == [EVENT]
    assert world.inbox.state(SUBJECT).marks
    assert (await world.inbox.due(1)).next_in == SETTINGS.retry_first
    assert world.entry(f"session/of {EVENT}").state is State.INTENT


async def test_a_slow_event_holds_one_place_and_delays_no_other(running: Running) -> None:
    others = [f"other-{number}" for number in range(6)]
    await running.map(*others)
    running.held.add(EVENT)
    await running.change(EVENT)
    await wait_until(lambda: running.waiting, "the slow one is under way")
    await running.change(*others)
    await wait_until(lambda: all(running.synced(event) for event in others), "the others are pushed")
    assert not running.synced(EVENT)


async def test_events_at_once_are_limited_by_credential(running: Running) -> None:
    events = [f"event-{number}" for number in range(5)]
    await running.map(*events)
    running.held.update(events)
    await running.change(*events)
    await wait_until(lambda: len(set(running.waiting)) == SETTINGS.max_events_per_credential, "all places are taken")
    await settle()
    claimed = [event for event in events if running.world.inbox.state(event_subject(event)).until]
    assert len(claimed) == SETTINGS.max_events_per_credential
    running.gate.set()
    await wait_until(lambda: all(running.synced(event) for event in events), "all are pushed")


@pytest.mark.rule("M1")
async def test_an_organization_that_waits_with_all_its_events_delays_no_other(running: Running) -> None:
    """However many of its events are due before those of the others."""
    slow = [f"slow-{number}" for number in range(40)]
    await running.map(*slow)
    running.held.update(slow)
    await running.change(*slow)
    await wait_until(lambda: len(set(running.waiting)) == SETTINGS.max_events_per_credential, "its places are taken")
    await running.world.clock.advance(1)
    for org_id in ("second", "third"):
        other = replace(a_mapping(event_id=f"of {org_id}"), org_id=org_id, credential=f"of {org_id}")
        await running.world.connections.put_connection(org_id, a_connection(org_id))
        await running.world.connections.put_mapping(org_id, other.event_id, other)
    await running.change("of second", "of third")
    await wait_until(lambda: running.synced("of second") and running.synced("of third"), "the others are pushed")
    assert len(set(running.waiting)) == SETTINGS.max_events_per_credential
    running.gate.set()
    await wait_until(lambda: all(running.synced(event) for event in slow), "the slow ones are pushed after all")


@pytest.mark.rule("M1")
async def test_a_round_looks_at_no_more_than_there_are_places_for_however_much_is_due(running: Running) -> None:
    """What waits for a place is in the queue of its credential, out of the way of what comes due after it."""
    slow = [f"slow-{number}" for number in range(300)]
    await running.map(*slow)
    running.held.update(slow)
    await running.change(*slow)
    places = SETTINGS.max_events_per_credential
    await wait_until(lambda: len(set(running.waiting)) == places, "its places are taken")
    inbox = running.world.inbox
    await wait_until(lambda: len(next(iter(inbox.queues.values()), {})) == len(slow) - places, "the others are queued")
    assert (await inbox.due(1000)).hints == ()
    running.gate.set()
    await wait_until(lambda: all(running.synced(event) for event in slow), "they are pushed after all")
    assert inbox.queues == {}


async def test_an_event_that_got_another_credential_while_it_was_queued_is_pushed_once(running: Running) -> None:
    events = [f"event-{number}" for number in range(4)]
    await running.map(*events)
    running.held.update(events)
    await running.change(*events)
    await wait_until(lambda: any(running.world.inbox.queues.values()), "some wait")
    moved = str(next(iter(next(iter(running.world.inbox.queues.values())))).id)
    mapping = replace(a_mapping(event_id=moved), credential="another")
    await running.world.connections.put_mapping(ORG, moved, mapping)
    running.gate.set()
    await wait_until(lambda: all(running.synced(event) for event in events), "all are pushed")
    await wait_until(lambda: not running.world.inbox.queues, "no queue is left")


async def test_in_all_no_more_events_are_worked_on_at_once_than_a_process_may(world: World) -> None:
    made = Running(world)
    made.dispatcher.settings = push_settings(poll_interval=0.02, max_events=3)
    await settle()
    events = [f"event-{number}" for number in range(6)]
    for event in events:
        mapping = replace(a_mapping(event_id=event), credential=f"of {event}")
        await world.connections.put_mapping(ORG, event, mapping)
    made.held.update(events)
    await made.change(*events)
    await wait_until(lambda: len(set(made.waiting)) == 3, "all places are taken")
    await settle()
    assert len(set(made.waiting)) == 3
    made.gate.set()
    await wait_until(lambda: all(made.synced(event) for event in events), "all are pushed")
    made.stop.set()
    await asyncio.wait_for(made.task, 5)


@pytest.mark.rule("M5")
async def test_an_event_without_a_mapping_is_released_and_keeps_its_marks(running: Running) -> None:
    await running.change("unmapped")
    state = running.world.inbox.state(event_subject("unmapped"))
    await wait_until(lambda: running.world.inbox.completed, "the event is released")
    assert (list(state.marks), state.due, state.continuous) == (["session/of unmapped"], None, False)
    assert running.world.swoogo.calls == []


@pytest.mark.rule("M4", "N1")
async def test_open_run_ends_when_the_event_has_no_pair(
    running: Running,
) -> None:
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
    served = [each for each in world.standings.written if isinstance(each, ServedRequest)]
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
async def test_liveness_is_independent_of_the_time_of_day(
    running: Running,
) -> None:
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


async def test_organization_is_connected_or_retried_without_swoogo(
    running: Running,
) -> None:
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
