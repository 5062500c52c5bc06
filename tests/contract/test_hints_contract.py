"""Hints between the process that receives deliveries and the worker that has the event, and what is registered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from consumer.domain.connections.webhooks import Registered
from consumer.domain.errors import LeaseLostError
from consumer.domain.push.cause import Reconcile
from consumer.domain.push.hints import Hint, Hints
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Depth
from consumer.ports import Lease, event_subject
from consumer.ports.webhooks import Kept
from tests.contract.bench import Bench
from tests.contract.conftest import MakeBench
from tests.support.builders import EVENT, ORG, a_mapping

pytestmark = pytest.mark.rule("W2")

SUBJECT: Final = event_subject(EVENT)
HINT: Final = Hint(Kind.SPEAKER, 7, "2026-06-01 09:00:00", "d1", 5, row={"email": "ada@example.org"}, contact_id=3)
LATER: Final = replace(HINT, stamp="2026-06-01 09:00:01", digest="d2")


@pytest.fixture
async def mapped(make_bench: MakeBench) -> Bench:
    """An event that is mapped, whose next survey is far away."""
    bench = make_bench(survey=3_600.0, lease=5.0)
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    await bench.inbox.set_continuous(EVENT, on=True)
    return bench


@pytest.mark.rule("W2")
async def test_a_hint_makes_its_event_due_soon_and_is_there_for_who_claims_it(mapped: Bench) -> None:
    assert await mapped.hints.put(EVENT, HINT) in {Kept.ACCEPTED, Kept.KNOWN}
    lease = await mapped.claimed(SUBJECT)
    assert lease.cause == Reconcile(Depth.HINTED)
    held = await mapped.hints.load(EVENT)
    assert (held.known, held.everything) == ((HINT,), False)


@pytest.mark.rule("W2")
async def test_the_survey_that_was_due_comes_in_its_time_after_a_hint(mapped: Bench) -> None:
    await mapped.hints.put(EVENT, HINT)
    await mapped.inbox.complete(await mapped.claimed(SUBJECT), {}, survey_in=0.3)
    lease = await mapped.claimed(SUBJECT, "op-2")
    assert lease.cause == Reconcile(Depth.SHALLOW)


@pytest.mark.rule("C4", "W2")
async def test_a_hint_without_continuous_sync_is_looked_at_once(make_bench: MakeBench) -> None:
    """Looking is no push."""
    bench = make_bench(lease=5.0)
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    await bench.hints.put(EVENT, HINT)
    lease = await bench.claimed(SUBJECT)
    assert lease.cause == Reconcile(Depth.HINTED)
    await bench.inbox.complete(lease, {}, survey_in=60.0)
    assert (await bench.inbox.due(10)).subjects == ()


@pytest.mark.rule("W2")
@pytest.mark.parametrize("depth", [Depth.SHALLOW, Depth.DEEP, Depth.CONFIRMED])
async def test_a_survey_that_was_asked_for_is_not_made_less_by_a_hint(mapped: Bench, depth: Depth) -> None:
    await mapped.inbox.request_survey(EVENT, depth)
    await mapped.hints.put(EVENT, HINT)
    assert (await mapped.claimed(SUBJECT)).cause == Reconcile(depth)


@pytest.mark.rule("W2")
async def test_a_survey_asked_for_after_a_hint_is_the_deeper_one(mapped: Bench) -> None:
    await mapped.hints.put(EVENT, HINT)
    await mapped.inbox.request_survey(EVENT, Depth.SHALLOW)
    assert (await mapped.claimed(SUBJECT)).cause == Reconcile(Depth.SHALLOW)


@pytest.mark.rule("W3")
async def test_deliveries_that_say_nothing_new_are_known(mapped: Bench) -> None:
    await mapped.hints.put(EVENT, LATER)
    assert await mapped.hints.put(EVENT, LATER) is Kept.KNOWN
    assert await mapped.hints.put(EVENT, HINT) is Kept.KNOWN
    assert (await mapped.hints.load(EVENT)).known == (LATER,)


@pytest.mark.rule("W3")
async def test_two_states_of_one_second_are_to_be_read(mapped: Bench) -> None:
    await mapped.hints.put(EVENT, HINT)
    await mapped.hints.put(EVENT, replace(HINT, digest="d2", row={"email": "bob@example.org"}))
    [held] = (await mapped.hints.load(EVENT)).known
    assert held.row is None


@pytest.mark.rule("W3")
async def test_a_deletion_stays_whatever_comes_after_it(mapped: Bench) -> None:
    await mapped.hints.put(EVENT, HINT)
    gone = replace(HINT, digest="d3", deleted=True, row=None, stamp="")
    await mapped.hints.put(EVENT, gone)
    assert await mapped.hints.put(EVENT, LATER) is Kept.KNOWN
    assert (await mapped.hints.load(EVENT)).known == (gone,)


@pytest.mark.rule("W3")
async def test_an_event_that_is_not_mapped_keeps_nothing(make_bench: MakeBench) -> None:
    bench = make_bench()
    assert await bench.hints.put(EVENT, HINT) is Kept.UNMAPPED
    assert await bench.hints.load(EVENT) == Hints()
    assert (await bench.inbox.due(10)).next_in is None


@pytest.mark.rule("W2")
async def test_beyond_a_bound_the_whole_event_is_looked_at(mapped: Bench) -> None:
    for number in range(210):
        await mapped.hints.put(EVENT, replace(HINT, swoogo_id=number + 1))
    held = await mapped.hints.load(EVENT)
    assert held.everything
    assert len(held.known) == 200
    await mapped.hints.drop(await mapped.claimed(SUBJECT), held)
    assert (await mapped.hints.load(EVENT)).known == ()


@pytest.mark.rule("W2", "G1")
async def test_what_comes_while_hints_are_taken_is_looked_at_after_them(mapped: Bench) -> None:
    """Nothing is lost between the look and its end."""
    await mapped.hints.put(EVENT, HINT)
    lease = await mapped.claimed(SUBJECT)
    taken = await mapped.hints.load(EVENT)
    await mapped.hints.put(EVENT, LATER)
    await mapped.hints.drop(lease, taken)
    await mapped.inbox.complete(lease, {}, survey_in=3_600.0)
    assert (await mapped.hints.load(EVENT)).known == (LATER,)
    assert (await mapped.claimed(SUBJECT, "op-2")).cause == Reconcile(Depth.HINTED)


@pytest.mark.rule("W2")
async def test_a_survey_that_failed_waits_for_its_time_whatever_is_delivered(mapped: Bench) -> None:
    await mapped.hints.put(EVENT, HINT)
    await mapped.inbox.complete(await mapped.claimed(SUBJECT), {}, failed=True, survey_in=60.0)
    await mapped.hints.put(EVENT, LATER)
    due = await mapped.inbox.due(10)
    assert due.next_in is not None
    assert due.next_in > 50


@pytest.mark.rule("W2")
async def test_many_deliveries_at_once_are_one_look(mapped: Bench) -> None:
    await asyncio.gather(*(mapped.hints.put(EVENT, replace(HINT, swoogo_id=n)) for n in range(1, 50)))
    lease = await mapped.claimed(SUBJECT)
    held = await mapped.hints.load(EVENT)
    assert len(held.known) == 49
    await mapped.hints.drop(lease, held)
    await mapped.inbox.complete(lease, {}, survey_in=3_600.0)
    assert (await mapped.inbox.due(10)).subjects == ()


@pytest.mark.rule("W1", "G4")
async def test_what_is_registered_is_kept_by_the_holder_of_the_lease_alone(bench: Bench) -> None:
    known = Registered(5, "print", ORG, 12, "hash", 7, "a sentence")
    lost: Lease = await bench.leased()
    await bench.webhooks.put(lost, {"session": known, "speaker": known})
    await bench.webhooks.put(lost, {"speaker": None})
    assert await bench.webhooks.load(EVENT) == {"session": known}
    await bench.claimed(SUBJECT, "heir")
    with pytest.raises(LeaseLostError):
        await bench.webhooks.put(lost, {"session": None})


@pytest.mark.rule("G1", "W2")
@pytest.mark.parametrize("deferred", [False, True])
async def test_what_is_due_later_stays_due_after_a_look_at_hints(mapped: Bench, *, deferred: bool) -> None:
    """A look plans nothing: an image on its way, or an unanswered create, comes again in its time."""
    lease = await mapped.leased()
    await mapped.inbox.complete(lease, (await mapped.inbox.load(EVENT)).marks, retry_in=1.5)
    await mapped.hints.put(EVENT, HINT)
    lease = await mapped.claimed(SUBJECT, "op-2")
    assert lease.cause == Reconcile(Depth.HINTED)
    if deferred:
        await mapped.inbox.defer(lease, 0.1)
        lease = await mapped.claimed(SUBJECT, "op-3")
        assert lease.cause == Reconcile(Depth.HINTED)
    await mapped.inbox.complete(lease, {}, survey_in=3_600.0)
    lease = await mapped.claimed(SUBJECT, "op-4")
    assert not isinstance(lease.cause, Reconcile)
