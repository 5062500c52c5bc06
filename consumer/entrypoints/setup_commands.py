"""`swoogo-sync doctor` and `swoogo-sync probe`: what can be called; what they do is in `console`."""

from __future__ import annotations

from typing import Annotated

import typer

from consumer.entrypoints.arguments import AsJson


def doctor(*, as_json: AsJson = False) -> None:
    """Check everything the service stands on, one line each, with what to do about it.

    Settings, key pair, Kafka, Redis, Swoogo and clocks. Writes nothing; costs two credits of each connected
    organization. Exit code 1 when something is wrong.
    """
    from consumer.entrypoints.console.doctor import examine

    raise typer.Exit(examine(as_json=as_json))


def probe(
    *,
    event: Annotated[
        int, typer.Option("--event", min=1, metavar="ID", help="Swoogo event to try things on.", show_default=False)
    ],
    org: Annotated[
        str,
        typer.Option(metavar="ORG", help="Use the credential of this connected organization.", show_default=False),
    ] = "",
    secret: Annotated[
        str, typer.Option(metavar="NAME", help="Use the credential of this mounted secret.", show_default=False)
    ] = "",
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find out on a scratch event which guesses about Swoogo's API hold, and print the settings.

    Asks first, makes records there and deletes them again. Without --org or --secret the consumer key and secret are
    asked for without echo, or read as two lines from standard input. Exit code 1 when the answer was no or something
    could not be deleted, 3 when it broke off.
    """
    from consumer.entrypoints.console.probe import probe_event
    from consumer.settings import load_settings

    raise typer.Exit(probe_event(load_settings(), event, org=org, secret=secret, sure=sure, as_json=as_json))
