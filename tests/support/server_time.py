"""A real Valkey on a clock of the test's own: the scripts as they are, told the time by a key.

What `TIME`, `PEXPIRE`, `PTTL` and `SET ... PX` mean to a script is kept in two keys, so minutes go by in no time and a
history gives the same answers whenever it is played. Commands sent without a script still live on the server's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, TypeVar, cast

import redis as blocking
from redis.asyncio import Redis

from consumer.adapters.redis.scripts import Scripts
from tests.support.fakes import FakeClock

T = TypeVar("T")

_CLOCK: Final = "test:clock"
_ENDS: Final = "test:ends"
_FSYNC: Final = "appendfsync"
# One line, so that an error names the script's own lines.
_PROLOGUE: Final = " ".join(
    f"""
local server = redis
local clock = tonumber(server.call('GET', '{_CLOCK}'))
local redis = {{call = function(name, key, ...)
  if name == 'TIME' then return {{math.floor(clock / 1000), clock % 1000 * 1000}} end
  if name == 'PEXPIRE' then return server.call('ZADD', '{_ENDS}', string.format('%.0f', clock + (...)), key) end
  if name == 'PTTL' then
    local ends = server.call('ZSCORE', '{_ENDS}', key)
    return ends and tonumber(ends) - clock or -1
  end
  if name == 'SET' then
    local value, flag, ms = ...
    if flag == 'NX' then return server.call('SET', key, value, flag) end
    if flag then server.call('ZADD', '{_ENDS}', string.format('%.0f', clock + ms), key)
    else server.call('ZREM', '{_ENDS}', key) end
    return server.call('SET', key, value)
  end
  if name == 'DEL' then server.call('ZREM', '{_ENDS}', key, ...) end
  return server.call(name, key, ...)
end}}
""".split()
)
_TURN: Final = f"""
for _, key in ipairs(redis.call('ZRANGE', '{_ENDS}', '-inf', '(' .. ARGV[1], 'BYSCORE')) do
  redis.call('DEL', key)
  redis.call('ZREM', '{_ENDS}', key)
end
redis.call('SET', '{_CLOCK}', ARGV[1])
"""


class TimedServer:
    """One database, a `clock` that decides for server and test alike, and a loop to run the adapters in.

    Attributes:
        clock: the server's clock follows it.
        redis: for the commands that adapters send without a script.
        scripts: for adapters; nothing waits for the network in the loop, so `FakeClock(auto=True)` is right too.
        looking: for the test to look with.
        reply_lost: the next script is run twice, as redis-py does when the answer to the first was lost.
        meanwhile: what somebody else does just before the next script runs, after whatever was read for it.
    """

    def __init__(self, url: str) -> None:
        """`url` names a database that is emptied by `forget`."""
        self.clock = FakeClock()
        self.redis: Redis = Redis.from_url(url)
        self.looking = blocking.Redis.from_url(url)
        # Nothing here has to outlive the server, and waiting for the disk is most of the time.
        self._fsync = str(self.looking.config_get(_FSYNC)[_FSYNC])
        self.looking.config_set(_FSYNC, "no")
        self.reply_lost = False
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self.scripts = Scripts(cast("Redis", self))
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._turn = self.looking.register_script(_TURN)
        self._turned = -1

    def forget(self, clock: FakeClock) -> None:
        """Begin again with nothing, on this clock."""
        self.clock, self._turned = clock, -1
        self.reply_lost, self.meanwhile = False, None
        self.looking.flushdb()

    def follow(self) -> None:
        """Move the server's clock to the test's, and drop what has expired on the way."""
        if self._turned != self.clock.now():
            self._turned = self.clock.now()
            self._turn(args=[self._turned])

    def register_script(self, text: str) -> Callable[..., Awaitable[Any]]:
        """What `Scripts` asks a client for: the script as a coroutine function of keys and arguments."""
        script = self.looking.register_script(_PROLOGUE + text)

        async def call(keys: Iterable[Any], args: Iterable[Any]) -> Any:
            self.follow()
            given = list(keys), list(args)
            lost, self.reply_lost = self.reply_lost, False
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile:
                await meanwhile()
            if lost:
                script(*given)
            return script(*given)

        return call

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine."""
        return self._runner.run(work)

    def close(self) -> None:
        """Leave the database empty and hang up."""
        self.looking.flushdb()
        self.looking.config_set(_FSYNC, self._fsync)
        self.looking.close()
        self.run(self.redis.aclose())
        self._runner.close()
