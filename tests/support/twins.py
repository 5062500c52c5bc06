"""What the server keeps and what the model keeps, in the same words."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import msgspec

from consumer.adapters.redis import codecs
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.domain.planning.request import SyncRequest
from tests.support.fakes.inbox import SubjectState


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
