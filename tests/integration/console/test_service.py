"""K3, K4: the role as a process has it: over HTTP, with tokens of an issuer, and refusing to start where it must."""

from __future__ import annotations

from typing import Any, Final

import httpx
import pytest
from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.console.serve import console_service
from consumer.observability.telemetry import Telemetry
from consumer.settings import Settings, load_settings
from tests.support.issuer import AUDIENCE, GROUPS, ISSUER, Issuer

pytestmark = [pytest.mark.integration, pytest.mark.rule("K3", "K4")]

HOST: Final = {"host": "console.example.org"}


def settings(redis_url: str, **console: Any) -> Settings:
    given = {"enabled": True, "port": 0, **console}
    kafka = {"bootstrap_servers": "127.0.0.1:1"}
    return load_settings(role="console", redis={"url": redis_url, "prefix": "role"}, kafka=kafka, console=given)


async def test_a_token_opens_the_console_and_headers_do_not(redis: Redis, redis_url: str) -> None:
    """From the issuer's keys to the page, with a token longer than the head of a probe may be."""
    issuer = Issuer(clock=SystemClock())
    async with issuer.served() as address:
        oidc = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": f"{address}/jwks", **GROUPS}
        chosen = settings(redis_url, public_url="https://console.example.org", oidc=oidc)
        async with console_service(chosen, Telemetry(chosen)) as running, httpx.AsyncClient() as client:
            page = f"http://127.0.0.1:{running.port}/"

            async def ask(token: str, **headers: str) -> httpx.Response:
                given = {"authorization": f"Bearer {token}"} if token else {}
                return await client.get(page, headers={**HOST, **given, **headers})

            groups = ["sync-operators", *(f"team-{number}" for number in range(1_000))]
            shown = await ask(issuer.token(groups=groups))
            assert (shown.status_code, "Ada Byron" in shown.text) == (200, True)
            assert (await ask("")).status_code == 401
            assert (
                await ask("", **{"x-forwarded-user": "root", "x-forwarded-groups": "sync-operators"})
            ).status_code == 401
            assert (await ask(issuer.token(exp=1))).status_code == 401
            assert (await ask(issuer.unsigned())).status_code == 401
            assert (await ask(issuer.token(groups=["strangers"]))).status_code == 403
            assert (await ask(issuer.token(), host="localhost")).status_code == 421
            issuer.away = True
            assert (await ask(issuer.token())).status_code == 200
            assert (await client.get(f"{page}static/style.css", headers=HOST)).status_code == 200


async def test_without_its_issuer_a_console_says_that_it_cannot_tell_who_asks(redis: Redis, redis_url: str) -> None:
    issuer = Issuer(clock=SystemClock())
    oidc = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": "http://127.0.0.1:1/jwks", **GROUPS}
    chosen = settings(redis_url, public_url="https://console.example.org", oidc=oidc)
    async with console_service(chosen, Telemetry(chosen)) as running, httpx.AsyncClient() as client:
        headers = {**HOST, "authorization": f"Bearer {issuer.token()}"}
        answer = await client.get(f"http://127.0.0.1:{running.port}/", headers=headers)
    assert answer.status_code == 503
    assert "the keys of the sign-in are away" in answer.text


async def test_this_machine_needs_no_token_and_a_proxy_does(redis: Redis, redis_url: str) -> None:
    chosen = settings(redis_url)
    async with console_service(chosen, Telemetry(chosen)) as running, httpx.AsyncClient() as client:
        page = f"http://127.0.0.1:{running.port}/"
        assert "This machine" in (await client.get(page)).text
        assert (await client.get(page, headers={"x-forwarded-for": "10.0.0.1"})).status_code == 403
        assert (await client.get(page, headers={"host": "evil.example.org"})).status_code == 421


async def test_a_console_that_is_off_or_open_to_all_does_not_start(redis: Redis, redis_url: str) -> None:
    off = settings(redis_url, enabled=False)
    with pytest.raises(ConfigurationError, match="CONSOLE__ENABLED"):
        async with console_service(off, Telemetry(off)):
            pass
    # As `swoogo-sync console` makes them: not checked when they were read.
    opened = off.model_copy(update={"console": off.console.model_copy(update={"enabled": True, "host": "0.0.0.0"})})
    with pytest.raises(ConfigurationError, match="no one would be asked who they are"):
        async with console_service(opened, Telemetry(opened)):
            pass
