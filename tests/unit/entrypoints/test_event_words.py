"""K1: the sentences of the console: what is so, since when, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from consumer.adapters.redis.programme import EntryRow, Programme
from consumer.adapters.redis.programme import SessionRow as KeptSession
from consumer.domain.explaining.sync_state import Became, SyncState
from consumer.domain.records.ledger import State
from consumer.entrypoints.console import times
from consumer.entrypoints.console.pages.event import lead_of
from consumer.entrypoints.console.words import last_words, next_words, now_words, waiting_words
from consumer.entrypoints.documents.programme import SessionRow, programme_rows
from consumer.entrypoints.documents.rows import EventRow
from consumer.entrypoints.documents.run import run_document
from tests.support.builders import HOUR, at

pytestmark = pytest.mark.rule("K1")

NOW: Final = at("2026-07-01 14:32")
LONDON: Final = ZoneInfo("Europe/London")
MINUTE: Final = 60_000
QUIET: Final = EventRow("ev", "Summit", True, 1, True, 0, None, False, 0, 600.0, 1800.0, 1980, None)


def row(**fields: Any) -> EventRow:
    return replace(QUIET, **fields)


def a_run(**fields: Any) -> Any:
    from consumer.domain.push.run import Run, Trigger

    return run_document(Run("r1", "ev", Trigger.CHANGES, started=NOW - 2 * MINUTE, **fields))


PUSHING: Final = {
    "state": SyncState.PUSHING,
    "working": True,
    "dirty": 3,
    "last_run": a_run(planned_calls=826, done_calls=286, eta=NOW + 3 * MINUTE),
}


@pytest.mark.parametrize(
    ("fields", "now", "then", "waits"),
    [
        ({}, ("Nothing waits", ""), "Nothing comes by itself", ("", "")),
        (
            {"survey_ms": NOW + 19 * MINUTE},
            ("Nothing waits", ""),
            "Compared with Swoogo at 14:51",
            ("", ""),
        ),
        (
            {"dirty": 4, "due_ms": NOW + 10_000, "oldest_ms": NOW - MINUTE},
            ("4 changes wait", "since 14:31"),
            "They go over at 14:32:10",
            ("4 changes", "they go over at 14:32:10"),
        ),
        (
            {"dirty": 1, "due_ms": NOW - 1},
            ("1 change waits", ""),
            "Goes over now",
            ("1 change", "goes over now"),
        ),
        (
            {"dirty": 2, "continuous": False},
            ("2 changes wait", "until somebody starts a sync: continuous sync is off"),
            "Nothing comes by itself",
            ("2 changes", "until somebody starts a sync: continuous sync is off"),
        ),
        (
            {"dirty": 12, "paused_until": NOW + 92_000},
            ("12 changes wait", "Swoogo does not answer."),
            "Swoogo is tried again at 14:33:32",
            ("12 changes", "Swoogo does not answer; tried again at 14:33:32"),
        ),
        (
            {"dirty": 1, "failures": 2, "due_ms": NOW + 90 * MINUTE},
            ("The last 2 tries failed", "Why is on the page of its run."),
            "Tried again at 16:02",
            ("1 change", "the last try failed; tried again at 16:02"),
        ),
        (
            PUSHING,
            ("286 of 826 calls made", "34 % sent, since 14:30"),
            "Done about 14:35",
            ("286 of 826 calls", "34 % sent, done about 14:35"),
        ),
        (
            {"state": SyncState.NOT_CONNECTED, "mapped": False, "dirty": 3},
            ("No organization maps this event", "3 changes wait."),
            "Nothing before it is mapped",
            ("3 changes", "no organization maps it"),
        ),
        (
            {"state": SyncState.NOT_CONNECTED, "refused": True, "dirty": 31},
            (
                "Swoogo refuses the credential",
                "The organization has to connect again, with one that Swoogo takes.",
            ),
            "Everything goes on once it is connected",
            ("31 changes", "Swoogo refuses the credential"),
        ),
        (
            {"unapproved": 3},
            ("3 records wait for approval", "Nothing is sent before."),
            "Nothing comes by itself",
            ("3 records", "for approval"),
        ),
        (
            {"frozen": 1, "dirty": 2},
            ("1 record waits for the end of a freeze", "2 changes besides."),
            "Nothing comes by itself",
            ("1 record", "frozen"),
        ),
    ],
)
def test_what_is_so_and_what_comes_next(
    fields: dict[str, Any], now: tuple[str, str], then: str, waits: tuple[str, str]
) -> None:
    event = row(**fields)
    assert now_words(event, NOW, LONDON) == now
    assert next_words(event, NOW, LONDON)[0] == then
    assert waiting_words(event, NOW, LONDON) == waits


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (0, ("14:32", "now")),
        (34 * MINUTE, ("13:58", "34 min ago")),
        (14 * 60 * MINUTE, ("00:32", "14 h ago")),
        (30 * 60 * MINUTE, ("30 Jun", "yesterday")),
        (9 * 24 * 60 * MINUTE, ("22 Jun", "9 days ago")),
        (300 * 24 * 60 * MINUTE, ("4 Sep 2025", "300 days ago")),
    ],
)
def test_when_a_change_last_reached_swoogo(ago: int, words: tuple[str, str]) -> None:
    assert last_words(row(reached_ms=NOW - ago), NOW, LONDON) == words
    assert last_words(row(), NOW, LONDON) == ("", "")


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-10-26", "2026-10-26", "26 October 2026"),
        ("2026-10-13", "2026-10-15", "13–15 October 2026"),
        ("2026-09-30", "2026-10-02", "30 September – 2 October 2026"),
        ("2026-12-31", "2027-01-02", "31 December 2026 – 2 January 2027"),
    ],
)
def test_the_dates_of_an_event(first: str, last: str, words: str) -> None:
    days = [times.at(at(f"{each} 12:00"), LONDON).date() for each in (first, last)]
    assert times.span(*days) == words


@pytest.mark.parametrize(("zone", "words"), [("Europe/London", "UTC+1"), ("Asia/Kolkata", "UTC+5:30"), ("", "UTC")])
def test_clocks_are_named_by_their_offset(zone: str, words: str) -> None:
    assert times.offset(times.zone_of(zone), NOW) == words
    assert times.zone_of("No/Where") is UTC


def session(became: Became, *, live: bool) -> SessionRow:
    return SessionRow("s", "T", "", "", None, None, None, became, live)


IN: Final = session(Became.IN_SWOOGO, live=True)
WAITS: Final = session(Became.WAITING, live=False)


@pytest.mark.parametrize(
    ("rows", "lead", "rest"),
    [
        ([], "There is no accepted session yet.", ""),
        ([IN], "The session is in Swoogo.", ""),
        ([IN, IN], "All 2 accepted sessions are in Swoogo.", ""),
        ([WAITS], "The one accepted session is not in Swoogo.", "It waits."),
        ([WAITS, WAITS], "None of 2 accepted sessions is in Swoogo.", "2 wait."),
        ([IN, WAITS], "1 of 2 accepted sessions is in Swoogo.", "The other one waits."),
        ([IN, WAITS, WAITS], "1 of 3 accepted sessions is in Swoogo.", "The other 2 wait."),
        (
            [IN, IN, WAITS, session(Became.HELD, live=False)],
            "2 of 4 accepted sessions are in Swoogo.",
            "The other 2: 1 waits, 1 is held on purpose.",
        ),
    ],
)
def test_the_first_sentence_counts_sessions(rows: list[SessionRow], lead: str, rest: str) -> None:
    assert lead_of(rows) == (lead, rest)


@pytest.mark.parametrize(
    ("there", "over", "shown"),
    [(False, False, Became.WAITING), (False, True, Became.OVER), (True, False, Became.IN_SWOOGO)],
    ids=["new", "over", "there"],
)
def test_what_is_new_waits_where_a_plan_waits_for_approval(there: bool, over: bool, shown: Became) -> None:
    """It was counted as left out while the page said that records wait for approval."""
    kept = KeptSession(title="Talk", status="accepted", ends_at=1 if over else 3 * HOUR)
    entries = {"s1": EntryRow(state=State.APPLIED, swoogo_id=7)} if there else {}
    programme = Programme(f"{there}{over}".encode(), {"s1": kept}, entries)
    [row] = programme_rows(programme, None, (), (), HOUR, unapproved=True)
    assert row.became is shown
