"""Records of the changelog that a rebuild could not put back, until a later record of their key says something else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from consumer.domain.errors import PoisonError
from consumer.ports import RawRecord
from consumer.ports.rebuild import NewerRecord, RebuildSource, Remembered, TopicPartition
from consumer.services.rebuild_ports import UnreadableChangelogError

_UNREADABLE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Unread:
    """`newer` is None when the record cannot be read at all."""

    place: TopicPartition
    offset: int
    newer: NewerRecord | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class UnreadRecords:
    """By key; a record without one stands for itself."""

    _held: dict[tuple[bytes | int, ...], _Unread] = field(default_factory=dict)

    def read(self, source: RebuildSource, record: RawRecord) -> Remembered | None:
        """What the record says; it is noted here when that is not understood."""
        place = TopicPartition(record.topic, record.partition)
        key = (record.key,) if record.key is not None else (record.partition, record.offset)
        self._held.pop(key, None)
        try:
            said = source.remembered(record)
        except PoisonError as error:
            self._held[key] = _Unread(place, record.offset, why=str(error))
            return None
        if isinstance(said, NewerRecord):
            self._held[key] = _Unread(place, record.offset, said)
        return said

    def first_in(self, place: TopicPartition, end: int) -> int:
        """Offset of the first one in a partition; `end` when there is none before it."""
        return min([end, *(each.offset for each in self._held.values() if each.place == place)])

    def check_readable(self) -> None:
        """Raises UnreadableChangelogError when any cannot be read at all."""
        unreadable = [each for each in self._held.values() if each.newer is None]
        if unreadable:
            first = unreadable[0]
            raise UnreadableChangelogError(
                f"{len(unreadable)} of the changelog's records cannot be read, the first one at offset {first.offset} "
                f"of {first.place.topic}, partition {first.place.partition}. {first.why} Nothing is pushed until "
                "another value, or a null value, is published under its key.",
                after=_UNREADABLE_SECONDS,
            )

    def deferred(self) -> Mapping[str, Sequence[str]]:
        """Event or organization -> what a later version has to read of it."""
        found: dict[str, set[str]] = defaultdict(set)
        for each in self._held.values():
            for owner in each.newer.owners if each.newer else ():
                found[owner].add(each.newer.what if each.newer else "")
        return {owner: sorted(what) for owner, what in found.items()}
