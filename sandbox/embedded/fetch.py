"""Command line: `python -m sandbox.embedded.fetch [--cache DIR]` fetches Apache Kafka once, and quietly."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sandbox.embedded.jars import fetch
from sandbox.embedded.server import ServerUnavailableError


def main() -> int:
    """0 when the jars are there; 1 with a sentence on standard error when not."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.embedded.fetch", description="Fetch Apache Kafka.")
    parser.add_argument("--cache", type=Path, default=None, help="where to keep it (default: .cache/kafka)")
    try:
        fetch(parser.parse_args().cache)
    except ServerUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
