"""Which addresses an image may be fetched from: public ones, and those an operator allows.

Guarantees: an address that leads, by itself or by an IPv4 address inside it, to a private, local, shared, reserved
or multicast network or to a cloud's metadata service is not public, however it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

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
