"""Where probes and metrics are served."""

from __future__ import annotations

from pydantic import Field

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
