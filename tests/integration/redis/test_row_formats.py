"""Rows of a later version in a real Redis: an older replica leaves their event alone, says so, and goes on with others.

A later version is this one with a higher `rows.FORMAT`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock, Mock

import msgspec
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from consumer.adapters.redis import codecs
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.status import row_of
from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import UnreadableRowError
from consumer.domain.push.run import Run, Trigger
from consumer.domain.records.digests import SEALED, Digests
from consumer.domain.records.ledger import Entry
from consumer.ports import Change, Lease, SyncRequest, event_subject
from consumer.services.dispatch import Dispatcher
from consumer.settings import PushSettings
from tests.contract.bench import Bench, Times, in_redis
from tests.support.builders import EVENT, NOW, ORG, a_connection, a_mapping, an_entry, session_key
from tests.support.fakes import FakeClock
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration
KEYS = Keys("test")
NEXT = {"format": max(codecs.FORMAT, codecs.PAIR_FORMAT, SEALED) + 1}
UNHEARD_OF = {"state": "unheard of"}


def row(value: Any, **fields: object) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(value), **fields})


@pytest.fixture
def bench(redis: Redis) -> Bench:
    return in_redis(redis, Times())


@pytest.mark.rule("G6")
@pytest.mark.parametrize("fields", [NEXT, UNHEARD_OF, {"pushed": 1}], ids=["format", "state", "shape"])
async def test_a_ledger_entry_of_a_later_version_is_not_guessed_at(
    bench: Bench, redis: Redis, fields: dict[str, object]
) -> None:
    await redis.hset(KEYS.event(EVENT, "ledger"), session_key(), row(an_entry(7), **fields))
    with pytest.raises(UnreadableRowError, match="a ledger entry"):
        await bench.ledger.load(EVENT)


@pytest.mark.rule("G6")
async def test_the_later_version_reads_its_own_rows_and_those_of_before(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions side by side on one Redis."""
    ledger = KEYS.event(EVENT, "ledger")
    await redis.hset(ledger, mapping={"session/old": row(an_entry(1)), "session/new": row(an_entry(2), **NEXT)})
    later = NEXT["format"]
    monkeypatch.setattr(codecs, "entry", codecs.RowReader[Entry](Entry, "a ledger entry", later))
    assert await bench.ledger.load(EVENT) == {
        "session/old": an_entry(1),
        "session/new": replace(an_entry(2), format=later),
    }


@pytest.mark.rule("G6")
async def test_a_field_called_format_is_not_the_format_of_its_row(bench: Bench, redis: Redis) -> None:
    """A custom field may have that name."""
    entry = an_entry(7, pushed={"format": "2", "name": '"format":9'})
    await redis.hset(KEYS.event(EVENT, "ledger"), session_key(), row(entry))
    assert await bench.ledger.load(EVENT) == {session_key(): entry}


async def test_what_is_only_shown_or_found_again_is_passed_over(bench: Bench, redis: Redis) -> None:
    run = Run("r1", EVENT, Trigger.CHANGES, NOW)
    await bench.board.progress(run)
    await redis.set(KEYS.event(EVENT, "run"), row(row_of(run), trigger="novelty"))
    assert await bench.board.current(EVENT) is None
    await redis.hset(KEYS.event(EVENT, "issues"), "a", b'{"code": "unheard of"}')
    assert await bench.board.issues(EVENT) == {}
    await redis.hset(KEYS.event(EVENT, "directory"), mapping={"novelty": b"{}", "session": b'{"at": "soon"}'})
    assert await bench.ledger.directories(EVENT) == {}
    await redis.hset(KEYS.event(EVENT, "survey"), "last", row({}, **NEXT))
    assert (await bench.ledger.survey(EVENT)).every == 0


class Reads:
    """Stands for a pusher: loads what a push loads first, and completes."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.pushed: list[str] = []

    async def push(self, lease: Lease, mapping: EventMapping, connection: Connection) -> Any:
        """See `services.push.Pusher`."""
        await self.bench.inbox.load(mapping.event_id)
        await self.bench.ledger.load(mapping.event_id)
        self.pushed.append(mapping.event_id)
        await self.bench.inbox.complete(lease, {})


@pytest.mark.rule("G1")
@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("ledger", session_key(), row(an_entry(7), **UNHEARD_OF)),
        ("ledger", session_key(), row(an_entry(7), **NEXT)),
        ("rows", "session/s1", b'{"id": "s1", "format": 9}'),
        ("orders", "", b"unheard-of 0 session/s1"),
        ("careful", "", b"novelty"),
        ("mapping", "", row(a_mapping(event_id="later"), **NEXT)),
    ],
    ids=["state", "format", "snapshot", "order", "careful", "mapping"],
)
async def test_an_event_of_a_later_version_is_put_off_and_others_go_on(
    bench: Bench, redis: Redis, name: str, key: str, value: bytes
) -> None:
    """It is no defect that breaks again and again: it waits for a replica that can read it, and the log says why."""
    await bench.connections.put_connection(ORG, a_connection())
    for event in (EVENT, "later"):
        await bench.connections.put_mapping(ORG, event, a_mapping(event_id=event))
        await bench.inbox.record(event_subject(event), [Change("session/s0", "1", b"{}")])
        await redis.delete(KEYS.event(event, "rows"))
        await bench.inbox.request_sync(event, SyncRequest("r1"), "1")
    if name == "mapping":
        await redis.set(KEYS.event("later", name), value)
    elif key:
        await redis.hset(KEYS.event("later", name), key, value)
    else:
        await redis.sadd(KEYS.event("later", name), value)
    inbox = bench.inbox
    assert isinstance(inbox, RedisInbox)
    pushes, stop, clock = Reads(bench), asyncio.Event(), FakeClock()
    settings = PushSettings(lease=60.0, poll_interval=0.02)
    dispatcher = Dispatcher(
        bench.inbox,
        bench.connections,
        Mock(),
        pushes,
        Mock(delay=AsyncMock(return_value=0.0)),
        Mock(),
        clock,
        settings,
    )
    with capture_logs() as lines:
        running = asyncio.create_task(dispatcher.run(stop))

        async def deferred() -> bool:
            waiting = await inbox.waiting("later")
            return pushes.pushed == [EVENT] and not waiting.held and 50 < (waiting.due_in or 0) <= 60

        await wait_until(deferred, "one is pushed, the other one is put off", 30)
        stop.set()
        await running
    assert [line["subject"] for line in lines if line["event"] == "push.deferred"] == ["event/later"]
    assert not [line for line in lines if line["event"] == "push.broken"]
    [line] = [line for line in lines if line["event"] == "push.deferred"]
    assert line["reason"].startswith("Redis holds ")
    assert line["reason"].endswith(".")


@pytest.mark.rule("Y3")
def test_an_earlier_version_leaves_digests_to_this_one() -> None:
    """Side by side: it would take them for values, and push every field of every speaker."""
    earlier = codecs.RowReader[Entry](Entry, "a ledger entry")
    sealed = Digests((b"k" * 32,)).sealed("speaker/c1", an_entry(7, natural="ada@example.org"))
    with pytest.raises(UnreadableRowError, match="format 2"):
        earlier.decode(codecs.encode(sealed))
    assert codecs.entry.decode(codecs.encode(sealed)) == sealed
