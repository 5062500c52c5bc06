"""Connections and pairs in force, as a rebuild reads them from the changelog, and how they are put back (G6).

Records that could not be put back wait until a later record of their key says something else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from consumer.domain.connection_state import ConnectionState, OrgState, PairState, is_stale
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import PoisonError
from consumer.ports import Connections, Inbox, RawRecord
from consumer.ports.rebuild import NewerRecord, RebuildSource, Remembered, Restorer, TopicPartition
from consumer.services.rebuild_ports import UnreadableChangelogError
from consumer.services.workers import for_each

_AT_ONCE: Final = 16


@dataclass(slots=True)
class LatestStates:
    """The newest state of each organization, and of each pair as an organization has it."""

    connections: dict[str, ConnectionState] = field(default_factory=dict)
    pairs: dict[tuple[str, str], PairState] = field(default_factory=dict)

    def note(self, states: Iterable[OrgState]) -> None:
        """The higher epoch counts, then the later one."""
        for each in states:
            match each:
                case ConnectionState():
                    connection = self.connections.get(each.org_id)
                    if connection is None or connection.epoch <= each.epoch:
                        self.connections[each.org_id] = each
                case PairState():
                    pair = self.pairs.get((each.org_id, each.event_id))
                    if pair is None or pair.epoch <= each.epoch:
                        self.pairs[each.org_id, each.event_id] = each

    async def differ(self, connections: Connections, restorer: Restorer) -> bool:
        """Whether Redis has any of them otherwise, as where one server of several lost it. Raises UnavailableError."""
        for org_id, each in self.connections.items():
            if await connections.connection(org_id) != each.connection:
                return True
        history = await restorer.pairs() if self.pairs else {}
        for pair in self.pairs.values():
            if is_stale(pair, history):
                continue
            held = await connections.mapping(pair.event_id)
            if _without_zone(held if held and held.org_id == pair.org_id else None) != _without_zone(pair.mapping):
                return True
        return False

    async def put_back(
        self, connections: Connections, restorer: Restorer, inbox: Inbox, lacks: Callable[[str], bool]
    ) -> None:
        """As they were, without asking Swoogo or announcing anything again. Raises UnavailableError.

        `lacks`: whether anything may be missing of `event/ID`, `org/ID` or `cred/HASH`; the rest stays as it is.
        """
        served: dict[str, dict[str, str]] = defaultdict(dict)
        for org_id, each in self.connections.items():
            served[org_id] |= each.settled
        held = [each for each in self.connections.values() if lacks(f"org/{each.org_id}")]
        await for_each(held, lambda each: connections.put_connection(each.org_id, each.connection), _AT_ONCE)
        # What the history contradicts is left as it is, and its request, if there is one, is dealt with again. All of
        # it, whatever part was read again.
        history = await restorer.pairs()
        pairs = [
            each
            for each in self.pairs.values()
            if (lacks(f"event/{each.event_id}") or lacks(f"org/{each.org_id}")) and not is_stale(each, history)
        ]
        # Those that ended first: another organization may have taken the event over since.
        put = partial(_put_pair, connections)
        await for_each([each for each in pairs if each.mapping is None], put, _AT_ONCE)
        await for_each([each for each in pairs if each.mapping is not None], put, _AT_ONCE)
        for pair in pairs:
            if pair.settled:
                served[pair.org_id][f"mapping/{pair.event_id}"] = pair.settled
        await for_each(served.items(), lambda each: restorer.requests_served(*each), _AT_ONCE)
        credentials = {each.connection.credential for each in self.connections.values() if each.connection}

        async def go_on(event_id: str) -> None:
            mapping = await connections.mapping(event_id)
            if mapping:
                credentials.add(mapping.credential)
            if lacks(f"event/{event_id}"):
                if mapping:
                    await inbox.set_continuous(event_id, on=mapping.continuous)
                await restorer.look_first(event_id)

        await for_each(await restorer.events(), go_on, _AT_ONCE)
        await restorer.doubt(sorted(each for each in credentials if lacks(f"cred/{each}")))


async def _put_pair(connections: Connections, pair: PairState) -> None:
    await connections.fence(pair.org_id, [pair.event_id])
    held = await connections.mapping(pair.event_id)
    if pair.mapping is not None or (held is not None and held.org_id == pair.org_id):
        await connections.put_mapping(pair.org_id, pair.event_id, pair.mapping)


def _without_zone(mapping: EventMapping | None) -> EventMapping | None:
    """The zone that Swoogo showed is learned again, and not on the changelog."""
    return mapping and replace(mapping, swoogo_timezone=None)


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
