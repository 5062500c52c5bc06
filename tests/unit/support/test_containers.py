"""How the servers of the tests are asked for from Docker; `make containers` does it with a real engine."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from testcontainers.core.docker_client import DockerClient

from sandbox.embedded.server import HOST
from tests.support import containers


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An engine that takes what the real client takes."""
    client = mock.create_autospec(DockerClient, instance=True)
    client.client = mock.Mock()  # set by the constructor
    monkeypatch.setattr("testcontainers.core.container.DockerClient", lambda: client)
    monkeypatch.setattr("testcontainers.core.container.Reaper.get_instance", lambda: None)
    return client


async def _answers(_: str) -> int:
    return 1


def test_redis_is_published_on_loopback_and_removed(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "redis_process_id", _answers)
    url, stop = containers.start_redis()
    [call] = engine.create.call_args_list
    assert call.args == (containers.REDIS_IMAGE,)
    [(inside, outside)] = call.kwargs["ports"].items()
    assert (inside, outside[0]) == ("6379/tcp", HOST)
    assert url == f"redis://{HOST}:{outside[1]}/0"
    stop()
    engine.create.return_value.remove.assert_called_once_with(force=True, v=True)


def test_kafka_has_the_same_port_inside_and_outside(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client connects to the address that the broker names."""
    monkeypatch.setattr(containers, "kafka_cluster_id", _answers)
    bootstrap, _ = containers.start_kafka()
    _, _, port = bootstrap.rpartition(":")
    [call] = engine.create.call_args_list
    assert call.kwargs["ports"] == {f"{port}/tcp": (HOST, int(port))}
    assert call.kwargs["environment"]["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{bootstrap}"
