"""The memory and the environment of the service, which hold private keys, are no other process's to read."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Coroutine

import pytest

from consumer.adapters.sealing import KeyPair
from consumer.entrypoints.cli import run as module
from consumer.settings import Settings, load_settings

# One process of a user without rights, and another of the same user that looks into it.
PROGRAM = """
import ctypes, os, sys
sys.path[:0] = {paths!r}
from consumer.adapters.process import hide_memory
if os.getuid() == 0:
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as for a process that was started by that user
if {hide}: assert hide_memory()
service, reach = os.getpid(), []
if os.fork() == 0:
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    for name in ("environ", "mem", "maps", "fd/0"):
        try:
            os.close(os.open(f"/proc/{{service}}/{{name}}", os.O_RDONLY))
            reach.append(name)
        except PermissionError:
            pass
    os.write(1, ",".join(reach).encode())
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize(("hide", "reached"), [(False, "environ,mem,maps,fd/0"), (True, "")])
def test_a_process_of_the_same_user_reads_nothing_of_a_hidden_one(hide: bool, reached: str) -> None:
    program = PROGRAM.format(hide=hide, paths=[path for path in sys.path if path])
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.stdout == reached


def test_the_service_hides_its_memory_before_it_does_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def hide() -> bool:
        order.append("hidden")
        return True

    async def serve(_: Settings) -> None:
        order.append("serves")

    monkeypatch.setattr(module, "hide_memory", hide)
    monkeypatch.setattr(module, "_serve", serve)
    # Its own loop would close the one of the tests.
    monkeypatch.setattr("asyncio.run", drive)
    module.serve(load_settings(keys={"private": KeyPair.generate().private}))
    assert order == ["hidden", "serves"]


def drive(work: Coroutine[None, None, None]) -> None:
    """Run what awaits nothing."""
    with contextlib.suppress(StopIteration):
        work.send(None)
