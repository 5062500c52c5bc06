"""What a process shows of itself: probes and metrics, its log, its traces."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, HttpUrl

from consumer.settings.group import Group


class HttpSettings(Group):
    """Where probes and metrics are served."""

    enabled: bool = Field(default=True, description="Serve /livez, /readyz, /startupz and /metrics.")
    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address to listen on; in a container that of the pod, or 0.0.0.0. Nothing there is secret, and "
        "nothing can be changed.",
    )
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 takes any free one and logs it.")


class LogSettings(Group):
    """Logs."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level written.")
    format: Literal["json", "console"] = Field("json", description="One JSON object a line, or text for people.")


class TracingSettings(Group):
    """Traces, from the header of a change to the calls of the push that carried it. Needs the extra `tracing`."""

    enabled: bool = Field(default=False, description="Export traces (OTLP over HTTP).")
    endpoint: HttpUrl = Field(
        HttpUrl("http://127.0.0.1:4318/v1/traces"), description="Where spans are sent to, with its path."
    )
    sample_ratio: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of the pushes that are traced. A change is as its own trace says.",
    )
