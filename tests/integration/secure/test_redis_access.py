"""TLS and a limited user on a real Redis or Valkey: the documented rights are enough, a refusal is told."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

import consumer
from consumer.adapters.redis.client import connect
from consumer.adapters.redis.server_checks import check_redis, explain_connection_error
from consumer.diagnostics.redis import check_redis_server
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.settings import Settings, load_settings
from tests.support.certificates import KEY_PASSWORD, Certificates, certificates
from tests.support.secure_redis import PASSWORD, USER, SecureRedis, documented_commands, secure_redis

pytestmark = pytest.mark.integration

PREFIX: Final = "secure-test"
# What redis-py calls a command by another name, or sends itself.
_SPELLED: Final[Mapping[str, set[str]]] = {
    "delete": {"del"},
    "scan_iter": {"scan"},
    "hscan_iter": {"hscan"},
    "config_get": {"config|get"},
    "register_script": {"evalsha", "script|load"},
    "eval": {"eval"},
}
_NO_COMMAND: Final = {"pipeline", "execute", "aclose", "from_pool", "execute_command", "everywhere", "at", "map"}


@dataclass(frozen=True, slots=True)
class Ground:
    """Two of them: one that asks for a certificate, and one that does not."""

    usual: SecureRedis
    asking: SecureRedis
    files: Certificates

    def settings(self, server: SecureRedis, **changes: Any) -> Settings:
        """The service's, as docs/access.md writes them."""
        own = {
            "url": server.url,
            "prefix": PREFIX,
            "username": USER,
            "password": PASSWORD,
            "tls": {"ca_file": self.files.authority},
        }
        return load_settings(redis=own | changes)

    @property
    def certificate(self) -> dict[str, Any]:
        """Our own, for `tls`."""
        return {
            "ca_file": self.files.authority,
            "cert_file": self.files.client_certificate,
            "key_file": self.files.client_key,
            "key_password": KEY_PASSWORD,
        }


@pytest.fixture(scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    files = certificates(tmp_path_factory.mktemp("certificates"), USER)
    async with secure_redis(files, PREFIX) as usual, secure_redis(files, PREFIX, ask=True) as asking:
        yield Ground(usual, asking, files)


async def test_a_limited_user_comes_in_by_tls_and_cannot_leave_its_prefix(ground: Ground) -> None:
    settings = ground.settings(ground.usual)
    assert PASSWORD not in str(settings.redis.url)
    async with connect(settings.redis) as redis:
        await check_redis(redis, settings.redis)
        await redis.set(f"{PREFIX}:{{a}}:b", b"1")
        assert await redis.get(f"{PREFIX}:{{a}}:b") == b"1"
        with pytest.raises(NoPermissionError):
            await redis.set("another:key", b"1")
        for forbidden in (["FLUSHALL"], ["KEYS", "*"], ["CONFIG", "SET", "maxmemory", "1"], ["ACL", "LIST"]):
            with pytest.raises(NoPermissionError):
                await redis.execute_command(*forbidden)  # type: ignore[no-untyped-call]


async def test_a_certificate_of_our_own_is_shown_where_it_is_asked_for(ground: Ground) -> None:
    settings = ground.settings(ground.asking, tls=ground.certificate)
    async with connect(settings.redis) as redis:
        await check_redis(redis, settings.redis)


REFUSED: dict[str, tuple[Callable[[Ground], Settings], str]] = {
    "a wrong password": (
        lambda ground: ground.settings(ground.usual, password="canary-wrong"),
        (
            "refused the login of swoogo-sync (invalid username-password pair or user is disabled); check "
            "SWOOGO_SYNC_REDIS__USERNAME and SWOOGO_SYNC_REDIS__PASSWORD"
        ),
    ),
    "an authority no one knows": (
        lambda ground: ground.settings(ground.usual, tls={"ca_file": ground.files.stranger}),
        "and that the certificate names this host.",
    ),
    "the authorities of the system": (
        lambda ground: ground.settings(ground.usual, tls={}),
        "is not accepted (",
    ),
    "the certificate of another host": (
        lambda ground: ground.settings(ground.usual, url=ground.usual.url.replace("127.0.0.1", "localhost")),
        "Hostname mismatch",
    ),
    "a file that is not there": (
        lambda ground: ground.settings(ground.usual, tls={"ca_file": "/nowhere/ca.pem"}),
        "SWOOGO_SYNC_REDIS__TLS__CA_FILE names /nowhere/ca.pem, which cannot be read",
    ),
    "a user without the rights": (
        lambda ground: ground.settings(ground.usual, username="nothing", password="canary"),
        "does not let the user nothing do what the service does; give it the rights that docs/access.md lists.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_whoever_is_not_let_in_is_told_in_one_sentence_what_to_check(ground: Ground, what: str) -> None:
    """Names the setting, and shows no secret."""
    async with Redis.from_url(ground.usual.plain) as admin:
        await admin.execute_command("ACL", "SETUSER", "nothing", "on", ">canary")  # type: ignore[no-untyped-call]
    way, says = REFUSED[what]
    settings = way(ground)
    with pytest.raises(ConfigurationError) as caught:
        async with connect(settings.redis) as redis:
            await check_redis(redis, settings.redis)
    assert says in str(caught.value)
    assert "canary" not in str(caught.value)
    if what != "a file that is not there":  # no client comes of that
        async with connect(settings.redis) as redis:
            assert [each.sentence for each in await check_redis_server(redis, settings.redis)] == [str(caught.value)]


def test_protected_mode_is_told_in_the_words_of_the_server(ground: Ground) -> None:
    said = ResponseError("DENIED Redis is running in protected mode because protected mode is enabled. More follows.")
    told = explain_connection_error(ground.settings(ground.usual).redis, said)
    assert isinstance(told, ConfigurationError)
    assert "(DENIED Redis is running in protected mode because protected mode is enabled)" in str(told)


async def test_a_redis_that_is_away_or_asks_for_a_certificate_is_told_too(ground: Ground) -> None:
    """With TLS 1.3 the server's refusal of a missing certificate looks like a connection that ends."""
    for settings in (
        ground.settings(ground.usual, url="rediss://127.0.0.1:1/0"),
        ground.settings(ground.asking),
    ):
        with pytest.raises((UnavailableError, ConfigurationError), match="SWOOGO_SYNC_REDIS__"):
            async with connect(settings.redis) as redis:
                await check_redis(redis, settings.redis)


def test_every_command_that_the_code_sends_is_documented() -> None:
    """docs/access.md is what operators paste: a command missing there would fail in production only."""
    sent: set[str] = set()
    for script in (Path(consumer.__file__).parent / "adapters" / "redis" / "lua").rglob("*.lua"):
        sent |= {name.lower() for name in re.findall(r"redis\.p?call\(\s*['\"]([A-Za-z]+)", script.read_text())}
    for path in Path(consumer.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if name in {"redis", "_redis", "pipe"} and node.func.attr not in _NO_COMMAND:
                    sent |= _SPELLED.get(node.func.attr, {node.func.attr})
    assert {"hset", "evalsha", "time", "scan", "del"} <= sent
    assert sent - documented_commands() == set()
