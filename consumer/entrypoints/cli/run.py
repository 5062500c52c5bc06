"""`swoogo-sync run`: the service until a signal ends it. Loads nothing that only people at a terminal need."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Literal, Protocol

import structlog
import typer

from consumer.adapters.process import hide_memory
from consumer.app import service
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.observability.logs import set_up
from consumer.observability.probes import probes
from consumer.observability.telemetry import Telemetry
from consumer.observability.tracing import tracing
from consumer.settings import Settings, load_settings

log = structlog.get_logger("app")


def run(
    *,
    role: Annotated[
        Literal["all", "ingest", "sync", "webhooks", "console"] | None,
        typer.Option(help="Which half runs; the setting SWOOGO_SYNC_ROLE when left out."),
    ] = None,
) -> Exit:
    """Run the service until SIGTERM or SIGINT.

    The first signal lets what runs finish; a second SIGINT ends the process at once, which loses nothing.
    """
    return serve(load_settings(role=role) if role else load_settings())


def serve(settings: Settings) -> Exit:
    """Run until SIGTERM or SIGINT; then nothing new is started and what runs is finished.

    A second SIGINT ends the process at once, which is safe at any moment (G1): whatever was not finished is done
    again by the next start.

    Raises:
        ConfigurationError: a setting, a topic or a server is not as it must be, or the probes' port is taken.
        UnavailableError: Kafka or Redis does not answer.
    """
    if settings.role not in {"webhooks", "console"}:
        settings.keys.needed_private()  # reported before Kafka and Redis are asked
    hidden = hide_memory()
    set_up(settings.log)
    if not hidden:
        log.warning("app.memory_not_hidden")
    asyncio.run(_serve(settings))
    return Exit.OK


class _Running(Protocol):
    async def run(self, stop: asyncio.Event) -> None: ...


def _built(settings: Settings, watch: Telemetry) -> AbstractAsyncContextManager[_Running]:
    if settings.role == "webhooks":
        from consumer.entrypoints.webhooks import webhook_service

        return webhook_service(settings, watch)
    if settings.role == "console":
        from consumer.entrypoints.console.serve import console_service

        return console_service(settings, watch)
    return service(settings, watch)


async def _serve(settings: Settings) -> None:
    stop, watch = asyncio.Event(), Telemetry(settings)
    starting = asyncio.current_task()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            if number is signal.SIGINT:
                log.warning("app.killed")
                os._exit(128 + number)
            return
        log.info("app.stopping", signal=number.name)
        watch.health.stopping = True
        stop.set()
        if starting:  # still waiting for Kafka or Redis: there is nothing to finish
            starting.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    try:
        with tracing(settings.tracing) as watch.tracer:
            async with probes(settings.http, watch.health, watch.scrape), _built(settings, watch) as running:
                starting = None
                await running.run(stop)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
