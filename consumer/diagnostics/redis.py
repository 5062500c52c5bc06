"""Redis: reachable, young enough, keeps what it is given, lets us do what we need, and has the right time."""

from __future__ import annotations

import time
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from consumer.adapters.redis.server_checks import explain_connection_error, servers_of, unsupported
from consumer.adapters.redis.server_time import MOST_APART_SECONDS, clocks_apart
from consumer.diagnostics.check_result import CheckResult
from consumer.domain.errors import UnavailableError
from consumer.settings import RedisSettings

_PART: Final = "redis"
_OLDEST: Final = (6, 2)
_SKEW_SECONDS: Final = 5.0


async def check_redis_server(redis: Redis, settings: RedisSettings) -> list[CheckResult]:
    """Everything about Redis; a refusal in the words that every other command has for it."""
    try:
        servers = await servers_of(redis)
        infos: list[dict[str, Any]] = [await at.info() for at in servers.values()]
        apart = await clocks_apart(redis)
    except UnavailableError as error:
        return [CheckResult.error(_PART, str(error))]
    except (RedisError, OSError, TimeoutError) as error:
        return [CheckResult.error(_PART, str(explain_connection_error(settings, error)))]
    found = []
    for (where, at), info in zip(servers.items(), infos, strict=True):
        found += [
            _version(info, f"{settings.url.host}:{settings.url.port or 6379}"),
            *([CheckResult.error(_PART, f"{where} {mistake}")] if (mistake := unsupported(info, settings)) else []),
            _eviction(info),
            await _persistence(at, info),
            _role(info),
            *(_replicas(info, where) if settings.mode != "standalone" else []),
        ]
    if apart > MOST_APART_SECONDS:
        found.append(CheckResult.error("clock", f"the cluster's servers are {apart:.1f} s apart; let all follow NTP."))
    return [*dict.fromkeys(found), *await _use(redis, settings.prefix)]


def _replicas(info: dict[str, Any], where: str) -> list[CheckResult]:
    if not int(info.get("connected_slaves", 0)):
        return [CheckResult.warning(_PART, f"{where} has no replica: its loss stops the service until it is back.")]
    if "min_slaves_good_slaves" not in info:
        return [
            CheckResult.warning(
                _PART,
                "min-replicas-to-write is 0: a primary that is cut off takes writes until its replica is promoted, and "
                "two may do the same work. See docs/access.md.",
            )
        ]
    return [CheckResult.ok(_PART, "a primary without replicas refuses writes (min-replicas-to-write)")]


def _version(info: dict[str, Any], where: str) -> CheckResult:
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info.get("redis_version") or "0")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < _OLDEST:
        return CheckResult.error(_PART, f"{name} {version} is too old; use Valkey 7.2, Redis 6.2 or later.")
    return CheckResult.ok(_PART, f"{name} {version} at {where}")


def _eviction(info: dict[str, Any]) -> CheckResult:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        return CheckResult.error(
            _PART, f"maxmemory-policy is {policy}, which drops keys when full; set it to noeviction."
        )
    most, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if most and used > 0.8 * most:
        return CheckResult.warning(
            _PART, f"{used / most:.0%} of maxmemory is used; a full server refuses writes. Give it more."
        )
    return CheckResult.ok(_PART, "keeps every key (maxmemory-policy noeviction)")


async def _persistence(redis: Redis, info: dict[str, Any]) -> CheckResult:
    if not int(info.get("aof_enabled", 0)):
        return CheckResult.warning(
            _PART,
            "appendonly is off: after a restart everything is rebuilt from Kafka. Set appendonly yes and appendfsync "
            "always.",
        )
    try:
        found = await redis.config_get("appendfsync")
    except RedisError:
        return CheckResult.ok(_PART, "appendonly is on; this user may not read appendfsync, which should be always")
    policy = next(iter(cast("dict[str, str]", found).values()), "unknown")
    if policy != "always":
        return CheckResult.warning(_PART, f"appendfsync is {policy}: a crash loses its last moments. Set it to always.")
    return CheckResult.ok(_PART, "every write is on disk before it is answered (appendfsync always)")


def _role(info: dict[str, Any]) -> CheckResult:
    role = str(info.get("role", "master"))
    if role != "master":
        return CheckResult.error(
            _PART, f"this server is a {role} and refuses writes; point SWOOGO_SYNC_REDIS__URL to the primary."
        )
    return CheckResult.ok(_PART, "takes writes")


async def _use(redis: Redis, prefix: str) -> list[CheckResult]:
    try:
        await redis.eval("return redis.call('EXISTS', KEYS[1])", 1, f"{prefix}:{{doctor}}")
        seconds, microseconds = await redis.time()
    except NoPermissionError:
        return [
            CheckResult.error(
                _PART, "This user may not run scripts or TIME; give it the rights that docs/access.md lists."
            )
        ]
    except (RedisError, OSError, TimeoutError) as error:
        return [CheckResult.error(_PART, f"Scripts cannot be run ({type(error).__name__}).")]
    return [CheckResult.ok(_PART, "runs scripts"), skew("redis", seconds + microseconds / 1e6, _SKEW_SECONDS)]


def skew(part: str, there: float, most: float) -> CheckResult:
    """How far a server's clock (seconds since the epoch) is from ours."""
    off = there - time.time()
    if abs(off) > most:
        return CheckResult.warning(
            "clock", f"the clock of {part} is {off:+.0f} s from this machine's; let both follow NTP."
        )
    return CheckResult.ok("clock", f"{part} and this machine agree within {most:g} s")
