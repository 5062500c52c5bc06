"""Kafka and Redis in Docker, published on loopback only."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.embedded import ServerFailedError
from sandbox.embedded.kafka import MAX_MESSAGE_BYTES, kafka_cluster_id
from sandbox.embedded.server import HOST, free_ports
from sandbox.embedded.valkey import redis_process_id

KAFKA_IMAGE: Final = "apache/kafka:4.1.0"
REDIS_IMAGE: Final = "valkey/valkey:9.0"

_DOCKER_TIMEOUT_SECONDS = 2
_STARTUP_SECONDS = 90.0
_CONTROLLER_PORT = 9093


def docker_answers(environment: Mapping[str, str]) -> bool:
    """Whether the Docker engine of this machine says within two seconds that it is well.

    Only a Unix socket counts (`DOCKER_HOST` or the usual one): tests leave other machines alone.
    """
    address = urlsplit(environment.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    if address.scheme != "unix":
        return False
    # Asked by hand: Docker's client leaks its socket when no one listens.
    with socket.socket(socket.AF_UNIX) as engine:
        engine.settimeout(_DOCKER_TIMEOUT_SECONDS)
        try:
            engine.connect(address.path)
            engine.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in engine.recv(1024).split(b"\r\n", 1)[0]
        except OSError:
            return False


def start_kafka() -> tuple[str, Callable[[], None]]:
    """One KRaft node: its bootstrap address and how to end it. Raises `ServerFailedError`."""
    [port] = free_ports(1)
    environment = {
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_NODE_ID": "1",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@localhost:{_CONTROLLER_PORT}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:{_CONTROLLER_PORT}",
        # Clients are told this address, so inside and outside must be the same port.
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_MESSAGE_MAX_BYTES": str(MAX_MESSAGE_BYTES),
    }
    bootstrap = f"{HOST}:{port}"
    return bootstrap, _run(KAFKA_IMAGE, port, port, environment, None, lambda: kafka_cluster_id(bootstrap))


def start_redis() -> tuple[str, Callable[[], None]]:
    """One node with an append-only file: its URL and how to end it. Raises `ServerFailedError`."""
    [port] = free_ports(1)
    url = f"redis://{HOST}:{port}/0"
    command = "valkey-server --appendonly yes --appendfsync always"
    return url, _run(REDIS_IMAGE, 6379, port, {}, command, lambda: redis_process_id(url))


def _run(
    image: str,
    container_port: int,
    host_port: int,
    environment: Mapping[str, str],
    command: str | None,
    answer: Callable[[], Coroutine[Any, Any, object]],
) -> Callable[[], None]:
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(image)
    for name, value in environment.items():
        container.with_env(name, value)
    if command is not None:
        container.with_command(command)
    # testcontainers' own way publishes on every interface; the Docker client takes an address beside the port.
    container.ports[f"{container_port}/tcp"] = (HOST, host_port)  # type: ignore[assignment]
    try:
        container.start()
    except (DockerException, OSError) as error:
        raise ServerFailedError(f"Docker could not run {image}: {error}") from error
    deadline = time.monotonic() + _STARTUP_SECONDS
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        while runner.run(answer()) is None:
            if time.monotonic() > deadline:
                logs = b"".join(container.get_logs()).decode(errors="replace")[-2000:]
                container.stop()
                raise ServerFailedError(f"{image} did not answer within {_STARTUP_SECONDS:.0f} s:\n{logs}")
            time.sleep(0.1)
    return container.stop
