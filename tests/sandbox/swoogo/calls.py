"""A clock that stands still and a caller of the sandbox, for the tests beside it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote_plus

import httpx

from sandbox.swoogo import SandboxSwoogo, create_app


class Clock:
    """Seconds since the epoch that move only when told to: 2025-08-08 12:00:00 UTC."""

    def __init__(self) -> None:
        self.now = 1_754_654_400.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def basic(key: str, secret: str) -> dict[str, str]:
    """The Basic header of a token call."""
    text = f"{quote_plus(key)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


class Caller:
    """Calls of one credential; a token is asked for when it is first needed."""

    def __init__(self, client: httpx.AsyncClient, key: str, secret: str) -> None:
        self.client, self.key, self.secret = client, key, secret
        self._token: str | None = None

    async def token(self) -> httpx.Response:
        return await self.client.post(
            "/oauth2/token", data={"grant_type": "client_credentials"}, headers=basic(self.key, self.secret)
        )

    async def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        if self._token is None:
            self._token = str((await self.token()).json()["access_token"])
        headers = {"Authorization": f"Bearer {self._token}"} | kwargs.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **kwargs)

    async def get(self, path: str) -> httpx.Response:
        return await self.call("GET", path)

    async def items(self, path: str) -> list[dict[str, Any]]:
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def ids(self, path: str) -> list[int]:
        return [item["id"] for item in await self.items(path)]

    async def create(self, kind: str, **form: Any) -> httpx.Response:
        return await self.call("POST", f"/{kind}/create", data={name: str(value) for name, value in form.items()})

    async def update(self, kind: str, number: int, **form: Any) -> httpx.Response:
        data = {name: str(value) for name, value in form.items()}
        return await self.call("PUT", f"/{kind}/update/{number}", data=data)

    async def link(self, speaker_id: int, session_ids: Iterable[Any]) -> httpx.Response:
        path = f"/speakers/{speaker_id}/session.json"
        return await self.call("POST", path, json={"session_ids": list(session_ids)})


@asynccontextmanager
async def client_of(sandbox: SandboxSwoogo) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of a sandbox in this process."""
    transport = httpx.ASGITransport(app=create_app(sandbox))
    async with httpx.AsyncClient(transport=transport, base_url="http://swoogo") as client:
        yield client
