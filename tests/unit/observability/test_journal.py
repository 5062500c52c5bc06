"""Issue 6, points 4 and 5: which changes a push brought to Swoogo, and how long each took from its own timestamp."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.ledger import Entry, State
from consumer.domain.record import Kind, stamp
from consumer.observability.journal import Journal, Landed

AT = 1_800_000_000_000
NAME = {"name": "Title"}


def changed(published: int) -> str:
    """A stamp whose resource is old and whose publication is what counts."""
    return stamp(1, published, 7)


def an_entry(**fields: object) -> Entry:
    entry = Entry(State.APPLIED, swoogo_id=1, pushed=NAME, seen=NAME)
    return replace(entry, **fields)  # type: ignore[arg-type] # fields by name


def test_a_change_counts_from_its_own_timestamp_until_swoogo_confirmed_it() -> None:
    journal = Journal(marks={"session/a": changed(AT), "contact/b": changed(AT - 5_000)})
    journal.kept({"session/a": an_entry()}, AT + 12_000)
    journal.kept({"speaker/b": an_entry()}, AT + 13_000)
    assert journal.arrivals(AT - 10_000) == [Landed(Kind.SESSION, 12.0, AT), Landed(Kind.SPEAKER, 18.0, AT - 5_000)]


def test_a_change_from_before_the_event_was_synced_by_itself_does_not_count() -> None:
    journal = Journal(marks={"session/a": changed(AT)})
    journal.kept({"session/a": an_entry()}, AT + 1)
    assert journal.arrivals(AT + 1_000) == []
    assert len(journal.arrivals(AT + 999)) == 1, "its own moment may have been cut to the second"
    assert len(journal.arrivals(AT)) == 1


def test_a_change_for_which_nothing_was_sent_does_not_count() -> None:
    """What a survey learned, an intent, a tombstone: none of them brought the change to Swoogo."""
    journal = Journal(marks={"session/a": changed(AT), "session/b": changed(AT), "session/c": changed(AT)})
    journal.entries = {"session/a": an_entry(), "session/c": an_entry()}
    learned = an_entry(seen={"name": "By hand"})
    gone = journal.kept({"session/a": learned, "session/b": Entry(State.INTENT, at=AT)}, AT)
    assert (gone, journal.arrivals(0)) == (0, [])
    assert journal.kept({"session/c": an_entry(state=State.GONE)}, AT) == 1
    assert journal.arrivals(0) == []


def test_who_takes_part_is_a_change_of_the_session_though_the_speaker_is_written() -> None:
    journal = Journal(marks={"session/new": changed(AT), "session/left": changed(AT), "session/same": changed(AT)})
    journal.entries = {"speaker/p": an_entry(links=("left", "same"))}
    journal.kept({"speaker/p": an_entry(links=("new", "same"))}, AT + 1_000)
    assert sorted(each.seconds for each in journal.arrivals(0)) == [1.0, 1.0]


def test_a_deletion_that_was_carried_out_has_arrived() -> None:
    journal = Journal(marks={"session/a": changed(AT)}, entries={"session/a": an_entry()})
    journal.kept({"session/a": None}, AT + 2_000)
    assert [each.seconds for each in journal.arrivals(0)] == [2.0]


def test_a_clock_that_is_ahead_makes_no_negative_time() -> None:
    journal = Journal(marks={"session/a": changed(AT + 60_000)})
    journal.kept({"session/a": an_entry()}, AT)
    assert [each.seconds for each in journal.arrivals(0)] == [0.0]


def test_calls_that_wait_side_by_side_wait_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("consumer.observability.journal.time.monotonic", lambda: now)
    journal = Journal()
    journal.waits()
    now = 102.0
    journal.waits()
    now = 105.0
    assert journal.goes_on() == 0.0
    now = 110.0
    assert journal.goes_on() == journal.waited == 10.0
