"""What a Swoogo client works with in tests: a clock that stands still, credits and tokens in memory, a scripted API."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from consumer.adapters.sealing import credential_id
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.connections.connection import Connection, IntegrationRequest
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import LeaseLostError
from consumer.domain.pacing.circuit import CircuitRule
from consumer.domain.push.run import Trigger
from consumer.ports import Grant, Lease, Work, event_subject
from consumer.settings import SwoogoSettings
from tests.support.fakes import InMemoryCircuits

KEY = "k/ey:1"
SECRET = "s ecret+é"
EVENT = 12
NOW = 1_754_654_400_000
"""2025-08-08 12:00:00 UTC."""

Reply = httpx.Response | Exception | Callable[[httpx.Request], Any]


# Of all clocks together: no two replicas ever give the same.
_IDS = itertools.count(1)


class Time:
    """Moves only by sleeping, which takes no time."""

    def __init__(self) -> None:
        self.ms = NOW
        self.slept: list[float] = []

    def now(self) -> int:
        return self.ms

    def ticks(self) -> int:
        return self.ms * 1_000_000

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ms += round(seconds * 1000)
        await asyncio.sleep(0)

    def new_id(self) -> str:
        return f"id-{next(_IDS):06d}"

    def jitter(self) -> float:
        return 1.0


class MemoryBudget:
    """Gives every permit at once and remembers what became of it."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.log = [] if log is None else log
        self.open: dict[str, Grant] = {}
        self.credits = 0
        self.observed: list[tuple[int, float]] = []
        self.holds: list[float] = []
        self.lease_lost = False
        self._ids = 0

    async def permit(self, work: Work, cost: int, seconds: float) -> Grant:
        if self.lease_lost:
            raise LeaseLostError("the lease is over")
        self._ids += 1
        grant = Grant(str(self._ids), work.connection.credential, cost)
        self.open[grant.id] = grant
        self.log.append(f"permit {cost}")
        return grant

    async def spent(self, grant: Grant, *, remaining: int | None = None, reset: float | None = None) -> None:
        self.credits += self._close_grant(grant)
        if remaining is not None and reset is not None:
            self.observed.append((remaining, reset))

    async def returned(self, grant: Grant) -> None:
        self._close_grant(grant)

    async def throttled(self, grant: Grant, reset: float) -> None:
        self._close_grant(grant)
        self.holds.append(reset)

    async def left(self, credential: str) -> int:
        return 2_000 - self.credits

    async def surveys(self, work: Work, cost: int, seconds: float) -> int:
        return cost

    def _close_grant(self, grant: Grant) -> int:
        return self.open.pop(grant.id).cost


class MemoryTokens:
    """One store, as all replicas share it."""

    def __init__(self, clock: Time) -> None:
        self._clock = clock
        self.tokens: dict[str, tuple[str, int]] = {}
        self.locks: dict[str, tuple[str, int]] = {}
        self.kept_for: list[float] = []

    async def get(self, credential: str) -> str | None:
        token, until = self.tokens.get(credential, ("", 0))
        return token if self._clock.now() < until else None

    async def put(self, credential: str, token: str, seconds: float) -> None:
        self.kept_for.append(seconds)
        self.tokens[credential] = (token, self._clock.now() + round(seconds * 1000))

    async def drop(self, credential: str, token: str) -> None:
        if self.tokens.get(credential, ("", 0))[0] == token:
            del self.tokens[credential]

    async def lock(self, whose: str, owner: str, seconds: float, *, what: str = "token") -> bool:
        holder, until = self.locks.get(whose, (owner, 0))
        if holder != owner and self._clock.now() < until:
            return False
        self.locks[whose] = (owner, self._clock.now() + round(seconds * 1000))
        return True

    async def unlock(self, whose: str, owner: str, *, what: str = "token") -> None:
        if self.locks.get(whose, ("", 0))[0] == owner:
            del self.locks[whose]


@dataclass
class Api:
    """Answers API calls from a script, the last reply for ever; token calls get a new token each."""

    replies: list[Reply] = field(default_factory=list)
    token_replies: list[Reply] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    calls: list[httpx.Request] = field(default_factory=list)
    token_calls: list[httpx.Request] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if request.url.path.endswith("/oauth2/token"):
            self.log.append("token call")
            self.token_calls.append(request)
            return await self._answer(self.token_replies, request, token(f"token-{len(self.token_calls)}"))
        self.log.append(f"{request.method} {request.url.path.removeprefix('/api/v1')}")
        self.calls.append(request)
        return await self._answer(self.replies, request, answer({}))

    async def _answer(self, script: list[Reply], request: httpx.Request, default: httpx.Response) -> httpx.Response:
        reply: Any = default if not script else script.pop(0) if len(script) > 1 else script[0]
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            reply = await reply(request)
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    @property
    def forms(self) -> list[dict[str, str]]:
        """The form bodies of the API calls."""
        return [dict(httpx.QueryParams(call.content.decode()).multi_items()) for call in self.calls]


def answer(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    """A JSON answer; header names with underscores for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, content=b"" if body is None else msgspec.json.encode(body))


def token(text: str, expires_at: str = "2025-08-08 12:30:00", **more: Any) -> httpx.Response:
    """The documented answer of the token call (swoogo-api.md 1)."""
    return answer({"access_token": text, "expires_at": expires_at, "type": "bearer"} | more)


def page(rows: Iterable[dict[str, Any]], total: int | str) -> httpx.Response:
    """A list answer (swoogo-api.md 2.3)."""
    return answer({"items": list(rows), "_links": {}, "_meta": {"totalCount": total}})


def a_work(epoch: int = 1, trigger: Trigger = Trigger.CHANGES, event_id: int = EVENT, key: str = KEY) -> Work:
    """A claim on an event whose organization uses the test's credential."""
    credential = credential_id(key)
    return Work(
        EventMapping("event-1", "org-1", event_id, "Asia/Tokyo", credential),
        Connection("org-1", credential, continuous=True, secret_name=key),
        Lease(event_subject("event-1"), epoch, "op"),
        trigger,
    )


def open_credentials(source: Connection | IntegrationRequest) -> tuple[str, str]:
    """In these tests the name of the secret is the consumer key."""
    return source.secret_name, SECRET


@dataclass
class World:
    """A client and everything around it."""

    client: SwoogoClient
    api: Api
    budget: MemoryBudget
    tokens: MemoryTokens
    clock: Time
    circuits: InMemoryCircuits


def a_world(
    *replies: Reply,
    token_replies: Iterable[Reply] = (),
    settings: SwoogoSettings | None = None,
    rule: CircuitRule | None = None,
    **changed: Any,
) -> World:
    """A client of an API that answers with these replies; `changed` are settings of it."""
    clock, log = Time(), list[str]()
    api = Api(list(replies), list(token_replies), log)
    budget, tokens = MemoryBudget(log), MemoryTokens(clock)
    chosen = settings or SwoogoSettings(**changed)
    # Most tests are about one call and its repeats; the circuit has tests of its own.
    circuits = InMemoryCircuits(clock, rule or CircuitRule(failures=1_000))
    client = SwoogoClient(chosen, budget, tokens, clock, open_credentials, circuits, httpx.MockTransport(api))
    return World(client, api, budget, tokens, clock, circuits)
