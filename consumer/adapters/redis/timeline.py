"""REPORT in Redis: a bounded timeline for each record, and the calls of the last runs of an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

import msgspec

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded, read_hash
from consumer.domain.errors import LeaseLostError
from consumer.domain.push.run import MadeCall, RunCalls
from consumer.domain.push.timeline import KEPT, Happening, What
from consumer.ports import Lease
from consumer.ports.status import RecordTimeline

RUNS_KEPT: Final = 20
"""Runs of an event of which calls are kept, the newest."""
_WHATS: Final = frozenset(What)
_BYTES_KEPT: Final = 4_096
"""Of a record, which is some 50 lines; cut by bytes, since counting lines would cost the server more than all else."""
_RECORDS_PER_CALL: Final = 100
"""So that one script never holds the server for more than some milliseconds."""


class _Line(msgspec.Struct, array_like=True, omit_defaults=True):
    """A happening at rest."""

    at: int
    what: str
    fields: tuple[str, ...] = ()
    code: str = ""
    run: str = ""


class _Call(msgspec.Struct, array_like=True):
    """A call at rest."""

    at: int
    what: str
    method: str
    path: str
    record: str
    credits: int
    took: int
    status: int


class _Calls(msgspec.Struct):
    total: int
    calls: list[_Call]


_line: Final = codecs.RowReader[_Line](_Line, "a line of a timeline")
_calls: Final = codecs.RowReader[_Calls](_Calls, "calls of a run")


class RedisTimeline(RedisStore):
    """The only writer of timelines and calls."""

    @guarded
    async def note(
        self,
        lease: Lease,
        run_id: str,
        happened: Mapping[str, Sequence[Happening]],
        calls: RunCalls,
        *,
        instead_of: str = "",
    ) -> None:
        """One script call for each 100 records of a push."""
        event_id, records = lease.subject.id, list(happened.items())
        names = [self._keys.event(event_id, name) for name in ("state", "timeline", "calls")]
        made = _encode_calls(calls) if calls.total else b""
        for start in range(0, max(len(records), int(bool(made))), _RECORDS_PER_CALL):
            lines = [part for key, each in records[start : start + _RECORDS_PER_CALL] for part in (key, _lines(each))]
            kept = await self._scripts.note_timeline(
                names,
                epoch=lease.epoch,
                bytes_kept=_BYTES_KEPT,
                run=run_id,
                calls=made,
                runs_kept=RUNS_KEPT,
                instead_of=instead_of,
                lines=lines,
            )
            if not kept:
                raise LeaseLostError.of(lease.subject)
            made = b""

    @guarded
    async def of(self, event_id: str, key: str) -> RecordTimeline:
        """Lines that a later version wrote in another form are left out."""
        stored, since = await self._redis.hmget(self._keys.event(event_id, "timeline"), [key, "since"])
        found = [_read_line(line) for line in (stored or b"").splitlines()[:KEPT]]
        ordered = sorted((each for each in found if each), key=lambda each: each.at, reverse=True)
        return RecordTimeline(tuple(ordered), int(since or 0))

    @guarded
    async def calls(self, event_id: str, run_id: str) -> RunCalls | None:
        row = cast("bytes | None", await self._redis.hget(self._keys.event(event_id, "calls"), run_id))
        held = _calls.known(row) if row else None
        return (
            RunCalls(tuple(MadeCall(*msgspec.structs.astuple(each)) for each in held.calls), held.total)
            if held
            else None
        )

    @guarded
    async def lengths(self, event_id: str, keys: Iterable[str]) -> tuple[int, int]:
        """How many lines and calls there are about these records (Y1)."""
        wanted = list(keys)
        stored = cast("list[bytes | None]", await self._redis.hmget(self._keys.event(event_id, "timeline"), wanted))
        lines = sum(len(each.splitlines()) for each in stored if each)
        runs = await read_hash(self._redis, self._keys.event(event_id, "calls"))
        held = [each for row in runs.values() if (each := _calls.known(row))]
        return lines, sum(call.record in wanted for each in held for call in each.calls)

    @guarded
    async def forget(self, event_id: str, keys: Iterable[str]) -> None:
        """Erase the timelines of these records, and the calls that were made for them (Y2)."""
        gone, calls_key = set(keys), self._keys.event(event_id, "calls")
        await self._redis.hdel(self._keys.event(event_id, "timeline"), *gone)
        for run, row in (await read_hash(self._redis, calls_key)).items():
            held = _calls.known(row)
            if held and any(call.record in gone for call in held.calls):
                held.calls = [call for call in held.calls if call.record not in gone]
                await self._scripts.swap_field(calls_key, field=run.decode(), old=row, new=codecs.encode(held))


def _lines(happened: Sequence[Happening]) -> bytes:
    """Newest first."""
    lines = (_Line(each.at, each.what.value, each.fields, each.code, each.run) for each in reversed(happened))
    return b"\n".join(codecs.encode(each) for each in lines)


def _read_line(line: bytes | str) -> Happening | None:
    held = _line.known(line)
    if held is None or held.what not in _WHATS:
        return None
    return Happening(held.at, What(held.what), held.fields, held.code, held.run)


def _encode_calls(made: RunCalls) -> bytes:
    rows = [
        _Call(each.at, each.what, each.method, each.path, each.record, each.credits, each.took, each.status)
        for each in made.calls
    ]
    return codecs.encode(_Calls(made.total, rows))
