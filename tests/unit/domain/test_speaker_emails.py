"""One e-mail address, one speaker: who has it (P2)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import pytest

from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Profile
from tests.support.builders import a_contact, a_session, an_attendance, an_entry, an_intent, speaker_key
from tests.unit.domain.speaking import chosen, left_out

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
