"""The role `console`: serves the pages. Needs Redis; no key, and no credential of Swoogo."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import structlog

from consumer.adapters.http_server import serving
from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.documents.session import open_session
from consumer.observability.telemetry import Telemetry
from consumer.settings import PREFIX, Settings
from consumer.wiring.process import Listener

log = structlog.get_logger("console")

_CONNECTIONS: Final = 200
_CONNECTION_SECONDS: Final = 60.0
_HEAD_BYTES: Final = 32_768  # an ID token lists a person's groups


@asynccontextmanager
async def console_service(settings: Settings, watch: Telemetry) -> AsyncIterator[Listener]:
    """Listen while the block runs. Raises ConfigurationError, UnavailableError."""
    chosen = settings.console
    if not chosen.enabled:
        raise ConfigurationError(f"The role console has nothing to do: set {PREFIX}CONSOLE__ENABLED=true.")
    try:
        from consumer.entrypoints.console.app import console_app
        from consumer.entrypoints.console.identity import identity
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The console needs the package {error.name}: install swoogo-sync with the extra `console`."
        ) from None
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_session(settings))
        advice = f"set {PREFIX}CONSOLE__HOST and {PREFIX}CONSOLE__PORT to an address that is free."
        app = console_app(stores, chosen, await stack.enter_async_context(identity(chosen, stores.clock)))
        port = await stack.enter_async_context(
            serving(
                app,
                chosen.host,
                chosen.port,
                "The console",
                advice,
                connections=_CONNECTIONS,
                seconds=_CONNECTION_SECONDS,
                head_bytes=_HEAD_BYTES,
            )
        )
        log.info("console.listening", address=f"http://{chosen.host}:{port}/", orders=chosen.orders)
        yield Listener(port, watch, stores.replicas, stores.clock, "console")
