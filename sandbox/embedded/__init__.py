"""Kafka and Valkey as child processes of their user: no Docker, no installation, no leftovers.

Each server takes free loopback ports, keeps its data in a temporary directory, and dies with its
parent. See `server` for the life cycle they share.
"""

from __future__ import annotations

from sandbox.embedded.kafka import EmbeddedKafka, EmbeddedTansu
from sandbox.embedded.kafka_brokers import EmbeddedBrokers
from sandbox.embedded.server import ServerFailedError, ServerUnavailableError
from sandbox.embedded.valkey import EmbeddedValkey
from sandbox.embedded.valkey_cluster import EmbeddedCluster, EmbeddedSentinels

__all__ = [
    "EmbeddedBrokers",
    "EmbeddedCluster",
    "EmbeddedKafka",
    "EmbeddedSentinels",
    "EmbeddedTansu",
    "EmbeddedValkey",
    "ServerFailedError",
    "ServerUnavailableError",
]
