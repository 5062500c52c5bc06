"""What was pushed is newer than what Kafka holds: compaction keeps the last record, which may be older."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.issues.issue import Code, Effect
from consumer.domain.planning.eligibility import Reason
from consumer.domain.planning.plan import Create, Delete, Link, Plan
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import TOLERANCE_MS
from consumer.domain.records.ledger import Entry, Ledger
from consumer.domain.records.snapshot import Contact, Session, Sponsor
from tests.support.builders import NOW, a_contact, a_mapping, a_plan_input, a_session, an_entry, an_intent

pytestmark = pytest.mark.rule("G3", "G6")

PUSHED = {"first_name": "Ada", "last_name": "C1", "email": "c1@example.org"}
NEWER: dict[str, Entry] = {
    "session/s1": an_entry(1, pushed={"name": "Newer"}, version=NOW - 10, at=NOW),
    "speaker/c1": an_entry(
        2, pushed={**PUSHED, "company": "Newer"}, natural="c1@example.org", links=("s1",), version=NOW - 10, at=NOW
    ),
    "sponsor/p1": an_entry(3, pushed={"name": "Newer"}, natural="newer", version=NOW - 10, at=NOW),
}


def plan(*resources: Session | Contact | Sponsor, ledger: Ledger | None = None, remove: bool = False) -> Plan:
    mapping = a_mapping(remove_deleted_sessions=remove, remove_deleted_speakers=remove)
    return make_plan(a_plan_input(*resources, mapping=mapping, ledger=NEWER if ledger is None else ledger))


def test_an_older_change_after_a_rebuild_sends_nothing_and_is_told() -> None:
    version = NOW - 20
    found = plan(
        a_session("s1", people=["c1"], version=version),
        a_contact("c1", version=version),
        Sponsor("p1", version=version, name="Older"),
    )
    assert found.operations == ()
    told = {issue.key for issue in found.issues if issue.code is Code.OLDER_THAN_PUSHED}
    # The speaker's only session is the older one, so nothing is known of who takes part.
    assert told == {"session/s1", "sponsor/p1"}


def test_an_older_contact_of_a_session_that_is_right_sends_nothing() -> None:
    found = plan(a_session("s1", title="Newer", people=["c1"], version=NOW - 10), a_contact("c1", version=NOW - 20))
    assert [each for each in found.operations if each.key.startswith("speaker/")] == []
    assert Code.OLDER_THAN_PUSHED in {issue.code for issue in found.issues if issue.key == "speaker/c1"}


@pytest.mark.parametrize("version", [NOW - 10, NOW - 9])
def test_the_version_that_was_pushed_and_every_later_one_count(version: int) -> None:
    ledger = {"session/s1": NEWER["session/s1"]}
    found = plan(a_session("s1", title="Edited", version=version), ledger=ledger)
    assert [each.key for each in found.operations] == ["session/s1"]


@pytest.mark.rule("S7", "S8")
def test_an_older_session_adds_and_takes_away_nobody() -> None:
    """Who is on it is as old as its title."""
    before, after = a_session("s1", people=["c2"], version=NOW - 20), a_session("s2", people=["c1"], version=NOW)
    found = plan(before, after, a_contact("c1", version=NOW), a_contact("c2", version=NOW))
    assert [each for each in found.operations if isinstance(each, Link) and each.remove] == []
    assert [each.key for each in found.operations if isinstance(each, Create)] == ["session/s2"]


@pytest.mark.rule("D4")
@pytest.mark.parametrize("older", [a_session("s1", status="declined", version=NOW - 20), a_session("s1", version=5)])
def test_an_older_change_removes_nothing(older: Session) -> None:
    """Nor a speaker whom only the newer state names."""
    gone = Contact("c1", version=NOW - 20, deleted=True)
    ledger = {**NEWER, "speaker/c1": replace(NEWER["speaker/c1"], op_id="ours")}
    for session in (older, replace(older, deleted=True)):
        for contact in (gone, a_contact("c1", version=NOW)):
            found = plan(session, contact, ledger=ledger, remove=True)
            assert [each for each in found.operations if isinstance(each, Delete)] == []


@pytest.mark.rule("G2")
def test_an_unanswered_create_of_a_newer_state_waits_for_it() -> None:
    intent = replace(an_intent("newer|2026-07-01|09:00:00", started=NOW - 10), version=NOW - 20)
    found = plan(a_session("s1", version=NOW - 30), ledger={"session/s1": intent})
    assert found.operations == ()
    assert [skip.reason for skip in found.skips if skip.key == "session/s1"] == [Reason.ISSUE]


@pytest.mark.rule("P5")
def test_the_copy_inside_a_session_says_nothing_about_how_new_a_contact_is() -> None:
    """A contact is often older than the sessions that carry it."""
    copied = plan(a_session("s1", people=["c1"], version=NOW - 10), ledger={})
    (created,) = [each for each in copied.operations if isinstance(each, Create) and each.key == "speaker/c1"]
    assert created.version == 0
    entry = an_entry(2, pushed={**PUSHED, "first_name": "Copied"}, natural="c1@example.org", links=("s1",), at=NOW)
    found = plan(
        a_session("s1", title="Newer", people=["c1"], version=NOW - 10),
        a_contact("c1", version=5),
        ledger={**NEWER, "speaker/c1": entry},
    )
    assert "speaker/c1" in {each.key for each in found.operations}


def test_a_version_ahead_of_its_own_entry_silences_nothing() -> None:
    """Written before versions were bounded by Kafka's timestamp."""
    ahead = {"session/s1": replace(NEWER["session/s1"], version=NOW + TOLERANCE_MS + 1)}
    assert [each.key for each in plan(a_session("s1", version=NOW), ledger=ahead).operations] == ["session/s1"]


def test_what_was_published_in_the_wrong_order_is_told() -> None:
    given = replace(a_plan_input(a_session("s1")), overtaken=frozenset({"session/s1"}))
    (issue,) = [each for each in make_plan(given).issues if each.code is Code.OLDER_PUBLISHED_LATER]
    assert (issue.key, issue.effect) == ("session/s1", Effect.COMPLETE)
