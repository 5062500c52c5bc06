"""A peer of the ingest benchmark: Quix Streams with its Redis sink, in a virtual environment of its own.

This file runs there by itself and imports nothing of the project; `quix_python` makes the environment. Records are
decoded and encoded by orjson, and kept and committed 5,000 at a time: the sink writes at a checkpoint, in one
transaction a partition.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_PACKAGES: Final = ("quixstreams==3.28.1", "redis==8.1.0", "orjson")
_HOME: Final = Path(__file__).resolve().parent.parent / ".cache" / "quixstreams"
_INSTALL_SECONDS: Final = 120
_AT_ONCE: Final = 5_000


def quix_python() -> Path | str:
    """The Python that has Quix Streams, installed now unless it is there; or a sentence that says why there is none."""
    python, done = _HOME / "bin" / "python", _HOME / "done"
    if done.exists():
        return python
    try:
        venv.create(_HOME, with_pip=True)
        install = (python, "-m", "pip", "install", "-q", "--retries=1", *_PACKAGES)
        subprocess.run(install, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        return f"Quix Streams cannot be installed here ({type(error).__name__}), so this peer is missing."
    done.touch()
    return python


def main() -> None:
    """Consume until killed; writes `ready`, and goes on when a line comes in."""
    import orjson
    from quixstreams import Application
    from quixstreams.sinks.community.redis import RedisSink

    given = {name.removeprefix("SWOOGO_SYNC_"): value for name, value in os.environ.items()}
    redis, prefix = urlsplit(given["REDIS__URL"]), given["REDIS__PREFIX"]
    application = Application(
        given["KAFKA__BOOTSTRAP_SERVERS"],
        consumer_group=f"{given['KAFKA__GROUP_ID']}.sessions",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        commit_every=_AT_ONCE,
        commit_interval=1.0,
        loglevel="WARNING",
    )
    sink = RedisSink(
        host=redis.hostname or "localhost",
        port=redis.port or 6379,
        db=int(redis.path.strip("/") or 0),
        key_serializer=lambda key, _: f"{prefix}:{key}",
        value_serializer=orjson.dumps,
    )
    for name in ("SESSIONS", "SPEAKERS"):
        topic = application.topic(given[f"KAFKA__TOPICS__{name}"], key_deserializer="str", value_deserializer="json")
        application.dataframe(topic).apply(lambda change: change["data"]).sink(sink)
    print("ready", flush=True)
    if sys.stdin.readline():
        application.run()


if __name__ == "__main__":
    main()
