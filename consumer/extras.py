"""Keep libraries from importing what they would only use for extras of theirs, which the service never asks for.

rich and Pygments are installed for the commands, OpenTelemetry's SDK for traces. These libraries take that for a wish
to have coloured tracebacks, a command line, and metrics of their own: 5 MB of every replica.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final

_EXTRAS: Final = {
    "rich": ("structlog.dev", "structlog.tracebacks", "httpx._main"),
    "rich.pretty": ("structlog.tracebacks",),
    "rich.traceback": ("structlog.dev",),
    "pygments": ("httpx._main",),
    "opentelemetry.metrics": ("redis.observability.metrics",),
    "opentelemetry.sdk": ("redis.observability.providers",),
}
"""Package or module -> modules that do without it; everything else that imports it gets it. Of rich, commands have
imported a part before structlog asks.
"""


class _LeftOut:
    def find_spec(self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None) -> None:
        """Say that a package is not there while one of these modules is being imported."""
        for name in _EXTRAS.get(fullname, ()):
            if getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False):
                raise ModuleNotFoundError(f"{name} does without {fullname}", name=fullname)


def leave_out() -> None:
    """From now on; what is imported already stays."""
    sys.meta_path.insert(0, _LeftOut())
