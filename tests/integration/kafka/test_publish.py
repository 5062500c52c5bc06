"""What this service publishes is what its schemas say, on a real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.publish import (
    KafkaChangelog,
    KafkaDeadLetters,
    KafkaIssuesTopic,
    KafkaStatusTopic,
    producer,
)
from consumer.adapters.kafka.status_messages import published_record
from consumer.adapters.kafka.topic_checks import ensure_topics
from consumer.adapters.kafka.topics import LEDGER, TopicPolicy
from consumer.domain.connections.connection import Announcement
from consumer.domain.connections.pair import Pair, PairEnd
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.record_issues import by_record
from consumer.domain.push.run import Run, Tally, Trigger
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from consumer.ports import DeadLetter, RawRecord
from consumer.ports.rebuild import PublishedRecord
from consumer.settings import KafkaSettings
from schemas.dead_letter import DeadLetterHeaders, Reason
from schemas.issues import RecordIssuesChanged
from schemas.keys import parse_ledger_key
from schemas.ledger import LedgerEntry, PairEntry, read_ledger_value
from schemas.status import STATUS_MESSAGES, MappingVerdict, SyncFailure, SyncReport
from tests.integration.kafka.kafka_world import KafkaWorld
from tests.support.builders import EVENT, NOW, ORG, SWOOGO_EVENT, a_mapping, a_record, an_entry, an_intent
from tests.support.topics import Topics

pytestmark = pytest.mark.integration


@pytest.fixture
async def publisher(kafka: KafkaWorld) -> AsyncIterator[AIOKafkaProducer]:
    """The service's own producer."""
    made = producer(kafka.settings)
    await made.start()
    yield made
    await made.stop()


ENDED = Run(
    "run-2",
    EVENT,
    Trigger.MANUAL,
    NOW,
    ended=NOW + 1_500,
    outcome="completed_with_issues",
    scope="agenda",
    credits=25,
    tallies={
        Kind.SESSION: Tally(created=1, adopted=2, updated=3, unchanged=4, left_out=5, failed=6),
        Kind.LOCATION: Tally(created=1),
    },
    issues={"refused": 6},
)
FAILED = Run("run-3", EVENT, Trigger.CHANGES, NOW, ended=NOW + 1, outcome="failed", error="Swoogo did not answer.")
SAID = [
    Announcement("integration.accepted", ORG, "Swoogo accepted the credentials."),
    Announcement("integration.rejected", ORG, "No.", "credentials_refused"),
    Announcement("mapping.accepted", ORG, "Yes.", "", EVENT, SWOOGO_EVENT),
    Announcement("mapping.rejected", ORG, "No.", "event_already_mapped", EVENT, SWOOGO_EVENT),
    Announcement("mapping.removed", ORG, "Ended.", "disconnected", EVENT, SWOOGO_EVENT),
]


@pytest.mark.rule("N1")
async def test_every_status_message_is_in_the_contract_under_its_key(
    kafka: KafkaWorld, publisher: AIOKafkaProducer
) -> None:
    await kafka.bench.connections.put_mapping(ORG, EVENT, a_mapping())
    topic = KafkaStatusTopic(publisher, kafka.topics.status, kafka.bench.connections, SystemClock())
    for run in (Run("run-1", EVENT, Trigger.RECONCILE, NOW), ENDED, FAILED):
        await topic.run(run)
    for said in SAID:
        await topic.announce(said)
    records = await kafka.read(kafka.topics.status, 3 + len(SAID))
    actions = ["sync.started", "sync.completed", "sync.failed", *(said.action for said in SAID)]
    messages = []
    for record, action in zip(records, actions, strict=True):
        message = STATUS_MESSAGES[action].model_validate_json(record.value or b"")
        assert message.metadata.action == action
        assert message.key.encode() == record.key
        messages.append(message)
    _, report, failure, *_, removed = (message.data for message in messages)
    assert isinstance(report, SyncReport)
    assert (report.sessions.attempted, report.sessions.synced, report.credits) == (12, 6, 25)
    assert (report.duration_ms, report.scope.value, report.issues) == (1_500, "agenda", {"refused": 6})
    assert isinstance(failure, SyncFailure)
    assert failure.sentence.startswith("Swoogo did not answer.")
    assert isinstance(removed, MappingVerdict)
    assert removed.code == "disconnected"


@pytest.mark.rule("N1")
async def test_a_run_of_a_pair_that_ended_meanwhile_has_its_end_all_the_same(
    kafka: KafkaWorld, publisher: AIOKafkaProducer
) -> None:
    topic = KafkaStatusTopic(publisher, kafka.topics.status, kafka.bench.connections, SystemClock())
    await topic.run(ENDED)  # its pair is known from nowhere
    await topic.run(replace(ENDED, org_id=ORG, swoogo_event_id=SWOOGO_EVENT))
    [record] = await kafka.read(kafka.topics.status, 1)
    message = STATUS_MESSAGES["sync.completed"].model_validate_json(record.value or b"")
    assert (message.metadata.event_id, message.data.swoogo_event_id) == (EVENT, SWOOGO_EVENT)  # type: ignore[union-attr]


@pytest.mark.rule("N2", "G6")
async def test_the_issues_of_a_record_stand_under_its_key_and_go_with_a_null_value(
    kafka: KafkaWorld, publisher: AIOKafkaProducer
) -> None:
    """What is read back is what was published, so that nothing is published again after a loss of Redis."""
    issue = replace(Issue("level/Gold/Silver", Code.REFUSED, detail="No."), label='sponsorship level "Gold/Silver"')
    records = by_record([issue, Issue(f"event/{EVENT}", Code.TIMEZONE_MISMATCH, detail="A in B")])
    topic = KafkaIssuesTopic(publisher, kafka.topics.issues, SystemClock())
    await topic.write(EVENT, ORG, records)
    await topic.write(EVENT, "", {"level/Gold/Silver": None})
    found = await kafka.read(kafka.topics.issues, 3)
    values = {record.key: record.value for record in found[:2]}
    message = RecordIssuesChanged.model_validate_json(values[f"{EVENT}/level/Gold/Silver".encode()] or b"")
    assert (message.data.kind.value, message.data.id, message.metadata.org_id) == ("level", "Gold/Silver", ORG)
    assert message.key == f"{EVENT}/level/Gold/Silver"
    said = [published_record(RawRecord("issues", 0, 0, 0, each.key, each.value)) for each in found]
    assert said[:2] == [PublishedRecord(EVENT, key, each.digest) for key, each in records.items()]
    assert said[2] == PublishedRecord(EVENT, "level/Gold/Silver", "")


@pytest.mark.rule("G6")
@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (b"ev/session/s1", b"{}", PublishedRecord("ev", "session/s1", "?")),
        (b"ev/session/s1", b"\xff", PublishedRecord("ev", "session/s1", "?")),
        (b"nonsense", b"{}", None),
        (None, b"{}", None),
    ],
)
def test_a_record_of_a_later_version_is_published_again(
    key: bytes | None, value: bytes, said: PublishedRecord | None
) -> None:
    assert published_record(RawRecord("issues", 0, 0, 0, key, value)) == said


@pytest.mark.rule("G6")
async def test_every_changelog_value_is_in_the_contract(kafka: KafkaWorld, publisher: AIOKafkaProducer) -> None:
    entries = {
        "session/s1": an_entry(
            7,
            pushed={"name": "Opening", "description": "x" * 900},
            seen={"name": "Opening"},
            natural="opening",
            links=("s1",),
            contact_id=3,
            image={"url": "https://example.org/a"},
            version=9,
            epoch=2,
            op_id="op",
            at=NOW,
        ),
        "speaker/c1": an_intent("ada@example.org"),
        "level/Gold / Platinum": an_entry(8, state=State.GONE),
        "sponsor/p1": None,
        "track/t1": an_entry(9, state=State.GONE),
    }
    await KafkaChangelog(publisher, kafka.topics.ledger).write(EVENT, entries)
    records = await kafka.read(kafka.topics.ledger, len(entries))
    found = {}
    for record in records:
        key = parse_ledger_key(record.key or b"")
        assert key.event_id == EVENT
        found[f"{key.kind.value}/{key.id}"] = None if record.value is None else read_ledger_value(record.value)
    assert found.keys() == entries.keys()
    for name, entry in entries.items():
        value = found[name]
        if entry is None:
            assert value is None
            continue
        assert isinstance(value, LedgerEntry)
        assert value.kind == name.partition("/")[0]
        for attribute in ("swoogo_id", "pushed", "seen", "natural", "links", "contact_id", "image", "version", "epoch"):
            assert getattr(value, attribute) == getattr(entry, attribute)
        assert value.state.value == entry.state.value


@pytest.mark.rule("M2", "G6")
async def test_the_history_of_a_pair_is_on_the_changelog_under_a_key_of_its_own(
    kafka: KafkaWorld, publisher: AIOKafkaProducer
) -> None:
    active = Pair(EVENT, 4711, "org", mapped_at=NOW, era=NOW - 5, epoch=3)
    ended = replace(active, event_id="other", swoogo_event_id=4712).ended(PairEnd.DISCONNECTED, NOW + 1, 4, era=NOW + 1)
    await KafkaChangelog(publisher, kafka.topics.ledger).write_pairs([active, ended])
    records = await kafka.read(kafka.topics.ledger, 2)
    found = {record.key: read_ledger_value(record.value or b"") for record in records}
    assert set(found) == {f"{EVENT}/pair/4711".encode(), b"other/pair/4712"}
    for key, pair in ((f"{EVENT}/pair/4711", active), ("other/pair/4712", ended)):
        value = found[key.encode()]
        assert isinstance(value, PairEntry)
        for name in ("event_id", "swoogo_event_id", "org_id", "mapped_at", "ended_at", "ended_by", "era"):
            assert getattr(value, name) == getattr(pair, name)


@pytest.mark.rule("G1")
async def test_a_dead_letter_larger_than_its_topic_takes_is_cut_and_says_so(
    kafka: KafkaWorld, publisher: AIOKafkaProducer, topics: Topics
) -> None:
    small = await topics("small-dead-letters", TopicPolicy(retention_ms=3_600_000, max_message_bytes=200_000))
    record = a_record(b"x" * 300_000, key="ev/s1", offset=41, topic="origin")
    await KafkaDeadLetters(publisher, small, "mappings").put(
        [DeadLetter(record, "too_large", "The value is too large.")]
    )
    [letter] = await kafka.read(small, 1)
    assert letter.value == b"x" * 100_000
    assert ("swoogo-sync-truncated", b"true") in letter.headers
    told = DeadLetterHeaders.from_headers(letter.headers)
    assert (told.reason, told.origin_topic, told.origin_offset) == (Reason.TOO_LARGE, "origin", 41)


async def test_a_missing_topic_at_the_start_is_named_with_how_to_make_it(kafka: KafkaWorld) -> None:
    await ensure_topics(kafka.settings)
    names = kafka.topics.model_copy(update={"ledger": "not.there"})
    with pytest.raises(ConfigurationError) as told:
        await ensure_topics(kafka.settings.model_copy(update={"topics": names}))
    assert str(told.value) == (
        "Kafka has no topic not.there; create not.there with cleanup.policy=compact, "
        "or all with `swoogo-sync topics create`, or set SWOOGO_SYNC_KAFKA__CREATE_TOPICS=true."
    )


async def test_missing_topics_are_made_where_the_settings_say_so(kafka: KafkaWorld, topics: Topics) -> None:
    name = f"{kafka.topics.ledger}.made"
    topics.created.append(name)
    names = kafka.topics.model_copy(update={"ledger": name})
    settings = kafka.settings.model_copy(update={"topics": names})
    await ensure_topics(settings.model_copy(update={"create_topics": True}))
    await ensure_topics(settings)


@pytest.mark.rule("G6")
@pytest.mark.parametrize("name", ["ledger", "mappings", "sessions"])
@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
async def test_a_topic_kept_by_time_is_refused_at_the_start(
    kafka: KafkaWorld, topics: Topics, monkeypatch: pytest.MonkeyPatch, name: str, policy: str
) -> None:
    """A changelog that forgets after a week doubles records when Redis is lost; not only `doctor` says so."""
    monkeypatch.setattr(TopicPolicy, "config", lambda _: {"cleanup.policy": policy})
    by_time = await topics("by-time", LEDGER)
    monkeypatch.undo()
    names = kafka.topics.model_copy(update={name: by_time})
    for create in (False, True):
        with pytest.raises(ConfigurationError) as told:
            await ensure_topics(kafka.settings.model_copy(update={"topics": names, "create_topics": create}))
        assert str(told.value) == (
            f"Kafka keeps {by_time} by time, so that a loss of Redis could not be made good: "
            f"kafka-configs.sh --alter --topic {by_time} --add-config cleanup.policy=compact"
        )


@pytest.mark.rule("X1")
async def test_an_input_topic_compacted_too_early_is_named_at_the_start(kafka: KafkaWorld, topics: Topics) -> None:
    """Sealed sessions were updated: the disconnect was compacted away before it was read. `run` starts all the same."""
    names = kafka.topics.model_copy(update={"mappings": await topics("early", LEDGER)})
    settings = kafka.settings.model_copy(update={"topics": names})
    with capture_logs() as logs:
        await ensure_topics(settings)
        await ensure_topics(kafka.settings)
    (warning,) = [each for each in logs if each["event"] == "topics.compacted_too_early"]
    assert warning["topics"] == [names.mappings]
    assert f"--topic {names.mappings} --add-config min.compaction.lag.ms=604800000" in warning["then"]


async def test_a_broker_that_does_not_answer_is_named_with_its_setting() -> None:
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1 .*SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVERS"):
        await ensure_topics(KafkaSettings(bootstrap_servers="127.0.0.1:1"))
