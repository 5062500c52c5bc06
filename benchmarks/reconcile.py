"""RECONCILE: credits and CPU of finding out that nothing changed, beside a loop that gets every record."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec

from benchmarks.figure import Figure
from benchmarks.planning import unchanged
from benchmarks.servers import Ground
from consumer.adapters.clock import SystemClock
from consumer.adapters.images.images import open_images
from consumer.adapters.redis import codecs
from consumer.adapters.redis.budget import RedisBudget
from consumer.adapters.redis.circuits import RedisCircuits
from consumer.adapters.redis.issue_feed import IssueFeed
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.server_time import ServerTime
from consumer.adapters.redis.status import RedisStatusBoard
from consumer.adapters.redis.stores import open_stores
from consumer.adapters.redis.timeline import RedisTimeline
from consumer.adapters.redis.tokens import RedisTokens
from consumer.adapters.sealing import KeyPair, TokenCipher
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.connection_state import LoggedState
from consumer.domain.connections.connection import Announcement, Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.issues.issue import Code
from consumer.domain.issues.record_issues import RecordIssues
from consumer.domain.planning.planner import PlanInput
from consumer.domain.push.cause import Reconcile
from consumer.domain.push.run import Run
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, entries_of
from consumer.domain.surveys.survey import Depth
from consumer.ports import Change, event_subject
from consumer.services.images import ImageQueue
from consumer.services.push import Pusher
from consumer.settings import Settings, load_settings
from consumer.wiring.services import PushPorts, build_pusher
from sandbox.swoogo import Credential, SandboxSwoogo, Switches, create_app

NAME: Final = "reconcile"
_GOAL_MS: Final = 150.0
_ROUNDS: Final = 5
_KEY, _SECRET = "bench", "bench-secret"
_PEER: Final = "a GET for every session and speaker"
_PATHS: Final = {Kind.SESSION: "sessions", Kind.SPEAKER: "speakers"}


class _Nowhere:
    """Stands where the topics are: what is measured ends at Redis."""

    async def write(self, event_id: str, entries: Mapping[str, Entry | None]) -> None: ...

    async def note(self, event_id: str, deletions: Mapping[str, str]) -> None: ...
    async def write_states(self, states: Sequence[LoggedState]) -> None: ...

    async def run(self, run: Run) -> None: ...

    async def announce(self, announcement: Announcement) -> None: ...


class _NoIssues:
    """Stands where the topic of issues is."""

    async def write(self, event_id: str, org_id: str, records: Mapping[str, RecordIssues | None]) -> None: ...


@dataclass(slots=True)
class _Canned(httpx.AsyncBaseTransport):
    """Answers every call as the sandbox answered it first: from then on, the CPU is the client's alone."""

    sandbox: httpx.ASGITransport
    answers: dict[str, httpx.Response] = field(default_factory=dict)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url}"
        known = self.answers.get(name)
        if known is None:
            known = await self.sandbox.handle_async_request(request)
            await known.aread()
            self.answers[name] = known
        return httpx.Response(known.status_code, headers=known.headers, content=known.content)


@dataclass(frozen=True, slots=True)
class Bench:
    """One event in Redis, and the service's parts that reconcile it."""

    settings: Settings
    given: PlanInput
    pusher: Pusher
    transport: _Canned
    clock: SystemClock
    sandbox: SandboxSwoogo

    @property
    def event_id(self) -> str:
        return self.given.mapping.event_id

    async def reconcile(self, depth: Depth = Depth.SHALLOW) -> tuple[Run, float]:
        """A claimed event from loading to giving it back; returns the run and ms of CPU."""
        inbox = self.pusher.inbox
        await inbox.request_survey(self.event_id, depth)
        started = time.process_time()
        lease = await inbox.claim(event_subject(self.event_id), self.clock.new_id())
        if lease is None or not isinstance(lease.cause, Reconcile):
            raise RuntimeError("The survey cannot be claimed.")
        connection = Connection(self.given.mapping.org_id, self.given.mapping.credential, continuous=True)
        run = (await self.pusher.push(lease, self.given.mapping, connection)).run
        spent = (time.process_time() - started) * 1000
        untouched = run.issues.keys() <= {Code.MULTI_DAY_CLAMPED.value}
        if run.error or not untouched or any(tally.attempted for tally in run.tallies.values()):
            raise RuntimeError(f"The reconcile did something ({run.outcome}: {run.error} {run.issues}).")
        return run, spent


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is 10,000 records; a tenth of them as well, since the credits must not depend on the size."""
    figures: list[Figure] = []
    for expand, label in (("complete", "one credit"), ("absent", "lists")):
        for share in (1.0, 0.1):
            async with a_bench(ground, f"{NAME}-{expand}-{share:g}", scale * share, expand) as bench:
                figures += await _figures(bench, label, judged=share == 1.0)
    return figures


async def _figures(bench: Bench, label: str, *, judged: bool) -> list[Figure]:
    """Credits and CPU of the best round; the peer's in the same process with the same answers."""
    await bench.reconcile(Depth.DEEP)
    # All records bear the second they were made in, which a survey reads again until it is over for sure.
    await asyncio.sleep(2.1)
    await bench.reconcile()
    gc.collect()
    gc.freeze()  # as the service does at its start
    rounds = [await bench.reconcile() for _ in range(_ROUNDS)]
    gc.unfreeze()
    records = len(bench.given.ledger)
    run, cpu = min(rounds, key=lambda each: each[1])
    lists = sum(1 for kind in _PATHS if any(entries_of(bench.given.ledger, kind)))
    peer_calls, peer_cpu = await _peer(bench) if judged and label == "one credit" else (0, 0.0)
    return [
        Figure(
            benchmark=NAME,
            what=f"credits for {records:,} unchanged records ({label})",
            value=run.credits,
            unit="credits",
            goal=1 if label == "one credit" else 1 + 10 * lists,
            peer=peer_calls or None,
            peer_name=_PEER if peer_calls else "",
            note="The event, and one list call a kind." if label == "lists" else "",
        ),
        Figure(
            benchmark=NAME,
            what=f"CPU for {records:,} unchanged records ({label})",
            value=cpu,
            unit="ms CPU",
            goal=_GOAL_MS if judged else None,
            peer=peer_cpu or None,
            peer_name=_PEER if peer_calls else "",
            note=f"Best of {_ROUNDS}: claim, load from Valkey, survey, compare, plan, report, give back.",
        ),
    ]


async def _peer(bench: Bench) -> tuple[int, float]:
    """Credits and ms of CPU of getting each record by its id."""
    ids = [
        (path, entry.swoogo_id) for kind, path in _PATHS.items() for _, entry in entries_of(bench.given.ledger, kind)
    ]
    async with httpx.AsyncClient(transport=bench.transport, base_url="http://127.0.0.1/api/v1") as client:
        answer = await client.post("oauth2/token", auth=(_KEY, _SECRET), data={"grant_type": "client_credentials"})
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        sample = ids[:: max(1, len(ids) // 500)]
        for path, identifier in sample:
            (await client.get(f"{path}/{identifier}")).raise_for_status()
        started = time.process_time()
        for path, identifier in sample:
            msgspec.json.decode((await client.get(f"{path}/{identifier}")).content)
        spent = (time.process_time() - started) * 1000
    return len(ids), spent * len(ids) / len(sample)


@asynccontextmanager
async def a_bench(ground: Ground, name: str, scale: float, expand: str) -> AsyncIterator[Bench]:
    given = unchanged(sessions=max(20, round(4_900 * scale)), places=max(2, round(100 * scale)))
    servers = ground.named(name)
    keys = KeyPair.generate()
    settings = load_settings(
        redis={"url": servers.redis_url, "prefix": servers.prefix.replace(".", "-")},
        swoogo={"base_url": "http://127.0.0.1/api/v1", "credit_limit": 1_000_000},
        keys={"private": keys.private},
    )
    sandbox = SandboxSwoogo(
        switches=Switches(event_expand=expand),  # type: ignore[arg-type] # the caller names its values
        credentials=[Credential(_KEY, _SECRET)],
        limit=10_000_000,
    )
    sandbox.seed(_content(given))
    transport = _Canned(httpx.ASGITransport(app=create_app(sandbox)))
    bound, clock, nowhere = open_stores(settings), SystemClock(), _Nowhere()
    images = open_images(settings.images)
    ledger = RedisLedger(bound.redis, bound.keys, bound.scripts, nowhere)
    feed = IssueFeed(bound.redis, bound.keys, bound.scripts, bound.connections, _NoIssues())
    time = ServerTime(bound.redis, clock)
    budget = RedisBudget(bound.redis, bound.keys, bound.scripts, bound.leases, clock, settings.swoogo, time)
    client = SwoogoClient(
        settings.swoogo,
        budget,
        RedisTokens(bound.redis, bound.keys, bound.scripts, TokenCipher(keys.private)),
        clock,
        lambda _: (_KEY, _SECRET),
        RedisCircuits(bound.redis, bound.keys, bound.scripts, clock, settings.swoogo),
        transport,
    )
    board = RedisStatusBoard(bound.redis, bound.keys, bound.scripts, nowhere, feed)
    queue = ImageQueue(images)
    timeline = RedisTimeline(bound.redis, bound.keys, bound.scripts)
    ports = PushPorts(bound.inbox, ledger, client, budget, queue, board, clock, bound.connections, nowhere, timeline)
    try:
        bench = Bench(
            settings,
            given,
            build_pusher(ports, settings.push, settings.reconcile, settings.swoogo),
            transport,
            clock,
            sandbox,
        )
        await _fill(bench, ledger)
        yield bench
    finally:
        await images.aclose()
        await client.aclose()
        await bound.redis.aclose()


async def _fill(bench: Bench, ledger: RedisLedger) -> None:
    """The snapshot and the ledger of an event that was pushed completely."""
    inbox, snapshot, subject = bench.pusher.inbox, bench.given.snapshot, event_subject(bench.event_id)
    changes = [Change(f"session/{key}", f"{1:015d}", codecs.encode(each)) for key, each in snapshot.sessions.items()]
    changes += [Change(f"contact/{key}", f"{1:015d}", codecs.encode(each)) for key, each in snapshot.contacts.items()]
    await inbox.record(subject, changes)
    await inbox.set_continuous(bench.event_id, on=True)
    lease = await inbox.claim(subject, "fill")
    if lease is None:
        raise RuntimeError("The event cannot be claimed.")
    entries = list(bench.given.ledger.items())
    for start in range(0, len(entries), 1_000):
        await ledger.put(lease, dict(entries[start : start + 1_000]))
    await ledger.flush(lease)
    await inbox.complete(lease, (await inbox.load(bench.event_id)).marks)


def _content(given: PlanInput) -> dict[str, Any]:
    """The same records as the sandbox holds them."""
    mapping: EventMapping = given.mapping
    event_id = mapping.swoogo_event_id
    content: dict[str, Any] = {"events": [{"id": event_id, "name": "Bench", "timezone": mapping.timezone}]}
    for kind, path in {**_PATHS, Kind.LOCATION: "locations", Kind.TRACK: "tracks"}.items():
        content[path] = [
            {"id": entry.swoogo_id, "event_id": event_id, **_values(kind, entry)}
            for _, entry in entries_of(given.ledger, kind)
        ]
    return content


def _values(kind: Kind, entry: Entry) -> dict[str, Any]:
    wanted = {
        Kind.SESSION: ("name", "date", "start_time", "end_time"),
        Kind.SPEAKER: ("first_name", "last_name", "email", "job_title", "company"),
    }.get(kind, ("name",))
    text = "description" if kind is Kind.SESSION else "bio" if kind is Kind.SPEAKER else ""
    values: dict[str, Any] = {name: entry.pushed[name] for name in wanted}
    return values | ({text: "<p>" + "What an engine can do. " * 5 + "</p>"} if text else {})
