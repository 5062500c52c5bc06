"""When an event is pushed, how, and how often it is compared with Swoogo."""

from __future__ import annotations

from pydantic import Field

from consumer.settings.group import Group


class DebounceSettings(Group):
    """When an event with changes is pushed."""

    quiet_period: float = Field(10.0, ge=0, le=3600, description="Seconds without a change before a push.")
    max_wait: float = Field(60.0, ge=0, le=86_400, description="Seconds until a push although changes go on.")


class PushSettings(Group):
    """How an event is pushed."""

    lease: float = Field(60.0, ge=1, le=3600, description="Seconds a worker holds an event without renewing.")
    concurrency: int = Field(10, ge=1, le=64, description="Calls side by side for one event.")
    max_events_per_credential: int = Field(
        8, ge=1, le=200, description="Events of one credential pushed side by side in one process."
    )
    max_events: int = Field(
        64, ge=1, le=1000, description="Events pushed side by side in one process, whatever their credentials."
    )
    shutdown_grace: float = Field(
        20.0, ge=0, le=3600, description="Seconds that calls under way may take to finish when the service is stopped."
    )
    create_settle_time: float = Field(
        120.0,
        ge=0,
        le=3600,
        description="Seconds until an unanswered create that cannot be found counts as failed, and a record that was "
        "just written and is missing from a list as deleted.",
    )
    retry_first: float = Field(5.0, ge=0.1, le=600, description="Seconds until the first retry of a failed push.")
    retry_max: float = Field(600.0, ge=1, le=86_400, description="Seconds between retries at most.")
    poll_interval: float = Field(0.5, ge=0.02, le=10, description="Seconds between looks for work of other replicas.")


class BulkSettings(Group):
    """Parked changes and dead letters, many at once."""

    max_rounds: int = Field(
        3,
        ge=1,
        le=100,
        description="How often a parked change or a dead letter is retried and fails before a retry leaves it alone; "
        "--again tries it once more.",
    )


class ArchiveSettings(Group):
    """When events that are over leave the memory of Redis (Y4)."""

    after: float = Field(
        0.0,
        ge=0,
        le=315_360_000,
        description="Seconds from the end of an event's last session to its archive (2592000: 30 days); 0: never.",
    )


class ReconcileSettings(Group):
    """How often events are compared with Swoogo although nothing changed in Sessionboard."""

    interval: float = Field(
        1800.0, ge=0, le=604_800, description="Seconds between two reconciles of an event; 0: only when asked for."
    )
    deep_interval: float = Field(
        86_400.0, ge=1, le=2_592_000, description="Seconds between two reconciles that read every record."
    )
    max_missing_share: float = Field(
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
