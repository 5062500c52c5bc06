"""A consumer that notices when its topic is another one of the same name: deleted, and made again.

Kafka forgets a group's offsets with a topic, but a consumer that was out of touch meanwhile goes on at the offset it
was at. So every commit says of which topic its offset is, by the topic's id; an offset of another topic than the one
that is there now means nothing, and the partition is read from its start (reading again changes nothing, G3). As the
id is kept with the offset, a restart, another replica or another commit in between hides nothing.

Looks at the client's insides, as `adapters.kafka.consumer_health` does: what was committed, and the assignment it
holds for. Records are handed out as `RawRecord`: making aiokafka's own takes longer than all else it does for a record.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.topic_ids import TopicIdsRequest
from consumer.ports import RawRecord

_EVERY_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 0.2
_RETRY_SECONDS: Final = 1.0
_IDLE_MS: Final = 1_000
"""For so long a consumer without records sleeps: whatever comes, or is to be fetched otherwise, wakes it."""
_NONE: Final = "-"
"""Stands for the id where nothing was committed, so that it is never taken for that of the topic."""

log = structlog.get_logger("record")


class Fetched(OrderedDict[TopicPartition, Any]):
    """The fetcher's answers, by partition, as it keeps them; each makes its records lazily."""

    def __setitem__(self, place: TopicPartition, answer: Any) -> None:
        if records := getattr(answer, "_partition_records", None):  # an error has none
            records._consumer_record = raw_record  # noqa: SLF001
        super().__setitem__(place, answer)


def raw_record(place: TopicPartition, record: Any) -> RawRecord:
    return RawRecord(
        place.topic,
        place.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        tuple(record.headers),
    )


class TopicReader(AIOKafkaConsumer):  # type: ignore[misc]
    """See above. For one task that polls, handles, and commits or rewinds, in turn."""

    def __init__(self, *topics: str, **options: Any) -> None:
        super().__init__(*topics, **{**options, "consumer_timeout_ms": _IDLE_MS})
        self._held_of: dict[TopicPartition, str] = {}
        self._looked_at: Any = None
        self._astray = False
        self._look_again = 0.0

    async def start(self) -> None:
        await super().start()
        self._fetcher._records = Fetched(self._fetcher._records)  # noqa: SLF001 # what came before is in it

    async def getmany(self, *partitions: TopicPartition, **options: Any) -> Any:
        """Records, once it is known that they follow those that were committed. Waits longer than asked to."""
        if not self._closed and not await self._look():
            self._coordinator.check_errors()
            await asyncio.sleep(_AGAIN_SECONDS)
            return {}
        try:
            records = await super().getmany(*partitions, **{**options, "timeout_ms": _IDLE_MS})
        except KafkaError:
            # What was taken of other partitions by then has no owner, and positions are past it: all go back to
            # what is committed.
            self._looked_at, self._astray = None, True
            raise
        if self._assigned() is not self._looked_at:
            # It waited for a rebalance, and these are of an assignment that was not compared: given back until it is.
            for place, handed_out in records.items():
                super().seek(place, handed_out[0].offset)
            return {}
        return records

    async def commit(self, offsets: Any = None) -> None:
        """Commit what was handed out, and of which topic it is; nothing once the partitions were reassigned."""
        assignment = self._assigned()
        if offsets is None:
            if assignment is not self._looked_at or assignment is None:
                return
            offsets = {
                place: (held.offset, self._held_of[place]) for place, held in assignment.all_consumed_offsets().items()
            }
        if offsets:
            await super().commit(offsets)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Rewind to a record that was handed out; its present owner goes on from what is committed."""
        if self._assigned() is self._looked_at:
            super().seek(partition, offset)

    async def _look(self) -> bool:
        """Compare topics now and then, and after each assignment; False when nothing may be read yet."""
        assignment = self._assigned()
        reassigned = assignment is not self._looked_at
        if assignment is None or not (reassigned or time.monotonic() >= self._look_again):
            return True
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                ids = await self._topic_ids({place.topic for place in assignment.tps})
                committed = await self._coordinator.fetch_committed_offsets(assignment.tps) if reassigned else {}
        except (KafkaError, OSError, TimeoutError) as error:
            if reassigned and not getattr(error, "retriable", True):
                raise
            log.debug("record.topic_not_compared", reason=type(error).__name__)
            self._look_again = time.monotonic() + _RETRY_SECONDS
            return not reassigned
        if assignment is not self._assigned():
            return False
        if reassigned:
            self._looked_at = assignment
            self._held_of = {
                place: committed[place].metadata or "" if place in committed else _NONE for place in assignment.tps
            }
            if self._astray:
                for place in assignment.tps:
                    super().seek(place, committed[place].offset if place in committed else 0)
                self._astray = False
        self._look_again = time.monotonic() + _EVERY_SECONDS
        for place, held_of in self._held_of.items():
            found = ids.get(place.topic, held_of)
            if held_of not in {found, ""}:
                if held_of != _NONE:
                    log.warning("record.topic_made_again", topic=place.topic, partition=place.partition)
                super().seek(place, 0)  # where the topic begins later, the broker says so, and aiokafka goes there
            self._held_of[place] = found
        return True

    def _assigned(self) -> Any:
        """The assignment in force: another object after each rebalance."""
        subscription = self._subscription.subscription
        return subscription.assignment if subscription else None

    async def _topic_ids(self, topics: Iterable[str]) -> Mapping[str, str]:
        """Topic -> its id; empty where the brokers have none."""
        try:
            answer = await self._client.send(self._client.get_random_node(), TopicIdsRequest(topics))
        except NotImplementedError:
            return {}
        ids: dict[str, str] = answer.ids()
        return ids
