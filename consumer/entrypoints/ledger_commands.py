"""`swoogo-sync ledger`: what can be called; what the commands do is in `console.ledger` and `console.orders`."""

from __future__ import annotations

from typing import Annotated

import typer

from consumer.entrypoints.arguments import AsJson, Event

Key = Annotated[
    str,
    typer.Argument(metavar="KEY", help="Ledger key such as session/ID, or the beginning of it.", show_default=False),
]
Sure = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

ledger_app = typer.Typer(help="What is known to be in Swoogo.", no_args_is_help=True, rich_markup_mode=None)


@ledger_app.command("show")
def ledger_show(
    event: Event,
    identifier: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="Sessionboard id, key such as session/ID, the beginning of either, or Swoogo id.",
            show_default=False,
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what was pushed: Swoogo id, state, fields and associations. E-mail addresses are masked.

    Exit code 1 when there is nothing.
    """
    from consumer.entrypoints.console.ledger import show_ledger
    from consumer.settings import load_settings

    raise typer.Exit(show_ledger(load_settings(), event, identifier, as_json=as_json))


@ledger_app.command("lift")
def ledger_lift(
    event: Event,
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Sessionboard id, key such as session/ID, the beginning of either, or Swoogo id.",
            show_default=False,
        ),
    ],
    *,
    sure: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Let a record that was deleted in Swoogo be synced again.

    A running service does it: at once with continuous sync, else with the next sync. Exit code 1 when there is no
    such deleted record, or the answer was no.
    """
    from consumer.entrypoints.console.orders import lift
    from consumer.settings import load_settings

    raise typer.Exit(lift(load_settings(), event, identifier, sure=sure, as_json=as_json))


@ledger_app.command("adopt")
def ledger_adopt(
    event: Event,
    key: Key,
    swoogo_id: Annotated[
        int,
        typer.Argument(metavar="SWOOGO_ID", min=1, help="Id of the record in the event in Swoogo.", show_default=False),
    ],
    *,
    sure: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Say that a record in Swoogo is this one: the answer to the issue ambiguous_match.

    A running service does it: at once with continuous sync, else with the next sync. It first checks that the event in
    Swoogo has that record (10 credits); if not, the issue not_adopted says so. From then on the record is ours: the
    same sync sends every field that is not empty in Sessionboard. Exit code 1 when the key is not known, is in Swoogo
    already, or the Swoogo record belongs to another, or the answer was no.
    """
    from consumer.entrypoints.console.orders import adopt
    from consumer.settings import load_settings

    raise typer.Exit(adopt(load_settings(), event, key, swoogo_id, sure=sure, as_json=as_json))


@ledger_app.command("forget")
def ledger_forget(event: Event, key: Key, *, sure: Sure = False, as_json: AsJson = False) -> None:
    """Say that an unanswered create made none of the records in Swoogo: the other answer to ambiguous_match.

    A running service does it: at once with continuous sync, else with the next sync, but not before the create can no
    longer take effect (PUSH__CREATE_SETTLE_TIME). A session or sponsor is then created again. A speaker, room, track
    or level is looked for by e-mail or name: found, the oldest is taken, else it is created again. Exit code 1 when
    there is no unanswered create under this key, or the answer was no.
    """
    from consumer.entrypoints.console.orders import forget
    from consumer.settings import load_settings

    raise typer.Exit(forget(load_settings(), event, key, sure=sure, as_json=as_json))


@ledger_app.command("remove")
def ledger_remove(
    event: Event,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="TEXT", help="Confirm, and why. It goes to the service's log: no personal data."
        ),
    ] = "",
    *,
    sure: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Show removals that are so many at once that they wait, and confirm them: the answer to too_many_removals.

    Only with remove_deleted_sessions or remove_deleted_speakers in the mapping. Exactly the records shown are
    confirmed; what is accepted again meanwhile stays. A running service deletes them in Swoogo: at once with continuous
    sync, else with the next sync of everything. Exit code 1 when none waits, or the answer was no.
    """
    from consumer.entrypoints.console.removals import remove
    from consumer.settings import load_settings

    raise typer.Exit(remove(load_settings(), event, reason, sure=sure, as_json=as_json))
