"""A Kafka of several brokers, each of them a controller too; any of them may die."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Self

from sandbox.embedded.kafka import EmbeddedKafka, kafka_cluster_id
from sandbox.embedded.server import HOST, free_ports
from sandbox.embedded.valkey_cluster import settle

_SEVERAL = """\
node.id={number}
controller.quorum.voters={voters}
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
metadata.max.idle.interval.ms=500
offsets.topic.replication.factor={count}
transaction.state.log.replication.factor={count}
share.coordinator.state.topic.replication.factor={count}
default.replication.factor={count}
min.insync.replicas={insync}
replica.lag.time.max.ms=3000
unclean.leader.election.enable=false
"""


class _Broker(EmbeddedKafka):
    """One of them, on ports that all know before it starts."""

    def __init__(self, number: int, ports: list[list[int]], cluster_id: str, cache: Path | None) -> None:
        super().__init__(cache=cache)
        self.number = number
        self._given, self._of_all = ports, cluster_id

    def _chosen_id(self) -> str:
        self._ports = self._given[self.number - 1]
        return self._of_all

    def _more_properties(self) -> str:
        count = len(self._given)
        voters = ",".join(f"{number}@{HOST}:{ports[1]}" for number, ports in enumerate(self._given, 1))
        return _SEVERAL.format(number=self.number, voters=voters, count=count, insync=max(count - 1, 1))

    async def _answers(self) -> bool:
        return True  # the port is open; alone it cannot serve, see `EmbeddedBrokers.astart`


class EmbeddedBrokers:
    """Three by default. A topic made without a choice has a copy at each, and needs all but one to take a record."""

    def __init__(self, count: int = 3, *, cache: Path | None = None) -> None:
        self._cluster_id = uuid.uuid4().hex[:22]
        ports = free_ports(3 * count)
        given = [ports[3 * number : 3 * number + 3] for number in range(count)]
        self.brokers = [_Broker(number, given, self._cluster_id, cache) for number in range(1, count + 1)]

    @property
    def bootstrap(self) -> str:
        """All of them, running or not."""
        return ",".join(each.bootstrap for each in self.brokers)

    def broker(self, number: int) -> EmbeddedKafka:
        """By its id, which Kafka's metadata names."""
        return self.brokers[number - 1]

    async def __aenter__(self) -> Self:
        await asyncio.gather(*(each.astart() for each in self.brokers))
        for each in self.brokers:

            async def serves(broker: EmbeddedKafka = each) -> bool:
                return await kafka_cluster_id(broker.bootstrap) == self._cluster_id

            await settle("every broker serves", serves, 60)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(each.astop() for each in self.brokers))
