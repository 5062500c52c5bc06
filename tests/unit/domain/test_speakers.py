"""Who syncs as a speaker, from which record, and who keeps an e-mail that two people share."""

from __future__ import annotations

from itertools import permutations

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.records.ledger import State
from consumer.domain.records.snapshot import Role
from tests.support.builders import ProfileFields, a_contact, a_session, an_attendance, an_entry, speaker_key
from tests.unit.domain.speaking import chosen, left_out


@pytest.mark.rule("E4")
def test_a_contact_on_no_eligible_session_is_left_out() -> None:
    """Attached to at least one eligible session; that it is not is no issue."""
    people = chosen(a_session(people=["c1"]), a_contact("c1"), a_contact("c2"))
    assert set(people.speakers) == {"c1"}
    assert left_out(people) == {"c2": "no_eligible_session"}
    assert people.skips[0].issue is None


@pytest.mark.rule("E4", "S7")
def test_a_speaker_of_several_sessions_comes_once_with_all_of_them() -> None:
    people = chosen(a_session("s2", people=["c1"]), a_session("s1", people=["c1", "c2"]), a_contact("c1"))
    assert people.sessions_of == {"c1": ("s1", "s2"), "c2": ("s1",)}


@pytest.mark.rule("E4", "E6")
@pytest.mark.parametrize(
    ("missing", "fields"),
    [
        ("first_name", ProfileFields(first_name="")),
        ("last_name", ProfileFields(last_name=" ")),
        ("email", ProfileFields(email=None)),
    ],
)
def test_a_speaker_without_a_required_field_is_left_out_and_named(missing: str, fields: ProfileFields) -> None:
    """The issue names the field; the others go through."""
    faulty = an_attendance("c1", **fields)
    people = chosen(a_session(people=[faulty, "c2"]))
    assert set(people.speakers) == {"c2"}
    (skip,) = people.skips
    assert skip.issue is not None
    assert (skip.key, skip.issue.code, skip.issue.field) == (speaker_key("c1"), Code.MISSING_FIELD, missing)


@pytest.mark.rule("P5")
def test_the_copy_inside_a_session_serves_until_the_contact_record_arrives() -> None:
    """All fields the copy carries are used."""
    session = a_session(people=[an_attendance("c1", job_title="Copy", company="Copied")], version=3)
    alone = chosen(session).speakers["c1"]
    assert (alone.fields["job_title"], alone.fields["company"], alone.version) == ("Copy", "Copied", 0)
    arrived = chosen(session, a_contact("c1", job_title="Record", version=2)).speakers["c1"]
    assert (arrived.fields["job_title"], arrived.version) == ("Record", 2)
    assert "company" not in arrived.fields


@pytest.mark.rule("P5", "G3")
@pytest.mark.parametrize("order", list(permutations(("s1", "s2", "s3"))))
def test_of_several_copies_the_one_of_the_newest_session_serves(order: tuple[str, ...]) -> None:
    """Whatever order sessions come in; between sessions of one version the greater id decides."""
    sessions = {
        "s1": a_session("s1", version=9, people=[an_attendance("c1", job_title="new, smaller id")]),
        "s2": a_session("s2", version=9, people=[an_attendance("c1", job_title="new")]),
        "s3": a_session("s3", version=8, people=[an_attendance("c1", job_title="old")]),
    }
    people = chosen(*(sessions[each] for each in order))
    assert people.speakers["c1"].fields["job_title"] == "new"


@pytest.mark.rule("P5")
def test_a_thin_copy_does_not_hide_a_whole_one() -> None:
    """The flat list of a newer session may carry no more than the contact's id; no one waits for a record."""
    thin = an_attendance("c1", first_name=None, last_name=None, email=None)
    people = chosen(a_session("s1", version=1, people=["c1"]), a_session("s2", version=2, people=[thin]))
    assert people.speakers["c1"].fields["email"] == "c1@example.org"
    assert people.sessions_of["c1"] == ("s1", "s2")


@pytest.mark.rule("D1")
def test_deleted_contact_is_left_out_though_a_session_names_it() -> None:
    """It is neither created nor updated; and no issue, as no one has to do anything."""
    people = chosen(a_session(people=["c1"]), a_contact("c1", deleted=True))
    assert left_out(people) == {"c1": "deleted"}


def test_a_deleted_contact_on_no_session_is_not_worth_a_word() -> None:
    assert chosen(a_session(), a_contact("c1", deleted=True)).skips == ()


@pytest.mark.rule("D2")
def test_a_tombstoned_speaker_is_never_synced_again() -> None:
    """And it is said."""
    people = chosen(a_session(people=["c1"]), ledger={speaker_key(): an_entry(state=State.GONE)})
    assert people.speakers == {}
    issue = Issue(speaker_key(), Code.GONE_IN_SWOOGO)
    assert people.skips == (Skip(speaker_key(), Reason.GONE, issue),)


@pytest.mark.rule("E7")
@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ({Role.SPEAKER}, {"c1"}),
        ({Role.SPEAKER, Role.MODERATOR}, {"c1", "c2"}),
        ({Role.SPEAKER, Role.CHAIRPERSON}, {"c1", "c3"}),
        ({Role.SPEAKER, Role.CHAIRPERSON, Role.MODERATOR}, {"c1", "c2", "c3"}),
    ],
)
def test_chairpersons_and_moderators_sync_when_they_are_asked_for(roles: set[Role], expected: set[str]) -> None:
    """Each by its own toggle."""
    session = a_session(
        people=[
            "c1",
            an_attendance("c2", role=Role.MODERATOR),
            an_attendance("c3", role=Role.CHAIRPERSON),
        ]
    )
    assert set(chosen(session, roles=frozenset(roles)).speakers) == expected


@pytest.mark.rule("E7", "S7")
def test_somebody_with_two_roles_on_one_session_belongs_to_it_once() -> None:
    session = a_session(people=["c1", "c2", an_attendance("c1", role=Role.MODERATOR)])
    people = chosen(session, roles=frozenset({Role.SPEAKER, Role.MODERATOR}))
    assert people.sessions_of["c1"] == ("s1",)


@pytest.mark.rule("E7")
@pytest.mark.parametrize(
    ("acceptance", "accepted_only", "takes_part"),
    [
        (None, True, True),
        ("accepted", True, True),
        ("pending", True, False),
        ("declined", True, False),
        ("declined", False, True),
    ],
)
def test_where_acceptance_is_present_only_the_accepted_sync(
    acceptance: str | None, accepted_only: bool, takes_part: bool
) -> None:
    """Opt-in; without any acceptance there is nothing to go by."""
    people = chosen(a_session(people=[an_attendance("c1", acceptance=acceptance)]), accepted_only=accepted_only)
    assert ("c1" in people.speakers) is takes_part
    assert ("c1" in people.sessions_of) is takes_part
