"""Whatever lies on the topics, good records are recorded, bad ones are dead letters, and offsets are committed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from consumer.domain.errors import UnavailableError
from consumer.domain.push.cause import ManualSync
from consumer.ports import Change, Inbox, Subject, event_subject, org_subject
from schemas.dead_letter import DeadLetterHeaders, Reason
from tests.integration.kafka.kafka_world import EVENT, MOMENT, KafkaWorld, a_session_value
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G1")]

BAD: list[tuple[bytes, Reason]] = [
    (b"\xff\xfe garbage", Reason.NOT_JSON),
    (b"", Reason.EMPTY_VALUE),
    (b"[1, 2]", Reason.INVALID_FIELD),
    (a_session_value("next", version=2), Reason.UNKNOWN_VERSION),
    (a_session_value("big", description="x" * 5_000_000), Reason.TOO_LARGE),
    (
        b'{"data": {"id": 7.5}, "metadata": {"action": "a", "event_id": 1, "version": 1, "datetime": "2026-10-01"}}',
        Reason.INVALID_FIELD,
    ),
]


async def test_good_and_bad_records_of_one_batch_each_go_their_way(kafka: KafkaWorld) -> None:
    good = [a_session_value(f"s{number}") for number in range(len(BAD) + 1)]
    mixed = [value for pair in zip(good, [bad for bad, _ in BAD], strict=False) for value in pair]
    await kafka.send(*mixed, good[-1], headers=[("trace", b"\xff\xfe"), ("empty", None), ("plain", b"text")])
    async with kafka.recording():
        await kafka.all_committed()
    assert set(await kafka.sessions()) == {f"s{number}" for number in range(len(good))}
    letters = await kafka.read(kafka.topics.dead_letters, len(BAD))
    assert sorted((letter.value or b"")[:1000] for letter in letters) == sorted(bad[:1000] for bad, _ in BAD)
    reasons = dict(BAD)
    for letter in letters:
        value = letter.value or b""
        told = DeadLetterHeaders.from_headers(letter.headers)
        assert told.reason is reasons[value]
        assert (told.origin_topic, told.origin_partition) == (kafka.topics.sessions, 0)
        assert mixed[told.origin_offset] == value
        assert told.origin_timestamp > 0
        assert told.error.endswith(".")
        assert ("trace", b"\xff\xfe") in letter.headers
        assert ("plain", b"text") in letter.headers


async def test_null_value_deletes_and_needs_a_readable_key(kafka: KafkaWorld) -> None:
    await kafka.send(a_session_value("s1"), a_session_value("s2"))
    await kafka.send(None, None, keys=[f"{EVENT}/s1".encode(), b"no key of ours"])
    async with kafka.recording():
        await kafka.all_committed()
    state = await kafka.bench.inbox.load(EVENT)
    assert state.snapshot.sessions["s1"].deleted
    assert not state.snapshot.sessions["s2"].deleted
    [letter] = await kafka.read(kafka.topics.dead_letters, 1)
    assert (letter.key, letter.value) == (b"no key of ours", None)
    assert DeadLetterHeaders.from_headers(letter.headers).reason is Reason.KEY_MISMATCH


async def test_each_input_topic_is_read_and_news_wake_the_dispatcher(kafka: KafkaWorld) -> None:
    metadata = {"event_id": EVENT, "org_id": "org", "version": 1, "datetime": MOMENT}
    await kafka.send(a_session_value("s1"))
    for topic, action, data in (
        (kafka.topics.speakers, "contact.updated", {"id": "c1", "first_name": "Ada"}),
        (kafka.topics.sponsors, "sponsor.updated", {"id": "p1", "name": "Acme"}),
        (kafka.topics.mappings, "sync.requested", {"event": {"id": EVENT}, "scope": "agenda"}),
    ):
        key = f"sync/{EVENT}" if action == "sync.requested" else f"{EVENT}/{data['id']}"
        await kafka.send(
            json.dumps({"data": data, "metadata": {"action": action, **metadata}}).encode(),
            topic=topic,
            keys=[key.encode()],
        )
    async with kafka.recording():
        for name in ("sessions", "speakers", "sponsors", "mappings"):
            await kafka.all_committed(name)
    snapshot = (await kafka.bench.inbox.load(EVENT)).snapshot
    assert (set(snapshot.sessions), set(snapshot.contacts), set(snapshot.sponsors)) == ({"s1"}, {"c1"}, {"p1"})
    lease = await kafka.bench.inbox.claim(event_subject(EVENT), "op")
    assert lease is not None
    assert isinstance(lease.cause, ManualSync)
    assert lease.cause.request.scope == "agenda"
    assert kafka.woken == 4


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_topic_compressed_with_any_codec_is_read(kafka: KafkaWorld, compression: str) -> None:
    """aiokafka would stall on one it cannot read, without a word."""
    await kafka.send(*(a_session_value(f"s{number}") for number in range(20)), compression=compression)
    async with kafka.recording():
        await kafka.all_committed()
    assert len(await kafka.sessions()) == 20


class FailingInbox:
    """An inbox whose first calls of `record` fail."""

    def __init__(self, inbox: Inbox, failures: int, error: Exception) -> None:
        self._inbox = inbox
        self._error = error
        self.failures = failures
        self.failed_at: list[float] = []

    async def record(self, subject: Subject, changes: Sequence[Change]) -> int:
        """See `ports.Inbox`."""
        if self.failures:
            self.failures -= 1
            self.failed_at.append(asyncio.get_running_loop().time())
            raise self._error
        return await self._inbox.record(subject, changes)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inbox, name)


@pytest.mark.parametrize(
    ("error", "event"),
    [(UnavailableError("Redis did not answer."), "record.waiting"), (RuntimeError("a defect"), "record.broken")],
)
async def test_unrecorded_batch_is_not_committed_and_nothing_is_missing(
    kafka: KafkaWorld, error: Exception, event: str
) -> None:
    """Trouble of our own servers, or a defect of ours: the batch waits, ever longer, and the log says why."""
    failing = FailingInbox(kafka.bench.inbox, 3, error)
    await kafka.send(*(a_session_value(f"s{number}") for number in range(50)), b"garbage")
    with capture_logs() as logs:
        async with kafka.recording(failing):  # type: ignore[arg-type]
            await wait_until(lambda: len(failing.failed_at) >= 2, "the second try failed")
            assert (await kafka.committed())[0] <= 0
            await kafka.all_committed()
    assert len(await kafka.sessions()) == 50
    assert [line["event"] for line in logs] == [event] * 3 + ["record.dead_letters"]
    first, second, third = failing.failed_at
    assert second - first >= 0.1
    assert third - second >= 0.2
    await kafka.read(kafka.topics.dead_letters, 1)


@pytest.mark.rule("G3")
async def test_reading_the_topics_again_from_the_start_changes_nothing(kafka: KafkaWorld) -> None:
    await kafka.send(a_session_value("s1", title="Old"), a_session_value("s1", title="New", second=5))
    async with kafka.recording():
        await kafka.all_committed()
    before = await kafka.bench.inbox.load(EVENT)
    assert await kafka.sessions() == {"s1": "New"}
    again = KafkaWorld(kafka.bench, kafka.settings.model_copy(update={"group_id": f"{kafka.settings.group_id}.again"}))
    async with again.recording():
        await again.all_committed()
    assert await kafka.bench.inbox.load(EVENT) == before
    assert again.woken == 0


async def test_what_comes_while_the_service_is_away_is_read_when_it_is_back(kafka: KafkaWorld) -> None:
    await kafka.send(a_session_value("s1"))
    async with kafka.recording():
        await kafka.all_committed()
    await kafka.send(a_session_value("s2"))
    async with kafka.recording():
        await kafka.all_committed()
    assert set(await kafka.sessions()) == {"s1", "s2"}


@pytest.mark.rule("M4")
async def test_a_null_on_a_mapping_key_reaches_the_organization_that_has_the_pair(kafka: KafkaWorld) -> None:
    pair = {
        "data": {"event": {"id": EVENT, "timezone": "Europe/London"}, "swoogo_event_id": 7},
        "metadata": {"action": "mapping.added", "org_id": "org", "version": 1, "datetime": "2025-01-01T00:00:00Z"},
    }
    key = f"mapping/{EVENT}".encode()
    await kafka.send(json.dumps(pair).encode(), None, topic=kafka.topics.mappings, keys=[key, key])
    async with kafka.recording():
        await kafka.all_committed("mappings")
    asked = await kafka.bench.inbox.requests("org")
    assert set(asked.marks) == {f"mapping/{EVENT}"}
    assert not getattr(asked.rows[f"mapping/{EVENT}"], "present", True)
    assert await kafka.bench.inbox.claim(org_subject("org"), "op")
