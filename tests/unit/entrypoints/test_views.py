"""How plans and statuses look on a terminal of a given width."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from consumer.domain.push.run import Run, Trigger
from consumer.entrypoints.cli.plan_view import show_plan
from consumer.entrypoints.cli.status_view import due, print_event, print_events, show_running
from consumer.entrypoints.documents.issues import IssueRow
from consumer.entrypoints.documents.plan import LeftOut, PlanDocument
from consumer.entrypoints.documents.planned import Association, FieldChange, Planned
from consumer.entrypoints.documents.rows import EventRow
from consumer.entrypoints.documents.run import run_document
from consumer.entrypoints.documents.running import ReplicaRow, RunningDocument, TopicRow
from consumer.entrypoints.documents.status import EventDocument, StatusDocument
from consumer.entrypoints.documents.words import iso
from tests.unit.entrypoints.screens import screen

PLAN = PlanDocument(
    "ev",
    mapped=True,
    swoogo_event_id=4711,
    continuous=True,
    operations=(
        Planned("adopt", "speaker", "c1", "Ada", 1, 12, (FieldChange("company", None, "Engines"),)),
        Planned("update", "session", "s1", "Talk", 1, 7, (FieldChange("start_time", "09:00:00", "10:00:00"),)),
        Planned("update", "session", "s2", "Talk", 1, 8, (FieldChange("track", "Databases", ""),)),
        Planned("link", "speaker", "c1", "Ada", 2, 12, remove=(Association("s9", "Gone"),)),
    ),
    looks=("speaker",),
    unchanged={"session": 1200},
    left_out={"session": {"ended": 3}},
    left_out_records=(LeftOut("session", "s4", "ended", ""),),
    issues=(
        IssueRow(
            "session",
            "s5",
            "multi_day_clamped",
            "partial",
            "",
            "It runs over several dates.",
            "Session s5 runs over several dates.",
        ),
    ),
    wait_until="2026-06-01T09:00:00+00:00",
    credits=15,
    calls=6,
    credits_left=1980,
    latency=0.2,
    seconds=0.4,
)
ROW = EventRow(
    event_id="497f6eca-6276-4993-bfeb-53cbbbba6f08",
    name="A conference",
    mapped=True,
    swoogo_event_id=4711,
    continuous=False,
    dirty=12,
    due_in=90.0,
    working=False,
    failures=2,
    survey_in=600.0,
    survey_every=2700.0,
    credits_left=1980,
    last_run=None,
)
RUN = run_document(Run("id", "ev", Trigger.CHANGES, 1, 2_000, "completed_with_issues", credits=1200))


_STYLING = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.rule("N2")
@pytest.mark.parametrize(("held", "outcome"), [(True, "running"), (False, "broken_off")])
def test_a_run_without_an_end_goes_on_only_while_a_worker_has_its_event(held: bool, outcome: str) -> None:
    """Its author may be gone, and its pair too."""
    assert run_document(Run("id", "ev", Trigger.CHANGES, 1), held=held).outcome == outcome
    ended = Run("id", "ev", Trigger.CHANGES, 1, 2_000, "completed")
    assert run_document(ended, held=held).outcome == "completed"


@pytest.mark.rule("N3")
def test_a_plan_reads_field_by_field() -> None:
    console, shown = screen(160)
    show_plan(console, PLAN, everything=True)
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    assert lines == [
        "Event ev -> Swoogo event 4711",
        (
            "Would adopt 1 speaker; update 2 sessions; change the associations of 1 speaker: "
            "15 credits of 1,980 left, 6 calls, about 0.4 s at 0.2 s a call."
        ),
        "First looked up in Swoogo: speakers. What is found there is adopted instead of created.",
        "          adopt  update  link  unchanged  left out",
        "sessions      -       2     -      1,200         3",
        "speakers      1       -     1          -         -",
        "adopt  speaker c1 (Swoogo 12)  Ada",
        "    company: ? -> Engines",
        "update session s1 (Swoogo 7)  Talk",
        "    start_time: 09:00:00 -> 10:00:00",
        "update session s2 (Swoogo 8)  Talk",
        "    track: Databases -> (empty)",
        "link   speaker c1 (Swoogo 12)  Ada",
        "    - session s9  Gone",
        "A create is without an answer; what Swoogo shows decides after 2026-06-01T09:00:00+00:00.",
        "Left out, sessions: 3 ended",
        "    session s4: ended",
        "Issue multi_day_clamped (1): synced in part",
        "    Session s5 runs over several dates.",
    ]


@pytest.mark.rule("G2")
def test_a_plan_says_that_records_wait_for_a_create_without_an_answer() -> None:
    """After a crash nothing may be sent for them yet, which is another thing than being done."""
    left_out = {"speaker": {"waiting_for_swoogo": 29}, "session": {"waiting_for_swoogo": 1, "ended": 3}}
    waiting = replace(PLAN, operations=(), looks=(), left_out=left_out)
    console, shown = screen(160)
    show_plan(console, waiting)
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    assert lines[1] == "Nothing to send yet."
    assert (
        "30 records wait for a create without an answer; what Swoogo shows decides after 2026-06-01T09:00:00+00:00."
        in lines
    )


def test_only_a_terminal_gets_styles() -> None:
    console, shown = screen(160, terminal=True)
    show_plan(console, PLAN)
    assert "\x1b[" in shown.getvalue()
    console, shown = screen(160)
    show_plan(console, PLAN)
    assert "\x1b" not in shown.getvalue()


def events_at(width: int, *, terminal: bool = True) -> list[str]:
    console, shown = screen(width, terminal=terminal)
    row = replace(ROW, last_run=RUN)
    other = replace(row, event_id=ROW.event_id[:9] + "7" * 27, name="")
    print_events(console, StatusDocument((row, other), RunningDocument((), ())), 60_000)
    return [_STYLING.sub("", line) for line in shown.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            120,
            [
                "event       name          state    Swoogo  changes      due  last run              credits   left",
                "497f6eca-6  A conference  In sync    4711       12  in 90 s  with issues 60 s ago    1,200  1,980",
                "497f6eca-7                In sync    4711       12  in 90 s  with issues 60 s ago    1,200  1,980",
            ],
        ),
        (
            80,
            [
                "event       name          state    changes      due  last run               left",
                "497f6eca-6  A conference  In sync       12  in 90 s  with issues 60 s ago  1,980",
                "497f6eca-7                In sync       12  in 90 s  with issues 60 s ago  1,980",
            ],
        ),
        (
            70,
            [
                "event       state    changes      due  last run               left",
                "497f6eca-6  In sync       12  in 90 s  with issues 60 s ago  1,980",
                "497f6eca-7  In sync       12  in 90 s  with issues 60 s ago  1,980",
            ],
        ),
    ],
    ids=str,
)
def test_the_events_fit_the_terminal_with_ids_short_and_unlike(width: int, lines: list[str]) -> None:
    assert events_at(width) == lines
    assert max(map(len, lines)) <= width


def test_a_very_narrow_terminal_has_a_value_a_line() -> None:
    lines = events_at(30)
    assert max(map(len, lines)) <= 30
    assert lines[:3] == ["event: 497f6eca-6", "  name: A conference", "  state: In sync"]


def test_a_file_has_whole_ids_and_a_row_on_one_line() -> None:
    lines = events_at(30, terminal=False)
    assert [line.split()[0] for line in lines] == ["event", ROW.event_id, ROW.event_id[:9] + "7" * 27]


def test_the_status_of_an_event_without_a_run_says_so() -> None:
    console, shown = screen(160)
    keys = tuple(f"session/s{number}" for number in range(12))
    print_event(console, EventDocument(ROW, (), (), {"session": keys}), 0)
    assert shown.getvalue().splitlines() == [
        "Event 497f6eca-6276-4993-bfeb-53cbbbba6f08 A conference -> Swoogo event 4711",
        "In sync",
        "Continuous sync off (only manual syncs); credits left 1,980",
        "12 changes not pushed; due: in 90 s",
        "    sessions: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 … and 2 more (--all)",
        "Next reconcile in 10 min (every 45 min)",
        "Failed in a row: 2",
        "No run has ended yet.",
    ]


def test_when_an_event_is_due_is_said_in_a_word_or_two() -> None:
    assert due(ROW) == "in 90 s"
    assert due(replace(ROW, due_in=0.0)) == "now"
    assert due(replace(ROW, due_in=None)) == "-"
    assert due(replace(ROW, working=True)) == "working"


def a_replica(*, alive: bool = True, role: str = "all", seen: int = 50_000) -> ReplicaRow:
    return ReplicaRow("r1", "0.1.0", role, alive, iso(1), iso(seen), seen)


@pytest.mark.parametrize(
    ("running", "sentences"),
    [
        (RunningDocument((), ()), ["No replica runs, and none did within a day: nothing is read or pushed."]),
        (RunningDocument((a_replica(),), (TopicRow("t", 1, 0, None, 0),)), ["1 replica runs (0.1.0: all)."]),
        (
            RunningDocument((a_replica(), a_replica(role="sync")), (TopicRow("t", 0, 0, None, 0),)),
            ["2 replicas run (0.1.0: all, 0.1.0: sync).", "t: no replica reads it."],
        ),
        (
            RunningDocument((a_replica(alive=False, seen=1_000),), (TopicRow("t", 0, 3, iso(1_000), 1_000),)),
            [
                (
                    "No replica runs: the last one (version 0.1.0, role all) was heard 59 s ago. "
                    "Nothing is read or pushed."
                ),
                "t: 3 records wait on Kafka, the oldest for 59 s; no replica reads it.",
            ],
        ),
        (RunningDocument((a_replica(),), (), "Kafka is away."), ["1 replica runs (0.1.0: all).", "Kafka is away."]),
    ],
    ids=["never", "well", "unread", "dead", "no-kafka"],
)
def test_status_ends_with_what_runs_and_what_waits(running: RunningDocument, sentences: list[str]) -> None:
    console, shown = screen(160)
    show_running(console, running, 60_000)
    assert shown.getvalue().splitlines() == sentences
