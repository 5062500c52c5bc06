"""A contact that is deleted and imported again under the same e-mail address is the same speaker in Swoogo."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.planning.contact_succession import reassign_deleted_contacts
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Contact, Snapshot
from tests.support.builders import a_contact, an_entry, speaker_key

pytestmark = pytest.mark.rule("P2", "D1")

ADA = "ada@example.org"
FORMER = replace(an_entry(7), natural=ADA)
GONE_AWAY = a_contact("c1", email=ADA, deleted=True)
AGAIN = a_contact("c2", email=" Ada@Example.org")


def of(*contacts: Contact) -> Snapshot:
    return Snapshot(contacts={each.id: each for each in contacts})


def test_who_is_imported_anew_goes_on_with_the_speaker() -> None:
    found = reassign_deleted_contacts(of(GONE_AWAY, AGAIN), {speaker_key("c1"): FORMER}, MappingSettings())
    assert found == {speaker_key("c2"): FORMER, speaker_key("c1"): None}


def test_of_several_newcomers_the_smallest_id_does() -> None:
    snapshot = of(GONE_AWAY, a_contact("c9", email=ADA), AGAIN, a_contact("c3", email=ADA))
    found = reassign_deleted_contacts(snapshot, {speaker_key("c1"): FORMER}, MappingSettings())
    assert found == {speaker_key("c2"): FORMER, speaker_key("c1"): None}


@pytest.mark.parametrize(
    ("contacts", "entries", "settings"),
    [
        pytest.param((a_contact("c1", email=ADA), AGAIN), {"c1": FORMER}, MappingSettings(), id="not deleted"),
        pytest.param((AGAIN,), {"c1": FORMER}, MappingSettings(), id="nothing is known of the former"),
        pytest.param((GONE_AWAY, a_contact("c2")), {"c1": FORMER}, MappingSettings(), id="another address"),
        pytest.param((GONE_AWAY, replace(AGAIN, deleted=True)), {"c1": FORMER}, MappingSettings(), id="deleted too"),
        pytest.param(
            (GONE_AWAY, AGAIN), {"c1": replace(FORMER, state=State.GONE)}, MappingSettings(), id="gone in Swoogo (D2)"
        ),
        pytest.param(
            (GONE_AWAY, AGAIN), {"c1": FORMER, "c2": an_entry(8)}, MappingSettings(), id="the newcomer has one"
        ),
        pytest.param(
            (GONE_AWAY, AGAIN, a_contact("c3", email=ADA)),
            {"c1": FORMER, "c3": replace(an_entry(9), natural="three@example.org")},
            MappingSettings(),
            id="somebody who was synced has the address now",
        ),
        pytest.param(
            (GONE_AWAY, AGAIN, a_contact("c3", email=ADA)),
            {"c1": FORMER, "c3": replace(an_entry(9), natural=ADA)},
            MappingSettings(),
            id="somebody else was synced with the address",
        ),
        pytest.param(
            (GONE_AWAY, AGAIN),
            {"c1": replace(FORMER, op_id="ours")},
            MappingSettings(remove_deleted_speakers=True),
            id="removed (D4)",
        ),
    ],
)
def test_nobody_inherits_otherwise(
    contacts: tuple[Contact, ...], entries: dict[str, Entry], settings: MappingSettings
) -> None:
    ledger = {speaker_key(each): entry for each, entry in entries.items()}
    assert reassign_deleted_contacts(of(*contacts), ledger, settings) == {}


@pytest.mark.rule("D4")
@pytest.mark.parametrize(
    ("former", "refused"),
    [
        pytest.param(FORMER, frozenset(), id="people made it in Swoogo"),
        pytest.param(replace(FORMER, op_id="ours"), frozenset({f"{speaker_key('c1')}#removal"}), id="Swoogo refused"),
    ],
)
def test_a_speaker_that_is_not_removed_is_inherited(former: Entry, refused: frozenset[str]) -> None:
    """The newcomer would wait for ever for a deletion that never comes."""
    removing = MappingSettings(remove_deleted_speakers=True)
    found = reassign_deleted_contacts(of(GONE_AWAY, AGAIN), {speaker_key("c1"): former}, removing, refused)
    assert found == {speaker_key("c2"): former, speaker_key("c1"): None}
