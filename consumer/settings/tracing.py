"""Traces."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from consumer.settings.group import Group


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
