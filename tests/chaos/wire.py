"""The way to the sandbox Swoogo: httpx hands a request over, the sandbox answers it as a process of its own would.

A call that has been handed over takes effect whatever becomes of the caller.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Final

import httpx

from sandbox.swoogo.server import SandboxSwoogo
from tests.chaos.effects import Effects
from tests.chaos.machine import current, seconds, task_outside

_FOREVER: Final = 10_000.0
_GIVEN_UP: Final = 15.0
_LATEST: Final = 100.0
"""Seconds after it was given up that a call may take effect; less than `push.create_settle_time`."""


class Wire(httpx.AsyncBaseTransport):
    """One process's connections to the sandbox."""

    def __init__(self, sandbox: SandboxSwoogo, effects: Effects) -> None:
        self._sandbox = sandbox
        self._effects = effects
        self._inside = httpx.ASGITransport(app=sandbox.api, raise_app_exceptions=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; what strikes on the way is what a network does."""
        effects = self._effects
        kind = effects.strike(f"swoogo {label(request)}") if current() else ""
        await effects.before(kind)
        if kind == "pause before":
            # Stopped while it connects: what timers have run out by then is noticed before the first byte goes out.
            for _ in range(5):
                await asyncio.sleep(0)
        if kind == "drop before effect":
            raise httpx.ConnectError("connection refused", request=request)
        content = await request.aread()
        if kind == "error":
            return _answer(request, effects.chance.choice((500, 502, 503)))
        if kind == "throttled":
            return _answer(request, 429, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "7"})
        if kind == "token expired":
            self._sandbox.expire_tokens()
        if kind == "hang":
            await asyncio.sleep(_FOREVER)
        if kind == "late effect":
            task_outside(self._late(request, content))
            await asyncio.sleep(_GIVEN_UP)
            raise httpx.ReadTimeout("nothing came yet", request=request)
        answer = task_outside(self._exchange(request.method, request.url, request.headers, content))
        await effects.latency(0.3)
        status, headers, body = await answer
        await effects.latency(0.3)
        await effects.after(kind)
        if kind == "drop after effect":
            raise httpx.ReadError("connection reset", request=request)
        if kind == "timeout after effect":
            await asyncio.sleep(15.0)
            raise httpx.ReadTimeout("nothing came", request=request)
        if kind == "error after effect":
            return _answer(request, 502)
        if kind == "half answer" and len(body) > 2:
            headers = httpx.Headers({**headers, "content-length": str(len(body) // 2)})
            body = body[: len(body) // 2]
        return httpx.Response(status, headers=headers, content=body, request=request)

    async def _late(self, request: httpx.Request, content: bytes) -> None:
        """What was to be written is written, though no one waits for the answer any more.

        Credits are counted when a call arrives, so it goes through later in the name of another credential.
        """
        accounts, settings = self._sandbox.accounts, self._sandbox.settings
        caller = accounts.by_bearer(request.headers.get("authorization", ""), now=seconds())
        if caller is None or request.method == "GET":
            return
        meter = accounts.meter(caller)
        if not meter.affords(1, now=seconds(), allowance=settings.allowance):
            return
        meter.spend(1, now=seconds(), allowance=settings.allowance)
        self._effects.late += 1
        await asyncio.sleep(_GIVEN_UP + self._effects.chance.uniform(0.0, _LATEST))
        twin = replace(caller, key=f"{caller.key}, late")
        accounts.admit(twin)
        token = accounts.give_token(twin, now=seconds(), lifetime=60.0, revoke=False)["access_token"]
        headers = httpx.Headers({**request.headers, "authorization": f"Bearer {token}"})
        await self._exchange(request.method, request.url, headers, content)
        self._effects.late -= 1

    async def _exchange(
        self, method: str, url: httpx.URL, headers: httpx.Headers, content: bytes
    ) -> tuple[int, httpx.Headers, bytes]:
        response = await self._inside.handle_async_request(httpx.Request(method, url, headers=headers, content=content))
        return response.status_code, response.headers, await response.aread()


def _answer(request: httpx.Request, status: int, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, headers=headers, json={"message": "chaos"}, request=request)


def label(request: httpx.Request) -> str:
    """Method and path, without ids."""
    path = request.url.path.rpartition("/api/v1/")[2]
    return f"{request.method} {re.sub(r'/[0-9]+|[.]json', '', path)}"
