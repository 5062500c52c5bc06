"""What this service publishes: status, ledger and dead-letter headers, and the keys of all topics."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.dead_letter import DeadLetterHeaders, Reason
from schemas.keys import LedgerKey, RecordKey, control_key, former_control_key, parse_key, parse_ledger_key
from schemas.ledger import LedgerEntry, LedgerKind, LedgerState, PairEntry, read_ledger_value
from schemas.mapping import (
    ControlChange,
    ControlMetadata,
    EventOnly,
    EventRef,
    IntegrationDisconnected,
    MappingMetadata,
    MappingRemoved,
    OrganizationRef,
    SyncRequest,
    SyncRequested,
    SyncScope,
)
from schemas.reading import read_control
from schemas.status import (
    EventStatusMetadata,
    IntegrationRejected,
    IntegrationVerdict,
    KindCounts,
    OrganizationStatusMetadata,
    SyncCompleted,
    SyncReport,
    Trigger,
)

AT = datetime(2026, 3, 1, 9, 20, tzinfo=UTC)
IDS = st.from_regex(r"\A[0-9A-Za-z][0-9A-Za-z_.:-]{0,30}\Z")


@pytest.mark.rule("N1")
def test_counts_add_up_by_themselves() -> None:
    """A report says how many were attempted and how many were synced, and the sums fit the parts."""
    counts = KindCounts(created=1, adopted=2, updated=3, unchanged=40, left_out=50, failed=5)
    assert (counts.synced, counts.attempted) == (6, 11)
    assert b'"synced":6,"attempted":11' in counts.encode()


@pytest.mark.rule("N1", "N2")
def test_a_report_is_keyed_by_its_event_and_reads_back_as_written() -> None:
    """Keyed by event; counts per kind, credits and issues by code survive the trip."""
    sent = SyncCompleted(
        data=SyncReport(
            run_id="r-1",
            trigger=Trigger.MANUAL,
            scope=SyncScope.AGENDA,
            swoogo_event_id=117174,
            started_at=AT,
            ended_at=AT,
            duration_ms=12,
            sessions=KindCounts(created=2, failed=1),
            credits=3,
            issues={"missing_field": 1},
        ),
        metadata=EventStatusMetadata(action="sync.completed", event_id="3960", version=1, datetime=AT),
    )
    assert sent.key == "3960"
    assert SyncCompleted.model_validate_json(sent.encode()) == sent


@pytest.mark.rule("C3")
def test_a_verdict_on_credentials_is_keyed_by_its_organization() -> None:
    """A refusal is reported where the integration is, as it has no event."""
    sent = IntegrationRejected(
        data=IntegrationVerdict(org_id="o-1", code="credentials_refused", sentence="Swoogo refused them."),
        metadata=OrganizationStatusMetadata(action="integration.rejected", org_id="o-1", version=1, datetime=AT),
    )
    assert sent.key == "integration/o-1"
    assert IntegrationRejected.model_validate_json(sent.encode()) == sent


def test_a_message_of_one_action_does_not_pass_for_another() -> None:
    with pytest.raises(ValidationError):
        EventStatusMetadata[str].model_validate({"action": 5, "event_id": "1", "version": 1, "datetime": AT})
    with pytest.raises(ValidationError):
        SyncCompleted.model_validate_json(b'{"data": {}, "metadata": {"action": "sync.started"}}')


@pytest.mark.rule("G6")
def test_a_ledger_entry_reads_back_as_written() -> None:
    """What is rebuilt from the changelog is what was in Redis."""
    entry = LedgerEntry(
        kind="speaker",
        state=LedgerState.APPLIED,
        swoogo_id=101,
        pushed={"first_name": "Ada"},
        seen={"first_name": "Ada"},
        natural="ada@example.org",
        image={"url": "https://cdn.example.org/a.png", "etag": '"1"', "last-modified": "then", "sha256": "00"},
        links=("s-1", "s-2"),
        contact_id=77,
        version=1_772_356_500_562,
        epoch=12,
        op_id="r-1.17",
        at=1_772_356_805_250,
    )
    assert read_ledger_value(entry.encode()) == entry


@pytest.mark.rule("M2")
def test_the_history_of_a_pair_is_a_ledger_value_of_its_own() -> None:
    """A pair outlives its mapping."""
    pair = PairEntry(kind="pair", event_id="3960", swoogo_event_id=117174, org_id="o-1", mapped_at=5)
    assert read_ledger_value(pair.encode()) == pair


@pytest.mark.rule("D2")
@pytest.mark.parametrize("state", ["intent", "applied", "gone"])
def test_a_ledger_entry_knows_three_states(state: str) -> None:
    """Never again is a state, not an absence."""
    read = read_ledger_value(f'{{"kind": "session", "state": "{state}"}}'.encode())
    assert isinstance(read, LedgerEntry)
    assert read.state == state


def test_a_ledger_value_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError):
        read_ledger_value(b'{"kind": "venue", "state": "applied"}')


HEADERS = DeadLetterHeaders(
    origin_topic="sessionboard.sessions",
    origin_partition=3,
    origin_offset=4_611_686_018_427_387_904,
    origin_timestamp=-1,
    reason=Reason.NOT_JSON,
    error="The value is not JSON.",
)


@pytest.mark.rule("G1")
def test_dead_letter_headers_read_back_as_written_among_the_original_ones() -> None:
    """A dead letter says where it came from; headers that were there before do not disturb it."""
    before: list[tuple[str, bytes | None]] = [("trace", b"\xff"), ("empty", None), ("offset", b"x")]
    assert DeadLetterHeaders.from_headers([*before, *HEADERS.to_headers()]) == HEADERS


def test_dead_letter_headers_are_text_under_our_own_names() -> None:
    assert HEADERS.to_headers() == [
        ("swoogo-sync-origin-topic", b"sessionboard.sessions"),
        ("swoogo-sync-origin-partition", b"3"),
        ("swoogo-sync-origin-offset", b"4611686018427387904"),
        ("swoogo-sync-origin-timestamp", b"-1"),
        ("swoogo-sync-reason", b"not_json"),
        ("swoogo-sync-error", b"The value is not JSON."),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        [],
        [("swoogo-sync-reason", b"not_json")],
        [("swoogo-sync-origin-topic", b"\xff")],
        [("swoogo-sync-reason", None)],
    ],
)
def test_incomplete_or_foreign_dead_letter_headers_are_refused(broken: list[tuple[str, bytes | None]]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the base of both a bad field and a bad encoding
        DeadLetterHeaders.from_headers(broken)


@given(IDS, IDS)
def test_a_key_reads_back_as_written(scope: str, identifier: str) -> None:
    key = RecordKey(scope, identifier)
    assert parse_key(str(key).encode()) == key


@pytest.mark.rule("O1")
@given(IDS, st.sampled_from(LedgerKind), st.text(min_size=1, max_size=20))
def test_a_ledger_key_reads_back_as_written_whatever_a_level_is_called(
    event_id: str, kind: LedgerKind, identifier: str
) -> None:
    """A level has no id of its own; its name may hold a slash."""
    key = LedgerKey(event_id, kind, identifier)
    assert parse_ledger_key(str(key).encode(errors="surrogatepass")) == key


@pytest.mark.parametrize("key", [b"", b"3960", b"3960/session", b"3960/venue/1", b"/session/1", b"\xff/session/1"])
def test_a_key_that_is_no_ledger_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - three ways to be wrong, one way to be refused
        parse_ledger_key(key)


@pytest.mark.rule("C1", "C5", "M4", "X1")
def test_the_mappings_topic_has_one_key_for_each_thing_that_can_be_replaced() -> None:
    """Compaction lets no request displace another, and no credentials hide a disconnect."""
    event = EventRef(id="3960")
    organization = IntegrationDisconnected(
        data=OrganizationRef(org_id="o-1"),
        metadata=ControlMetadata(action="integration.disconnected", version=1, datetime=AT),
    )
    removed = MappingRemoved(
        data=EventOnly(event=event),
        metadata=MappingMetadata(action="mapping.removed", org_id="o-1", version=1, datetime=AT),
    )
    requested = SyncRequested(
        data=SyncRequest(event=event, request_id="r-1", scope=SyncScope.ALL),
        metadata=ControlMetadata(action="sync.requested", version=1, datetime=AT),
    )
    changes: tuple[ControlChange, ...] = (organization, removed, requested)
    assert [str(control_key(change)) for change in changes] == ["disconnect/o-1", "mapping/3960", "sync/3960/r-1"]
    former = ["integration/o-1", "mapping/3960", "sync/3960"]
    assert [str(former_control_key(change)) for change in changes] == former
    for change, key in zip((*changes, *changes), [*(str(control_key(each)) for each in changes), *former], strict=True):
        assert read_control(key.encode(), change.model_dump_json().encode()) == change
