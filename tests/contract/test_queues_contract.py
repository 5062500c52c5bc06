"""The queues of the credentials: a subject that is due is always in one place or the other."""

from __future__ import annotations

import pytest

from consumer.ports import DueSubject, SyncRequest, event_subject
from tests.contract.bench import Bench, stamped

FIRST, SECOND = event_subject("first"), event_subject("second")


async def due(bench: Bench, *events: str) -> list[DueSubject]:
    """Have events become due one after the other."""
    for event in events:
        await bench.inbox.request_sync(event, SyncRequest("r"), stamped(1))
        await bench.passed(0.002)
    return list((await bench.inbox.due(10)).entries)


async def test_what_is_queued_hides_nothing_and_is_found_by_any_replica(bench: Bench) -> None:
    first, second = await due(bench, "first", "second")
    await bench.inbox.queue({"a": [first]})
    assert (await bench.inbox.due(10)).entries == (second,)
    assert dict(await bench.inbox.queued(10, 10)) == {"a": (first,)}


async def test_only_the_heads_of_some_queues_are_read(bench: Bench) -> None:
    hints = await due(bench, *"pqrs")
    await bench.inbox.queue({"a": hints[:3]})
    await bench.passed(0.002)
    await bench.inbox.queue({"b": hints[3:]})
    assert await bench.inbox.queued(1, 2) == {"a": tuple(hints[:2])}
    assert await bench.inbox.queued(5, 2) == {"a": tuple(hints[:2]), "b": (hints[3],)}


@pytest.mark.rule("M1")
async def test_served_credential_goes_last_and_an_empty_queue_is_gone(bench: Bench) -> None:
    hints = await due(bench, *"pqr")
    await bench.inbox.queue({"a": hints[:2]})
    await bench.passed(0.002)
    await bench.inbox.queue({"b": hints[2:]})
    await bench.passed(0.002)
    await bench.inbox.leave_queue("a", hints[0])
    assert list((await bench.inbox.queued(5, 5)).items()) == [("b", (hints[2],)), ("a", (hints[1],))]
    await bench.inbox.leave_queue("a", hints[1])
    await bench.inbox.leave_queue("a", hints[1])
    assert dict(await bench.inbox.queued(5, 5)) == {"b": (hints[2],)}


@pytest.mark.rule("G1")
async def test_what_was_queued_again_since_it_was_tried_stays(bench: Bench) -> None:
    """Another replica found it due again before this one had taken it out."""
    [found] = await due(bench, "first")
    again = DueSubject(FIRST, found.due + 1)
    await bench.inbox.queue({"a": [found]})
    await bench.inbox.queue({"a": [again]})
    await bench.inbox.leave_queue("a", found)
    assert dict(await bench.inbox.queued(5, 5)) == {"a": (again,)}


@pytest.mark.rule("G1")
async def test_event_claimed_while_it_is_queued_is_due_after_its_lease(bench: Bench) -> None:
    [found] = await due(bench, "first")
    await bench.claimed(FIRST, "another replica")
    await bench.inbox.queue({"a": [found]})
    assert await bench.inbox.claim(FIRST, "late") is None
    await bench.inbox.leave_queue("a", found)
    assert dict(await bench.inbox.queued(5, 5)) == {}
    assert (await bench.inbox.due(10)).next_in, "it comes again though its holder dies"
