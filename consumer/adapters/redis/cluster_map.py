"""Which server of a Redis Cluster has which hash slot."""

from __future__ import annotations

from binascii import crc_hqx
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

SLOTS: Final = 16_384

Address = tuple[str, int]
"""Host and port."""

Ranges = tuple[tuple[int, int], ...]
"""First and last slots of what a server has, ascending."""


def slot_of(key: str | bytes) -> int:
    """The hash slot of a key, by the tag in its braces if it has one."""
    name = key.encode() if isinstance(key, str) else key
    start = name.find(b"{")
    end = name.find(b"}", start + 1)
    if start >= 0 and end > start + 1:
        name = name[start + 1 : end]
    return crc_hqx(name, 0) % SLOTS


@dataclass(frozen=True, slots=True)
class SlotMap:
    """Ranges of slots by the server that takes their writes."""

    primaries: Mapping[Address, Ranges]
    _owners: Sequence[Address | None]

    @classmethod
    def read(cls, answer: Iterable[Any], asked: Address) -> SlotMap:
        """What CLUSTER SLOTS says; a server that knows no address of its own is the one that was asked."""
        ranges: defaultdict[Address, list[tuple[int, int]]] = defaultdict(list)
        for first, last, (host, port, *_), *_ in answer:
            name = host.decode() if isinstance(host, bytes) else host
            ranges[name if name and name != "?" else asked[0], int(port)].append((int(first), int(last)))
        owners: list[Address | None] = [None] * SLOTS
        for address, held in ranges.items():
            for first, last in held:
                owners[first : last + 1] = [address] * (last + 1 - first)
        return cls({address: tuple(sorted(held)) for address, held in ranges.items()}, owners)

    @property
    def is_whole(self) -> bool:
        return None not in self._owners

    def owner(self, slot: int) -> Address | None:
        """None where no server has the slot."""
        return self._owners[slot]

    def moved(self, slot: int, address: Address) -> SlotMap:
        """With one slot at another server, until the whole map is asked for."""
        owners = list(self._owners)
        owners[slot] = address
        return replace(self, _owners=owners)


def covers(some: Ranges, more: Ranges) -> bool:
    """Whether every slot of `some` is in one range of `more`."""
    return all(any(first <= low and high <= last for first, last in more) for low, high in some)
