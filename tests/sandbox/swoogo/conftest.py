"""A sandbox with one credential and two events, and a caller of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.swoogo import Credential, SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller, Clock, client_of

EVENT = 12
OTHER_EVENT = 13
FOREIGN_EVENT = 99


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> SandboxSwoogo:
    """Event 12 (Tokyo) and 13 of our account; event 99 of another one."""
    sandbox = SandboxSwoogo(
        credentials=[Credential("key", "s ecret:1"), Credential("other", "x", account="elsewhere")], clock=clock
    )
    sandbox.seed(
        {
            "events": [
                {"id": EVENT, "name": "Conference", "timezone": "Asia/Tokyo"},
                {"id": OTHER_EVENT, "name": "Meeting", "timezone": "Europe/London"},
                {"id": FOREIGN_EVENT, "name": "Foreign", "account": "elsewhere"},
            ]
        }
    )
    return sandbox


@pytest.fixture
async def client(sandbox: SandboxSwoogo) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(sandbox) as client:
        yield client


@pytest.fixture
def swoogo(client: httpx.AsyncClient) -> Caller:
    return Caller(client, "key", "s ecret:1")
