"""Every knob of the service, typed, bounded and documented here; the only reader of the environment.

Variables start with `SWOOGO_SYNC_` and nest by `__`: `SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVERS`. `.env.example` and
`docs/settings.md` are generated from these models. Durations are seconds.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    RedisDsn,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from consumer.domain.errors import ConfigurationError
from consumer.settings_errors import Variable, as_text, explain, unknown_variable, variables

PREFIX: Final = "SWOOGO_SYNC_"
_LIST_CREDITS: Final = 10
_KEY_BYTES: Final = 32
_BROKER: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_HOST: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Topics(_Group):
    """Names of the topics."""

    sessions: str = Field("sessionboard.sessions", min_length=1, description="Session changes, in.")
    speakers: str = Field("sessionboard.speakers", min_length=1, description="Contact changes, in.")
    sponsors: str = Field("sessionboard.sponsors", min_length=1, description="Sponsor changes, in.")
    mappings: str = Field(
        "sessionboard.mappings", min_length=1, description="Integrations, mappings and sync requests, in."
    )
    status: str = Field("swoogo-sync.status", min_length=1, description="What people are told, out.")
    ledger: str = Field("swoogo-sync.ledger", min_length=1, description="Changelog of the ledger, out.")
    dead_letters: str = Field("swoogo-sync.dead-letters", min_length=1, description="Records nobody could read, out.")


class KafkaSettings(_Group):
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
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to the brokers."
    )

    @field_validator("bootstrap_servers")
    @classmethod
    def _brokers(cls, value: str) -> str:
        for broker in value.split(","):
            found = _BROKER.fullmatch(broker.strip())
            if not found or not 0 < int(found[1]) < 65_536:
                raise ValueError("every broker must be host:port, with commas between them")
        return value


class RedisSettings(_Group):
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


class DebounceSettings(_Group):
    """When an event with changes is pushed."""

    quiet_period: float = Field(10.0, ge=0, le=3600, description="Seconds without a change before a push.")
    max_wait: float = Field(60.0, ge=0, le=86_400, description="Seconds until a push although changes go on.")


class PushSettings(_Group):
    """How an event is pushed."""

    lease: float = Field(60.0, ge=1, le=3600, description="Seconds a worker holds an event without renewing.")
    concurrency: int = Field(10, ge=1, le=64, description="Calls side by side for one event.")
    events: int = Field(8, ge=1, le=200, description="Events of one credential pushed side by side in one process.")
    most_events: int = Field(
        64, ge=1, le=1000, description="Events pushed side by side in one process, whatever their credentials."
    )
    drain: float = Field(
        20.0, ge=0, le=3600, description="Seconds that running pushes may take to finish when the service is stopped."
    )
    settle: float = Field(
        120.0,
        ge=0,
        le=3600,
        description="Seconds until an unanswered create that cannot be found counts as failed.",
    )
    retry_first: float = Field(5.0, ge=0.1, le=600, description="Seconds until the first retry of a failed push.")
    retry_most: float = Field(600.0, ge=1, le=86_400, description="Seconds between retries at most.")
    poll_interval: float = Field(0.5, ge=0.02, le=10, description="Seconds between looks for work of other replicas.")


class ReconcileSettings(_Group):
    """How often events are compared with Swoogo although nothing changed in Sessionboard."""

    interval: float = Field(
        1800.0, ge=0, le=604_800, description="Seconds between two reconciles of an event; 0: only when asked for."
    )
    deep_interval: float = Field(
        86_400.0, ge=1, le=2_592_000, description="Seconds between two reconciles that read every record."
    )
    most_gone: float = Field(
        0.2,
        ge=0.01,
        le=1,
        description="Share of the sessions, speakers or sponsors that may be gone in Swoogo at once; with more, none "
        "is taken for deleted.",
    )
    share: float = Field(
        0.25,
        ge=0.01,
        le=1,
        description="Share of a credential's credits that its reconciles may use; with many events they come less "
        "often.",
    )


class SwoogoSettings(_Group):
    """The API, its budget, and the guesses about what its documentation leaves open (swoogo-api.md 11.3)."""

    base_url: HttpUrl = Field(HttpUrl("https://api.swoogo.com/api/v1"), description="Where the API is.")
    credit_limit: int = Field(2000, ge=20, le=1_000_000, description="Credits of one window and credential.")
    credit_window: float = Field(600.0, ge=1, le=86_400, description="Length of the window, seconds.")
    credit_reserve: int = Field(
        20, ge=0, le=1_000_000, description="Credits of a window never touched, for other users of the credential."
    )
    connect_timeout: float = Field(5.0, ge=0.1, le=60, description="Seconds to connect.")
    read_timeout: float = Field(20.0, ge=0.1, le=300, description="Seconds without a byte.")
    deadline: float = Field(30.0, ge=0.5, le=600, description="Seconds for one call in all.")
    connections: int = Field(100, ge=1, le=1000, description="Connections to the API at most.")
    max_answer_bytes: int = Field(33_554_432, ge=100_000, le=1_073_741_824, description="A larger answer is an error.")
    max_name: int = Field(255, ge=10, le=10_000, description="Characters of a name; a longer one is cut. Guess.")
    max_text: int = Field(60_000, ge=100, le=10_000_000, description="Characters of a text; longer is left out. Guess.")
    page_size: int = Field(200, ge=1, le=1000, description="Rows per list page. 200 is safe, 1000 is claimed once.")
    page_overflow: Literal["last_page", "empty"] = Field(
        "last_page", description="What a page beyond the last holds. Guess; both are read rightly."
    )
    delete_path: Literal["action", "rest"] = Field(
        "action", description="DELETE /sessions/delete/{id} (action) or /sessions/{id} (rest). Guess."
    )
    unlink: Literal["path", "body"] = Field(
        "path",
        description="Remove an association by DELETE /speakers/{id}/session/{session_id} (path) or with a "
        "JSON body of session_ids (body). Guess.",
    )
    link_mode: Literal["additive", "replace"] = Field(
        "additive", description="Whether the sessions sent for a speaker are added or replace those there. Guess."
    )
    clear_with: Literal["empty", "null"] = Field(
        "empty", description="What clears a field in a form: an empty string or the word null. Guess."
    )
    custom_fields: Literal["top_level", "nested"] = Field(
        "top_level", description="c_1=x or custom_fields[c_1]=x in forms. Guess."
    )
    speaker_picture: Literal["contact_image", "profile_picture"] = Field(
        "contact_image", description="Route of headshots: the image of the contact, or a URL in the field. Guess."
    )
    sponsor_logo_field: str = Field("logo_id", min_length=1, description="Field id of a sponsor's logo. Guess.")
    token_costs_credit: bool = Field(default=True, description="Count the token call as one credit. Safe guess.")
    refused_costs_credit: bool = Field(default=True, description="Count refused calls as credits. Safe guess.")


class KeySettings(_Group):
    """The key pair that credentials are sealed to."""

    private: SecretStr = Field(
        SecretStr(""), description="Private key, base64 (`swoogo-sync keys new`). Needed to run."
    )
    secrets_dir: Path = Field(
        Path("/var/run/secrets/swoogo-sync"), description="Folder of mounted secrets that a mapping event may name."
    )

    @field_validator("private")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        try:
            length = len(base64.b64decode(text, validate=True))
        except ValueError:
            length = -1
        if text and length != _KEY_BYTES:
            raise ValueError("it must be 32 bytes in base64")
        return value

    def needed_private(self) -> str:
        """The private key. Raises ConfigurationError when there is none."""
        private = self.private.get_secret_value()
        if not private:
            raise ConfigurationError(f"{PREFIX}KEYS__PRIVATE is not set; make a key with `swoogo-sync keys new`.")
        return private


class ImageSettings(_Group):
    """Headshots and logos: what is fetched, and the processes that decode it."""

    limit_bytes: int = Field(
        1_000_000, ge=10_000, le=5_000_000, description="A larger image is made smaller. Swoogo refuses above 5 MB."
    )
    fetch_timeout: float = Field(20.0, ge=0.5, le=300, description="Seconds to fetch one image, redirects included.")
    max_download_bytes: int = Field(
        20_000_000, ge=100_000, le=200_000_000, description="An image with more bytes is not used."
    )
    max_pixels: int = Field(40_000_000, ge=10_000, le=200_000_000, description="An image with more is not decoded.")
    allow_hosts: str = Field(
        "",
        description="Host names, addresses and networks (10.0.0.0/8) that images may be fetched from although they "
        "are not public; comma-separated.",
    )
    concurrency: int = Field(8, ge=1, le=64, description="Images fetched or held side by side.")
    workers: int = Field(2, ge=1, le=8, description="Processes that decode images, started when needed.")
    worker_memory_mib: int = Field(
        768, ge=128, le=8192, description="MiB of one such process at most. 16 bytes per pixel must fit."
    )
    worker_timeout: float = Field(
        20.0, ge=1, le=300, description="Seconds of processor time for one image; killed after twice as long."
    )

    @field_validator("allow_hosts")
    @classmethod
    def _hosts(cls, value: str) -> str:
        for entry in _entries(value):
            try:
                ip_network(entry)
            except ValueError:
                # Digits and dots, or a slash: meant as an address. A name would never match it.
                if not _HOST.fullmatch(entry) or not re.search("[A-Za-z]", entry):
                    raise ValueError("each must be a host name, an address or a network such as 10.0.0.0/8") from None
        return value

    @property
    def allowed(self) -> tuple[str, ...]:
        """What `allow_hosts` lists."""
        return _entries(self.allow_hosts)


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


class LogSettings(_Group):
    """Logs."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level written.")
    format: Literal["json", "console"] = Field("json", description="One JSON object a line, or text for people.")


class Settings(BaseSettings):
    """All settings of the service."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="ignore", env_ignore_empty=True
    )

    role: Literal["all", "ingest", "sync"] = Field("all", description="Which half runs: record, push, or both.")
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    debounce: DebounceSettings = Field(default_factory=DebounceSettings)
    push: PushSettings = Field(default_factory=PushSettings)
    reconcile: ReconcileSettings = Field(default_factory=ReconcileSettings)
    swoogo: SwoogoSettings = Field(default_factory=SwoogoSettings)
    images: ImageSettings = Field(default_factory=ImageSettings)
    keys: KeySettings = Field(default_factory=KeySettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        """Bounds that only show when two settings are seen side by side."""
        debounce, push, swoogo = self.debounce, self.push, self.swoogo
        if debounce.max_wait < debounce.quiet_period:
            raise _conflict(
                "DEBOUNCE__MAX_WAIT",
                debounce.max_wait,
                f"at least {PREFIX}DEBOUNCE__QUIET_PERIOD",
                debounce.quiet_period * 6,
            )
        if push.lease <= swoogo.deadline:
            raise _conflict("PUSH__LEASE", push.lease, f"longer than {PREFIX}SWOOGO__DEADLINE", swoogo.deadline * 2)
        if push.retry_most < push.retry_first:
            raise _conflict(
                "PUSH__RETRY_MOST", push.retry_most, f"at least {PREFIX}PUSH__RETRY_FIRST", push.retry_first * 10
            )
        if self.reconcile.deep_interval < self.reconcile.interval:
            raise _conflict(
                "RECONCILE__DEEP_INTERVAL",
                self.reconcile.deep_interval,
                f"at least {PREFIX}RECONCILE__INTERVAL",
                max(self.reconcile.interval, 86_400.0),
            )
        if swoogo.credit_limit - swoogo.credit_reserve < _LIST_CREDITS:
            rule = f"at least {_LIST_CREDITS} (one list call) below {PREFIX}SWOOGO__CREDIT_LIMIT"
            raise _conflict("SWOOGO__CREDIT_RESERVE", swoogo.credit_reserve, rule, swoogo.credit_limit // 100)
        names: dict[str, str] = {}
        for field, topic in self.kafka.topics:
            if topic in names:
                rule = f"another than {PREFIX}KAFKA__TOPICS__{names[topic]}"
                good = Topics.model_fields[field].default
                raise _conflict(f"KAFKA__TOPICS__{field.upper()}", topic, rule, good)
            names[topic] = field.upper()
        return self


def _conflict(name: str, value: object, rule: str, good: object) -> ValueError:
    return ValueError(f"{PREFIX}{name} is {as_text(value)}: it must be {rule}; a good value is {as_text(good)}.")


VARIABLES: Final[Mapping[str, Variable]] = variables(Settings, PREFIX)
"""Every setting by the name of its environment variable."""


def load_settings(**overrides: object) -> Settings:
    """Read the environment.

    Args:
        overrides: settings by name, which count more than the environment.

    Raises:
        ConfigurationError: one sentence that names the variable, what is wrong with its value, and a good value.
    """
    unknown = unknown_variable((name.upper() for name in os.environ), VARIABLES, PREFIX)
    if unknown:
        raise ConfigurationError(unknown)
    try:
        return Settings(**overrides)  # type: ignore[arg-type] # pydantic validates what the overrides are
    except ValidationError as error:
        raise ConfigurationError(explain(error, VARIABLES, PREFIX)) from None
