"""Which version of this service runs."""

from __future__ import annotations

from importlib import metadata


def installed_version() -> str:
    """`0.1.0`; `unknown` where the package is not installed."""
    try:
        return metadata.version("swoogo-sync")
    except metadata.PackageNotFoundError:
        return "unknown"
