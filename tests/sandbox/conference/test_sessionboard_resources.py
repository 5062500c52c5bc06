"""Resources and envelopes as Sessionboard spells them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.conference.model import Conference, Person, Room, Sponsor, Talk, Track
from sandbox.conference.sessionboard import Event, change, contact_resource, session_resource, sponsor_resource

AT = datetime(2026, 3, 1, 9, 15, 0, 123000, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
EVENT = Event(id=3960, org_id="757e8d5b-ce66-45f5-ab36-273414f8ab2f", name="Conf", timezone="America/Chicago")
ADA = Person(id="p-1", first_name="Ada", last_name="Example", email="ada@example.org", biography="<p>Hi</p>")
MO = Person(id="p-2", first_name="Mo", last_name="Derator", email="mo@example.org", job_title="Host")
TALK = Talk(
    id="t-1",
    title="Scaling",
    description="<p>How</p>",
    starts_at=datetime(2026, 10, 12, 9, tzinfo=CHICAGO),
    ends_at=datetime(2026, 10, 12, 9, 45, tzinfo=CHICAGO),
    room_id="r-1",
    track_id="k-1",
    capacity=20,
    speaker_ids=("p-1",),
    moderator_ids=("p-2",),
)
CONFERENCE = Conference(
    name="Conf",
    timezone="America/Chicago",
    rooms={"r-1": Room(id="r-1", name="Hall A", capacity=120)},
    tracks={"k-1": Track(id="k-1", name="Data", color="#329af0")},
    people={"p-1": ADA, "p-2": MO},
    talks={"t-1": TALK},
)


def subset(resource: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: resource[name] for name in names}


def test_a_session_carries_utc_times_status_and_its_places_as_objects() -> None:
    resource = session_resource(CONFERENCE, TALK, EVENT, updated_at=AT)
    assert subset(resource, "id", "title", "status", "starts_at", "ends_at", "capacity", "updated_at") == {
        "id": "t-1",
        "title": "Scaling",
        "status": "accepted",
        "starts_at": "2026-10-12T14:00:00Z",
        "ends_at": "2026-10-12T14:45:00Z",
        "capacity": 20,
        "updated_at": "2026-03-01T09:15:00.123+00:00",
    }
    assert subset(resource["room"], "id", "name", "capacity") == {"id": "r-1", "name": "Hall A", "capacity": 120}
    assert subset(resource["track"], "id", "name", "event_id") == {"id": "k-1", "name": "Data", "event_id": 3960}


def test_a_session_carries_its_people_by_role_and_as_participants() -> None:
    resource = session_resource(CONFERENCE, TALK, EVENT, updated_at=AT)
    [speaker], [moderator] = resource["speakers"], resource["moderators"]
    assert subset(speaker, "id", "email", "about", "title") == {
        "id": "p-1",
        "email": "ada@example.org",
        "about": "<p>Hi</p>",
        "title": None,
    }
    assert (speaker["participant_role"]["core_role"], moderator["participant_role"]["core_role"]) == (
        "speaker",
        "moderator",
    )
    assert [(each["id"], each["participant_role"]["core_role"]) for each in resource["participants"]] == [
        ("p-1", "speaker"),
        ("p-2", "moderator"),
    ]


def test_what_is_not_set_is_an_empty_object_in_one_place_and_null_in_another() -> None:
    resource = session_resource(CONFERENCE, Talk(id="t-2", title="Bare"), EVENT, updated_at=AT)
    assert subset(
        resource, "room", "track", "starts_at", "ends_at", "description", "speakers", "level", "language"
    ) == {
        "room": {},
        "track": None,
        "starts_at": None,
        "ends_at": None,
        "description": None,
        "speakers": [],
        "level": {},
        "language": None,
    }


def test_contact_fields_are_spelled_as_sessionboard_spells_them() -> None:
    person = Person(
        id="p",
        first_name="A",
        last_name="B",
        email="a@b.example",
        job_title="CTO",
        company="Acme",
        biography="<p>x</p>",
        photo_url="http://127.0.0.1/p.jpg",
    )
    resource = contact_resource(person, EVENT, updated_at=AT)
    assert subset(resource, "title", "company_name", "about", "photo_url", "full_name") == {
        "title": "CTO",
        "company_name": "Acme",
        "about": "<p>x</p>",
        "photo_url": "http://127.0.0.1/p.jpg",
        "full_name": "A B",
    }


@pytest.mark.rule("O5")
def test_the_tier_of_sponsors_comes_in_both_places_it_may_be_in() -> None:
    """`data.tier`, else the custom field whose internal name is `tier`."""
    direct, custom = 0, 0
    for number in range(20):
        resource = sponsor_resource(Sponsor(id=f"s-{number}", name="S", tier="Gold"), EVENT, updated_at=AT)
        fields = {each["internal_name"]: each["value"] for each in resource["custom_fields"]}
        assert ("tier" in resource) != ("tier" in fields)
        assert resource.get("tier", fields.get("tier")) == "Gold"
        direct, custom = direct + ("tier" in resource), custom + ("tier" in fields)
    assert direct
    assert custom
    assert "tier" not in sponsor_resource(Sponsor(id="s", name="S"), EVENT, updated_at=AT)


@pytest.mark.parametrize(
    ("kind", "verb", "action", "collection"),
    [
        ("session", "created", "session.created", "sessions"),
        ("contact", "updated", "contact.updated", "contacts"),
        ("sponsor", "deleted", "sponsor.deleted", "sponsors"),
    ],
)
def test_a_change_is_wrapped_in_the_version_1_envelope(kind: Any, verb: Any, action: str, collection: str) -> None:
    assert change(kind, verb, {"id": "x"}, EVENT, AT) == {
        "data": {"id": "x"},
        "metadata": {
            "action": action,
            "actor_id": 7,
            "event_id": 3960,
            "org_id": "757e8d5b-ce66-45f5-ab36-273414f8ab2f",
            "resource_url": f"https://public-api.sessionboard.com/v1/event/3960/{collection}/x",
            "version": 1,
            "datetime": "2026-03-01T09:15:00Z",
        },
    }
