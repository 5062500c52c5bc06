"""Which addresses an image may be fetched from: public ones, and those an operator allows.

Guarantees: an address that leads, by itself or by an IPv4 address inside it, to a private, local, shared, reserved
or multicast network or to a cloud's metadata service is not public, however it is written.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PUBLIC_IPV6: Final = IPv6Network("2000::/3")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_NAT64: Final = IPv6Network("64:ff9b::/96")
# Python, or some of its versions, calls these global although no public web server is there; 168.63.129.16 is public by
# its number, but inside Azure it is the host that hands out a machine's certificates.
_NOT_PUBLIC: Final = tuple(
    map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16", "2001::/23", "2001:db8::/32", "3fff::/20"))
)


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could reach what is at this address."""
    inner = _ipv4_inside(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv6Address) and (address not in _PUBLIC_IPV6 or address.scope_id is not None):
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a packet to this one ends up at."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


class AllowList:
    """Host names, addresses and networks that may be private. What is no address and no network is a name."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for entry in entries:
            try:
                self._networks.append(ip_network(entry))
            except ValueError:
                self._names.add(_plain(entry))

    def names(self, host: str) -> bool:
        """Whether this very host name is allowed, wherever it leads."""
        return _plain(host) in self._names

    def holds(self, address: Address) -> bool:
        """Whether the address, or the IPv4 address mapped into it, is in an allowed network."""
        return any(form in network for form in _forms(address) for network in self._networks)


def parse(text: str) -> Address | None:
    """An address as a resolver writes it, None when it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _forms(address: Address) -> Iterator[Address]:
    yield address
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        yield address.ipv4_mapped


def _plain(host: str) -> str:
    return host.lower().rstrip(".")


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
