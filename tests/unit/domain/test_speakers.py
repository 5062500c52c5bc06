"""Who syncs as a speaker, from which record, and who keeps an e-mail that two people share."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import pytest

from consumer.domain.desired import TextLimits
from consumer.domain.eligibility import Reason, Skip
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Entry, State
from consumer.domain.snapshot import Contact, Profile, Role, Session
from consumer.domain.speakers import People, select_speakers
from tests.support.builders import (
    ProfileFields,
    a_contact,
    a_session,
    a_snapshot,
    an_attendance,
    an_entry,
    an_intent,
    speaker_key,
)


def chosen(
    *resources: Session | Contact,
    ledger: Mapping[str, Entry] | None = None,
    roles: frozenset[Role] = frozenset({Role.SPEAKER}),
    accepted_only: bool = False,
    leaving: frozenset[str] = frozenset(),
) -> People:
    """The people of an event all of whose sessions are eligible."""
    snapshot = a_snapshot(*resources)
    return select_speakers(
        snapshot,
        snapshot.sessions.values(),
        ledger or {},
        roles=roles,
        accepted_only=accepted_only,
        limits=TextLimits(),
        leaving=leaving,
    )


def left_out(people: People) -> dict[str, str]:
    return {skip.key.partition("/")[2]: skip.label for skip in people.skips}


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


SHARED = "Shared@Example.org"


@pytest.mark.rule("P2")
@pytest.mark.parametrize("order", list(permutations(("c1", "c2", "c3"))))
@pytest.mark.parametrize(
    ("ledger", "winner"),
    [
        pytest.param({}, "c1", id="no one synced: the smaller id"),
        pytest.param({"c2": an_entry(natural="shared@example.org")}, "c2", id="the one synced with it"),
        pytest.param({"c3": an_entry(natural="shared@example.org")}, "c3", id="the one synced with it, last id"),
        pytest.param({"c3": an_intent("shared@example.org")}, "c3", id="a create under way counts as synced"),
        pytest.param({"c2": an_entry(natural="else@example.org")}, "c2", id="synced with another address"),
        pytest.param(
            {"c1": an_entry(natural="else@example.org"), "c3": an_entry(natural="shared@example.org")},
            "c3",
            id="synced with it before synced with another",
        ),
        pytest.param(
            {"c1": an_entry(natural="a@example.org"), "c2": an_entry(natural="b@example.org")},
            "c1",
            id="both synced with others: the smaller id",
        ),
    ],
)
def test_of_several_speakers_with_one_email_one_syncs(
    order: tuple[str, ...], ledger: Mapping[str, Entry], winner: str
) -> None:
    """Whatever order they come in; case and blanks are no difference; the losers' issue names the winner."""
    spelt = {"c1": "shared@example.org", "c2": SHARED, "c3": " SHARED@example.ORG "}
    people = chosen(
        a_session(people=order),
        *(a_contact(each, email=spelt[each]) for each in order),
        ledger={speaker_key(each): entry for each, entry in ledger.items()},
    )
    assert set(people.speakers) == {winner}
    losers = {"c1", "c2", "c3"} - {winner}
    assert left_out(people) == dict.fromkeys(losers, "duplicate_email")
    assert all(skip.issue and skip.issue.other == f"speaker/{winner}" for skip in people.skips)


@pytest.mark.rule("P2")
def test_email_stays_with_the_idle_speaker_synced_with_it() -> None:
    """The newcomer would become a second Swoogo speaker with one address."""
    people = chosen(
        a_session(people=["c2"]),
        a_contact("c2", email="old@example.org"),
        ledger={speaker_key("c1"): an_entry(natural="old@example.org")},
    )
    assert people.speakers == {}
    (skip,) = people.skips
    assert skip.issue is not None
    assert (skip.label, skip.issue.other) == ("duplicate_email", "speaker/c1")


@pytest.mark.rule("P2", "D2")
def test_an_email_is_free_again_when_its_swoogo_speaker_is_gone() -> None:
    """A tombstone holds nothing in Swoogo that could be doubled."""
    people = chosen(
        a_session(people=["c2"]),
        a_contact("c2", email="old@example.org"),
        ledger={speaker_key("c1"): an_entry(natural="old@example.org", state=State.GONE)},
    )
    assert set(people.speakers) == {"c2"}


@pytest.mark.rule("E6", "P2")
def test_a_faulty_record_claims_no_email() -> None:
    """Who cannot sync stands in no one's way."""
    people = chosen(
        a_session(people=["c1", "c2"]),
        a_contact("c1", email="same@example.org", first_name=""),
        a_contact("c2", email="same@example.org"),
    )
    assert set(people.speakers) == {"c2"}
    assert left_out(people) == {"c1": "missing_field"}


@pytest.mark.rule("E6", "P5")
def test_an_empty_copy_alone_is_an_issue() -> None:
    nameless = an_attendance("c1", first_name=None, last_name=None, email=None)
    assert nameless.profile == Profile()
    assert left_out(chosen(a_session(people=[nameless]))) == {"c1": "missing_field"}


@pytest.mark.rule("C1", "P2")
def test_an_email_somebody_could_not_leave_is_not_given_away() -> None:
    """C1 asks for the address of c9, who takes no part, and keeps the old one; so c2 cannot have that."""
    people = chosen(
        a_session(people=["c1", "c2"]),
        a_contact("c1", email="nine@example.org"),
        a_contact("c2", email="one@example.org"),
        ledger={
            speaker_key("c1"): an_entry(1, natural="one@example.org"),
            speaker_key("c9"): an_entry(9, natural="nine@example.org"),
        },
    )
    assert people.speakers == {}
    assert {skip.key: skip.issue and skip.issue.other for skip in people.skips} == {
        speaker_key("c1"): "speaker/c9",
        speaker_key("c2"): "speaker/c1",
    }


@pytest.mark.rule("P2")
def test_two_speakers_may_swap_their_emails() -> None:
    """Each gives up what the other one asks for."""
    people = chosen(
        a_session(people=["c1", "c2"]),
        a_contact("c1", email="two@example.org"),
        a_contact("c2", email="one@example.org"),
        ledger={
            speaker_key("c1"): an_entry(1, natural="one@example.org"),
            speaker_key("c2"): an_entry(2, natural="two@example.org"),
        },
    )
    assert set(people.speakers) == {"c1", "c2"}


DELETED = a_contact("c1", email="old@example.org", deleted=True)


@pytest.mark.rule("P2")
def test_a_deleted_contact_owns_no_address() -> None:
    """Two synced contacts were merged; the survivor takes over the address of the other one."""
    people = chosen(
        a_session(people=["c2"]),
        DELETED,
        a_contact("c2", email="old@example.org"),
        ledger={
            speaker_key("c1"): an_entry(1, natural="old@example.org"),
            speaker_key("c2"): an_entry(2, natural="two@example.org"),
        },
    )
    assert set(people.speakers) == {"c2"}
    assert people.skips == ()


@pytest.mark.rule("P2", "D4")
def test_a_newcomer_waits_for_the_speaker_of_a_deleted_contact() -> None:
    """Created now, it would be a second Swoogo speaker of one address."""
    people = chosen(
        a_session(people=["c2"]),
        DELETED,
        a_contact("c2", email="old@example.org"),
        ledger={speaker_key("c1"): an_entry(1, natural="old@example.org")},
    )
    assert left_out(people) == {"c2": "duplicate_email"}


@pytest.mark.rule("P2", "D4")
def test_an_address_is_free_when_its_speaker_was_deleted() -> None:
    """Swoogo may refuse an address twice; the survivor of a merge follows after the deletion."""
    people = chosen(
        a_session(people=["c2"]),
        DELETED,
        a_contact("c2", email="old@example.org"),
        ledger={
            speaker_key("c1"): an_entry(1, natural="old@example.org"),
            speaker_key("c2"): an_entry(2, natural="two@example.org"),
        },
        leaving=frozenset({speaker_key("c1")}),
    )
    assert left_out(people) == {"c2": "duplicate_email"}
    assert people.addresses_of == {speaker_key("c1")}
