"""From revisions of a conference to Kafka records."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.conference.diff import Change, compare
from sandbox.conference.model import Conference, Person, Room, Sponsor, Talk
from sandbox.conference.records import Record, Writer
from sandbox.conference.sessionboard import Event

AT = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
EVENT = Event(id=42, org_id="org-1", name="Conf", timezone="UTC")
WRITER = Writer(event=EVENT)

BEFORE = Conference(
    name="Conf",
    timezone="UTC",
    rooms={"r": Room(id="r", name="Hall")},
    people={
        "p": Person(id="p", first_name="A", last_name="B", email="a@b.example"),
        "q": Person(id="q", first_name="C", last_name="D", email="c@d.example"),
    },
    talks={
        "in-hall": Talk(id="in-hall", title="One", room_id="r", speaker_ids=("p",)),
        "elsewhere": Talk(id="elsewhere", title="Two", speaker_ids=("q",)),
    },
    sponsors={"s": Sponsor(id="s", name="S")},
)


def value(record: Record) -> dict[str, Any]:
    assert record.value is not None
    decoded: dict[str, Any] = json.loads(record.value)
    return decoded


def outline(records: list[Record]) -> list[tuple[str, str, str | None]]:
    return [
        (each.topic, each.key.decode(), value(each)["metadata"]["action"] if each.value else None) for each in records
    ]


def test_the_first_revision_creates_everything() -> None:
    changed = compare(None, BEFORE)
    assert (changed.talks.created, changed.people.created, changed.sponsors.created) == (
        ("in-hall", "elsewhere"),
        ("p", "q"),
        ("s",),
    )
    assert len(changed) == 5


def test_the_same_revision_again_changes_nothing() -> None:
    assert len(compare(BEFORE, BEFORE)) == 0
    assert WRITER.revision(BEFORE, BEFORE, at=AT) == []


def test_a_renamed_room_edits_the_sessions_in_it_and_no_others() -> None:
    after = replace(BEFORE, rooms={"r": Room(id="r", name="Aula")})
    assert compare(BEFORE, after).talks == Change(edited=("in-hall",))


def test_a_changed_profile_edits_the_contact_and_not_its_sessions() -> None:
    after = replace(BEFORE, people={**BEFORE.people, "p": replace(BEFORE.people["p"], company="New")})
    changed = compare(BEFORE, after)
    assert changed.people == Change(edited=("p",))
    assert len(changed.talks) == 0


def test_records_go_to_their_topics_under_event_and_resource_id() -> None:
    assert outline(WRITER.revision(None, BEFORE, at=AT)) == [
        ("sessionboard.speakers", "42/p", "contact.created"),
        ("sessionboard.speakers", "42/q", "contact.created"),
        ("sessionboard.sessions", "42/in-hall", "session.created"),
        ("sessionboard.sessions", "42/elsewhere", "session.created"),
        ("sessionboard.sponsors", "42/s", "sponsor.created"),
    ]


def test_an_edit_is_the_full_new_resource_with_the_given_stamp() -> None:
    after = replace(BEFORE, talks={**BEFORE.talks, "elsewhere": replace(BEFORE.talks["elsewhere"], title="Zwei")})
    [record] = WRITER.revision(BEFORE, after, at=AT)
    assert outline([record]) == [("sessionboard.sessions", "42/elsewhere", "session.updated")]
    data = value(record)["data"]
    assert (data["title"], data["updated_at"], data["speakers"][0]["email"]) == (
        "Zwei",
        "2026-03-01T09:15:00.000+00:00",
        "c@d.example",
    )


def test_a_deletion_is_an_envelope_with_the_last_resource_or_a_null_value() -> None:
    after = replace(BEFORE, talks={"in-hall": BEFORE.talks["in-hall"]})
    [wrapped] = WRITER.revision(BEFORE, after, at=AT)
    assert outline([wrapped]) == [("sessionboard.sessions", "42/elsewhere", "session.deleted")]
    assert value(wrapped)["data"]["title"] == "Two"
    [null] = replace(WRITER, deletion="null").revision(BEFORE, after, at=AT)
    assert null == Record("sessionboard.sessions", b"42/elsewhere", None)


@pytest.mark.parametrize(
    ("record", "key", "action", "data"),
    [
        (
            WRITER.integration_connected(sealed="c2VhbGVk", continuous_sync=True, at=AT),
            "integration/org-1",
            "integration.connected",
            {"org_id": "org-1", "credentials": {"sealed": "c2VhbGVk"}, "continuous_sync": True},
        ),
        (
            WRITER.integration_connected(secret_name="swoogo", continuous_sync=False, at=AT),
            "integration/org-1",
            "integration.connected",
            {"org_id": "org-1", "credentials": {"secret_name": "swoogo"}, "continuous_sync": False},
        ),
        (
            WRITER.integration_disconnected(at=AT),
            "disconnect/org-1",
            "integration.disconnected",
            {"org_id": "org-1"},
        ),
        (
            WRITER.mapping_added(117174, settings={"sync_sponsors": False}, at=AT),
            "mapping/42",
            "mapping.added",
            {
                "event": {"id": 42, "name": "Conf", "timezone": "UTC"},
                "swoogo_event_id": 117174,
                "settings": {"sync_sponsors": False},
            },
        ),
        (WRITER.mapping_removed(at=AT), "mapping/42", "mapping.removed", {"event": {"id": 42}}),
        (
            WRITER.sync_requested("agenda", at=AT),
            "sync/42",
            "sync.requested",
            {"event": {"id": 42}, "scope": "agenda"},
        ),
        (
            WRITER.sync_requested("sponsors", request_id="r-1", at=AT),
            "sync/42/r-1",
            "sync.requested",
            {"event": {"id": 42}, "scope": "sponsors", "request_id": "r-1"},
        ),
        (
            WRITER.sync_requested("all", session_ids=["a"], speaker_ids=[], at=AT),
            "sync/42",
            "sync.requested",
            {"event": {"id": 42}, "scope": "all", "session_ids": ["a"], "speaker_ids": []},
        ),
    ],
)
def test_mapping_topic_events_have_their_key_action_and_data(
    record: Record, key: str, action: str, data: dict[str, Any]
) -> None:
    assert outline([record]) == [("sessionboard.mappings", key, action)]
    assert value(record)["data"] == data
    metadata = value(record)["metadata"]
    assert (metadata["org_id"], metadata["version"], metadata["datetime"]) == ("org-1", 1, "2026-03-01T09:15:00Z")
    assert metadata["event_id"] == (None if action.startswith("integration") else 42)


@pytest.mark.rule("C2")
@pytest.mark.parametrize("credentials", [{}, {"sealed": "c2Vh", "secret_name": "swoogo"}])
def test_credentials_are_sealed_or_named_and_not_both(credentials: dict[str, str]) -> None:
    """Credentials travel sealed, or as the name of a mounted secret."""
    with pytest.raises(ValueError, match="sealed or the name"):
        WRITER.integration_connected(**credentials, continuous_sync=True, at=AT)
