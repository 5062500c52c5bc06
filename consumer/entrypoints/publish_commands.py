"""`swoogo-sync publish`: what can be called; what it does is in `console.publish_check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consumer.entrypoints.arguments import AsJson


def publish(
    *,
    check: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="A JSON object a line with topic, key, value (an object, a text, or null) and timestamp (ms), as "
            "`kcat -J` prints it.",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Say what would become of recorded records, without a server: synced, left out and why, or a dead letter.

    For the tests of a publisher. Exit code 1 when a record would be a dead letter.
    """
    from consumer.entrypoints.console.publish_check import check_file
    from consumer.settings import load_settings

    raise typer.Exit(check_file(load_settings(), check, as_json=as_json))
