"""`swoogo-sync topics`: what can be called; what it does is in `console.topics`."""

from __future__ import annotations

from typing import Annotated

import typer

from consumer.entrypoints.arguments import AsJson

topics_app = typer.Typer(help="The topics the service reads and writes.", no_args_is_help=True, rich_markup_mode=None)


@topics_app.callback()
def _topics() -> None:
    pass  # without it a group with one command would be that command


@topics_app.command("create")
def topics_create(
    *,
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="Partitions of a new topic.")] = 6,
    replication: Annotated[int, typer.Option(min=1, max=10, help="Copies of each partition.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Create the topics that are missing, each kept as the service needs it. Those that exist stay as they are."""
    from consumer.entrypoints.console.topics import create
    from consumer.settings import load_settings

    raise typer.Exit(create(load_settings(), partitions, replication, as_json=as_json))
