"""The authorities that servers on the web are checked by."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def web_tls() -> ssl.SSLContext:
    """One context for all clients: to load the authorities takes 35 ms of CPU and 0.7 MiB each time.

    Not for a running event loop, the first time.
    """
    return httpx.create_ssl_context(trust_env=False)
