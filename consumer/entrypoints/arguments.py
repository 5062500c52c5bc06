"""Arguments and options that several commands share, worded once."""

from __future__ import annotations

from typing import Annotated

import typer

Event = Annotated[str, typer.Argument(metavar="EVENT", help="Sessionboard event id.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document for machines.")]
Everything = Annotated[bool, typer.Option("--all", help="List everything, however long.")]
