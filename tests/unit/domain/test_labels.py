"""What people call a record: by title, room and date, never by a person's name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.labels import Labels
from consumer.domain.records.identity import digest
from consumer.domain.records.ledger import Entry
from consumer.domain.records.snapshot import Place, Profile, Snapshot, Sponsor
from tests.support.builders import HOUR, START, a_contact, a_mapping, a_session, an_entry

KEYNOTE: Final = replace(
    a_session("s1", people=["c1"], title="Opening keynote"), room=Place("r1", "Hall A"), track=Place("t1", "AI")
)
LATER: Final = a_session("s2", people=["c1", "c2"], title="Panel", starts_at=START + 48 * HOUR)
DECLINED: Final = a_session("s0", people=["c1"], title="Never", status="declined", starts_at=START - HOUR)
SNAPSHOT: Final = Snapshot(
    {each.id: each for each in (DECLINED, LATER, KEYNOTE)},
    {"c1": a_contact("c1", first_name="Ada", last_name="Lovelace"), "c9": a_contact("c9")},
    {"x": Sponsor("x", name="Acme"), "y": Sponsor("y", name=" ")},
)


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("session/s1", '"Opening keynote" (Hall A, 1 Jul)'),
        ("session/s2", '"Panel" (3 Jul)'),
        ("session/gone", ""),
        ("speaker/c1", 'a speaker of "Opening keynote" (Hall A, 1 Jul)'),
        ("speaker/c2", 'a speaker of "Panel" (3 Jul)'),
        ("speaker/c9", ""),
        ("sponsor/x", 'sponsor "Acme"'),
        ("sponsor/y", "a sponsor without a name"),
        ("location/r1", 'room "Hall A"'),
        ("track/t1", 'track "AI"'),
        ("level/Gold/Silver", 'sponsorship level "Gold/Silver"'),
        ("event/ev", 'event "A conference"'),
    ],
)
def test_what_a_record_is_called(key: str, label: str) -> None:
    """A speaker by the first accepted session."""
    assert Labels(SNAPSHOT, {}, a_mapping()).of(key) == label


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"title": " "}, "a session without a title (1 Jul)"),
        ({"starts_at": None}, '"Opening keynote"'),
        ({"title": "t" * 100}, f'"{"t" * 79}…" (1 Jul)'),
        ({"title": "Meet\n\u202eada@example.org"}, '"Meet a***@example.org" (1 Jul)'),
        ({"starts_at": 10**18}, '"Opening keynote"'),
    ],
)
def test_odd_titles_and_times(fields: dict[str, Any], label: str) -> None:
    """One line, of a bounded length, without e-mail addresses."""
    session = replace(a_session("s1", title="Opening keynote"), **fields)
    assert Labels(Snapshot({"s1": session}), {}, a_mapping()).of("session/s1") == label


@pytest.mark.rule("S2")
def test_the_date_is_the_conference_s() -> None:
    """09:00 in London is the next day in Auckland."""
    late = a_session("s1", title="Talk", starts_at=START + 6 * HOUR)
    assert (
        Labels(Snapshot({"s1": late}), {}, a_mapping(timezone="Pacific/Auckland")).of("session/s1") == '"Talk" (2 Jul)'
    )


@pytest.mark.rule("N2", "Y3")
@pytest.mark.parametrize(
    ("key", "entry", "label"),
    [
        ("session/s1", an_entry(7, pushed={"name": "Opening keynote"}), '"Opening keynote"'),
        ("session/s1", an_entry(7, pushed={"name": digest("long " * 40)}), ""),
        ("location/r1", an_entry(7, pushed={"name": "Hall A"}), 'room "Hall A"'),
        ("speaker/c1", an_entry(7, pushed={"name": "Ada"}), ""),
    ],
)
def test_without_a_snapshot_the_ledger_knows_short_names(key: str, entry: Entry, label: str) -> None:
    """But no person's."""
    assert Labels(Snapshot(), {key: entry}, a_mapping()).of(key) == label


@pytest.mark.rule("N2")
def test_an_issue_keeps_its_name_where_the_snapshot_knows_no_better() -> None:
    """A reconcile that finds nothing new does not load the snapshot."""
    labels = Labels(Snapshot(), {"session/s1": an_entry(7)}, a_mapping())
    named = replace(Issue("session/s1", Code.MISSING_FIELD), label='"Talk"', other_label='"Other"')
    [dressed] = labels.dressed({"k": named}).values()
    assert (dressed.label, dressed.other_label, dressed.live) == ('"Talk"', '"Other"', True)


@pytest.mark.rule("Y3")
@pytest.mark.parametrize(
    ("detail", "left"),
    [
        ("Ada Lovelace already exists.", "… … already exists."),
        ("c1@example.org is taken.", "… is taken."),
        ("someone@example.org is taken.", "s***@example.org is taken."),
        ("Adamant is no name.", "Adamant is no name."),
    ],
)
def test_what_swoogo_repeats_of_a_person_is_left_out(detail: str, left: str) -> None:
    """Its words may hold what it was sent."""
    profile = Profile("Ada", "Lovelace", "c1@example.org")
    snapshot = replace(SNAPSHOT, contacts={"c1": replace(SNAPSHOT.contacts["c1"], profile=profile)})
    [dressed] = Labels(snapshot, {}, a_mapping()).dressed_all([Issue("speaker/c1", Code.REFUSED, detail=detail)])
    assert dressed.detail == left
