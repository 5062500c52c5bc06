"""CONSOLE: CPU and size of every page over 10,000 events, one of them with 10,000 records; refreshes; memory."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx
from redis.asyncio import Redis

from benchmarks.figure import Figure
from benchmarks.planning import unchanged
from benchmarks.servers import Ground
from benchmarks.usage import cpu_seconds, memory
from consumer.adapters.redis import codecs
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.domain.planning.planner import PlanInput
from consumer.domain.records.identity import Source, key_of, stamp
from consumer.entrypoints.console.routes import ROUTES
from consumer.ports import Change, event_subject
from consumer.settings import PREFIX, load_settings
from sandbox.demo.world import Servers, ServiceProcess
from sandbox.embedded.server import HOST, free_ports

NAME: Final = "console"
_PAGE_MS: Final = 100.0
_PAGE_KB: Final = 100.0
_REFRESH_MS: Final = 10.0
_REDIS_PERCENT: Final = 5.0
_ADDED_MB: Final = 15.0
_VIEWERS: Final = 20
_EVERY: Final = 10.0
"""Seconds between two refreshes of a viewer."""
_ROUNDS: Final = 20
_AT_ONCE: Final = 500
_LONGEST: Final = 60.0
_HREF: Final = re.compile(r'href="(/[^"#]*)')

Get = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one page: ms of CPU, thousands of bytes, and ms of CPU of a refresh that brings nothing new."""

    cpu: float
    size: float
    refresh: float


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is 10,000 events and 10,000 records."""
    servers = ground.named(NAME)
    events, sessions = max(20, round(10_000 * scale)), max(20, round(4_900 * scale))
    rounds = max(2, round(_ROUNDS * min(scale, 1)))
    given = unchanged(sessions=sessions, places=max(2, round(100 * scale)))
    await _fill(servers, given, events)
    base = await _imported()
    async with _running(servers) as (pid, client):
        paths = await addresses(lambda path: _text(client, path))
        rest = memory(pid).resident
        costs = {name: await _cost(pid, client, path, rounds) for name, path in paths.items()}
        percent = await _redis_percent(servers.redis_url, client, list(paths.values()), rounds)
    slow, large, stale = (max(costs, key=lambda name: getattr(costs[name], by)) for by in ("cpu", "size", "refresh"))
    over = f"{events:,} events, one with {len(given.ledger):,} records"
    each = ", ".join(f"{name} {cost.cpu:.0f} ms {cost.size:.0f} kB" for name, cost in costs.items())

    def figure(what: str, value: float, unit: str, goal: float, note: str) -> Figure:
        return Figure(benchmark=NAME, what=what, value=value, unit=unit, goal=goal, note=note)

    return [
        figure(f"the slowest page ({slow})", costs[slow].cpu, "ms CPU", _PAGE_MS, f"{over}: {each}."),
        figure(f"the largest page ({large})", costs[large].size, "kB", _PAGE_KB, over),
        figure(f"refresh of an unchanged page ({stale})", costs[stale].refresh, "ms CPU", _REFRESH_MS, "304"),
        figure(
            f"Redis with {_VIEWERS} viewers", percent, "% of a core", _REDIS_PERCENT, f"a refresh each {_EVERY:g} s"
        ),
        figure(
            "what the role adds in memory", rest - base, "MB", _ADDED_MB, f"{rest:.0f} MB; a service {base:.0f} MB."
        ),
    ]


async def addresses(get: Get) -> dict[str, str]:
    """One path of each page that links lead to from the first one, by the name of its route. `get`: the page's HTML."""
    known = {page.name: _pattern(page.path) for page in ROUTES if "GET" in page.methods}
    found: dict[str, str] = {}
    ahead, seen = ["/"], {"/"}
    while ahead:
        path = ahead.pop(0)
        name = next((name for name, pattern in known.items() if pattern.fullmatch(path.partition("?")[0])), "")
        if not name or name in found:
            continue
        found[name] = path
        fresh = [link.replace("&amp;", "&") for link in _HREF.findall(await get(path))]
        ahead += [link for link in dict.fromkeys(fresh) if link not in seen]
        seen |= set(fresh)
    return found


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+(:path)?\}", path)
    return re.compile(
        "".join(re.escape(part or "") if at % 2 == 0 else (".+" if part else "[^/]+") for at, part in enumerate(parts))
    )


async def _text(client: httpx.AsyncClient, path: str) -> str:
    return (await client.get(path)).raise_for_status().text


async def _cost(pid: int, client: httpx.AsyncClient, path: str, rounds: int) -> Cost:
    answer = (await client.get(path)).raise_for_status()
    began = _cpu_ms(pid)
    for _ in range(rounds):
        await client.get(path)
    drawn = _cpu_ms(pid)
    same = 0
    for _ in range(rounds):
        again = await client.get(path, headers={"if-none-match": answer.headers.get("etag", "")})
        same += again.status_code == 304
    refreshed = max(_cpu_ms(pid) - drawn, 1.0) if same == rounds else 0.0  # a tick is longer than some take
    return Cost(max(drawn - began, 1.0) / rounds, len(answer.content) / 1000, refreshed / rounds)


def _cpu_ms(pid: int) -> float:
    """CPU time of the process, ms, in ticks of 10."""
    return cpu_seconds(pid) * 1000


async def _redis_percent(url: str, client: httpx.AsyncClient, paths: list[str], rounds: int) -> float:
    """What the refreshes of all viewers, on pages in turn, cost Redis in percent of a core."""
    async with Redis.from_url(url) as redis:

        async def used() -> float:
            said = await redis.info("cpu")
            return float(said["used_cpu_user"]) + float(said["used_cpu_sys"])

        before = await used()
        for at in range(rounds * len(paths)):
            await client.get(paths[at % len(paths)])
        each = (await used() - before) / (rounds * len(paths))
    return each * _VIEWERS / _EVERY * 100


async def _imported() -> float:
    """Resident MB of a process that has imported the service."""
    code = "import consumer.app, sys; print(flush=True); sys.stdin.read()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    resident = memory(process.pid).resident
    await process.communicate(b"")
    return resident


@asynccontextmanager
async def _running(servers: Servers) -> AsyncIterator[tuple[int, httpx.AsyncClient]]:
    """`swoogo-sync console`: its process, and a client of it."""
    port = free_ports(1)[0]
    own = {"REDIS__URL": servers.redis_url, "REDIS__PREFIX": servers.prefix, "CONSOLE__RATE": "100000"}
    own |= {"CONSOLE__ORDERS": "on", "LOG__LEVEL": "WARNING"}
    command = (sys.executable, "-m", "consumer.entrypoints.cli", "console", "--port", str(port))
    with TemporaryDirectory() as folder:
        environment = {f"{PREFIX}{name}": value for name, value in own.items()}
        process = ServiceProcess(environment, Path(folder) / "log", command)
        process.start()
        try:
            fresh = httpx.Limits(max_keepalive_connections=0)  # the console ends connections after a minute
            address = f"http://{HOST}:{port}"
            async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=_LONGEST, limits=fresh) as client:
                async with asyncio.timeout(_LONGEST):
                    while not await _answers(client):
                        process.check()
                        await asyncio.sleep(0.05)
                assert process.pid is not None
                yield process.pid, client
        finally:
            process.stop()


async def _answers(client: httpx.AsyncClient) -> bool:
    with suppress(httpx.TransportError):
        return (await client.get("/static/style.css")).is_success
    return False


async def _fill(servers: Servers, given: PlanInput, events: int) -> None:
    """The event of all records, and beside it so many others."""
    redis = {"url": servers.redis_url, "prefix": servers.prefix}
    stores = open_stores(load_settings(redis=redis, debounce={"quiet_period": 0.0, "max_wait": 0.0}))
    try:
        org_id, mapping = given.mapping.org_id, replace(given.mapping, name="Engines")
        for start in range(0, events, _AT_ONCE):
            others = [f"ev{number}" for number in range(start, min(start + _AT_ONCE, events))]
            made = [replace(mapping, event_id=each, name=f"Event {each}", swoogo_event_id=9) for each in others]
            await asyncio.gather(*(stores.connections.put_mapping(org_id, each.event_id, each) for each in made))
        await stores.connections.put_mapping(org_id, mapping.event_id, mapping)
        await stores.inbox.set_continuous(mapping.event_id, on=True)
        await _push(stores, given)
    finally:
        await stores.redis.aclose()


class Nowhere:
    """Stands for the changelog."""

    async def write(self, event_id: str, entries: object) -> None: ...

    async def note(self, event_id: str, deletions: object) -> None: ...


async def _push(stores: Stores, given: PlanInput) -> None:
    """Everything is recorded, and in Swoogo."""
    subject, at = event_subject(given.mapping.event_id), stamp(1, 1, 0)
    sessions, people = given.snapshot.sessions.values(), given.snapshot.contacts.values()
    changes = [Change(key_of(Source.SESSION, each.id), at, codecs.encode(each)) for each in sessions]
    changes += [Change(key_of(Source.CONTACT, each.id), at, codecs.encode(each)) for each in people]
    for start in range(0, len(changes), _AT_ONCE):
        await stores.inbox.record(subject, changes[start : start + _AT_ONCE])
    lease = await stores.inbox.claim(subject, "op")
    assert lease is not None
    marks = (await stores.inbox.load(subject.id)).marks
    await RedisLedger(stores.redis, stores.keys, stores.scripts, Nowhere()).put(lease, given.ledger)
    await stores.inbox.complete(lease, marks)
