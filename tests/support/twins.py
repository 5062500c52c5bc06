"""What the server keeps and what the model keeps, in the same words."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import msgspec

from consumer.adapters.redis import codecs
from consumer.adapters.redis.archive import RedisArchive
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.leases import Leases
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.domain.planning.request import SyncRequest
from consumer.settings import DebounceSettings, PushSettings, ReconcileSettings
from tests.support.fakes.archive import FakeArchiveTopic
from tests.support.fakes.subject_state import SubjectState
from tests.support.server_time import TimedServer


def redis_inbox(
    server: TimedServer,
    keys: Keys,
    *,
    lease: int,
    survey: int,
    quiet: int = 10_000,
    max_wait: int = 60_000,
    archive: RedisArchive | None = None,
) -> RedisInbox:
    """The twin of an `InMemoryInbox` of the same durations (ms; `survey` 0: none). `archive` None: one of its own."""
    return RedisInbox(
        server.redis,
        keys,
        server.scripts,
        Leases(),
        DebounceSettings.model_construct(quiet_period=quiet / 1000, max_wait=max_wait / 1000),
        PushSettings.model_construct(lease=lease / 1000),
        ReconcileSettings.model_construct(interval=survey / 1000),
        archive or RedisArchive(server.redis, keys, server.scripts, FakeArchiveTopic),
    )


async def outcome(work: Coroutine[Any, Any, Any]) -> Any:
    """What a call gave or raised."""
    try:
        return await work
    except (LeaseLostError, UnavailableError) as error:
        return type(error)


def texts(stored: dict[bytes, bytes]) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in stored.items()}


def fields(state: dict[str, str]) -> dict[str, Any]:
    """What decides, in the model's words."""
    moments = {name: int(state[name]) if name in state else None for name in ("due", "first", "survey", "surveying")}
    numbers = {name: int(state.get(name, 0)) for name in ("hold", "until", "epoch", "attempt")}
    return {
        **moments,
        **numbers,
        "continuous": state.get("continuous") == "1",
        "switched": "switched" in state,
        "op": state.get("op", ""),
        "request": state.get("request"),
        "depth": state.get("depth", "shallow"),
    }


def model_fields(state: SubjectState) -> dict[str, Any]:
    return {
        **{name: getattr(state, name) for name in ("due", "first", "survey", "surveying")},
        **{name: getattr(state, name) for name in ("hold", "until", "epoch", "attempt")},
        "continuous": state.continuous,
        "switched": state.switched,
        "op": state.op_id,
        "request": state.request and _without_stamp(state.request),
        "depth": state.depth.value,
    }


def _without_stamp(request: SyncRequest) -> str:
    """As versions know it that know one request only."""
    held = {name: value for name, value in msgspec.to_builtins(request).items() if name != "stamp"}
    return codecs.encode(held).decode()
