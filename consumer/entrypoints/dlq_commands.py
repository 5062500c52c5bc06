"""`swoogo-sync dlq`: what can be called; what the commands do is in `console.dlq`."""

from __future__ import annotations

from typing import Annotated

import typer

from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.arguments import AsJson

Letter = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="PARTITION:OFFSET, as dlq list shows it.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="Every open one.")]
Sure = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

dlq_app = typer.Typer(help="Undecodable records.", no_args_is_help=True, rich_markup_mode=None)


@dlq_app.command("list")
def dlq_list(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest ones.")] = 50,
    topic: Annotated[
        str | None, typer.Option(metavar="TOPIC", help="Only those that came from this topic.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List open dead letters: when, where from, why, and what to do."""
    from consumer.entrypoints.console.dlq import list_letters
    from consumer.settings import load_settings

    raise typer.Exit(list_letters(load_settings(), limit=limit, topic=topic, as_json=as_json))


@dlq_app.command("show")
def dlq_show(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="PARTITION:OFFSET, as dlq list shows it.", show_default=False)
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Show a dead letter: headers and original bytes, without secrets and e-mail addresses.

    Exit code 1 when there is no such open one.
    """
    from consumer.entrypoints.console.dlq import show_letter
    from consumer.settings import load_settings

    raise typer.Exit(show_letter(load_settings(), identifier, as_json=as_json))


@dlq_app.command("replay")
def dlq_replay(
    identifier: Letter = None, *, everything: All = False, sure: Sure = False, as_json: AsJson = False
) -> None:
    """Put original records back on the topic they came from, where the service reads them as any other.

    One whose key has a newer record is only marked as settled. Exit code 1 when there is none, or one cannot be
    replayed because its bytes were not kept.
    """
    from consumer.entrypoints.console.dlq import replay_letters
    from consumer.settings import load_settings

    raise typer.Exit(
        replay_letters(load_settings(), _which(identifier, everything=everything), sure=sure, as_json=as_json)
    )


@dlq_app.command("discard")
def dlq_discard(
    identifier: Letter = None, *, everything: All = False, sure: Sure = False, as_json: AsJson = False
) -> None:
    """Mark dead letters as dealt with; what they hold is not synced. Exit code 1 when there is none."""
    from consumer.entrypoints.console.dlq import discard_letters
    from consumer.settings import load_settings

    raise typer.Exit(
        discard_letters(load_settings(), _which(identifier, everything=everything), sure=sure, as_json=as_json)
    )


def _which(identifier: str | None, *, everything: bool) -> str | None:
    """None: all of them. Raises ConfigurationError."""
    if (identifier is None) is not everything:
        raise ConfigurationError("Name one dead letter as PARTITION:OFFSET, or all of them with --all.")
    return identifier
