"""The dispatcher: what is due is worked on side by side, each with its lease, and trouble of one is its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from consumer.ports import event_subject
from tests.support.builders import EVENT, ORG, a_connection, a_mapping, a_session
from tests.support.fakes.clock import settle
from tests.support.service_world import SETTINGS, SUBJECT, World, push_settings
from tests.support.waiting import wait_until
from tests.unit.services.running import Running


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
async def test_round_reads_no_more_than_it_has_places_for(running: Running) -> None:
    """What waits for a place is in the queue of its credential, out of the way of what comes due after it."""
    slow = [f"slow-{number}" for number in range(300)]
    await running.map(*slow)
    running.held.update(slow)
    await running.change(*slow)
    places = SETTINGS.max_events_per_credential
    await wait_until(lambda: len(set(running.waiting)) == places, "its places are taken")
    inbox = running.world.inbox
    await wait_until(lambda: len(next(iter(inbox.queues.values()), {})) == len(slow) - places, "the others are queued")
    assert (await inbox.due(1000)).entries == ()
    running.gate.set()
    await wait_until(lambda: all(running.synced(event) for event in slow), "they are pushed after all", timeout=60)
    assert inbox.queues == {}


async def test_event_that_changes_credential_while_queued_is_pushed_once(running: Running) -> None:
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
