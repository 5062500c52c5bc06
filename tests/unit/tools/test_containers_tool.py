"""What `make containers` reads from files and answers."""

from __future__ import annotations

import socket

import pytest

from tests.support.compose import services
from tools.containers.compose import image_of, last_edit, published_ports, require_free, root_of
from tools.containers.images import base_named
from tools.running import ROOT, FailedError


def test_the_base_is_the_one_the_dockerfile_names() -> None:
    assert base_named((ROOT / "Dockerfile").read_text()).startswith("docker.io/library/python:3.11")
    with pytest.raises(FailedError):
        base_named("FROM scratch\n")


def test_ports_and_addresses_are_the_compose_files() -> None:
    assert {6379, 8090, 9090} <= set(published_ports(services()))
    assert root_of(services(), "swoogo") == "http://127.0.0.1:8090"
    assert image_of("kafka").startswith("apache/kafka:")


def test_a_taken_port_is_named_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(FailedError, match=f"Port {port} of 127.0.0.1 is taken"):
            require_free([port])
    require_free([port])


def test_the_newest_edit_is_the_highest_number_in_a_title() -> None:
    state = {"events": [{"sessions": [{"name": "Opening (edit 9)"}, {"name": "Closing (edit 12)"}]}]}
    assert last_edit(state) == 12
    assert last_edit({"events": []}) == 0
