"""Redis or Valkey."""

from __future__ import annotations

import re

from pydantic import Field, RedisDsn, field_validator

from consumer.settings.group import Group


class RedisSettings(Group):
    """Redis or Valkey: snapshot, ledger, credits."""

    url: RedisDsn = Field(RedisDsn("redis://localhost:6379/0"), description="redis:// or rediss:// address.")
    prefix: str = Field("swoogo-sync", pattern=r"^[a-z0-9-]{1,40}$", description="Start of every key.")
    timeout: float = Field(5.0, ge=0.1, le=60, description="Seconds for one command.")
    pool_size: int = Field(64, ge=4, le=1000, description="Connections at most.")

    @field_validator("url")
    @classmethod
    def _database(cls, value: RedisDsn) -> RedisDsn:
        # redis-py takes database 0 without a word when it cannot read the number.
        if not re.fullmatch(r"/?[0-9]*", value.path or ""):
            raise ValueError("what follows the port must be the number of a database")
        return value
