"""Kafka bytes to the domain: whose change it is, how new, what it says, and why it cannot be read."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters.kafka import decode, usual
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.connection import IntegrationRequest, MappingRequest
from consumer.domain.errors import PoisonError
from consumer.domain.mapping import MappingSettings
from consumer.domain.record import stamp
from consumer.domain.snapshot import Attendance, Contact, Place, Profile, Role, Session, Sponsor
from consumer.ports import Change, Peeked, RawRecord, Subject, SyncRequest, event_subject, org_subject
from consumer.settings import Topics
from schemas.contact import ContactChange
from schemas.session import SessionChange
from tests.support.builders import NOW, a_record
from tests.support.examples import InvalidExample, invalid_examples, valid_names, valid_record, valid_value

LIMIT: Final = 4 * 1024 * 1024
DECODER: Final = KafkaDecoder(Topics(), LIMIT)
INVALID: Final = invalid_examples()
ORG: Final = "757e8d5b-ce66-45f5-ab36-273414f8ab2f"
SESSION_ID: Final = "497f6eca-6276-4993-bfeb-53cbbbba6f08"
ADA: Final = "d09710fb-4944-4c23-9304-486ad1d3997c"
GRACE: Final = "0c1f6a52-38e4-4f0e-9a35-6a4f0b7c2d11"
UPDATED: Final = 1_772_356_500_562
PUBLISHED: Final = 1_772_356_500_480


def read(record: RawRecord) -> Change | SyncRequest | None:
    """Both steps; None for a record that is not for this service."""
    peeked = DECODER.peek(record)
    return DECODER.read(peeked) if peeked else None


def change(record: RawRecord) -> Change:
    found = read(record)
    assert isinstance(found, Change)
    return found


def session(record: RawRecord) -> Session:
    return msgspec.json.decode(change(record).row, type=Session)


def contact(record: RawRecord) -> Contact:
    return msgspec.json.decode(change(record).row, type=Contact)


def sponsor(record: RawRecord) -> Sponsor:
    return msgspec.json.decode(change(record).row, type=Sponsor)


def edited(name: str, path: str, value: object) -> RawRecord:
    """A valid example with one value replaced, or left out (`...`)."""
    record = valid_value(name)
    node: Any = record
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        node = node[part]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return a_record(record, topic=f"sessionboard.{name.partition('-')[0]}")


def poison(record: RawRecord) -> PoisonError:
    with pytest.raises(PoisonError) as refused:
        read(record)
    return refused.value


@pytest.mark.parametrize("example", INVALID, ids=[each.name for each in INVALID])
def test_what_nobody_can_read_says_why_and_what_to_publish_instead(example: InvalidExample) -> None:
    """G1: the reason and the sentence are those of the contract, whichever way the record was read."""
    refused = poison(example.record)
    assert refused.reason == example.why
    assert example.says in str(refused)


def test_a_record_with_null_headers_is_read_like_any_other() -> None:
    """Bad input: headers are never read."""
    record = valid_record("sessions-scheduled")
    with_headers = RawRecord(
        record.topic, 0, 0, NOW, record.key, record.value, headers=(("trace", None), ("x", b"\xff\xfe"))
    )
    assert read(with_headers) == read(record)


def test_a_session_says_whose_it_is_and_how_new() -> None:
    """G3: version is `data.updated_at`, then the publication, then the offset."""
    record = valid_record("sessions-scheduled", offset=42)
    assert DECODER.peek(record) == Peeked(
        event_subject("3960"),
        f"session/{SESSION_ID}",
        stamp(UPDATED, PUBLISHED, 42),
        record,
        "session.updated",
    )


def test_without_updated_at_the_publication_is_the_version() -> None:
    """G3."""
    peeked = DECODER.peek(edited("sessions-scheduled", "data.updated_at", ...))
    assert peeked is not None
    assert peeked.stamp == stamp(PUBLISHED, PUBLISHED, 0)


@pytest.mark.parametrize("unset", [None, {}])
def test_an_unset_updated_at_counts_as_left_out(unset: object) -> None:
    """G3: `{}` and null both mean not set."""
    peeked = DECODER.peek(edited("sessions-scheduled", "data.updated_at", unset))
    assert peeked is not None
    assert peeked.stamp == stamp(PUBLISHED, PUBLISHED, 0)


def test_a_scheduled_session_as_the_domain_sees_it() -> None:
    """S1, S2, S5, P5: what the planner needs, and nothing else."""
    found = session(valid_record("sessions-scheduled"))
    assert (found.id, found.version, found.deleted, found.status) == (SESSION_ID, UPDATED, False, "accepted")
    assert (found.title, found.description) == ("Scaling change streams", "<p>How we did it.</p>")
    assert (found.starts_at, found.ends_at) == (1_791_813_600_000, 1_791_816_300_000)
    assert found.room == Place("e5f6a7b8-c9d0-1234-ef01-345678901234", "Hall A", 120)
    assert found.track == Place("a1c3d4e5-f6a7-8901-bcde-f12345678902", "Data")
    assert found.people[0] == Attendance(
        ADA,
        Role.SPEAKER,
        Profile(
            first_name="Ada",
            last_name="Example",
            email="ada@example.org",
            job_title="Engineer",
            company="Example Works",
            bio="<p>Builds things.</p>",
            photo_url="https://cdn.example.org/ada.png",
        ),
    )
    assert [each.contact_id for each in found.people] == [ADA, GRACE]


def test_ids_that_are_numbers_are_read_as_text() -> None:
    found = session(valid_record("sessions-integer-ids"))
    assert found.id.isdigit()
    assert change(valid_record("sessions-integer-ids")).key == f"session/{found.id}"


def test_a_sub_session_counts_as_not_there() -> None:
    """E8: and one that becomes a sub-session leaves."""
    assert session(valid_record("sessions-sub-session")).deleted
    assert not session(valid_record("sessions-scheduled")).deleted


@pytest.mark.parametrize("name", ["sponsors-exhibitor", "speakers-of-the-organization"])
def test_what_is_out_of_scope_is_ignored_and_no_error(name: str) -> None:
    """E8: exhibitors, and contacts of the organization that belong to no event."""
    assert DECODER.peek(valid_record(name)) is None


@pytest.mark.parametrize("topic", ["sessions-scheduled", "speakers-whole", "sponsors-tier-as-field"])
def test_a_record_that_leaves_the_event_id_out_is_a_dead_letter_and_not_ignored(topic: str) -> None:
    """G1: null can mean the organization, nothing at all means a fault."""
    refused = poison(edited(topic, "metadata.event_id", ...))
    assert refused.reason == "missing_event_id"


def test_a_session_of_an_unmapped_event_is_read_like_any_other() -> None:
    """M5: a later mapping starts from the full picture."""
    assert read(valid_record("sessions-of-an-unmapped-event")) is not None


@pytest.mark.parametrize("name", ["sessions-deleted-thin", "sessions-deleted-whole"])
def test_a_deleted_session_is_marked(name: str) -> None:
    """D1: whatever else it carries."""
    assert session(valid_record(name)).deleted


@pytest.mark.parametrize("name", ["speakers-deleted-thin", "speakers-disassociated"])
def test_a_contact_that_is_deleted_or_no_longer_of_the_event_is_marked(name: str) -> None:
    """D1, E4."""
    assert contact(valid_record(name)).deleted


def test_a_deleted_sponsor_is_marked() -> None:
    """D1."""
    assert sponsor(valid_record("sponsors-deleted-thin")).deleted


@pytest.mark.parametrize(
    ("topic", "key", "row"),
    [
        ("sessions", "session/x", Session("x", version=NOW, deleted=True)),
        ("speakers", "contact/x", Contact("x", version=NOW, deleted=True)),
        ("sponsors", "sponsor/x", Sponsor("x", version=NOW, deleted=True)),
    ],
)
def test_a_null_value_deletes_its_key(topic: str, key: str, row: object) -> None:
    """D1, G3: its version is the record's own time."""
    record = a_record(None, topic=f"sessionboard.{topic}", key="ev/x", offset=7)
    peeked = DECODER.peek(record)
    assert peeked is not None
    assert (peeked.subject, peeked.key, peeked.stamp) == (event_subject("ev"), key, stamp(NOW, NOW, 7))
    assert change(record) == Change(key, stamp(NOW, NOW, 7), msgspec.json.encode(row))


def test_a_null_value_without_a_timestamp_is_older_than_everything() -> None:
    """G3: without a time it cannot be newer."""
    peeked = DECODER.peek(a_record(None, key="ev/x", timestamp=-1))
    assert peeked is not None
    assert peeked.stamp == stamp(0, 0, 0)


@pytest.mark.parametrize("key", [None, "", "x", "/x", "ev/", "a/b/c"])
def test_a_null_value_under_a_key_that_names_nothing_is_a_dead_letter(key: str | None) -> None:
    """G1."""
    assert poison(a_record(None, key=key)).reason in {"missing_id", "key_mismatch"}


def test_an_unknown_action_with_a_readable_resource_is_an_upsert() -> None:
    """G1: the topic carries the resource, whatever the action says."""
    assert not session(valid_record("sessions-unknown-action")).deleted


def test_a_contact_tells_fields_not_carried_from_cleared_ones() -> None:
    """R4, P5: None leaves alone, the empty text clears; `{}` and null are the empty text."""
    cleared = contact(valid_record("speakers-cleared-fields")).profile
    assert "" in {cleared.job_title, cleared.company, cleared.bio, cleared.photo_url}
    partial = contact(valid_record("speakers-some-fields-only")).profile
    assert None in {partial.job_title, partial.company, partial.bio, partial.photo_url}


@pytest.mark.parametrize("name", ["sponsors-tier-as-field", "sponsors-tier-as-custom-field"])
def test_a_tier_is_found_in_both_places(name: str) -> None:
    """O5: the field, else the custom field of that internal name."""
    assert sponsor(valid_record(name)).tier


def test_custom_roles_count_as_their_core_category_and_acceptance_is_joined() -> None:
    """E7: the flat list knows who accepted, also where it names no role; the role arrays know the profile."""
    found = {each.contact_id: each for each in session(valid_record("sessions-custom-role-and-acceptance")).people}
    assert {identifier: each.acceptance for identifier, each in found.items()} == {ADA: "accepted", GRACE: "declined"}
    assert found[ADA].profile.email == "ada@example.org"
    assert found[GRACE].profile.email == "grace@example.org"


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
    """E7."""
    record = valid_value("sessions-scheduled")
    record["data"] |= {"speakers": [], "participants": participants}
    assert [(each.contact_id, each.role) for each in session(a_record(record)).people] == expected


@pytest.mark.parametrize("array", ["chairpersons", "moderators"])
def test_a_role_array_says_the_role(array: str) -> None:
    """E7."""
    record = valid_value("sessions-scheduled")
    record["data"] |= {"speakers": [], "participants": [], array: [{"id": "p", "acceptance_status": " Accepted "}]}
    (found,) = session(a_record(record)).people
    assert (found.role.value, found.acceptance) == (array.removesuffix("s"), "accepted")


def test_a_biography_of_a_megabyte_is_readable() -> None:
    """P1: it is left out later, with an issue, and the rest flows."""
    found = session(edited("sessions-scheduled", "data.speakers.0.about", "b" * 1_000_000))
    assert len(found.people[0].profile.bio or "") == 1_000_000


@pytest.mark.parametrize(("longer", "readable"), [(0, True), (1, False)])
def test_the_largest_record_is_a_setting(longer: int, readable: bool) -> None:
    """G1: exactly as many bytes are still read."""
    record = valid_record("sessions-scheduled")
    decoder = KafkaDecoder(Topics(), len(record.value or b"") - longer)
    if readable:
        assert decoder.peek(record) is not None
    else:
        with pytest.raises(PoisonError) as refused:
            decoder.peek(record)
        assert refused.value.reason == "too_large"


@pytest.mark.parametrize(
    ("name", "subject", "key"),
    [
        ("mappings-mapping-added", org_subject(ORG), "mapping/3960"),
        ("mappings-mapping-removed", org_subject(ORG), "mapping/3960"),
        ("mappings-integration-connected-sealed", org_subject(ORG), f"integration/{ORG}"),
        ("mappings-integration-disconnected", org_subject(ORG), f"integration/{ORG}"),
        ("mappings-sync-requested", event_subject("3960"), "sync/3960"),
    ],
)
def test_a_request_says_whose_it_is(name: str, subject: Subject, key: str) -> None:
    """C1, M1, C5: mappings and integrations belong to the organization, a sync request to the event."""
    peeked = DECODER.peek(valid_record(name))
    assert peeked is not None
    assert (peeked.subject, peeked.key) == (subject, key)


def test_a_mapping_as_the_domain_sees_it() -> None:
    """M1, M7: pair, zone and settings."""
    row = msgspec.json.decode(change(valid_record("mappings-mapping-added")).row, type=MappingRequest)
    value = valid_value("mappings-mapping-added")["data"]
    assert (row.org_id, row.event_id, row.present) == (ORG, "3960", True)
    assert (row.swoogo_event_id, row.timezone) == (value["swoogo_event_id"], value["event"]["timezone"])
    assert row.settings == MappingSettings(**value.get("settings", {}))


def test_a_removed_mapping_and_a_null_value_say_the_same() -> None:
    """M4: of a bare null value the organization has to be looked up."""
    removed = msgspec.json.decode(change(valid_record("mappings-mapping-removed")).row, type=MappingRequest)
    record = a_record(None, topic="sessionboard.mappings", key="mapping/3960")
    peeked = DECODER.peek(record)
    assert peeked is not None
    assert peeked.subject is None
    gone = msgspec.json.decode(change(record).row, type=MappingRequest)
    assert (removed.event_id, removed.present) == (gone.event_id, gone.present) == ("3960", False)


def test_an_integration_carries_its_credentials_sealed_or_by_name() -> None:
    """C2: exactly one of the two."""
    sealed = msgspec.json.decode(
        change(valid_record("mappings-integration-connected-sealed")).row, type=IntegrationRequest
    )
    named = msgspec.json.decode(
        change(valid_record("mappings-integration-connected-secret-name")).row, type=IntegrationRequest
    )
    assert sealed.connected
    assert sealed.sealed
    assert not sealed.secret_name
    assert named.secret_name
    assert not named.sealed


def test_a_disconnect_and_a_null_value_say_the_same() -> None:
    """X1."""
    null = a_record(None, topic="sessionboard.mappings", key=f"integration/{ORG}")
    said = msgspec.json.decode(change(valid_record("mappings-integration-disconnected")).row, type=IntegrationRequest)
    gone = msgspec.json.decode(change(null).row, type=IntegrationRequest)
    assert said == gone == IntegrationRequest(ORG, connected=False)
    peeked = DECODER.peek(null)
    assert peeked is not None
    assert peeked.subject == org_subject(ORG)


def test_a_sync_request_is_known_by_its_stamp() -> None:
    """C5, G3: a replay of it is recognised; what it selects is kept."""
    record = valid_record("mappings-sync-requested-selected", offset=3)
    value = valid_value("mappings-sync-requested-selected")
    peeked, found = DECODER.peek(record), read(record)
    assert peeked is not None
    assert isinstance(found, SyncRequest)
    assert found.id == peeked.stamp
    assert found.scope == value["data"]["scope"]
    assert found.session_ids == tuple(value["data"].get("session_ids") or ())
    assert found.speaker_ids == tuple(value["data"].get("speaker_ids") or ())


def test_the_null_value_of_an_old_sync_request_asks_for_nothing() -> None:
    """C5: compaction is no wish to sync."""
    assert DECODER.peek(a_record(None, topic="sessionboard.mappings", key="sync/3960")) is None


class _Unreadable:
    def decode(self, value: bytes) -> object:
        raise msgspec.DecodeError("as if it were unusual")


def _unusual(*_: object) -> object:
    raise usual.UnusualError


def slowly(record: RawRecord) -> tuple[Peeked | None, Change | SyncRequest | None]:
    """Both steps the thorough way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "_envelope", _Unreadable())
        patch.setattr(usual, "read", _unusual)
        peeked = DECODER.peek(record)
        return peeked, DECODER.read(peeked) if peeked else None


@pytest.mark.parametrize("name", valid_names())
def test_the_fast_way_and_the_thorough_way_read_the_same(name: str) -> None:
    """G3: also the same stamp, or a replay could look newer than what it replays."""
    record = valid_record(name, offset=5)
    assert (DECODER.peek(record), read(record)) == slowly(record)


def test_the_usual_examples_are_read_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above compares two ways and not one with itself."""
    for source in decode._MODELS:
        monkeypatch.setitem(decode._READERS, source, lambda *_, **__: pytest.fail("the thorough way"))
    for model in (SessionChange, ContactChange):
        monkeypatch.setattr(model, "model_validate_json", lambda *_, **__: pytest.fail("the thorough way"))
    for name in ("sessions-scheduled", "speakers-whole", "sessions-custom-role-and-acceptance"):
        value = valid_value(name)
        value["data"].pop("level", None)
        for person in value["data"].get("participants", []):
            person["participant_role"] = None
        assert read(a_record(value, topic=f"sessionboard.{name.partition('-')[0]}")) is not None


VALUES: Final = st.one_of(
    st.sampled_from([None, {}, [], "", " ", 0, 1, -1, 1.5, True, "x", "2026-03-01T09:15:00Z", "2026-03-01T09:15:00"]),
    st.sampled_from(["2026-03-01", "2026-03-01T09:15:00.5+02:00", "1969-01-01T00:00:00Z", "2200-01-01T00:00:00Z"]),
    st.sampled_from(["a/b", "3960\n", "session.deleted", "exhibitor.updated", "contact.event.disassociated", 2**63]),
    st.sampled_from([{"id": "r", "name": "R", "capacity": 3}, {"id": 5}, {"name": "R"}, [{"id": "p"}], [{}], "é" * 60]),
    st.text(max_size=5),
    st.integers(),
)
PATHS: Final = tuple(
    f"{part}.{name}"
    for part, names in (
        ("data", "id title description status starts_at ends_at updated_at deleted_at capacity room track"),
        ("data", "speakers chairpersons moderators participants parent_session_id first_name email about photo_url"),
        ("data.speakers.0", "id first_name email about participant_role acceptance_status"),
        ("metadata", "action event_id org_id version datetime"),
    )
    for name in names.split()
)


@settings(max_examples=600, deadline=None)
@given(
    name=st.sampled_from(["sessions-scheduled", "speakers-whole", "sponsors-tier-as-field"]),
    edits=st.lists(st.tuples(st.sampled_from(PATHS), st.one_of(VALUES, st.just(...))), min_size=1, max_size=3),
)
def test_whatever_is_in_a_record_both_ways_agree(name: str, edits: list[tuple[str, object]]) -> None:
    """G1, G3: read alike, refused for the same reason, or ignored; never anything else."""
    value: Any = valid_value(name)
    for path, found in edits:
        *parents, last = path.split(".")
        node: Any = value
        for part in parents:
            step: Any = int(part) if part.isdigit() else part
            inside = isinstance(node, dict) if isinstance(step, str) else isinstance(node, list) and bool(node)
            node = node.get(step) if inside and isinstance(node, dict) else node[step] if inside else None
        if isinstance(node, dict):
            if found is ...:
                node.pop(last, None)
            else:
                node[last] = found
    record = a_record(json.dumps(value).encode(), topic=f"sessionboard.{name.partition('-')[0]}")

    def outcome(fast: bool) -> object:
        try:
            if not fast:
                return slowly(record)
            peeked = DECODER.peek(record)
            return peeked, DECODER.read(peeked) if peeked else None
        except PoisonError as refused:
            return refused.reason, str(refused)

    assert outcome(fast=True) == outcome(fast=False)
