"""The sample conference's custom fields: records that the contract takes, and an oracle that sees what is wrong."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.conference import details
from sandbox.conference.details import CHANGED_MAPS, FIELDS, MAPS, detail_differences, reference
from sandbox.conference.expected import NOTHING, Expected, Resources, fold
from sandbox.conference.records import Writer
from sandbox.conference.sample import sample
from sandbox.conference.sessionboard import Event
from schemas.contact import ContactChange
from schemas.field_maps import FieldMaps
from schemas.session import SessionChange
from schemas.sponsor import SponsorChange

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONFERENCE = sample(NOW)
EVENT = Event.of(CONFERENCE, event_id=1, org_id="757e8d5b-ce66-45f5-ab36-273414f8ab2f")
ATTRIBUTES = {str(each["name"]): f"c_{number}" for number, each in enumerate(FIELDS, 1)}
MODELS: dict[str, Any] = {
    "sessionboard.sessions": SessionChange,
    "sessionboard.speakers": ContactChange,
    "sessionboard.sponsors": SponsorChange,
}


@pytest.fixture(scope="module")
def expected() -> Expected:
    return fold(NOTHING, Resources.of(CONFERENCE, EVENT, at=NOW), NOW)


def as_it_must_be(expected: Expected) -> dict[str, Any]:
    """A Swoogo event that holds what the oracle wants, spelt as the sandbox spells it."""

    def row(wanted: dict[str, Any], **key: str) -> dict[str, Any]:
        held: dict[str, Any] = {"id": 1, **key}
        for name, value in wanted.items():
            parent, _, part = ATTRIBUTES.get(name, name).partition(".")
            held[parent] = {part: value} if part else [{"value": each} for each in value] if name == "Tags" else value
        return held

    return {
        "sessions": [
            row(details._session(details._number(key)), admin_short_name=reference(key)) for key in expected.sessions
        ],
        "speakers": [
            row(details._person(details._number(key)), email=each.email) for key, each in expected.speakers.items()
        ],
        "sponsors": [
            row({"Booth": f"B{details._number(key) % 90}"}, name=each.name) for key, each in expected.sponsors.items()
        ],
    }


def test_every_detailed_record_is_one_that_the_contract_takes() -> None:
    """And every custom field that a map names is in some record."""
    seen: set[str] = set()
    for record in Writer(event=EVENT, details=True).revision(None, CONFERENCE, at=NOW):
        MODELS[record.topic].model_validate_json(record.value or b"")
        seen |= {each["internal_name"] for each in json.loads(record.value or b"{}")["data"]["custom_fields"]}
    assert seen == {"recorded", "questions", "dietary_needs", "booth", "tier"}
    for maps in (MAPS, CHANGED_MAPS):
        assert FieldMaps.model_validate_json(json.dumps(maps)).sessions
    assert sum(map(len, MAPS.values())) == 13


def test_the_oracle_takes_what_is_right_and_sees_each_field_that_is_not(expected: Expected) -> None:
    """One field changed, cleared or missing in one record of each kind is one difference."""
    right = as_it_must_be(expected)
    assert detail_differences(right, ATTRIBUTES, expected) == []
    for kind, attribute in (("sessions", "c_4"), ("sessions", "c_5"), ("speakers", "workAddress"), ("sponsors", "c_9")):
        for wrong in ("another", None):
            state = deepcopy(right)
            row = next(each for each in state[kind] if each[attribute] not in ([], "", {"line_2": ""}, False))
            row[attribute] = wrong
            assert len(detail_differences(state, ATTRIBUTES, expected)) == 1, (kind, attribute, wrong)
