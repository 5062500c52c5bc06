"""Redis or Valkey."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, RedisDsn, SecretStr, field_validator

from consumer.settings.group import PREFIX, Group, TlsSettings


class RedisTlsSettings(TlsSettings):
    """TLS towards Redis. Certificates are PEM files, read at the start."""


class RedisSettings(Group):
    """Redis or Valkey: snapshot, ledger, credits."""

    mode: Literal["standalone", "cluster", "sentinel"] = Field(
        "standalone", description="`standalone`: one server; `cluster`; `sentinel`: sentinels name the server."
    )
    url: RedisDsn = Field(
        RedisDsn("redis://localhost:6379/0"),
        description="redis:// or rediss:// (TLS) address of the server, of a node of the cluster, or of a sentinel.",
    )
    nodes: str = Field(
        "",
        pattern=r"^((?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}(,|$))*$",
        description="Further nodes of the cluster, or further sentinels: host:port, comma-separated.",
    )
    sentinel_master: str = Field("", description="Name of the primary as the sentinels have it.")
    sentinel_username: str = Field("", description="User of the sentinels, where they ask for a login.")
    sentinel_password: SecretStr = Field(SecretStr(""), description="Password of the sentinels.")
    username: str = Field("", description="User of its access control list; `default` when left out.")
    password: SecretStr = Field(SecretStr(""), description="Password, so that the address need not hold it.")
    tls: RedisTlsSettings = Field(default_factory=RedisTlsSettings)
    prefix: str = Field("swoogo-sync", pattern=r"^[a-z0-9-]{1,40}$", description="Start of every key.")
    timeout: float = Field(5.0, ge=0.1, le=60, description="Seconds for one command.")
    pool_size: int = Field(64, ge=4, le=1000, description="Connections at most.")

    @field_validator("url")
    @classmethod
    def _database(cls, value: RedisDsn) -> RedisDsn:
        # redis-py takes database 0 without a word when it cannot read the number.
        if not re.fullmatch(r"/?[0-9]*", value.path or ""):
            raise ValueError("what follows the port must be the number of a database")
        # redis-py would take any option of its connections there, the check of certificates among them.
        if value.query or value.fragment:
            raise ValueError("nothing may follow the database; what can be chosen has a setting of its own")
        return value

    @property
    def uses_tls(self) -> bool:
        return self.url.scheme == "rediss"

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of what `url` and `nodes` name."""
        further = (each.rpartition(":") for each in self.nodes.split(",") if each)
        return (
            (self.url.host or "localhost", self.url.port or 6379),
            *((host.strip("[]"), int(port)) for host, _, port in further),
        )

    def mistake(self) -> str | None:
        """One sentence about settings that do not fit together; None: they do."""
        own, password = f"{PREFIX}REDIS__", self.password.get_secret_value()
        if self.mode == "cluster" and (self.url.path or "/").strip("/0"):
            return (
                f"{own}URL names database {(self.url.path or '').strip('/')}: a cluster has none but 0; leave it out."
            )
        if (self.mode == "sentinel") != bool(self.sentinel_master):
            what = "is needed where" if self.mode == "sentinel" else "counts only where"
            return f"{own}SENTINEL_MASTER {what} {own}MODE is sentinel."
        if self.nodes and self.mode == "standalone":
            return f"{own}NODES counts only where {own}MODE is cluster or sentinel; a single server has one address."
        if (password and self.url.password) or (self.username and self.url.username):
            name = "PASSWORD" if password and self.url.password else "USERNAME"
            return f"{own}{name} is set, and {own}URL holds another one: leave it out of the address."
        if self.username and not (password or self.url.password):
            return f"{own}USERNAME is set without {own}PASSWORD: set both."
        if not self.uses_tls and self.tls.given:
            return f"{own}TLS__{self.tls.given[0]} is set, and {own}URL does not encrypt: make it start with rediss://."
        return self.tls.mistake(f"{own}TLS__")
