"""`python -m benchmarks [NAME...] [--json OUT]`: run benchmarks and print goal, figure and peer of each.

Exit code 0 whatever the figures are; 3 when a server that is needed cannot be started.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.catalogue import BENCHMARKS, run
from benchmarks.figure import Figure
from benchmarks.report import table
from sandbox.embedded import ServerFailedError, ServerUnavailableError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; returns the exit code."""
    options = _parser().parse_args(arguments)
    # The clients grumble about every topic that has just been made; what matters here is in the table.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    started = time.monotonic()
    try:
        figures, remark = asyncio.run(run(options.names or list(BENCHMARKS), options.scale, console.print))
    except (ServerUnavailableError, ServerFailedError) as error:
        print(error, file=sys.stderr)
        return 3
    console.print(table(figures))
    console.print(f"{remark} {time.monotonic() - started:.0f} s in all.".strip())
    if options.json:
        _write(options.json, figures, remark)
    return 0


def _write(path: Path, figures: Sequence[Figure], remark: str) -> None:
    document = {"remark": remark, "figures": [figure.as_json() for figure in figures]}
    path.write_text(json.dumps(document, indent=2) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed and memory beside a peer.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BENCHMARKS], help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file as well")
    parser.add_argument(
        "--scale", type=float, default=1.0, metavar="SHARE", help="size of the loads; the goals are for 1 (the default)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
