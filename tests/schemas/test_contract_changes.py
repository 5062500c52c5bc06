"""What a change means once it is read: cleared or unknown, newer or older, deleted or not."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contact import ContactChange
from schemas.session import SessionChange
from schemas.sponsor import SponsorChange
from schemas.wire import to_ms


def value_of(action: str, data: dict[str, Any], **metadata: Any) -> bytes:
    about = {"action": action, "event_id": 3960, "version": 1, "datetime": "2026-03-01T09:15:00Z", **metadata}
    return json.dumps({"data": {"id": "r-1", **data}, "metadata": about}).encode()


def session(data: dict[str, Any], action: str = "session.updated", **metadata: Any) -> SessionChange:
    return SessionChange.model_validate_json(value_of(action, data, **metadata))


def contact(data: dict[str, Any], action: str = "contact.updated", **metadata: Any) -> ContactChange:
    return ContactChange.model_validate_json(value_of(action, data, **metadata))


def sponsor(data: dict[str, Any]) -> SponsorChange:
    return SponsorChange.model_validate_json(value_of("sponsor.updated", data))


@pytest.mark.rule("P5", "R4")
@pytest.mark.parametrize("cleared", ["", None, {}])
@pytest.mark.parametrize("field", ["first_name", "last_name", "email", "title", "company_name", "about", "photo_url"])
def test_a_cleared_contact_field_is_the_empty_text_and_one_left_out_is_none(field: str, cleared: object) -> None:
    """`""`, null and `{}` clear a field; a field that is left out leaves alone what is known."""
    read = contact({field: cleared}).data
    assert getattr(read, field) == ""
    assert field in read.model_fields_set
    assert getattr(contact({}).data, field) is None
    assert field not in contact({}).data.model_fields_set


@pytest.mark.parametrize("unset", [None, {}])
@pytest.mark.parametrize(
    "field", ["room", "track", "starts_at", "ends_at", "capacity", "parent_session_id", "updated_at", "deleted_at"]
)
def test_null_and_the_empty_object_both_mean_unset(field: str, unset: object) -> None:
    """`{}` from one route and null from another mean the same (`sessionboard.md A.4`)."""
    assert getattr(session({field: unset}).data, field) is None


def test_a_null_list_of_people_is_an_empty_one() -> None:
    read = session({"speakers": None, "chairpersons": None, "moderators": None, "participants": None}).data
    assert (read.speakers, read.chairpersons, read.moderators, read.participants) == ((), (), (), ())


def test_an_integer_id_means_the_same_as_its_text() -> None:
    assert session({"id": 12}, event_id=3960).key == session({"id": "12"}, event_id="3960").key == "3960/12"


@pytest.mark.rule("E7")
def test_custom_roles_and_acceptance_are_carried_by_participants() -> None:
    """The core category of a custom role, and whether its holder accepted."""
    role = {"slug": "panelist", "name": "Panelist", "core_role": "speaker"}
    (person,) = session(
        {"participants": [{"id": "c-1", "participant_role": role, "acceptance_status": "accepted"}]}
    ).data.participants
    assert person.participant_role is not None
    assert (person.id, person.participant_role.core_role, person.acceptance_status) == ("c-1", "speaker", "accepted")


@pytest.mark.rule("P5")
def test_a_person_inside_a_session_carries_a_profile() -> None:
    """Until the contact's own record has come, this copy serves."""
    (person,) = session({"speakers": [{"id": "c-1", "email": "ada@example.org", "about": {}}]}).data.speakers
    assert (person.email, person.about, person.title) == ("ada@example.org", "", None)


@pytest.mark.rule("G3")
def test_changes_are_ordered_by_resource_version_and_then_by_publication() -> None:
    """`data.updated_at` decides, else `metadata.datetime`; equal versions go by publication."""
    ordered = [
        session({"updated_at": "2026-03-01T09:00:00Z"}, datetime="2026-03-09T00:00:00Z"),
        session({"updated_at": "2026-03-01T10:00:00.001+01:00"}, datetime="2026-03-01T00:00:00Z"),
        session({}, datetime="2026-03-01T09:00:00.002Z"),
        session({"updated_at": "2026-03-01T09:00:00.002Z"}, datetime="2026-03-01T09:00:00.003Z"),
    ]
    stamps = [(change.version_ms, change.published_ms) for change in ordered]
    assert all(older < newer for older, newer in pairwise(stamps)), stamps


@pytest.mark.rule("D1")
@pytest.mark.parametrize(
    ("action", "deleted_at", "deletes"),
    [
        ("session.updated", None, False),
        ("session.created", None, False),
        ("session.restored", None, False),
        ("session.deleted", None, True),
        ("session.updated", "2026-03-02T10:00:00Z", True),
        ("contact.event.disassociated", None, True),
        ("contact.event.associated", None, False),
    ],
)
def test_a_change_deletes_by_its_action_or_its_deletion_time(
    action: str, deleted_at: str | None, *, deletes: bool
) -> None:
    """What counts as deleted in Sessionboard; an action that is not known is an upsert."""
    assert session({"deleted_at": deleted_at}, action).deletes is deletes


def test_a_deleted_record_may_carry_no_more_than_its_id() -> None:
    assert session({}, "session.deleted").deletes
    assert contact({}, "contact.deleted").deletes


def test_a_change_of_the_organization_is_readable_and_has_no_event() -> None:
    assert contact({}, "contact.created", event_id=None).metadata.event_id is None


@pytest.mark.rule("E8")
@pytest.mark.parametrize(
    ("action", "entity"), [("exhibitor.created", "exhibitor"), ("contact.event.associated", "contact")]
)
def test_the_action_names_its_entity(action: str, entity: str) -> None:
    """Exhibitors on the sponsors topic can be told apart and ignored."""
    assert contact({}, action).metadata.entity == entity


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2199, 12, 30)),  # noqa: DTZ001 - zone drawn below
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_every_moment_is_a_whole_number_of_milliseconds(moment: datetime, offset_minutes: int) -> None:
    """Rounded down and without a float: a microsecond never moves a session, and equal instants are equal."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    read = session({"starts_at": aware.isoformat()}).data.starts_at
    assert read is not None
    back = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=to_ms(read))
    assert timedelta(0) <= aware - back < timedelta(milliseconds=1)


def test_the_common_spelling_of_a_session_is_validated_without_python_code() -> None:
    """Validation is the hot path: a value that needs no repair calls back into Python not once."""
    people = [{"id": f"c-{n}", "first_name": "Ada", "participant_role": {"core_role": "speaker"}} for n in range(3)]
    value = value_of(
        "session.updated",
        {
            "title": "T",
            "status": "accepted",
            "starts_at": "2026-10-12T14:00:00Z",
            "room": {"id": "h", "name": "Hall", "capacity": 3},
            "track": None,
            "speakers": people,
            "participants": people,
        },
        event_id="3960",
    )
    called: list[str] = []

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    SessionChange.model_validate_json(value)
    sys.setprofile(note)
    try:
        SessionChange.model_validate_json(value)
    finally:
        sys.setprofile(None)
    assert called == ["model_validate_json"]
