"""`swoogo-sync console`: the pages on this machine, until a signal ends it."""

from __future__ import annotations

from typing import Annotated

import typer

from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.cli.run import serve
from consumer.settings import load_settings


def console(*, port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port to listen on.")] = None) -> Exit:
    """Serve the console on this machine: the same facts as the commands, as pages.

    Needs Redis, and the packages of the extra `console`. Without orders (SWOOGO_SYNC_CONSOLE__ORDERS) it only reads.
    """
    given = load_settings(role="console")
    chosen = given.console if port is None else given.console.model_copy(update={"port": port})
    probes = given.http.model_copy(update={"enabled": False})  # beside a running service their port is taken
    return serve(given.model_copy(update={"console": chosen.model_copy(update={"enabled": True}), "http": probes}))
