"""`swoogo-sync parked`: what can be called; what the commands do is in `console.parked`."""

from __future__ import annotations

from typing import Annotated

import typer

from consumer.entrypoints.arguments import AnyEvent, AsJson, Event

parked_app = typer.Typer(help="Changes that Swoogo refused.", no_args_is_help=True, rich_markup_mode=None)


@parked_app.command("list")
def parked_list(
    event: AnyEvent = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List refused changes: record, issue, field, since when."""
    from consumer.entrypoints.console.parked import list_parked
    from consumer.settings import load_settings

    raise typer.Exit(list_parked(load_settings(), event, as_json=as_json))


@parked_app.command("retry")
def parked_retry(
    event: Event,
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY]...", help="Keys as parked list shows them; all when left out.", show_default=False
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Have refused changes tried once more: now with continuous sync, else with the next sync.

    Exit code 1 when there is nothing of the kind.
    """
    from consumer.entrypoints.console.parked import retry_parked
    from consumer.settings import load_settings

    raise typer.Exit(retry_parked(load_settings(), event, keys or (), as_json=as_json))
