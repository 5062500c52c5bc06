"""The mappings topic to the domain: integrations, pairs and sync requests, whose they are and what they ask."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from consumer.domain.connections.connection import IntegrationRequest, MappingRequest
from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.records.identity import moments_of
from consumer.ports import Subject, SyncRequest, event_subject, org_subject
from tests.support.builders import a_record
from tests.support.examples import valid_record, valid_value
from tests.unit.adapters.kafka.decoding import DECODER, change, read

ORG: Final = "757e8d5b-ce66-45f5-ab36-273414f8ab2f"
DATED: Final = 1_772_356_500_480
"""The moment in the examples, ms."""


@pytest.mark.rule("C1", "C5", "M1")
@pytest.mark.parametrize(
    ("name", "subject", "key"),
    [
        ("mappings-mapping-added", org_subject(ORG), "mapping/3960"),
        ("mappings-mapping-removed", org_subject(ORG), "mapping/3960"),
        ("mappings-integration-connected-sealed", org_subject(ORG), f"integration/{ORG}"),
        ("mappings-integration-disconnected", org_subject(ORG), f"disconnect/{ORG}"),
        ("mappings-sync-requested", event_subject("3960"), "sync/3960/r-1"),
    ],
)
def test_a_request_says_whose_it_is(name: str, subject: Subject, key: str) -> None:
    """Mappings and integrations belong to the organization, a sync request to the event."""
    peeked = DECODER.peek(valid_record(name))
    assert peeked is not None
    assert (peeked.subject, peeked.key) == (subject, key)


@pytest.mark.rule("M1", "M7")
def test_a_mapping_as_the_domain_sees_it() -> None:
    """Pair, zone and settings."""
    row = msgspec.json.decode(change(valid_record("mappings-mapping-added")).row, type=MappingRequest)
    value = valid_value("mappings-mapping-added")["data"]
    assert (row.org_id, row.event_id, row.present) == (ORG, "3960", True)
    assert (row.swoogo_event_id, row.timezone) == (value["swoogo_event_id"], value["event"]["timezone"])
    assert row.settings == MappingSettings(**value.get("settings", {}))


@pytest.mark.rule("M4")
def test_a_removed_mapping_and_a_null_value_say_the_same() -> None:
    """Of a bare null value the organization has to be looked up."""
    removed = msgspec.json.decode(change(valid_record("mappings-mapping-removed")).row, type=MappingRequest)
    record = a_record(None, topic="sessionboard.mappings", key="mapping/3960")
    peeked = DECODER.peek(record)
    assert peeked is not None
    assert peeked.subject is None
    gone = msgspec.json.decode(change(record).row, type=MappingRequest)
    assert (removed.event_id, removed.present) == (gone.event_id, gone.present) == ("3960", False)


@pytest.mark.rule("C2")
def test_an_integration_carries_its_credentials_sealed_or_by_name() -> None:
    """Exactly one of the two."""
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


@pytest.mark.rule("X1")
def test_a_disconnect_and_a_null_value_say_the_same() -> None:
    null = a_record(None, topic="sessionboard.mappings", key=f"integration/{ORG}")
    said = msgspec.json.decode(change(valid_record("mappings-integration-disconnected")).row, type=IntegrationRequest)
    gone = msgspec.json.decode(change(null).row, type=IntegrationRequest)
    assert said == gone == IntegrationRequest(ORG, connected=False)
    peeked = DECODER.peek(null)
    assert peeked is not None
    assert (peeked.subject, peeked.key) == (org_subject(ORG), f"disconnect/{ORG}")


@pytest.mark.rule("X1", "G3")
@pytest.mark.parametrize(
    ("received", "counts"),
    [
        pytest.param(DATED - 86_400_000, DATED - 86_400_000, id="dated in the future"),
        pytest.param(DATED + 5_000, DATED, id="sent a little later"),
        pytest.param(-1, DATED, id="no timestamp in Kafka"),
    ],
)
def test_a_request_counts_from_when_kafka_had_it_if_it_is_dated_later(received: int, counts: int) -> None:
    """A clock that is ahead must not hold back what is published after it."""
    record = replace(valid_record("mappings-integration-disconnected"), timestamp=received)
    peeked = DECODER.peek(record)
    assert peeked is not None
    assert moments_of(peeked.stamp)[0] == counts


@pytest.mark.rule("X1")
@pytest.mark.parametrize(("own", "sooner"), [(True, True), (False, False)])
def test_at_one_moment_a_disconnect_under_its_own_key_counts_as_first(own: bool, sooner: bool) -> None:
    """Its offset says nothing about those of the credentials; under their key, as before, it does."""
    record = replace(valid_record("mappings-integration-disconnected", offset=900), timestamp=DATED)
    gone = DECODER.peek(replace(record, key=f"{'disconnect' if own else 'integration'}/{ORG}".encode()))
    came = DECODER.peek(replace(valid_record("mappings-integration-connected-sealed", offset=3), timestamp=DATED))
    assert gone is not None
    assert came is not None
    at_once = ".".join([*gone.stamp.split(".")[:2], came.stamp.split(".")[2]])
    assert (gone.stamp < at_once) is sooner


@pytest.mark.rule("C5", "G3")
def test_a_sync_request_is_known_by_its_stamp() -> None:
    """A replay of it is recognised; what it selects is kept."""
    record = valid_record("mappings-sync-requested-selected", offset=3)
    value = valid_value("mappings-sync-requested-selected")
    peeked, found = DECODER.peek(record), read(record)
    assert peeked is not None
    assert isinstance(found, SyncRequest)
    assert found.id == peeked.stamp
    assert peeked.key == f"sync/3960/{peeked.stamp}"
    assert found.scope == value["data"]["scope"]
    assert found.session_ids == tuple(value["data"].get("session_ids") or ())
    assert found.speaker_ids == tuple(value["data"].get("speaker_ids") or ())


@pytest.mark.rule("C5")
def test_the_null_value_of_an_old_sync_request_asks_for_nothing() -> None:
    """Compaction is no wish to sync."""
    assert DECODER.peek(a_record(None, topic="sessionboard.mappings", key="sync/3960")) is None
