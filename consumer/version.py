"""Which version of this service runs."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def installed_version() -> str:
    """`0.1.0`; `unknown` where the package is not installed. Read once: it costs as much as a call of Swoogo."""
    try:
        return metadata.version("swoogo-sync")
    except metadata.PackageNotFoundError:
        return "unknown"
