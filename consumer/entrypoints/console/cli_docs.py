"""Writes `docs/cli.md` from the commands themselves: `python -m consumer.entrypoints.console.cli_docs`.

With `--check` nothing is written; the exit status is 1 when the file differs. Needs the `sandbox` extra, whose demo
is one of the commands.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from typer.core import TyperGroup
from typer.main import get_command

from consumer.entrypoints.cli import app, demo_app
from consumer.settings.docs import main

_WIDTH: Final = 100
_HEAD: Final = """<!-- Made by `python -m consumer.entrypoints.console.cli_docs`; change the commands instead. -->

# Command line

Every command says what is wrong in one sentence on standard error and ends with one of these exit codes:

| code | meaning |
| --- | --- |
| 0 | fine |
| 1 | the answer is no: not mapped, not found, a sync with failures |
| 2 | wrong usage or configuration |
| 3 | a server did not answer, or not in time |

With `--json` a command prints one JSON document on standard output and nothing else. E-mail addresses are always
masked. `NO_COLOR` is respected; output that is no terminal has no colours and no progress bar.
"""


def generated() -> Mapping[str, str]:
    """Path below the project -> the text the file should have."""
    sections = [f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in _helps("swoogo-sync", get_command(app))]
    return {"docs/cli.md": _HEAD + "".join(sections)}


def _helps(name: str, command: Any) -> Iterator[tuple[str, str]]:
    """The help text of a command and of those below it."""
    if name == "swoogo-sync demo":
        command = get_command(demo_app())
    context = command.make_context(name, [], resilient_parsing=True, terminal_width=_WIDTH)
    yield name, "\n".join(line.rstrip() for line in context.get_help().splitlines())
    if isinstance(command, TyperGroup):
        for member in command.list_commands(context):
            yield from _helps(f"{name} {member}", command.get_command(context, member))


if __name__ == "__main__":
    sys.exit(main(files=generated()))
