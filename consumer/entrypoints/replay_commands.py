"""`swoogo-sync replay`: what can be called; what it does is in `console.replay`."""

from __future__ import annotations

from typing import Annotated

import typer

from consumer.entrypoints.arguments import AsJson


def replay(
    topic: Annotated[
        str,
        typer.Argument(
            metavar="TOPIC", help="sessions, speakers, sponsors, mappings, or a topic's name.", show_default=False
        ),
    ],
    *,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME|OFFSET", help="A moment, an offset or PARTITION:OFFSET.")
    ] = "",
    event: Annotated[
        str, typer.Option("--event", metavar="ID", help="Only records of this Sessionboard event.", show_default=False)
    ] = "",
    rate: Annotated[float, typer.Option(min=1.0, max=1_000_000.0, help="Records a second at most.")] = 2_000.0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the last one was interrupted.")] = False,
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read an input topic again, beside the running service, after asking.

    What is known already changes nothing and costs no credits. Ctrl-C stops it; `--resume` goes on from there. Exit
    code 1 when it was not done to its end, 130 when Ctrl-C stopped it.
    """
    from consumer.entrypoints.console.replay import Asked, replay_topic
    from consumer.settings import load_settings

    asked = Asked(topic, start, event, rate, resume)
    raise typer.Exit(replay_topic(load_settings(), asked, sure=sure, as_json=as_json))
