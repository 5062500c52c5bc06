"""The processes of a test run use one server, which ends after the last of them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.support.services import MissingServiceError, Service
from tests.support.sharing import share


class Server:
    """Counts starts and ends."""

    def __init__(self) -> None:
        self.starts = 0
        self.ended = threading.Event()

    def find(self) -> Service:
        self.starts += 1
        self.ended.clear()
        return Service(address=f"address {self.starts}", source="a server", stop=self.ended.set)


def test_second_user_gets_the_server_of_the_first(tmp_path: Path) -> None:
    server = Server()
    first, second = (share(tmp_path, "kafka", server.find) for _ in range(2))
    assert (first.address, second.address, server.starts) == ("address 1", "address 1", 1)
    second.stop()
    first.stop()


def test_server_ends_after_its_last_user(tmp_path: Path) -> None:
    """The process that started it waits for the others; those that come later start another."""
    server = Server()
    first, second = (share(tmp_path, "kafka", server.find) for _ in range(2))
    ending = threading.Thread(target=first.stop)
    ending.start()
    assert not server.ended.wait(0.1)
    second.stop()
    ending.join(10)
    assert server.ended.is_set()
    third = share(tmp_path, "kafka", server.find)
    assert (third.address, server.starts) == ("address 2", 2)
    third.stop()


def test_names_are_servers_of_their_own(tmp_path: Path) -> None:
    kafka, redis = Server(), Server()
    services = [share(tmp_path, "kafka", kafka.find), share(tmp_path, "redis", redis.find)]
    assert (kafka.starts, redis.starts) == (1, 1)
    for service in services:
        service.stop()


def test_server_that_cannot_start_is_tried_by_the_next(tmp_path: Path) -> None:
    def missing() -> Service:
        raise MissingServiceError("no Java")

    with pytest.raises(MissingServiceError):
        share(tmp_path, "kafka", missing)
    service = share(tmp_path, "kafka", Server().find)
    assert service.address == "address 1"
    service.stop()
