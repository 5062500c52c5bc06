"""What a decoder that was taken over by a file can reach: nothing. Each escape is tried from inside a real process.

The same attempts succeed in the same process unconfined, so what they show is the confinement.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from consumer.adapters.images.confine import landlock_version
from consumer.adapters.images.decoder import Decoder
from consumer.domain.errors import ImageUnusableError
from consumer.settings import ImageSettings
from tests.integration.test_image_workers import instead_of_fit

READ_OTHER = """
size = 64
buffer = ctypes.create_string_buffer(size)
class Part(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
mine, theirs = Part(ctypes.addressof(buffer), size), Part(SECRET, size)
libc = ctypes.CDLL(None, use_errno=True)
if libc.process_vm_readv(PARENT, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""

SYSCALL = """
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
if libc.syscall(*map(ctypes.c_long, ARGUMENTS)) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""

PTRACE = """
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(SEIZE, PARENT, None, None) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""

ATTEMPTS = {
    "the environment of the service": "open(f'/proc/{PARENT}/environ', 'rb').read()",
    "the memory of the service, as a file": "open(f'/proc/{PARENT}/mem', 'rb').close()",
    "the memory of the service, by a call": READ_OTHER,
    "loopback": "each = socket.socket(); each.connect(('127.0.0.1', PORT)); each.close()",
    "an abstract socket": "each = socket.socket(socket.AF_UNIX); each.connect(chr(0) + NAME); each.close()",
    "a datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
    "a signal to the service": "os.kill(PARENT, 0)",
    "a process": "if os.fork() == 0: os._exit(0)",
    "a program": "subprocess.run(['/bin/true'], check=True)",
    "a thread": "threading.Thread(target=print).start()",
    "a file": "open(KEY, 'rb').read()",
    "a folder": "os.listdir('/')",
    "a file to write": "open(TARGET, 'w').close()",
    "a link": "os.symlink('/etc', TARGET)",
    "what is there": "os.stat(KEY)",
    "a file in memory": "os.close(os.memfd_create('x'))",
    "a pipe": "os.pipe()",
    "io_uring": SYSCALL.replace("ARGUMENTS", "(425, 1, ctypes.addressof(ctypes.create_string_buffer(256)))"),
    "a trace of the service": "SEIZE = 0x4206\n" + PTRACE,
    "a handle on the service": SYSCALL.replace("ARGUMENTS", "(434, PARENT, 0)"),
}

OF_TRACERS = {
    "the memory of the service, as a file",
    "the memory of the service, by a call",
    "a trace of the service",
}
"""What Yama forbids to all but a process's ancestors and root."""

LANDLOCK_SINCE = {
    "the environment of the service": 1,
    "the memory of the service, as a file": 1,
    "a file": 1,
    "a folder": 1,
    "a file to write": 1,
    "a link": 1,
    "loopback": 4,
    "an abstract socket": 6,
    "a signal to the service": 6,
}

OF_DESCRIPTORS = [
    "the environment of the service",
    "the memory of the service, as a file",
    "loopback",
    "an abstract socket",
    "a datagram",
    "a file",
    "a folder",
    "a file to write",
    "a file in memory",
    "a pipe",
    "io_uring",
]

MODULE = "import consumer.adapters.images.confine as c"


def may_trace() -> bool:
    """Whether a child may look into this process."""
    yama = Path("/proc/sys/kernel/yama/ptrace_scope")
    return os.getuid() == 0 or not yama.exists() or yama.read_text().strip() == "0"


@dataclass(frozen=True, slots=True)
class Outside:
    """What there is to be reached: a server, a file with a key, a place to write."""

    port: int
    name: str
    key: Path
    target: Path

    def command(self, attempt: str, confined_by: str = "") -> Sequence[str]:
        """A decoding process that tries it; `confined_by` replaces how it is confined."""
        secret = b"s3cret" * 16
        _KEPT.append(secret)
        lines = [
            "held = ''",
            f"PARENT, PORT, NAME = {os.getpid()}, {self.port}, {self.name!r}",
            f"KEY, TARGET, SECRET = {str(self.key)!r}, {str(self.target)!r}, {id(secret) + 32}",
            "try:",
            *(f"    {line}" for line in attempt.strip().splitlines()),
            "except (OSError, RuntimeError) as error:",
            "    held = getattr(error, 'strerror', None) or str(error)",
            "raise UnfitError('held' if held else 'escaped', held)",
        ]
        command = instead_of_fit("\n".join(lines))
        return (*command[:-1], command[-1].replace("worker.fit = fit", f"worker.fit = fit\n{confined_by}"))


_KEPT: list[bytes] = []


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    key, name = tmp_path / "private-key", f"swoogo-sync-{uuid.uuid4()}"
    key.write_text("s3cret")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind("\0" + name)
        local.listen()
        for each in (server, local):
            threading.Thread(target=accept, args=(each,), daemon=True).start()
        yield Outside(server.getsockname()[1], name, key, tmp_path / "written")
        for each in (server, local):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def accept(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            server.accept()[0].close()


async def came_of(command: Sequence[str]) -> ImageUnusableError:
    with pytest.raises(ImageUnusableError) as caught:
        await Decoder(ImageSettings(), command).fit(b"image", 1000)
    return caught.value


@pytest.mark.parametrize("what", ATTEMPTS)
async def test_a_decoder_led_astray_does_not_reach(what: str, outside: Outside) -> None:
    escaped = await came_of(outside.command(ATTEMPTS[what]))
    assert escaped.why == "held", what
    assert "not permitted" in str(escaped) or "start new thread" in str(escaped)
    assert not outside.target.exists()


@pytest.mark.parametrize("what", sorted(ATTEMPTS.keys() - ({} if may_trace() else OF_TRACERS)))
async def test_without_confinement_it_reaches(what: str, outside: Outside) -> None:
    """Otherwise the tests above would show nothing."""
    unconfined = "worker.confine = lambda *_: ('limits',)"
    assert (await came_of(outside.command(ATTEMPTS[what], unconfined))).why == "escaped"


@pytest.mark.parametrize("what", LANDLOCK_SINCE)
async def test_landlock_alone_also_bars(what: str, outside: Outside) -> None:
    """Where libseccomp is missing, as far as the kernel's version of Landlock goes."""
    without = f"{MODULE}; c._filter = lambda: None; c._limit = lambda *_: None"
    held = landlock_version() >= LANDLOCK_SINCE[what]
    assert (await came_of(outside.command(ATTEMPTS[what], without))).why == ("held" if held else "escaped")


@pytest.mark.parametrize("what", OF_DESCRIPTORS)
async def test_limits_alone_also_bar(what: str, outside: Outside) -> None:
    """Where neither is to be had: whatever takes a file descriptor."""
    without = f"{MODULE}; c._filter = lambda: None; c._landlocked = lambda _: False"
    assert (await came_of(outside.command(ATTEMPTS[what], without))).why == "held"


@pytest.mark.parametrize("what", ATTEMPTS)
async def test_seccomp_alone_also_bars(what: str, outside: Outside) -> None:
    """Where the kernel has no Landlock."""
    without = f"{MODULE}; c._landlocked = lambda _: False; c._limit = lambda *_: None"
    assert (await came_of(outside.command(ATTEMPTS[what], without))).why == "held"


async def test_its_environment_is_empty(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWOOGO_SYNC_KEYS__PRIVATE", "s3cret")
    found = await came_of(instead_of_fit("raise UnfitError('x', ','.join(sorted(set(os.environ) - {'LC_CTYPE'})))"))
    assert str(found) == ""


async def test_its_files_are_the_two_pipes_and_nothing_else() -> None:
    """A key file or a connection of the service that is open is none of its."""
    body = "raise UnfitError('x', ','.join(sorted(os.listdir('/proc/self/fd'))[:9]))"
    command = instead_of_fit(body)
    unconfined = (
        *command[:-1],
        command[-1].replace("worker.fit = fit", "worker.fit = fit\nworker.confine = lambda *_: ('limits',)"),
    )
    found = str(await came_of(unconfined)).split(",")
    assert set(found) <= {"0", "1", "2", "3"}, "3 lists the folder"
