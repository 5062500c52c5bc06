"""`python -m tools.containers`: builds both images, runs the compose file and the testcontainers path of the tests.

A Docker engine of our own is started where none answers. At the end everything started is ended, and what stood in for
an official image is said. Exit code 1 with a sentence when something is not as it should be.
"""

from __future__ import annotations

import os
import sys

from sandbox.embedded import ServerUnavailableError
from tests.support.compose import services
from tests.support.containers import KAFKA_IMAGE, REDIS_IMAGE
from tests.support.services import MissingServiceError
from tools.containers import compose as composed
from tools.containers import images
from tools.containers.engine import Engine, docker_engine
from tools.running import ROOT, FailedError, end_on_signals, run, say

_TESTS = ("tests/integration/kafka/test_publish.py", "tests/integration/redis/test_scripts.py")


def main() -> int:
    """Run it all; the exit code."""
    end_on_signals()
    try:
        with docker_engine(os.environ) as engine:
            compose = composed.compose_of(engine)
            _images(engine, compose)
            _compose(compose)
            _testcontainers(engine)
            substituted = list(engine.substituted)
    except (FailedError, MissingServiceError, ServerUnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("ended before it was done, and so is everything that was started")
        return 130
    print("\nSubstituted:" if substituted else "\nNothing was substituted.")
    for each in substituted:
        print(f"- {each}")
    return 0


def _images(engine: Engine, compose: composed.Compose) -> None:
    base = images.base(engine)
    composed.build(compose, base)
    for name in {composed.image_of("kafka"), KAFKA_IMAGE}:
        images.kafka(engine, name, base)
    for name in {composed.image_of("valkey"), REDIS_IMAGE}:
        images.valkey(engine, name, base)
    images.prometheus_image(engine, composed.image_of("prometheus"), base)
    say("images:\n" + engine.docker("images", "--format", "    {{.Repository}}:{{.Tag}}  {{.Size}}").rstrip())


def _compose(compose: composed.Compose) -> None:
    swoogo = composed.root_of(services(), "swoogo")
    with composed.project(compose):
        composed.conference_arrives(swoogo)
        say("in a replica: " + "\n".join(composed.confinement(compose)))
        composed.prometheus_scrapes(compose, composed.root_of(services(), "prometheus"))
        composed.stop_one(compose, swoogo)
        say("as the CronJob runs it: " + composed.as_the_cron_job(compose, "reconcile", "--all").strip())
        found = composed.trouble(compose("logs", "--no-log-prefix", composed.SERVICE))
        say(
            "logged at warning or above: "
            + (", ".join(f"{what} ({count})" for what, count in found.items()) or "nothing")
        )
        for command in ("doctor", "status"):
            say(f"swoogo-sync {command}:\n" + compose("exec", "--no-TTY", composed.SERVICE, "swoogo-sync", command))


def _testcontainers(engine: Engine) -> None:
    """A few integration tests, which find this engine before they look for anything else."""
    # Its cleaner is an image of its own, and everything in an engine of ours is removed anyway.
    environment = {**engine.environment, "TESTCONTAINERS_RYUK_DISABLED": "true" if engine.own else "false"}
    say(f"pytest {' '.join(_TESTS)}")
    output = run([sys.executable, "-m", "pytest", "-x", "--tb=short", *_TESTS], cwd=ROOT, env=environment)
    missing = [image for image in (KAFKA_IMAGE, REDIS_IMAGE) if f"in Docker ({image})" not in output]
    if missing:
        raise FailedError(f"The tests passed, but not on {', '.join(missing)} in Docker:\n{output}")
    print("\n".join(output.splitlines()[-6:]))


if __name__ == "__main__":
    sys.exit(main())
