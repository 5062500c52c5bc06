"""Contacts and sponsors as they are read from Kafka: fields not carried, roles, tiers."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.records.snapshot import Role, Sponsor
from consumer.ports import Change
from consumer.settings import Topics
from tests.support.builders import a_record
from tests.support.examples import valid_record, valid_value
from tests.unit.adapters.kafka.decoding import LIMIT, contact, session, sponsor

ADA: Final = "d09710fb-4944-4c23-9304-486ad1d3997c"
GRACE: Final = "0c1f6a52-38e4-4f0e-9a35-6a4f0b7c2d11"
GOLD: Final = {"internal_name": "package", "value": "Gold"}


@pytest.mark.rule("P5", "R4")
def test_a_contact_tells_fields_not_carried_from_cleared_ones() -> None:
    """None leaves alone, the empty text clears; `{}` and null are the empty text."""
    cleared = contact(valid_record("speakers-cleared-fields")).profile
    assert "" in {cleared.job_title, cleared.company, cleared.bio, cleared.photo_url}
    partial = contact(valid_record("speakers-some-fields-only")).profile
    assert None in {partial.job_title, partial.company, partial.bio, partial.photo_url}


@pytest.mark.rule("O5")
@pytest.mark.parametrize("name", ["sponsors-tier-as-field", "sponsors-tier-as-custom-field"])
def test_a_tier_is_found_in_both_places(name: str) -> None:
    """The field, else the custom field of that internal name."""
    assert sponsor(valid_record(name)).tier


@pytest.mark.rule("E7")
def test_custom_roles_count_as_their_core_category_and_acceptance_is_joined() -> None:
    """The flat list knows who accepted, also where it names no role; the role arrays know the profile."""
    found = {each.contact_id: each for each in session(valid_record("sessions-custom-role-and-acceptance")).people}
    assert {identifier: each.acceptance for identifier, each in found.items()} == {ADA: "accepted", GRACE: "declined"}
    assert found[ADA].profile.email == "ada@example.org"
    assert found[GRACE].profile.email == "grace@example.org"


@pytest.mark.rule("E7")
@pytest.mark.parametrize(
    ("participants", "expected"),
    [
        ([{"id": "p", "participant_role": {"core_role": "moderator"}}], [("p", Role.MODERATOR)]),
        ([{"id": "p", "participant_role": {"core_role": "speaker", "slug": "panelist"}}], [("p", Role.SPEAKER)]),
        ([{"id": "p", "participant_role": {"core_role": "caterer"}}], []),
        ([{"id": "p"}], []),
        (
            [
                {"id": "p", "participant_role": {"core_role": "speaker"}},
                {"id": "p", "participant_role": {"core_role": "chairperson"}},
            ],
            [("p", Role.SPEAKER), ("p", Role.CHAIRPERSON)],
        ),
    ],
)
def test_somebody_who_is_only_in_the_flat_list_needs_a_known_role(
    participants: list[dict[str, object]], expected: list[tuple[str, Role]]
) -> None:
    record = valid_value("sessions-scheduled")
    record["data"] |= {"speakers": [], "participants": participants}
    assert [(each.contact_id, each.role) for each in session(a_record(record)).people] == expected


@pytest.mark.rule("E7")
@pytest.mark.parametrize("array", ["chairpersons", "moderators"])
def test_a_role_array_says_the_role(array: str) -> None:
    record = valid_value("sessions-scheduled")
    record["data"] |= {"speakers": [], "participants": [], array: [{"id": "p", "acceptance_status": " Accepted "}]}
    (found,) = session(a_record(record)).people
    assert (found.role.value, found.acceptance) == (array.removesuffix("s"), "accepted")


@pytest.mark.rule("E6", "O5")
@pytest.mark.parametrize(
    ("data", "tier"),
    [
        ({"custom_fields": [GOLD, {"internal_name": "tier", "value": "Tin"}]}, "Gold"),
        ({"custom_fields": [{"internal_name": "tier", "value": "Tin"}, GOLD]}, "Gold"),
        ({"custom_fields": [{"internal_name": "tier", "value": "Tin"}]}, None),
        ({"custom_fields": [{"internal_name": "package", "value": None}]}, ""),
        ({"custom_fields": [{"internal_name": "package", "value": {}}]}, ""),
        ({"custom_fields": [{"internal_name": "package", "value": 3}]}, None),
        ({"custom_fields": None}, None),
        ({"tier": "Silver", "custom_fields": [GOLD]}, "Silver"),
        ({"tier": None, "custom_fields": [GOLD]}, ""),
    ],
)
def test_the_tier_is_the_field_else_the_custom_field_of_the_setting(data: dict[str, Any], tier: str | None) -> None:
    """By its internal name; a value that cannot be read counts as left out, and None is not carried at all."""
    decoder = KafkaDecoder(Topics(), LIMIT, "package")
    value = valid_value("sponsors-tier-as-custom-field")
    value["data"] = {"id": value["data"]["id"], **data}
    peeked = decoder.peek(a_record(value, topic="sessionboard.sponsors"))
    assert peeked is not None
    found = decoder.read(peeked)
    assert isinstance(found, Change)
    assert msgspec.json.decode(found.row, type=Sponsor).tier == tier
