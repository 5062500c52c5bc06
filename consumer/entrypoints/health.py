"""`swoogo-sync health`: asks a probe of the process on this machine. Standard library only, so that it starts fast.

A container asks this every few seconds, and reading all settings would cost more than the question. So this module,
besides the settings themselves, knows the names of three variables; a test holds them against the settings.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping

ENABLED, HOST, PORT = "SWOOGO_SYNC_HTTP__ENABLED", "SWOOGO_SYNC_HTTP__HOST", "SWOOGO_SYNC_HTTP__PORT"
DEFAULTS = {ENABLED: "true", HOST: "127.0.0.1", PORT: "8080"}
PATHS = {"live": "/livez", "ready": "/readyz", "startup": "/startupz"}
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is asked is the way from here
_SECONDS = 5.0
_AGAIN_SECONDS = 0.5
_OFF = {"false", "0", "no", "off", "f", "n"}


def address(environment: Mapping[str, str]) -> str:
    """Where the probes are, as a URL; empty when they are switched off."""
    values = {name: environment.get(name) or default for name, default in DEFAULTS.items()}
    if values[ENABLED].lower() in _OFF:
        return ""
    host = _EVERYWHERE.get(values[HOST], values[HOST])
    return f"http://{f'[{host}]' if ':' in host else host}:{values[PORT]}"


def ask(probe: str, environment: Mapping[str, str] | None = None, *, wait: float = 0.0) -> int:
    """Ask and print the answer; the exit code is 0 when it is fine, else 1. `wait`: ask on for so many seconds."""
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            well = _ask(probe, environment) == 0
        if well:
            break
        time.sleep(min(_AGAIN_SECONDS, max(deadline - time.monotonic(), 0)))
    return _ask(probe, environment)


def _ask(probe: str, environment: Mapping[str, str] | None) -> int:
    base = address(os.environ if environment is None else environment)
    if not base:
        sys.stderr.write(f"The probes are switched off; set {ENABLED}=true.\n")
        return 1
    # Straight to this machine, whatever proxies the environment names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(base + PATHS[probe], timeout=_SECONDS) as answer:
            sys.stdout.write(answer.read(65_536).decode(errors="replace"))
    except urllib.error.HTTPError as refused:
        sys.stdout.write(refused.read(65_536).decode(errors="replace"))
        return 1
    except OSError as error:
        reason = getattr(error, "reason", error)
        sys.stderr.write(f"Nothing answers at {base}{PATHS[probe]} ({reason}); is the service running?\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(ask(sys.argv[1] if sys.argv[1:] else "live"))
