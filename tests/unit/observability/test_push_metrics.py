"""Which changes a push brought to Swoogo, and how long each took from its own timestamp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from unittest.mock import AsyncMock

import pytest

from consumer.domain.planning.plan import Plan
from consumer.domain.push.claim import EventState, Lease, event_subject
from consumer.domain.push.execution import ExecutionResult
from consumer.domain.push.facts import Facts
from consumer.domain.push.push_report import PushReport
from consumer.domain.push.run import Run, Trigger
from consumer.domain.push.settlement import Settlement
from consumer.domain.records.identity import Kind, stamp
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Snapshot
from consumer.observability.calls import PushCalls
from consumer.observability.push_metrics import Landed, arrivals
from consumer.services.execution import LedgerWriter
from tests.support.builders import EVENT, a_mapping
from tests.support.fakes import FakeClock

AT = 1_800_000_000_000
NAME = {"name": "Title"}
LEASE = Lease(event_subject(EVENT), 1, "op")


def changed(published: int) -> str:
    """A stamp whose resource is old and whose publication is what counts."""
    return stamp(1, published, 7)


def an_entry(**fields: object) -> Entry:
    entry = Entry(State.APPLIED, swoogo_id=1, pushed=NAME, seen=NAME)
    return replace(entry, **fields)  # type: ignore[arg-type] # fields by name


@dataclass
class Push:
    """A push that sets out with `marks` and `entries`, and writes to its ledger."""

    marks: Mapping[str, str]
    entries: dict[str, Entry] = field(default_factory=dict)
    continuous: bool = True
    clock: FakeClock = field(default_factory=lambda: FakeClock(AT))

    def __post_init__(self) -> None:
        self.ledger = LedgerWriter(AsyncMock(), LEASE, self.clock, dict(self.entries))

    async def kept(self, entries: Mapping[str, Entry | None], at: int) -> None:
        self.clock.ms = at
        await self.ledger.write(entries)

    def arrivals(self, since: int | None) -> list[Landed]:
        state = EventState(Snapshot(), self.marks, fresh_since=since)
        facts = Facts(LEASE, replace(a_mapping(), continuous=self.continuous), state, self.entries)
        result = ExecutionResult(self.ledger.entries, confirmed=self.ledger.confirmed)
        return arrivals(PushReport(facts, Plan(), result, Settlement(Run("op", EVENT, Trigger.CHANGES, AT), {})))


async def test_a_change_counts_from_its_own_timestamp_until_swoogo_confirmed_it() -> None:
    push = Push({"session/a": changed(AT), "contact/b": changed(AT - 5_000)})
    await push.kept({"session/a": an_entry()}, AT + 12_000)
    await push.kept({"speaker/b": an_entry()}, AT + 13_000)
    assert push.arrivals(AT - 10_000) == [Landed(Kind.SESSION, 12.0, AT), Landed(Kind.SPEAKER, 18.0, AT - 5_000)]


async def test_a_change_from_before_the_event_was_synced_by_itself_does_not_count() -> None:
    push = Push({"session/a": changed(AT)})
    await push.kept({"session/a": an_entry()}, AT + 1)
    assert push.arrivals(AT + 1_000) == []
    assert push.arrivals(None) == []
    assert len(push.arrivals(AT + 999)) == 1, "its own moment may have been cut to the second"
    assert len(push.arrivals(AT)) == 1
    push.continuous = False
    assert push.arrivals(AT) == []


async def test_a_change_for_which_nothing_was_sent_does_not_count() -> None:
    """What a survey learned, an intent, a tombstone: none of them brought the change to Swoogo."""
    push = Push(
        {"session/a": changed(AT), "session/b": changed(AT), "session/c": changed(AT)},
        {"session/a": an_entry(), "session/c": an_entry()},
    )
    learned = an_entry(seen={"name": "By hand"})
    await push.kept({"session/a": learned, "session/b": Entry(State.INTENT, at=AT)}, AT)
    assert (push.ledger.found_gone, push.arrivals(0)) == (0, [])
    await push.kept({"session/c": an_entry(state=State.GONE)}, AT)
    assert (push.ledger.found_gone, push.arrivals(0)) == (1, [])


async def test_participation_is_a_change_of_the_session() -> None:
    push = Push(
        {"session/new": changed(AT), "session/left": changed(AT), "session/same": changed(AT)},
        {"speaker/p": an_entry(links=("left", "same"))},
    )
    await push.kept({"speaker/p": an_entry(links=("new", "same"))}, AT + 1_000)
    assert sorted(each.seconds for each in push.arrivals(0)) == [1.0, 1.0]


async def test_a_deletion_that_was_carried_out_has_arrived() -> None:
    push = Push({"session/a": changed(AT)}, {"session/a": an_entry()})
    await push.kept({"session/a": None}, AT + 2_000)
    assert [each.seconds for each in push.arrivals(0)] == [2.0]


async def test_a_clock_that_is_ahead_makes_no_negative_time() -> None:
    push = Push({"session/a": changed(AT + 60_000)})
    await push.kept({"session/a": an_entry()}, AT)
    assert [each.seconds for each in push.arrivals(0)] == [0.0]


def test_calls_that_wait_side_by_side_wait_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("consumer.observability.calls.time.monotonic", lambda: now)
    calls = PushCalls()
    calls.waits()
    now = 102.0
    calls.waits()
    now = 105.0
    assert calls.goes_on() == 0.0
    now = 110.0
    assert calls.goes_on() == calls.waited == 10.0
