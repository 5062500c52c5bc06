"""The page `cli.md` of the site, made from the commands themselves. `make docs` builds it; it is not in the repository.

Needs the `sandbox` extra, whose demo is one of the commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from typer.core import TyperGroup
from typer.main import get_command

from consumer.entrypoints.cli.app import app
from consumer.entrypoints.cli.demo import demo_command

_WIDTH: Final = 100
_HEAD: Final = """# Commands

A command that cannot do what was asked says why in one sentence on standard error. Its exit code tells a script:

| code | meaning |
| --- | --- |
| 0 | fine |
| 1 | the answer is no: not mapped, not found, a sync with failures |
| 2 | wrong usage or configuration |
| 3 | a server did not answer, or not in time |
| 4 | the output could not be written |

With `--json` a command prints one JSON document on standard output and nothing else. E-mail addresses are always
masked. `NO_COLOR` is respected; output that is no terminal has no colours and no progress bar.
"""


def page() -> str:
    """The page in Markdown: what all commands share, then the help of each."""
    sections = [f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in _helps("swoogo-sync", get_command(app))]
    return _HEAD + "".join(sections)


def _helps(name: str, command: Any) -> Iterator[tuple[str, str]]:
    """The help text of a command and of those below it."""
    if name == "swoogo-sync demo":
        command = demo_command()
    context = command.make_context(name, [], resilient_parsing=True, terminal_width=_WIDTH)
    yield name, "\n".join(line.rstrip() for line in context.get_help().splitlines())
    if isinstance(command, TyperGroup):
        for member in command.list_commands(context):
            yield from _helps(f"{name} {member}", command.get_command(context, member))
