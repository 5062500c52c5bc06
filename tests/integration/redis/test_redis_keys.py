"""Which Redis keys there are, and that nothing stays for ever that is not meant to."""

from __future__ import annotations

import re
from typing import cast

import msgspec
import pytest
from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis import keys as keys_module
from consumer.adapters.redis.archive import RedisArchive
from consumer.adapters.redis.arrivals import RecentArrivals
from consumer.adapters.redis.due_index import DueIndex
from consumer.adapters.redis.election import RedisElection
from consumer.adapters.redis.event_stats import RedisEventStats
from consumer.adapters.redis.fleet import RedisFleet
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.rebuild_marker import RedisMarkers
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.adapters.redis.replays import RedisReplays
from consumer.adapters.redis.replicas import RedisReplicas, Replica
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.trace_parents import RedisTraceParents
from consumer.domain.connection_state import ConnectionState
from consumer.domain.connections.webhooks import Registered
from consumer.domain.fields.definitions import FieldDefinitions, KeptDefinitions
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.orders.order import GivenOrder, Order, OrderKind, Receipt
from consumer.domain.planning.control import Control
from consumer.domain.push.hints import Hint
from consumer.domain.push.run import MadeCall, Run, RunCalls, Trigger
from consumer.domain.push.timeline import Happening, What
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Remote
from consumer.domain.surveys.survey import SurveyState
from consumer.ports import Change, Lease, Span, SyncRequest, event_subject, org_subject
from consumer.ports.inbox import DueSubject
from consumer.ports.rebuild import RebuildProgress, Rebuilt, TopicPartition
from tests.contract.bench import CREDENTIAL, Times, a_change, a_work, in_redis, stamped
from tests.support.builders import EVENT, NOW, ORG, SWOOGO_EVENT, a_connection, a_mapping, an_entry, session_key
from tests.support.fakes.archive import FakeArchiveTopic
from tests.support.key_leaks import PERMANENT_KEY_PATTERNS, leaked_keys

pytestmark = pytest.mark.integration

_ROW = re.compile(r"^\| (?P<names>`.*?) \| (?P<type>.*?) \| (?P<ttl>.*?) \| [\w ]+ \|$", re.MULTILINE)


def documented() -> dict[str, bool]:
    """Key of the table, with 7 in place of ids -> whether it expires.

    `...` stands for what the key before it in the row starts with, or for event and organization alike.
    """
    found: dict[str, bool] = {}
    for row in _ROW.finditer(keys_module.__doc__ or ""):
        owners: tuple[str, ...] = ("{event/7}", "{org/7}")
        for name in re.findall(r"`(.*?)`", row["names"]):
            spelled = re.sub(r"\b(ID|HASH|N)\b", "7", name)
            if not spelled.startswith("..."):
                owners = (spelled.partition(":")[0],)
            rest = spelled.partition(":")[2].replace("...", "state")
            found |= {f"prefix:{owner}:{rest}": row["ttl"] != "-" for owner in owners}
    return found


def test_the_list_of_permanent_keys_is_the_table_of_the_adapter() -> None:
    table = documented()
    assert len(table) > 20
    for key, expires in table.items():
        permanent = any(re.fullmatch(pattern, key) for pattern in PERMANENT_KEY_PATTERNS)
        assert permanent is not expires, key


@pytest.mark.rule("G6")
async def test_every_written_key_is_in_the_table_and_expires_as_it_says(redis: Redis) -> None:
    """The table is what an operator reads to know what lives in Redis."""
    bench = in_redis(redis, Times(lease=60.0, window=10.0))
    lease = await bench.leased()
    for stamped_late, row in (("2.0.1.00000", b"{}"), ("1.0.2.00000", b'{"id":"s9"}')):
        await bench.inbox.record(lease.subject, [Change("session/s9", stamped_late, row)])
    await bench.inbox.record(lease.subject, [msgspec.structs.replace(a_change("contact/c9", 1, b"{}"), deleted=True)])
    await bench.inbox.record(org_subject(ORG), [a_change("mapping/ev", 1, b"{}")])
    await bench.connections.put_connection(ORG, a_connection())
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    await bench.connections.fence(ORG, [EVENT])
    await bench.connections.add_requester(EVENT, ORG)
    await bench.connections.claim_refusal_report(ORG, CREDENTIAL, "op")
    await bench.connections.confirm_refusal_report(ORG, CREDENTIAL, "op")
    voided = await bench.pairs.claim(Lease(org_subject(ORG), 1, "op"), "voided", 99, NOW)
    assert voided
    assert await bench.pairs.void(voided, NOW, "never synced")
    await bench.pairs.claim(Lease(org_subject(ORG), 1, "op"), EVENT, SWOOGO_EVENT, NOW)
    await bench.ledger.put(lease, {session_key(): an_entry(1)})
    await bench.ledger.put_directory(lease, Kind.SESSION, Directory({1: Remote(1, "a")}))
    await bench.ledger.put_definitions(lease, KeptDefinitions({}, FieldDefinitions(), FieldDefinitions()))
    await bench.ledger.put_survey(lease, SurveyState(deep_at=NOW))
    await bench.hints.put(EVENT, Hint(Kind.SESSION, 1, "", "digest", NOW))
    await bench.webhooks.put(lease, {"session": Registered(1, "print", ORG, SWOOGO_EVENT, CREDENTIAL, NOW)})
    await bench.inbox.request_commands(EVENT, [LedgerCommand(Action.LIFT, session_key())])
    await bench.inbox.put_control(Control(EVENT, "freeze::", 1))
    for event_id in (EVENT, ""):
        await bench.orders.begin(order := Order(f"o/{event_id}", OrderKind.LIFT, event_id))
        await bench.orders.finish(GivenOrder(order, Receipt()))
    await bench.inbox.request_sync("served", SyncRequest("r"), stamped(1))
    await bench.inbox.complete(await bench.claimed(event_subject("served"), "op"), {})
    await bench.inbox.request_sync(EVENT, SyncRequest("r"), stamped(1))
    await bench.inbox.set_continuous(EVENT, on=True)
    await RedisTraceParents(redis, Keys("test")).keep(EVENT, {session_key(): "00-1-2-01", "session/2": "00-1-3-01"})
    assert await RedisTraceParents(redis, Keys("test")).take(EVENT, [session_key(), "?"]) == {
        session_key(): "00-1-2-01"
    }
    await RedisReplicas(redis, Keys("test")).beat(Replica("r1", "0.1.0", "all", NOW, NOW))
    await bench.budget.surveys(a_work(lease), 1, 60)
    await bench.tokens.put(CREDENTIAL, "token", 60)
    await bench.tokens.lock(CREDENTIAL, "owner", 60)
    await bench.tokens.lock("field-1", "owner", 60, what="levels")
    await bench.circuits.failed(CREDENTIAL, "down")
    await RedisReplays(redis, Keys("test")).keep("sessions", {0: Span(1, 2)}, "")
    for work in (a_work(lease), a_work(lease, Trigger.MANUAL)):
        await bench.budget.spent(await bench.budget.permit(work, 1, 0.1), remaining=3, reset=0.2)
    throttled = await bench.budget.permit(a_work(lease), 1, 0.1)
    await bench.budget.throttled(throttled, 0.1)
    run = Run("run", EVENT, Trigger.CHANGES, NOW, ended=NOW, outcome="completed")
    await bench.board.started(run)
    run.org_id, run.swoogo_event_id = ORG, SWOOGO_EVENT
    await bench.board.ended(run, {"i": Issue(session_key(), Code.REFUSED, parked="f")}, lease)
    made = RunCalls((MadeCall(NOW, "the event", "GET", "/events/1"),), 1)
    await bench.timeline.note(lease, "run", {session_key(): [Happening(NOW, What.CHANGED)]}, made)

    keys = keys_module.Keys("test")
    await RecentArrivals(redis, keys).note([1.0])
    markers = RedisMarkers(redis, keys, Scripts(redis))
    await redis.hset(keys.mark(7), "as", "digest")  # what a cluster's markers keep in each server
    assert await markers.lock("owner")
    await markers.commit("owner", await markers.look(), Rebuilt("g1", {}))
    assert await markers.lock("owner")
    await markers.keep("owner", RebuildProgress("ledger", 0, 1, NOW))
    marker = await markers.look()
    await markers.note_loss("owner", marker)
    state = ConnectionState(ORG, None, {}, 1)
    await markers.checkpoint("owner", marker, {TopicPartition("ledger", 0): 1}, [state])
    await RedisRestorer(redis, keys, Scripts(redis), cast("RedisInbox", bench.inbox), 600.0).begin("owner")
    await redis.sadd(keys.event(EVENT, "careful"), "session")
    await bench.inbox.repair_index(1.0)
    await DueIndex(redis, keys, Scripts(redis)).queue({CREDENTIAL: [DueSubject(event_subject("queued"), NOW)]})
    await RedisFleet(redis, keys, RedisEventStats(redis, keys, Scripts(redis)), bench.clock).count()
    archive = RedisArchive(redis, keys, Scripts(redis), FakeArchiveTopic)
    await redis.hset(keys.event("over", "ledger"), session_key(), codecs.encode(an_entry(1)))
    assert await archive.put_away("over", "op", NOW)
    assert await RedisElection(keys, Scripts(redis), "replica").elected(30)

    assert await leaked_keys(redis) == []
    table = {re.escape(key).replace("7", "[^{}]+").replace("prefix", "test"): key for key in documented()}
    seen = set()
    for raw in cast("list[bytes]", await redis.keys()):
        matching = [key for pattern, key in table.items() if re.fullmatch(pattern, raw.decode())]
        assert matching, raw
        seen.add(matching[0])
    assert seen == documented().keys()


@pytest.mark.rule("C2")
async def test_keys_hold_nothing_personal_and_the_token_rests_encrypted(redis: Redis) -> None:
    """Credentials never rest in clear; the shared token neither."""
    bench = in_redis(redis, Times())
    await bench.tokens.put(CREDENTIAL, "swoogo-bearer-token", 60)
    await bench.connections.put_connection(ORG, a_connection())
    lease = await bench.leased()
    await bench.ledger.put(lease, {"speaker/c1": an_entry(1, natural="ada@example.org")})
    for key in cast("list[bytes]", await redis.keys()):
        assert b"@" not in key
        assert b"bearer" not in key
        if await redis.type(key) == b"string":
            value = await redis.get(key)
            assert value is not None
            assert b"bearer" not in value
    assert await bench.tokens.get(CREDENTIAL) == "swoogo-bearer-token"


async def test_a_token_encrypted_with_another_key_is_no_token(redis: Redis) -> None:
    """The key was changed: the shared token is only a saved call."""
    bench = in_redis(redis, Times())
    await bench.tokens.put(CREDENTIAL, "token", 60)
    stored = keys_module.Keys("test").credential(CREDENTIAL, "token")
    await redis.set(stored, b"\x00" * 60, ex=60)
    assert await bench.tokens.get(CREDENTIAL) is None


@pytest.mark.rule("C3")
async def test_a_claim_to_report_a_refusal_ends_and_the_report_stays(redis: Redis) -> None:
    """A push that dies in between leaves the report to the next one that fails."""
    bench, key = in_redis(redis, Times()), Keys("test").org(ORG, "refused")
    assert await bench.connections.claim_refusal_report(ORG, CREDENTIAL, "op")
    assert 0 < await redis.pttl(key) <= 30_000
    await bench.connections.confirm_refusal_report(ORG, CREDENTIAL, "op")
    assert await redis.pttl(key) == -1
