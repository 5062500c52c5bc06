"""`python -m tests.support.crashing`: `swoogo-sync run`, which numbers its effects and kills itself at one of them.

An effect is a write to Redis, a call to Swoogo, a record sent to Kafka or an offset committed; it is named by what it
does and the how-manieth of its name it is. Nothing in the service knows of this: the clients' own methods are wrapped.

    CRASH_AT    `redis write_fenced 3 after`: SIGKILL then; empty: never
    CRASH_LIST  a file that gets one line an effect
"""

from __future__ import annotations

import functools
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from hashlib import sha1
from pathlib import Path
from typing import Any, Final

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from redis.asyncio.connection import AbstractConnection

from consumer.adapters.redis.lua_files import names, source
from consumer.entrypoints.cli.run import serve
from consumer.settings import load_settings

_IDLE: Final = {"next_due", "ping", "info", "client", "hello", "select", "script", "hgetall", "hmget", "get", "hget"}
"""Looks that are repeated whether there is work or not, or change nothing."""

_at: Final = os.environ.pop("CRASH_AT", "")
_list: Final = os.environ.pop("CRASH_LIST", "")
_passed: Counter[str] = Counter()


def reached(name: str) -> str:
    """Number an effect; the answer is its name with the number. Does not return when it is to die before it."""
    _passed[name] += 1
    numbered = f"{name} {_passed[name]}"
    if _list:
        with Path(_list).open("a") as file:
            file.write(f"{numbered}\n")
    _die_at(f"{numbered} before")
    return numbered


def _die_at(moment: str) -> None:
    if moment == _at:
        os.kill(os.getpid(), signal.SIGKILL)


def _wrapped(owner: Any, method: str, name_of: Callable[..., str]) -> None:
    """Make an awaited method of a class an effect; an empty name is none."""
    original: Callable[..., Awaitable[Any]] = getattr(owner, method)

    @functools.wraps(original)
    async def effect(*arguments: Any, **options: Any) -> Any:
        name = name_of(*arguments, **options)
        if not name:
            return await original(*arguments, **options)
        numbered = reached(name)
        answer = await original(*arguments, **options)
        _die_at(f"{numbered} after")
        return answer

    setattr(owner, method, effect)


def instrument() -> None:
    """Wrap the clients."""
    _wrapped(httpx.AsyncHTTPTransport, "handle_async_request", _call)
    _wrapped(AIOKafkaConsumer, "commit", lambda *_, **__: "kafka commit")
    _instrument_producer()
    _instrument_redis()


def _call(_: Any, request: httpx.Request) -> str:
    path = request.url.path.rpartition("/api/v1/")[2]
    return f"swoogo {request.method} {re.sub(r'/[0-9]+|[.]json', '', path)}"


def _instrument_producer() -> None:
    original = AIOKafkaProducer.send

    async def send(self: Any, topic: str, *arguments: Any, **options: Any) -> Any:
        numbered = reached(f"kafka send {topic.rpartition('.')[2]}")
        future = await original(self, topic, *arguments, **options)
        future.add_done_callback(lambda _: _die_at(f"{numbered} after"))
        return future

    AIOKafkaProducer.send = send


def _instrument_redis() -> None:
    """Before: nothing was sent. After: the first answer has been read."""
    scripts = {sha1(source(name).encode()).hexdigest(): name for name in names()}  # noqa: S324 - names, as Redis has them
    send, read = AbstractConnection.send_packed_command, AbstractConnection.read_response
    waiting: dict[int, str] = {}

    async def sending(self: Any, command: Any, *arguments: Any, **options: Any) -> Any:
        words = b"".join([command] if isinstance(command, bytes) else command).split(b"\r\n", 6)
        name = words[2].decode().lower()
        if name == "evalsha":
            name = scripts.get(words[4].decode(), "a script")
        if name not in _IDLE:
            waiting[id(self)] = reached(f"redis {name}")
        return await send(self, command, *arguments, **options)

    async def reading(self: Any, *arguments: Any, **options: Any) -> Any:
        answer = await read(self, *arguments, **options)
        if numbered := waiting.pop(id(self), ""):
            _die_at(f"{numbered} after")
        return answer

    AbstractConnection.send_packed_command = sending  # type: ignore[method-assign]
    AbstractConnection.read_response = reading  # type: ignore[method-assign]


if __name__ == "__main__":
    instrument()
    sys.exit(serve(load_settings()))
