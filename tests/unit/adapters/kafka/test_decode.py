"""Kafka bytes to the domain: whose change it is, how new, what it says, and why it cannot be read."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.errors import PoisonError
from consumer.domain.records.identity import TOLERANCE_MS, moments_of, stamp
from consumer.domain.records.snapshot import Attendance, Contact, Place, Profile, Role, Session, Sponsor
from consumer.ports import Change, Peeked, RawRecord, event_subject
from consumer.settings import Topics
from tests.support.builders import NOW, a_record
from tests.support.examples import InvalidExample, dead_examples, valid_record, valid_value
from tests.unit.adapters.kafka.decoding import DECODER, change, contact, read, session, sponsor

INVALID: Final = dead_examples()
SESSION_ID: Final = "497f6eca-6276-4993-bfeb-53cbbbba6f08"
ADA: Final = "d09710fb-4944-4c23-9304-486ad1d3997c"
GRACE: Final = "0c1f6a52-38e4-4f0e-9a35-6a4f0b7c2d11"
UPDATED: Final = 1_772_356_500_562
PUBLISHED: Final = 1_772_356_500_480


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


@pytest.mark.rule("G1")
@pytest.mark.parametrize("example", INVALID, ids=[each.name for each in INVALID])
def test_what_nobody_can_read_says_why_and_what_to_publish_instead(example: InvalidExample) -> None:
    """The reason and the sentence are those of the contract, whichever way the record was read."""
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


@pytest.mark.rule("G3")
def test_a_session_says_whose_it_is_and_how_new() -> None:
    """Version is `data.updated_at`, then the publication, then the offset."""
    record = valid_record("sessions-scheduled", offset=42)
    peeked = DECODER.peek(record)
    assert peeked == Peeked(
        event_subject("3960"),
        f"session/{SESSION_ID}",
        stamp(UPDATED, PUBLISHED, 42, 0),
        record,
        "session.updated",
        peeked.change if peeked else None,
    )


@pytest.mark.rule("G3")
def test_without_updated_at_the_publication_is_the_version() -> None:
    peeked = DECODER.peek(edited("sessions-scheduled", "data.updated_at", ...))
    assert peeked is not None
    assert peeked.stamp == stamp(PUBLISHED, PUBLISHED, 0, 0)


@pytest.mark.rule("G3")
@pytest.mark.parametrize("unset", [None, {}])
def test_an_unset_updated_at_counts_as_left_out(unset: object) -> None:
    """`{}` and null both mean not set."""
    peeked = DECODER.peek(edited("sessions-scheduled", "data.updated_at", unset))
    assert peeked is not None
    assert peeked.stamp == stamp(PUBLISHED, PUBLISHED, 0, 0)


@pytest.mark.rule("G3")
@pytest.mark.parametrize("ahead", [1_001, 180_000, 365 * 86_400_000], ids=["a second", "3 minutes", "a year"])
@pytest.mark.parametrize("name", ["sessions-scheduled", "speakers-whole", "sponsors-tier-as-field"])
def test_a_version_counts_from_when_kafka_had_it_if_it_is_dated_later(name: str, ahead: int) -> None:
    """One date ahead must not silence later edits, nor the deletion of the record."""
    record = valid_record(name)
    published, _ = moments_of(DECODER.peek(replace(record, timestamp=0)).stamp)  # type: ignore[union-attr]
    record = replace(record, timestamp=published - ahead)
    peeked = DECODER.peek(record)
    assert peeked is not None
    assert moments_of(peeked.stamp)[0] == record.timestamp + TOLERANCE_MS
    assert msgspec.json.decode(change(record).row)["version"] == record.timestamp + TOLERANCE_MS
    key = f"{peeked.subject.id}/{peeked.key.partition('/')[2]}"  # type: ignore[union-attr]
    gone = a_record(None, topic=record.topic, key=key, offset=1, timestamp=record.timestamp + TOLERANCE_MS + 1)
    deletion = DECODER.peek(gone)
    assert deletion is not None
    assert deletion.stamp > peeked.stamp


@pytest.mark.rule("S1", "S2", "S5", "P5")
def test_a_scheduled_session_as_the_domain_sees_it() -> None:
    """What the planner needs, and nothing else."""
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


@pytest.mark.rule("E8")
def test_a_sub_session_counts_as_not_there() -> None:
    """And one that becomes a sub-session leaves."""
    assert session(valid_record("sessions-sub-session")).deleted
    assert not session(valid_record("sessions-scheduled")).deleted


@pytest.mark.rule("E8")
@pytest.mark.parametrize("name", ["sponsors-exhibitor", "speakers-of-the-organization"])
def test_what_is_out_of_scope_is_ignored_and_no_error(name: str) -> None:
    """Exhibitors, and contacts of the organization that belong to no event."""
    assert DECODER.peek(valid_record(name)) is None


@pytest.mark.rule("G1")
@pytest.mark.parametrize("topic", ["sessions-scheduled", "speakers-whole", "sponsors-tier-as-field"])
def test_record_without_an_event_id_is_a_dead_letter(topic: str) -> None:
    """Null can mean the organization, nothing at all means a fault."""
    refused = poison(edited(topic, "metadata.event_id", ...))
    assert refused.reason == "missing_event_id"


@pytest.mark.rule("M5")
def test_a_session_of_an_unmapped_event_is_read_like_any_other() -> None:
    """A later mapping starts from the full picture."""
    assert read(valid_record("sessions-of-an-unmapped-event")) is not None


@pytest.mark.rule("D1")
@pytest.mark.parametrize("name", ["sessions-deleted-thin", "sessions-deleted-whole"])
def test_a_deleted_session_is_marked(name: str) -> None:
    """Whatever else it carries."""
    assert session(valid_record(name)).deleted


@pytest.mark.rule("E4", "D1")
@pytest.mark.parametrize("name", ["speakers-deleted-thin", "speakers-disassociated"])
def test_a_contact_that_is_deleted_or_no_longer_of_the_event_is_marked(name: str) -> None:
    assert contact(valid_record(name)).deleted


@pytest.mark.rule("D1")
def test_a_deleted_sponsor_is_marked() -> None:
    assert sponsor(valid_record("sponsors-deleted-thin")).deleted
    assert change(valid_record("sponsors-deleted-thin")).deleted


@pytest.mark.rule("D1", "G3")
@pytest.mark.parametrize(
    ("topic", "key", "row"),
    [
        ("sessions", "session/x", Session("x", version=NOW, deleted=True)),
        ("speakers", "contact/x", Contact("x", version=NOW, deleted=True)),
        ("sponsors", "sponsor/x", Sponsor("x", version=NOW, deleted=True)),
    ],
)
def test_a_null_value_deletes_its_key(topic: str, key: str, row: object) -> None:
    """Its version is the record's own time."""
    record = a_record(None, topic=f"sessionboard.{topic}", key="ev/x", offset=7)
    peeked = DECODER.peek(record)
    assert peeked is not None
    assert (peeked.subject, peeked.key, peeked.stamp) == (event_subject("ev"), key, stamp(NOW, NOW, 7))
    found = change(record)
    assert replace(found, row=b"") == Change(key, stamp(NOW, NOW, 7), b"", deleted=True)
    assert msgspec.json.decode(found.row, type=type(row)) == row


@pytest.mark.rule("G3")
def test_a_null_value_without_a_timestamp_is_older_than_everything() -> None:
    """Without a time it cannot be newer."""
    peeked = DECODER.peek(a_record(None, key="ev/x", timestamp=-1))
    assert peeked is not None
    assert peeked.stamp == stamp(0, 0, 0)


@pytest.mark.rule("G1")
@pytest.mark.parametrize("key", [None, "", "x", "/x", "ev/", "a/b/c"])
def test_a_null_value_under_a_key_that_names_nothing_is_a_dead_letter(key: str | None) -> None:
    assert poison(a_record(None, key=key)).reason in {"missing_id", "key_mismatch"}


@pytest.mark.rule("G1")
def test_an_unknown_action_with_a_readable_resource_is_an_upsert() -> None:
    """The topic carries the resource, whatever the action says."""
    assert not session(valid_record("sessions-unknown-action")).deleted


@pytest.mark.rule("P1")
def test_a_biography_of_a_megabyte_is_readable() -> None:
    """It is left out later, with an issue, and the rest flows."""
    found = session(edited("sessions-scheduled", "data.speakers.0.about", "b" * 1_000_000))
    assert len(found.people[0].profile.bio or "") == 1_000_000


@pytest.mark.rule("G1")
@pytest.mark.parametrize(("longer", "readable"), [(0, True), (1, False)])
def test_the_largest_record_is_a_setting(longer: int, readable: bool) -> None:
    """Exactly as many bytes are still read."""
    record = valid_record("sessions-scheduled")
    decoder = KafkaDecoder(Topics(), len(record.value or b"") - longer)
    if readable:
        assert decoder.peek(record) is not None
    else:
        with pytest.raises(PoisonError) as refused:
            decoder.peek(record)
        assert refused.value.reason == "too_large"
