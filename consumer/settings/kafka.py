"""The broker, and how it is read."""

from __future__ import annotations

import re
from typing import Final, Literal

from pydantic import Field, SecretStr, field_validator

from consumer.settings.group import PREFIX, Group, TlsSettings

_BROKER: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


class Topics(Group):
    """Names of the topics."""

    sessions: str = Field("sessionboard.sessions", min_length=1, description="Session changes, in.")
    speakers: str = Field("sessionboard.speakers", min_length=1, description="Contact changes, in.")
    sponsors: str = Field("sessionboard.sponsors", min_length=1, description="Sponsor changes, in.")
    mappings: str = Field(
        "sessionboard.mappings", min_length=1, description="Integrations, mappings and sync requests, in."
    )
    status: str = Field("swoogo-sync.status", min_length=1, description="Progress and results of syncs, out.")
    issues: str = Field("swoogo-sync.issues", min_length=1, description="Issues of each record, out.")
    ledger: str = Field("swoogo-sync.ledger", min_length=1, description="Changelog of the ledger, out.")
    dead_letters: str = Field("swoogo-sync.dead-letters", min_length=1, description="Undecodable records, out.")


class SaslSettings(Group):
    """Who logs in to the brokers, where the protocol is one of SASL."""

    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How. PLAIN sends the password itself, so use it over TLS only."
    )
    username: str = Field("", description="User name.")
    password: SecretStr = Field(SecretStr(""), description="Password.")


class KafkaTlsSettings(TlsSettings):
    """TLS towards the brokers. Certificates are PEM files, read at the start."""


class KafkaSettings(Group):
    """The broker and how it is read."""

    bootstrap_servers: str = Field("localhost:9092", min_length=1, description="Brokers, host:port, comma-separated.")
    group_id: str = Field(
        "swoogo-sync", min_length=1, description="Consumer groups are named GROUP_ID.sessions and so on."
    )
    topics: Topics = Field(default_factory=Topics)
    create_topics: bool = Field(
        default=False, description="Create missing topics at the start with the right policies. For trying things out."
    )
    max_records: int = Field(500, ge=1, le=10_000, description="Records handled in one batch.")
    max_record_bytes: int = Field(
        4_194_304, ge=10_000, le=67_108_864, description="A larger record becomes a dead letter."
    )
    tier_field: str = Field(
        "tier",
        min_length=1,
        description="Internal name of the custom field with a sponsor's tier, where a sponsor has no field `tier`.",
    )
    session_timeout: float = Field(30.0, ge=6, le=300, description="Seconds without heartbeat until a member is out.")
    start_timeout: float = Field(60.0, ge=5, le=600, description="Seconds to wait for the broker at the start.")
    consumer_lost_timeout: float = Field(
        300.0,
        ge=1,
        le=86_400,
        description="Seconds that a consumer may be without its group or stuck; then the process ends, to be started "
        "afresh.",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to the brokers: SSL is TLS, SASL is a login."
    )
    sasl: SaslSettings = Field(default_factory=SaslSettings)
    tls: KafkaTlsSettings = Field(default_factory=KafkaTlsSettings)

    @field_validator("bootstrap_servers")
    @classmethod
    def _brokers(cls, value: str) -> str:
        for broker in value.split(","):
            found = _BROKER.fullmatch(broker.strip())
            if not found or not 0 < int(found[1]) < 65_536:
                raise ValueError("every broker must be host:port, with commas between them")
        return value

    @property
    def uses_tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    @property
    def logs_in(self) -> bool:
        """Whether the brokers want a user name and password."""
        return self.security_protocol.startswith("SASL")

    def mistake(self) -> str | None:
        """One sentence about settings of security that do not fit together; None: they do."""
        own, protocol = f"{PREFIX}KAFKA__", self.security_protocol
        username, password = self.sasl.username, self.sasl.password.get_secret_value()
        if self.logs_in and not (username and password):
            lacking = "USERNAME" if not username else "PASSWORD"
            return f"{own}SECURITY_PROTOCOL is {protocol}, which logs in: set {own}SASL__{lacking}."
        if not self.logs_in and (username or password):
            better = "SASL_SSL" if self.uses_tls else "SASL_SSL (or SASL_PLAINTEXT, without encryption)"
            name = "USERNAME" if username else "PASSWORD"
            return f"{own}SASL__{name} is set, and {own}SECURITY_PROTOCOL {protocol} does not log in: make it {better}."
        if not self.uses_tls and self.tls.given:
            better = "SASL_SSL" if self.logs_in else "SSL"
            return (
                f"{own}TLS__{self.tls.given[0]} is set, and {own}SECURITY_PROTOCOL {protocol} does not encrypt: "
                f"make it {better}."
            )
        return self.tls.mistake(f"{own}TLS__")
