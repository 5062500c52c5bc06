"""One record of an event, with what decides about it; of an event with thousands nothing else is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisReader
from consumer.adapters.redis.client import guarded, read_hash
from consumer.domain.explaining.record_fields import around, ledger_keys, places_sent
from consumer.domain.records.identity import Kind, Source, id_of, key_of, kind_of
from consumer.domain.records.ledger import Ledger
from consumer.domain.records.snapshot import Snapshot

_ROWS = {Kind.SESSION: Source.SESSION, Kind.SPEAKER: Source.CONTACT, Kind.SPONSOR: Source.SPONSOR}


class RedisRecords(RedisReader):
    @guarded
    async def knows(self, event_id: str, key: str) -> bool:
        row = key_of(_ROWS[kind_of(key)], id_of(key)) if kind_of(key) in _ROWS else ""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hexists(self._keys.event(event_id, "rows"), row)
            pipe.hexists(self._keys.event(event_id, "ledger"), key)
            return any(await pipe.execute())

    @guarded
    async def around(self, event_id: str, key: str) -> tuple[Snapshot, Ledger]:
        """See `explaining.record_fields.around`; contacts who share an e-mail address with the record are not in it."""
        rows_key, ledger_key = self._keys.event(event_id, "rows"), self._keys.event(event_id, "ledger")
        if kind_of(key) is Kind.SESSION:  # with who was put on it, and is on it no more
            named = _naming(await read_hash(self._redis, ledger_key), id_of(key))
            rows = await self._fields(rows_key, [key])
            people = {each.contact_id for session in codecs.snapshot(rows).sessions.values() for each in session.people}
            people |= {id_of(each.decode()) for each in named if each.startswith(b"speaker/")}
            rows |= await self._fields(rows_key, (key_of(Source.CONTACT, each) for each in people))
        else:
            named = {}
            rows = await self._rows(rows_key, key)
        snapshot = codecs.snapshot(rows)
        stored = named | await self._fields(ledger_key, ledger_keys(key, snapshot))
        ledger = dict(codecs.ledger_entry(name.decode(), row) for name, row in stored.items())
        former = await self._fields(ledger_key, places_sent(ledger.get(key)) - ledger.keys())
        ledger |= dict(codecs.ledger_entry(name.decode(), row) for name, row in former.items())
        return around(key, snapshot, ledger)

    async def _rows(self, rows_key: str, key: str) -> dict[bytes, bytes]:
        kind = kind_of(key)
        if kind is Kind.SPONSOR:
            return await self._fields(rows_key, [key])
        rows = await read_hash(self._redis, rows_key)
        if kind is Kind.LEVEL:
            return {name: row for name, row in rows.items() if name.startswith(b"sponsor/")}
        return _naming(rows, id_of(key))

    async def _fields(self, hash_key: str, names: Iterable[str]) -> dict[bytes, bytes]:
        wanted = [each.encode() for each in sorted(names)]
        found = cast("list[bytes | None]", await self._redis.hmget(hash_key, wanted)) if wanted else []
        return {name: row for name, row in zip(wanted, found, strict=True) if row is not None}


def _naming(rows: dict[bytes, bytes], identifier: str) -> dict[bytes, bytes]:
    """Those whose key or text has this id; others that happen to have it do no harm."""
    # As JSON has it in the rows: an id with a quote or a control character in it is escaped there.
    sought = codecs.encode(identifier)[1:-1]
    return {name: row for name, row in rows.items() if sought in row or name.endswith(b"/" + identifier.encode())}
