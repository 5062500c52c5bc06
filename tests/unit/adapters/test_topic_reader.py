"""What a consumer does with the ids of topics, where a real broker would have to be caught at the right moment.

What a broker tells, and a topic that is really made again: `tests/integration/kafka/test_kafka_trouble.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import (
    CorruptRecordException,
    GroupAuthorizationFailedError,
    NodeNotReadyError,
    RequestTimedOutError,
)
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import OffsetAndMetadata

from consumer.adapters.kafka import reader as module
from consumer.adapters.kafka.reader import Fetched, TopicReader
from consumer.ports import RawRecord

pytestmark = pytest.mark.rule("G1")

PLACE: Final = TopicPartition("sessions", 0)


@dataclass
class Insides:
    """Client, coordinator and fetcher of a consumer. `failure` is raised by whatever is asked for; a fetch waits for
    `rebalances`, then hands out the record at the position, as aiokafka's does. With `corrupt` it has taken that record
    when it comes to another partition's, and raises.
    """

    reader: Any
    topic: str | None = "the first"
    held: dict[TopicPartition, OffsetAndMetadata] = field(default_factory=dict)
    failure: Exception | None = None
    asked: int = 0
    rebalances: int = 0
    corrupt: bool = False

    def get_random_node(self) -> int:
        return 1

    async def send(self, *_: Any) -> Any:
        self.asked += 1
        if self.failure:
            raise self.failure
        return self

    def ids(self) -> dict[str, str]:
        return {PLACE.topic: self.topic} if self.topic else {}

    async def fetch_committed_offsets(self, _: Iterable[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        return self.held

    def check_errors(self) -> None: ...

    async def close(self) -> None: ...

    async def fetched_records(self, *_: Any, **__: Any) -> Any:
        while self.rebalances:
            self.rebalances -= 1
            self.assign()
        offset = self.position or 0
        self.seek_to(PLACE, offset + 1)
        if self.corrupt:
            raise CorruptRecordException
        return {PLACE: [SimpleNamespace(offset=offset)]}

    def seek_to(self, place: TopicPartition, offset: int) -> None:
        self.reader._subscription.seek(place, offset)

    def assign(self) -> None:
        """As a rebalance does; reading goes on at what was committed."""
        subscription = self.reader._subscription
        subscription.assign_from_subscribed({PLACE})
        if PLACE in self.held:
            subscription.seek(PLACE, self.held[PLACE].offset)

    async def read(self) -> list[int]:
        """The offsets of what is handed out by one call."""
        return [each.offset for batch in (await self.reader.getmany()).values() for each in batch]

    @property
    def position(self) -> int | None:
        state = self.reader._subscription.subscription.assignment.state_value(PLACE)
        return state.position if state.has_valid_position else None


@pytest.fixture
async def inside(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Insides]:
    monkeypatch.setattr(module, "_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0.0)
    reader = TopicReader(group_id="group", enable_auto_commit=False)
    reader.subscribe(topics=[PLACE.topic])
    inside = Insides(reader)
    reader._client = reader._coordinator = reader._fetcher = inside
    yield inside
    await reader.stop()


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []

    async def commit(_: Any, offsets: Any = None) -> None:
        calls.append(offsets)

    monkeypatch.setattr(AIOKafkaConsumer, "commit", commit)
    return calls


@pytest.mark.parametrize("before", [True, False], ids=["at the start", "later"])
def test_fetched_records_are_handed_out_in_domain_words(before: bool) -> None:
    """By aiokafka's own reading of a batch, which makes records of another class without it."""
    batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 10_000)
    batch.append(0, 5, b"ev/s1", b"{}", [("trace", b"\xff"), ("empty", None)])
    batch.append(1, 6, None, None, [])
    answer = SimpleNamespace(
        _partition_records=PartitionRecords(
            PLACE, MemoryRecords(bytes(batch.build())), [], 0, None, None, True, "read_committed"
        )
    )
    failed = TopicPartition("sessions", 1)
    fetched = Fetched({PLACE: answer, failed: object()} if before else {})
    if not before:
        fetched[PLACE], fetched[failed] = answer, object()
    assert list(fetched[PLACE]._partition_records) == [
        RawRecord("sessions", 0, 0, 5, b"ev/s1", b"{}", (("trace", b"\xff"), ("empty", None))),
        RawRecord("sessions", 0, 1, 6, None, None),
    ]


async def test_a_commit_says_of_which_topic_it_is(inside: Insides, committed: list[Any]) -> None:
    inside.held = {PLACE: OffsetAndMetadata(7, "the first")}
    inside.assign()
    assert await inside.read() == [7]
    await inside.reader.commit()
    assert committed == [{PLACE: (8, "the first")}]


async def test_an_offset_of_another_topic_of_that_name_means_the_start(inside: Insides, committed: list[Any]) -> None:
    """At an assignment, and in the middle of one."""
    inside.held = {PLACE: OffsetAndMetadata(7, "one before")}
    inside.assign()
    assert await inside.read() == [0]
    assert await inside.read() == [1]
    inside.topic = "the second"
    assert await inside.read() == [0]
    await inside.reader.commit()
    assert committed == [{PLACE: (1, "the second")}]


async def test_nothing_is_committed_or_rewound_after_a_rebalance(inside: Insides, committed: list[Any]) -> None:
    """A batch from before the rebalance: its offsets may be of a topic that another member has seen to meanwhile."""
    inside.held = {PLACE: OffsetAndMetadata(7, "the first")}
    inside.assign()
    assert await inside.read() == [7]
    inside.held = {PLACE: OffsetAndMetadata(3, "the second")}
    inside.topic = "the second"
    inside.assign()
    await inside.reader.commit()
    inside.reader.seek(PLACE, 7)
    assert committed == []
    assert await inside.read() == [3]


async def test_partitions_assigned_during_a_pause_are_compared_first(inside: Insides, committed: list[Any]) -> None:
    """aiokafka waits for a rebalance within a call: its records could neither be committed nor rewound else."""
    inside.held = {PLACE: OffsetAndMetadata(7, "the first")}
    inside.assign()
    inside.rebalances = 2
    assert await inside.read() == []
    assert await inside.read() == [7]
    inside.reader.seek(PLACE, 7)
    assert await inside.read() == [7]
    await inside.reader.commit()
    assert committed == [{PLACE: (8, "the first")}]


@pytest.mark.parametrize("failure", [NodeNotReadyError(), RequestTimedOutError(), TimeoutError(), OSError()])
async def test_nothing_is_read_before_it_is_known_of_which_topic(
    inside: Insides, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that, a broker that does not tell for a while changes nothing."""
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.0)
    inside.held = {PLACE: OffsetAndMetadata(7, "the first")}
    inside.assign()
    inside.failure = failure
    assert await inside.read() == []
    inside.failure = None
    assert await inside.read() == [7]
    inside.failure = failure
    assert await inside.read() == [8]
    assert inside.asked == 3


@pytest.mark.parametrize("topic", ["the first", None])
@pytest.mark.parametrize("rebalances", [0, 1])
@pytest.mark.parametrize("held", [None, 7])
async def test_what_was_taken_of_a_partition_before_another_one_failed_comes_again(
    inside: Insides, committed: list[Any], held: int | None, rebalances: int, topic: str | None
) -> None:
    """aiokafka has moved on past it by then, and would commit that with whatever comes next."""
    inside.held = {} if held is None else {PLACE: OffsetAndMetadata(held, "the first")}
    inside.topic = topic
    inside.assign()
    assert await inside.read() == [held or 0]
    await inside.reader.commit()
    committed.clear()
    inside.held = {PLACE: OffsetAndMetadata((held or 0) + 1, "the first")}
    inside.corrupt, inside.rebalances = True, rebalances
    with pytest.raises(CorruptRecordException):
        await inside.read()
    await inside.reader.commit()
    assert committed == []
    inside.corrupt = False
    assert await inside.read() == [(held or 0) + 1]


async def test_uncommitted_records_return_after_a_failure(inside: Insides) -> None:
    inside.topic = None
    inside.assign()
    inside.corrupt = True
    for _ in range(2):
        with pytest.raises(CorruptRecordException):
            await inside.read()
    inside.corrupt = False
    assert await inside.read() == [0]


async def test_nothing_is_committed_while_no_position_is_known(inside: Insides, committed: list[Any]) -> None:
    """As after an offset that is out of range; aiokafka takes no commit of nothing."""
    inside.topic = None
    inside.assign()
    await inside.reader._look()
    await inside.reader.commit()
    assert committed == []


async def test_an_offset_committed_without_a_word_is_taken_as_it_is(inside: Insides, committed: list[Any]) -> None:
    """Some brokers answer with nothing at all where others have an empty text."""
    inside.held = {PLACE: OffsetAndMetadata(7, None)}
    inside.assign()
    assert await inside.read() == [7]
    await inside.reader.commit()
    assert committed == [{PLACE: (8, "the first")}]


async def test_a_refusal_is_not_asked_again_in_silence(inside: Insides) -> None:
    inside.assign()
    inside.failure = GroupAuthorizationFailedError("group")
    with pytest.raises(GroupAuthorizationFailedError):
        await inside.read()


@pytest.mark.parametrize("held", ["", "the first", "-"])
async def test_where_brokers_have_no_ids_reading_goes_on_as_it_was(
    inside: Insides, committed: list[Any], held: str
) -> None:
    inside.held = {PLACE: OffsetAndMetadata(7, held)}
    inside.assign()
    inside.failure = NotImplementedError()
    assert await inside.read() == [7]
    await inside.reader.commit()
    assert committed == [{PLACE: (8, held)}]


async def test_while_a_topic_is_missing_its_offsets_keep_what_they_say(inside: Insides) -> None:
    inside.held = {PLACE: OffsetAndMetadata(7, "the first")}
    inside.topic = None
    inside.assign()
    assert await inside.read() == [7]
    inside.topic = "the second"
    assert await inside.read() == [0]


async def test_topics_are_asked_for_now_and_then_not_with_every_batch(
    inside: Insides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_EVERY_SECONDS", 3_600.0)
    inside.assign()
    assert [await inside.read() for _ in range(20)] == [[offset] for offset in range(20)]
    assert inside.asked == 1
