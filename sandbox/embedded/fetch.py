"""Command line: `python -m sandbox.embedded.fetch [--cache DIR]` fetches Apache Kafka once, and quietly.

Where there is Java, it starts once, so that each later start takes half the time.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from sandbox.embedded.jars import fetch
from sandbox.embedded.kafka_classes import archive_classes
from sandbox.embedded.server import ServerFailedError, ServerUnavailableError


def main() -> int:
    """0 when the jars are there; 1 with a sentence on standard error when not."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.embedded.fetch", description="Fetch Apache Kafka.")
    parser.add_argument("--cache", type=Path, default=None, help="where to keep it (default: .cache/kafka)")
    cache = parser.parse_args().cache
    try:
        fetch(cache)
    except ServerUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    # Without the archive Kafka starts all the same; why it cannot start now is said where it is needed.
    with contextlib.suppress(ServerFailedError, ServerUnavailableError):
        archive_classes(cache)
    return 0


if __name__ == "__main__":
    sys.exit(main())
