"""What `make containers` reads from files and answers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.compose import services
from tools.containers.compose import beside, image_of, last_edit, published_ports, require_free, root_of, trouble
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


def test_a_build_gets_the_base_and_how_pip_reaches_packages() -> None:
    """Beside the compose file's own sections, which stay as they are."""
    merged = beside("base:1", Path("/etc/pip.conf"))
    assert set(merged["services"]) <= set(services())
    for name, each in merged["services"].items():
        assert {"target", "context"} <= set(services()[name]["build"])
        assert each["build"] == {"network": "host", "args": {"PYTHON_IMAGE": "base:1"}, "secrets": ["pip"]}
    assert merged["secrets"] == {"pip": {"file": "/etc/pip.conf"}}
    assert "secrets" not in beside("base:1", None)


def test_what_is_logged_at_warning_or_above_is_counted() -> None:
    logs = "10:00 [info     ] fine a=1\n10:01 [\x1b[33mwarning  \x1b[0m] push.failed why=x\n[warning  ] push.failed\n"
    assert trouble(logs) == {"warning push.failed": 2}
