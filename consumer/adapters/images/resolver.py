"""Looks up the hosts of images in threads of their own, so that a silent name server holds up nothing else.

The threads of the event loop also look up Swoogo, Redis and Kafka; a few look-ups that wait for a name server which
never answers would take all of them.

Guarantees: a look-up ends within its deadline; at most eight threads are at it, three of them for one zone; a host
that could not be looked up is left alone for a minute; no thread keeps the process from ending.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

_SECONDS: Final = 6.0
"""More than the five seconds after which a system's resolver asks a second time."""


_THREADS: Final = 8


_THREADS_OF_A_ZONE: Final = 3


_FAILED_SECONDS: Final = 60.0


_FAILED_MOST: Final = 1_000


LookUp = Callable[[str, int], Sequence[str]]
"""Host and port to addresses, blocking. Raises OSError."""


def system_look_up(host: str, port: int) -> Sequence[str]:
    """All addresses of a host by the system's resolver; blocks. Raises OSError."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Resolver:
    """Host and port to addresses, for one event loop. Equal questions asked at a time are one look-up.

    In threads of its own: those of the event loop also look up Swoogo, Redis and Kafka, and a few look-ups that wait
    for a silent name server would take all of them. Guarantees: a look-up ends within its deadline; at most eight
    threads are at it, three of them for one zone; a host that could not be looked up is left alone for a minute; no
    thread keeps the process from ending.
    """

    def __init__(self, look_up: LookUp = system_look_up, *, seconds: float = _SECONDS) -> None:
        self._look_up = look_up
        self._seconds = seconds
        self._asked: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = {}
        self._zones: Counter[str] = Counter()
        self._freed = asyncio.Event()
        self._failed: dict[str, tuple[float, OSError]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses, as text. Raises OSError, of which TimeoutError is one."""
        until, known = self._failed.get(host, (0.0, OSError()))
        if asyncio.get_running_loop().time() < until:
            raise type(known)(*known.args)
        try:
            async with asyncio.timeout(self._seconds):
                answer = self._asked.get((host, port)) or await self._start(host, port)
                # Shielded: others may wait for it too, and its thread goes on in any case.
                return await asyncio.shield(answer)
        except OSError as error:
            self._note_failure(host, error)
            raise

    async def _start(self, host: str, port: int) -> asyncio.Future[Sequence[str]]:
        zone = ".".join(host.rstrip(".").lower().split(".")[-2:])
        while self._zones.total() >= _THREADS or self._zones[zone] >= _THREADS_OF_A_ZONE:
            await self._freed.wait()
        loop = asyncio.get_running_loop()
        answer = self._asked.get((host, port))
        if answer is not None:
            return answer
        self._asked[host, port] = answer = loop.create_future()
        self._zones[zone] += 1

        def over(result: Sequence[str] | OSError) -> None:
            del self._asked[host, port]
            self._zones -= Counter({zone: 1})
            self._freed.set()
            self._freed = asyncio.Event()
            if isinstance(result, OSError):
                answer.set_exception(result)
                answer.exception()  # seen, also when no one waits any more
            else:
                self._failed.pop(host, None)
                answer.set_result(result)

        def run() -> None:
            result: Any
            try:
                result = self._look_up(host, port)
            except (OSError, UnicodeError) as error:
                result = error if isinstance(error, OSError) else OSError("the name cannot be looked up")
            with suppress(RuntimeError):  # the loop is closed: no one waits
                loop.call_soon_threadsafe(over, result)

        # A daemon: the interpreter waits for the threads of an executor, however long they take.
        threading.Thread(target=run, name="image-look-up", daemon=True).start()
        return answer

    def _note_failure(self, host: str, error: OSError) -> None:
        while len(self._failed) >= _FAILED_MOST:
            del self._failed[next(iter(self._failed))]
        self._failed[host] = (asyncio.get_running_loop().time() + _FAILED_SECONDS, error)
