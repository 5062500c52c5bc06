"""The consumers of the consumers: alive, in their groups and polling, or not.

aiokafka has no public signal for any of this, and the framework's own ping stays green when a consumer is dead. So
this module looks at the clients' insides, as beside it only `adapters.kafka.reader` does; `tests/integration/kafka`
holds it against real dead ones.
"""

# ruff: noqa: SLF001 - see above
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from consumer.domain.consumer_health import ConsumerSnapshot, away, trouble, waiting


@dataclass(slots=True)
class ConsumerHealth:
    """What is known of the consumers of this process; `patience`: seconds until one that is away counts as lost.

    `trouble` is for liveness: only a fresh process helps. `waiting` is for readiness: it may well pass by itself.
    Both are empty when all is well, before `watch` and after `rest`.
    """

    patience: float
    now: Callable[[], float] = time.monotonic
    _consumers: dict[str, _Watched] = field(default_factory=dict)
    _producer: AIOKafkaProducer | None = None

    def watch(self, broker: KafkaBroker | None, producer: AIOKafkaProducer | None = None) -> None:
        """Look at a broker's subscribers from now on; they have been started."""
        subscribers: list[Any] = [*broker.subscribers] if broker else []
        for subscriber in subscribers:
            name = ",".join(subscriber.topic_names)
            self._consumers[name] = _Watched(subscriber, subscriber.consumer, self.now)
        self._producer = producer

    def rest(self) -> None:
        """Look at nothing any more: they are being stopped."""
        self._consumers.clear()
        self._producer = None

    def topics(self) -> dict[str, str]:
        """Topic -> what is wrong with its consumer, empty when nothing is."""
        now = self.now()
        return {
            topic: trouble(topic, watched.look(), watched.away_since, now, self.patience)
            for topic, watched in self._consumers.items()
        }

    def trouble(self) -> str:
        """One sentence about a consumer (or the producer) that is dead or lost for good; empty when there is none."""
        found = [sentence for sentence in self.topics().values() if sentence]
        if self._producer is not None and _over(self._producer._sender.sender_task):
            found.append("The producer is dead: its sending ended.")
        return found[0] if found else ""

    def waiting(self) -> str:
        """One sentence about a consumer that is not in touch with Kafka now; empty when all are."""
        now = self.now()
        for topic, watched in self._consumers.items():
            reason = waiting(topic, watched.look(), watched.away_since, now)
            if reason:
                return reason
        return self.trouble()


class _Watched:
    def __init__(self, subscriber: Any, consumer: AIOKafkaConsumer, now: Callable[[], float]) -> None:
        self._subscriber = subscriber
        self._consumer = consumer
        self._now = now
        self._polled = self._heard = now()
        self._failed = ""
        self._fetched: dict[Any, int | None] = {}
        self.away_since: float | None = None
        getmany = consumer.getmany

        async def polled(*args: Any, **kwargs: Any) -> Any:
            self._polled = self._now()
            try:
                records = await getmany(*args, **kwargs)
            except KafkaError as error:
                self._failed = type(error).__name__
                raise
            self._failed = ""
            self._polled = self._now()
            if records:
                self._heard = self._polled
            return records

        consumer.getmany = polled

    def look(self) -> ConsumerSnapshot:
        seen = ConsumerSnapshot(self._ended(), self._joined(), self._polled, self._last_heard(), self._failed)
        if not away(seen):
            self.away_since = None
        elif self.away_since is None:
            self.away_since = self._now()
        return seen

    def _ended(self) -> str:
        if _over(self._consumer._coordinator._coordination_task):
            return "group membership"
        if _over(self._consumer._fetcher.error_future):
            return "fetching"
        if _over(self._consumer._client._sync_task):
            return "knowledge of the cluster"
        # Last: it ends because one of the others did, or by itself.
        tasks = self._subscriber.tasks
        return "reading" if tasks and all(_over(task) for task in tasks) else ""

    def _joined(self) -> bool:
        coordinator = self._consumer._coordinator
        return bool(
            coordinator.coordinator_id is not None
            and not coordinator._rejoin_needed_fut.done()
            and not self._consumer._subscription.reassignment_in_progress
        )

    def _last_heard(self) -> float | None:
        """When the newest answer to a fetch came; seen by its changing, so no clock but ours matters."""
        partitions = self._consumer.assignment()
        if not partitions:
            self._heard = self._now()
            return None
        fetched = {each: self._consumer.last_poll_timestamp(each) for each in partitions}
        if fetched != self._fetched:
            self._fetched, self._heard = fetched, self._now()
        return self._heard


def _over(task: Any) -> bool:
    return task is None or bool(task.done())
