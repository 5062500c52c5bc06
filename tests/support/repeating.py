"""A Redis client whose replies are lost once: every command takes effect, is sent again, and only then is answered.

redis-py repeats a command when the connection breaks before its reply, so everything this service does in Redis has to
allow for it. A suite that passes on this client shows that it does.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline


class RepeatingRedis(Redis):
    """Sends each command and each pipeline twice, on one connection, and gives the second answer."""

    async def _send_command_parse_response(self, *args: Any, **options: Any) -> Any:
        await super()._send_command_parse_response(*args, **options)  # type: ignore[no-untyped-call]
        return await super()._send_command_parse_response(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """A pipeline that is sent twice as a whole."""
        return _RepeatingPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class _RepeatingPipeline(Pipeline):
    async def _execute_transaction(self, *args: Any, **options: Any) -> Any:
        await super()._execute_transaction(*args, **options)
        return await super()._execute_transaction(*args, **options)

    async def _execute_pipeline(self, *args: Any, **options: Any) -> Any:
        await super()._execute_pipeline(*args, **options)
        return await super()._execute_pipeline(*args, **options)
