"""What stands of events, in numbers kept by the scripts that write it (`lua/shared/figures`): a look counts nothing.

Where the numbers do not add up, an earlier version wrote: they are counted row by row, and housekeeping keeps that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import msgspec

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.cluster import ClusterRedis
from consumer.adapters.redis.status import known_run
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.pacing.circuit import Circuit
from consumer.domain.push.run import Run
from consumer.domain.records.identity import moments_of

_counts: Final = msgspec.json.Decoder(dict[str, int])
_STATE: Final = ("continuous", "attempt", "oldest", "due", "until", "survey")
_AT_ONCE: Final = 250
_TOGETHER: Final = 100
"""Events that one script adds up: two ms of Redis, in which it does nothing else."""
_ROWS_AT_ONCE: Final = 500
_STATE_OF: Final = re.compile(rb'"state":"([a-zA-Z]+)"')
_CODE_OF: Final = re.compile(rb'"code":"([a-z_]+)"')
_PARKED: Final = re.compile(rb'"parked":"[^"]')


@dataclass(frozen=True, slots=True)
class EventStats:
    """What stands of one event. Moments are ms, None where there is none.

    Attributes:
        failures: pushes in a row that failed.
        changes: recorded and not pushed.
        oldest: publication of the oldest of them, or of an older version of its record that was not pushed either.
        due: when it may be pushed.
        held: until when a worker has it.
        survey: when the next reconcile may start; `surveyed`: when the last one had read all it needed;
            `survey_every`: seconds between two, 0 before the first.
        reached: when a push last changed something in Swoogo.
        issues: code -> open issues; `parked`: how many of them are operations that Swoogo refused.
        left_out: "kind:reason" -> records that the last plan left out.
        ledger: "kind/state" -> entries.
        archived: since when it is archived (Y4); `ends`: end of its last session, as that was read last.
    """

    continuous: bool = False
    failures: int = 0
    changes: int = 0
    oldest: int | None = None
    unlogged: int = 0
    due: int | None = None
    held: int = 0
    survey: int | None = None
    surveyed: int | None = None
    survey_every: float = 0.0
    reached: int | None = None
    parked: int = 0
    issues: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    ledger: Mapping[str, int] = field(default_factory=dict)
    archived: int | None = None
    ends: int | None = None

    @property
    def intents(self) -> int:
        """Creates that were started and not confirmed."""
        return sum(count for name, count in self.ledger.items() if name.endswith("/intent"))


@dataclass(frozen=True, slots=True)
class EventSummary:
    """One event as a list of events shows it: its active pair, the run in progress or the last one, its numbers."""

    event_id: str
    mapping: EventMapping | None
    run: Run | None
    stats: EventStats


class RedisEventStats(RedisStore):
    """Reads what is kept of events; each costs the same, however much it holds."""

    @guarded
    async def stats_of(self, events: Sequence[str]) -> Mapping[str, EventStats]:
        return {event: await self._right(event, *row) for event, row in (await self._read(events, ())).items()}

    @guarded
    async def sums_of(self, events: Sequence[str]) -> tuple[Mapping[str, int], Sequence[str]]:
        """What these come to together, by the names of `lua/sum_events`, and those that `stats_of` has to look at.

        A cluster has a place of its own for each event: there it is all of them. Raises UnavailableError.
        """
        if isinstance(self._redis, ClusterRedis):
            return {}, events
        sums: dict[str, int] = {}
        left: list[str] = []
        for start in range(0, len(events), _TOGETHER):
            some = events[start : start + _TOGETHER]
            places, found = await self._scripts.sum_events(
                [self._keys.event(event, name) for event in some for name in _READ]
            )
            left += [some[place] for place in places]
            for name, number in found.items():
                sums[name] = min(sums.get(name, number), number) if name in _MOMENTS else sums.get(name, 0) + number
        return sums, left

    @guarded
    async def summaries(self, events: Sequence[str]) -> Mapping[str, EventSummary]:
        """All of these events, in one round trip for 250. Raises UnavailableError."""
        found: dict[str, EventSummary] = {}
        for event, row in (await self._read(events, ("mapping", "run"))).items():
            mapping, run = row[-2:]
            found[event] = EventSummary(
                event,
                codecs.mapping.known(mapping) if mapping else None,
                known_run(run) if run else None,
                await self._right(event, *row[:-2]),
            )
        return found

    @guarded
    async def circuits(self, credentials: Sequence[tuple[str, str]]) -> Sequence[tuple[Circuit, str, int]]:
        """Of each (organization, credential): its circuit, the credential that Swoogo refuses ("" for none), and until
        when it is not known what was spent (ms, 0: it is). In one round trip.
        """
        async with self._redis.pipeline(transaction=False) as pipe:
            for org_id, credential in credentials:
                pipe.get(self._keys.credential(credential, "circuit"))
                pipe.get(self._keys.org(org_id, "refused"))
                pipe.hget(self._keys.credential(credential, "credits"), "doubt")
            answers = await pipe.execute()
        found = (answers[at : at + 3] for at in range(0, len(answers), 3))
        return [
            (
                (codecs.circuit.known(circuit) if circuit else None) or Circuit(),
                (refused or b"").partition(b" ")[0].decode(),
                int(doubt or 0),
            )
            for circuit, refused, doubt in found
        ]

    async def _read(self, events: Sequence[str], more: Sequence[str]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for start in range(0, len(events), _AT_ONCE):
            some = events[start : start + _AT_ONCE]
            async with self._redis.pipeline(transaction=False) as pipe:
                for event in some:
                    key = {name: self._keys.event(event, name) for name in (*_READ, *more)}
                    pipe.hmget(key["state"], _STATE)
                    pipe.hlen(key["dirty"])
                    pipe.scard(key["unlogged"])
                    pipe.hmget(key["survey"], ("read_at", "every"))
                    pipe.hlen(key["ledger"])
                    pipe.hlen(key["issues"])
                    pipe.hgetall(key["figures"])
                    for name in more:
                        pipe.get(key[name])
                answers = await pipe.execute()
            each = len(answers) // len(some)
            found |= {event: answers[at * each : (at + 1) * each] for at, event in enumerate(some)}
        return found

    async def _right(self, event: str, *row: Any) -> EventStats:
        """The numbers of an event; counted where they do not add up."""
        stats, adds_up = _stats(*row)
        return stats if adds_up else with_counts(stats, (await self._count(event))[0])

    @guarded
    async def recount(self, event_id: str) -> bool:
        """Count the rows of an event, a slice at a time, and write down what they come to; True where that was not so.

        Raises UnavailableError.
        """
        names = [self._keys.event(event_id, name) for name in ("figures", "state", "dirty")]
        figures = cast("dict[bytes, bytes]", await self._redis.hgetall(names[0]))
        counts, oldest = await self._count(event_id)
        state = cast("bytes | None", await self._redis.hget(names[1], "oldest"))
        if counts == _counted(figures) and (oldest is None or (state is not None and int(state) <= oldest)):
            return False
        revision = figures.get(b"revision", b"")
        return await self._scripts.settle_figures(names, revision=revision, oldest=oldest, counts=counts)

    async def _count(self, event_id: str) -> tuple[dict[str, int], int | None]:
        """Name -> number, by every row; and the publication of the oldest dirty mark."""
        counts = Counter[str]()
        async for key, row in self._rows(event_id, "ledger"):
            counts[f"ledger/{key.partition('/')[0]}/{_part(_STATE_OF, row)}"] += 1
        async for _, row in self._rows(event_id, "issues"):
            counts[f"issue/{_part(_CODE_OF, row)}"] += 1
            counts["parked"] += bool(_PARKED.search(row))
        stamps = [moments_of(row.decode())[1] async for _, row in self._rows(event_id, "dirty")]
        return dict(+counts), min(stamps, default=None)

    async def _rows(self, event_id: str, name: str) -> Any:
        seen: set[bytes] = set()
        async for key, row in self._redis.hscan_iter(self._keys.event(event_id, name), count=_ROWS_AT_ONCE):
            if key not in seen:
                seen.add(key)
                yield key.decode(), row


_READ: Final = ("state", "dirty", "unlogged", "survey", "ledger", "issues", "figures")
_MOMENTS: Final = {"oldest", "surveyed"}


def _part(pattern: re.Pattern[bytes], row: bytes) -> str:
    found = pattern.search(row)
    return found[1].decode() if found else "unknown"


def _counted(figures: Mapping[bytes, bytes]) -> dict[str, int]:
    named = {name.decode(): number for name, number in figures.items()}
    return {name: int(number) for name, number in named.items() if name == "parked" or "/" in name}


def with_counts(stats: EventStats, counts: Mapping[str, int]) -> EventStats:
    """The numbers of an event with these of its ledger and issues."""

    def of(prefix: str) -> dict[str, int]:
        return {name.removeprefix(prefix): count for name, count in counts.items() if name.startswith(prefix)}

    return replace(stats, parked=counts.get("parked", 0), issues=of("issue/"), ledger=of("ledger/"))


def _stats(
    state: Sequence[bytes | None],
    changes: int,
    unlogged: int,
    survey: Sequence[bytes | None],
    entries: int,
    issues: int,
    figures: Mapping[bytes, bytes],
) -> tuple[EventStats, bool]:
    """The numbers of an event, and whether they add up."""
    continuous, attempt, oldest, due, held, following = state
    read_at, every = survey
    bare = EventStats(
        continuous=continuous == b"1",
        failures=int(attempt or 0),
        changes=changes,
        oldest=int(oldest) if oldest and changes else None,
        unlogged=unlogged,
        due=_moment(due),
        held=int(held or 0),
        survey=_moment(following),
        surveyed=_moment(read_at) or None,
        survey_every=float(every or 0),
        reached=_moment(figures.get(b"reached")),
        archived=_moment(figures.get(b"archived")),
        ends=_moment(figures.get(b"ends")),
        left_out=_counts.decode(figures.get(b"left_out", b"{}")),
    )
    found = with_counts(bare, _counted(figures))
    return found, bool(found.archived) or (_sum(found.ledger) == entries and _sum(found.issues) == issues)


def _sum(counts: Mapping[str, int]) -> int:
    return sum(counts.values())


def _moment(value: bytes | None) -> int | None:
    return None if value is None else int(value)
