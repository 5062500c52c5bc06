"""One server for all processes of a test run."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from tests.support.services import Service


def share(folder: Path, name: str, find: Callable[[], Service]) -> Service:
    """The server `name` of a run: the first process to ask starts it, and its `stop` waits until the others are done.

    A process uses the server until it calls `stop` or ends: the kernel then lets go of its lock. Raises what `find`
    raises.

    Args:
        folder: the processes of one run have this one in common.
        name: tells servers apart.
        find: starts or finds the server.
    """
    known = folder / f"{name}.json"
    users = (folder / f"{name}.users").open("w")
    with _alone(folder / f"{name}.door"):
        fcntl.flock(users, fcntl.LOCK_SH)
        if known.exists():
            return Service(**json.loads(known.read_text()), stop=users.close)
        try:
            service = find()
        except BaseException:
            users.close()
            raise
        known.write_text(json.dumps({"address": service.address, "source": service.source}))

    def stop() -> None:
        with users:
            # Both at once is not one step: a process that comes in between uses the server, and is waited for.
            fcntl.flock(users, fcntl.LOCK_EX)
            known.unlink()
            service.stop()

    return replace(service, stop=stop)


@contextmanager
def _alone(path: Path) -> Iterator[IO[str]]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
