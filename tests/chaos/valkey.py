"""The way to a real Valkey: redis-py as it is, on a socket that is read on the spot, and scripts on the loop's time.

Nothing here waits for the network in the event loop, so the order of things depends on the seed alone. The server's
clock is a key: scripts read it instead of calling `TIME`, and whatever expires ages with it.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Iterable
from hashlib import sha1
from typing import Any, Final

import redis as blocking
from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff

from consumer.adapters.redis.lua_files import names, source
from tests.chaos.effects import Effects
from tests.chaos.machine import current, seconds

_CLOCK: Final = "chaos:clock"
_ENDS: Final = "chaos:ends"
_TIME: Final = "redis.call('TIME')"
_VIRTUAL: Final = f"redis.call('HMGET', '{_CLOCK}', 's', 'u')"
_TELL: Final = f"local at = {_VIRTUAL} return {{tonumber(at[1]), tonumber(at[2])}}"
_TURN: Final = f"""
local before = tonumber(redis.call('HGET', '{_CLOCK}', 'ms')) or tonumber(ARGV[3])
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then
    redis.call('PERSIST', key)
    redis.call('ZADD', '{_ENDS}', before + math.ceil(left / 1000) * 1000, key)
  end
end
for _, key in ipairs(redis.call('ZRANGE', '{_ENDS}', '-inf', ARGV[3], 'BYSCORE')) do
  redis.call('DEL', key)
  redis.call('ZREM', '{_ENDS}', key)
end
redis.call('HSET', '{_CLOCK}', 's', ARGV[1], 'u', ARGV[2], 'ms', ARGV[3])
return 1
"""
_TURNED: Final = b":1\r\n"
_BEFORE_SELECT: Final = (b"*2\r\n$6\r\nSELECT", b"*2\r\n$5\r\nHELLO", b"*3\r\n$5\r\nHELLO")
_READ_ONLY: Final = b"-READONLY You can't write against a read only replica.\r\n"


class Server:
    """One database of a Valkey, on the time of one run."""

    def __init__(self, url: str, effects: Effects) -> None:
        """`url` names a database that is emptied."""
        self.effects = effects
        self.client = blocking.Redis.from_url(url)
        self.client.flushdb()
        self.client.script_flush()
        for name in ("hash", "set", "zset"):
            # Small encodings keep the order of insertion; tables would have one of the server's own.
            self.client.config_set(f"{name}-max-listpack-entries", 100_000)
            self.client.config_set(f"{name}-max-listpack-value", 1_000_000)
        self.address = socket_address(url)
        self.outages: dict[str, float] = {}
        """Process -> until when its commands fail."""
        self.ahead = 0.0
        """Seconds by which its clock is ahead of everything else."""
        self._turned = -1

    def now(self) -> float:
        """Seconds since 1970 by the server's clock."""
        return seconds() + self.ahead

    def loop_check(self) -> bytes:
        """What a client sends ahead of its own command: the server's clock moves on, and drops what has expired.

        Empty when the time is the same.

        What is set to expire is taken off the server's own clock, as whose milliseconds no two runs agree.
        """
        now = round(self.now() * 1000)
        if now == self._turned:
            return b""
        self._turned = now
        arguments = [b"EVAL", _TURN.encode(), b"0", *(b"%d" % each for each in (now // 1000, now % 1000 * 1000, now))]
        return b"*%d\r\n" % len(arguments) + b"".join(b"$%d\r\n%s\r\n" % (len(each), each) for each in arguments)

    def connect(self, *, struck: bool = True) -> Redis:
        """A client as `adapters.redis.client.connect` makes it. `struck`: faults strike on its way."""
        client = _Client.from_pool(
            BlockingConnectionPool(
                connection_class=_Connection,
                max_connections=64,
                timeout=5,
                socket_timeout=5.0,
                socket_connect_timeout=5.0,
                retry=Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.5), 3),
                decode_responses=False,
                db=self.address[2],
                host=self.address[0],
                port=self.address[1],
                way=_Way(self, struck=struck),
            )
        )
        assert isinstance(client, _Client)
        client.server = self
        return client

    def lose_everything(self) -> None:
        """What a Redis without its data answers with from now on: the clock goes on, scripts and all keys are gone."""
        self.effects.tell("Redis loses everything")
        self.effects.hits["redis", "loss"] += 1
        self.client.flushdb()
        self.client.script_flush()
        self._turned = -1

    def close(self) -> None:
        """Empty the database and hang up."""
        self.client.flushdb()
        self.client.close()


class _Client(Redis):
    """Reads the virtual clock, and registers scripts that do."""

    server: Server

    async def time(self, **_: Any) -> tuple[int, int]:
        await self.ping()
        now = round(self.server.now() * 1e6)
        return now // 1_000_000, now % 1_000_000

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    def register_script(self, script: Any) -> Any:
        return super().register_script(on_virtual_time(str(script)))


class _Pipeline(Pipeline):
    """Reads the virtual clock with the rest."""

    def time(self, **_: Any) -> Any:
        return self.execute_command("EVAL", _TELL, 0)


def on_virtual_time(script: str) -> str:
    """The same script, told the time by a key."""
    return script.replace(_TIME, _VIRTUAL)


@functools.cache
def _script_names() -> dict[str, str]:
    return {sha1(on_virtual_time(source(name)).encode()).hexdigest(): name for name in names()}  # noqa: S324


class _Way:
    """What lies between a client and the server."""

    def __init__(self, server: Server, *, struck: bool) -> None:
        self.server = server
        self.struck = struck


class _Connection(Connection):
    """A connection whose two streams are one blocking socket."""

    def __init__(self, *, way: _Way, **options: Any) -> None:
        super().__init__(**options)
        self._way = way

    async def _connect(self) -> None:
        stream = _Stream(self._way, (self.host, int(self.port)))
        self._reader: Any = stream
        self._writer: Any = stream


class _Stream:
    """Reader and writer. A write is an effect; the first read after it is its answer."""

    def __init__(self, way: _Way, address: tuple[str, int]) -> None:
        self._way = way
        self._socket = socket.create_connection(address, timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pending = b""
        self._kind = ""
        self._buffer = b""
        self._unread = 0
        self._quiet = True

    def writelines(self, parts: Iterable[bytes]) -> None:
        self._pending += b"".join(parts)

    async def drain(self) -> None:
        sent, self._pending = self._pending, b""
        if self._way.struck and current():
            await self._strike(sent)
        if self._kind == "error" and not _pipelined(sent):
            self._buffer = _READ_ONLY
            return
        # Ahead of a command whose reply is the next to be read: a connection begins with several before it reads.
        if self._quiet and not sent.startswith(_BEFORE_SELECT):
            turn = self._way.server.loop_check()
            self._unread = len(turn) and len(_TURNED)
            sent = turn + sent
        self._quiet = False
        self._socket.sendall(sent)

    async def read(self, size: int) -> bytes:
        if self._buffer:
            found, self._buffer, self._kind = self._buffer, b"", ""
            return found
        found = self._socket.recv(size)
        while self._unread:
            if len(found) <= self._unread:
                found += self._socket.recv(size)
                continue
            if not found.startswith(_TURNED):
                raise ConnectionError(f"the clock did not turn: {found[:100]!r}")
            found, self._unread = found[self._unread :], 0
        self._quiet = True
        kind, self._kind = self._kind, ""
        if kind == "drop reply":
            raise ConnectionResetError(104, "the reply was lost")
        if kind:
            await self._way.server.effects.after(kind)
        return found

    async def _strike(self, sent: bytes) -> None:
        server, process = self._way.server, current()
        assert process is not None
        kind = self._kind = server.effects.strike(f"redis {label(sent)}")
        if kind == "outage":
            server.outages[process.name] = seconds() + server.effects.chance.uniform(0.5, 8.0)
        if server.outages.get(process.name, 0.0) > seconds():
            self._kind = ""
            await asyncio.sleep(0.01)
            raise ConnectionRefusedError(111, "no one listens")
        await server.effects.before(kind)
        if server.effects.chance.random() < 0.1:
            await server.effects.latency(0.004)

    def at_eof(self) -> bool:
        return False

    def close(self) -> None:
        self._socket.close()

    async def wait_closed(self) -> None:
        """It is."""


def label(sent: bytes) -> str:
    """The script's or command's name, of the first when several go together."""
    parts = sent.split(b"\r\n", 6)
    name = parts[2].decode().lower()
    if name == "evalsha":
        return _script_names().get(parts[4].decode(), "a script")
    return f"{name}..." if _pipelined(sent) else name


def _pipelined(sent: bytes) -> bool:
    words = int(sent[1 : sent.index(b"\r\n")])
    at = sent.index(b"\r\n") + 2
    for _ in range(words):
        end = sent.index(b"\r\n", at)
        at = end + 2 + int(sent[at + 1 : end]) + 2
    return at < len(sent)


def socket_address(url: str) -> tuple[str, int, int]:
    """Host, port and database of a `redis://` URL."""
    parse: Any = blocking.connection.parse_url
    given = parse(url)
    return str(given.get("host", "127.0.0.1")), int(given.get("port", 6379)), int(given.get("db", 0))
