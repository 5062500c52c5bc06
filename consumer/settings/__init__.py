"""Every knob of the service, typed, bounded and documented here; the only reader of the environment.

Variables start with `SWOOGO_SYNC_` and nest by `__`: `SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVERS`. `.env.example` and
the site's page of settings are generated from these models. Durations are seconds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from consumer.domain.errors import ConfigurationError
from consumer.domain.pacing.pace import LATENCY, Pace
from consumer.settings.console import ConsoleSettings
from consumer.settings.errors import Variable, as_text, explain, explain_known, unknown_variables, variables
from consumer.settings.group import PREFIX, Group, TlsSettings
from consumer.settings.images import ImageSettings
from consumer.settings.kafka import KafkaSettings, SaslSettings, Topics
from consumer.settings.keys import KeySettings
from consumer.settings.process import HttpSettings, LogSettings, TracingSettings
from consumer.settings.redis import RedisSettings
from consumer.settings.swoogo import READ_SECONDS, SwoogoSettings
from consumer.settings.sync import ArchiveSettings, BulkSettings, DebounceSettings, PushSettings, ReconcileSettings
from consumer.settings.webhooks import WebhookSettings

__all__ = [
    "PREFIX",
    "VARIABLES",
    "ArchiveSettings",
    "BulkSettings",
    "ConsoleSettings",
    "DebounceSettings",
    "HttpSettings",
    "ImageSettings",
    "KafkaSettings",
    "KeySettings",
    "LogSettings",
    "PushSettings",
    "ReconcileSettings",
    "RedisSettings",
    "SaslSettings",
    "Settings",
    "SwoogoSettings",
    "TlsSettings",
    "Topics",
    "TracingSettings",
    "WebhookSettings",
    "load_settings",
]

_LIST_CREDITS: Final = 10


class Settings(Group):
    """All settings of the service."""

    role: Literal["all", "ingest", "sync", "webhooks", "console"] = Field(
        "all",
        description="Which half runs: record, push, or both; or what receives Swoogo's webhooks, or shows the pages.",
    )
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    debounce: DebounceSettings = Field(default_factory=DebounceSettings)
    push: PushSettings = Field(default_factory=PushSettings)
    reconcile: ReconcileSettings = Field(default_factory=ReconcileSettings)
    archive: ArchiveSettings = Field(default_factory=ArchiveSettings)
    bulk: BulkSettings = Field(default_factory=BulkSettings)
    swoogo: SwoogoSettings = Field(default_factory=SwoogoSettings)
    images: ImageSettings = Field(default_factory=ImageSettings)
    keys: KeySettings = Field(default_factory=KeySettings)
    log: LogSettings = Field(default_factory=LogSettings)
    http: HttpSettings = Field(default_factory=HttpSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    console: ConsoleSettings = Field(default_factory=ConsoleSettings)

    def pace(self, latency: float = LATENCY) -> Pace:
        """What bounds a push, when Swoogo answers in `latency` seconds."""
        return self.swoogo.pace(self.push.concurrency, latency)

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
        apart = 1.0 if self.redis.mode == "cluster" else 0.0
        if push.lease <= swoogo.deadline + apart:
            why = ", by more than the second that the clocks of a cluster may differ" if apart else ""
            rule = f"longer than {PREFIX}SWOOGO__DEADLINE{why}"
            raise _conflict("PUSH__LEASE", push.lease, rule, swoogo.deadline * 2)
        if swoogo.credit_window <= swoogo.deadline:
            # A call's credits move to the moment it ends; by then the window it began in must not be forgotten.
            raise _conflict(
                "SWOOGO__CREDIT_WINDOW",
                swoogo.credit_window,
                f"longer than {PREFIX}SWOOGO__DEADLINE",
                max(swoogo.deadline * 2, 600.0),
            )
        if 0 < push.shutdown_grace < READ_SECONDS:
            # A stop would break off creates that Swoogo is about to answer, and each costs a look later.
            rule = f"0, or at least the {READ_SECONDS:g} seconds that an answer may take"
            raise _conflict("PUSH__SHUTDOWN_GRACE", push.shutdown_grace, rule, READ_SECONDS)
        if push.retry_max < push.retry_first:
            raise _conflict(
                "PUSH__RETRY_MAX", push.retry_max, f"at least {PREFIX}PUSH__RETRY_FIRST", push.retry_first * 10
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
        for group in (self.kafka, self.redis, self.keys, self.webhooks, self.console):
            mistake = group.mistake()
            if mistake:
                raise ValueError(mistake)
        return self


def _conflict(name: str, value: object, rule: str, good: object) -> ValueError:
    return ValueError(f"{PREFIX}{name} is {as_text(value)}: it must be {rule}; a good value is {as_text(good)}.")


VARIABLES: Final[Mapping[str, Variable]] = variables(Settings, PREFIX)
"""Every setting by the name of its environment variable."""


def _environment() -> dict[str, Any]:
    """What the environment gives, group by group; an empty variable gives nothing.

    Every group is there: one that is left out would be made by itself, and its model built a second time.
    """
    given = {name.upper(): text for name, text in os.environ.items() if text}
    values: dict[str, Any] = {}
    for variable in VARIABLES.values():
        *groups, leaf = variable.path
        place = values
        for group in groups:
            place = place.setdefault(group, {})
        if variable.name in given:
            place[leaf] = given[variable.name]
    return values


def _merged(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both, where `more` counts more."""
    inner = {name: _merged(values.get(name, {}), each) for name, each in more.items() if isinstance(each, Mapping)}
    return {**values, **more, **inner}


def load_settings(**overrides: object) -> Settings:
    """Read the environment.

    Args:
        overrides: settings by name, which count more than the environment.

    Raises:
        ConfigurationError: a sentence a line for each wrong setting: the variable, what is wrong, and a good value.
    """
    wrong = list(unknown_variables((name.upper() for name in os.environ), VARIABLES, PREFIX))
    try:
        settings = Settings.model_validate(_merged(_environment(), overrides))
    except ValidationError as error:
        wrong += (explain_known if wrong else explain)(error, VARIABLES, PREFIX)
        raise ConfigurationError("\n".join(wrong)) from None
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    return settings
