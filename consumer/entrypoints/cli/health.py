"""`swoogo-sync health`: asks a probe of the process on this machine."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.health import ask


def health(
    probe: Annotated[
        Literal["live", "ready", "startup"],
        typer.Argument(help="live: only a restart helps; ready: it can work now; startup: the start is over."),
    ] = "live",
    wait: Annotated[
        float, typer.Option(min=0.0, max=3600.0, metavar="SECONDS", help="Ask on until all is well, for so long.")
    ] = 0.0,
) -> Exit:
    """Ask the service on this machine whether it is well, for a container's health check.

    Prints what each check says. Exit code 0 when all is well, 1 when it is not or nothing answers. Looks at
    SWOOGO_SYNC_HTTP__HOST and SWOOGO_SYNC_HTTP__PORT only.
    """
    return Exit(ask(probe, wait=wait))
