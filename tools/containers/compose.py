"""The compose file, run: up, what arrives in the sandbox, a replica stopped, everything down."""

from __future__ import annotations

import json
import re
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from tests.support.compose import FILE, services
from tools.containers.engine import Engine
from tools.gomodules import Program, built
from tools.running import CACHE, FailedError, run, say, until

SERVICE: Final = "swoogo-sync"
_BUILT: Final = (SERVICE, "swoogo")
_COMPOSE: Final = Program(
    name="docker-compose",
    module="github.com/docker/compose/v2",
    version="v2.40.3",
    package="github.com/docker/compose/v2/cmd",
    variables=("github.com/docker/compose/v2/internal.Version=v2.40.3",),
)
_BUILDX: Final = Program(
    name="docker-buildx",
    module="github.com/docker/buildx",
    version="v0.30.1",
    package="github.com/docker/buildx/cmd/buildx",
    variables=("github.com/docker/buildx/version.Version=v0.30.1",),
)
_PIP: Final = (Path("/etc/pip.conf"), Path.home() / ".config" / "pip" / "pip.conf")
_EDIT: Final = re.compile(r"\(edit (\d+)\)")
_TROUBLE: Final = re.compile(r"\[(warning|error|critical)\s*\] (\S+)")
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_ARRIVES_SECONDS: Final = 300.0
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Compose:
    """The compose file on an engine."""

    engine: Engine
    command: tuple[str, ...]

    def __call__(self, *arguments: str, seconds: float = 600, env: Mapping[str, str] | None = None) -> str:
        """Standard output of a command of Compose. Raises FailedError."""
        given = [*self.command, "--file", str(FILE), "--profile", "core", *arguments]
        return run(given, env={**self.engine.environment, **(env or {})}, cwd=FILE.parent, seconds=seconds)

    def rows(self, service: str) -> list[Row]:
        """The containers of a service, also those that ended, as `docker inspect` describes them, in order."""
        ids = self("ps", "--all", "--quiet", service).split()
        found: list[Row] = json.loads(self.engine.docker("inspect", *ids)) if ids else []
        return sorted(found, key=lambda each: str(each["Name"]))


def compose_of(engine: Engine) -> Compose:
    """Compose v2: the client's own plugin, else built by Go."""
    try:
        engine.docker("compose", "version")
    except FailedError:
        return Compose(engine, (str(built(_COMPOSE, CACHE / "containers")),))
    return Compose(engine, (engine.client, "compose"))


def build(compose: Compose, base: str) -> None:
    """Builds the images by the compose file's own sections, from `base`, with this machine's access to packages.

    Compose builds with the plugin buildx; where the client has none, Go builds it.
    """
    say("compose build")
    with tempfile.TemporaryDirectory(prefix="build-") as made:
        work = Path(made)
        environment = {}
        if not _has_buildx(compose.engine):
            plugins = work / "cli-plugins"
            plugins.mkdir()
            (plugins / _BUILDX.name).symlink_to(built(_BUILDX, CACHE / "containers"))
            environment = {"DOCKER_CONFIG": str(work)}
        extra = work / "extra.yml"
        extra.write_text(yaml.safe_dump(beside(base, next((path for path in _PIP if path.exists()), None))))
        compose("--file", str(extra), "build", *_BUILT, seconds=1800, env=environment)


def beside(base: str, pip: Path | None) -> Row:
    """What is merged into the compose file for a build: the base, the host's network, and how pip reaches packages."""
    section: Row = {"network": "host", "args": {"PYTHON_IMAGE": base}}
    if pip is None:
        return {"services": {name: {"build": section} for name in _BUILT}}
    section["secrets"] = ["pip"]
    return {"services": {name: {"build": section} for name in _BUILT}, "secrets": {"pip": {"file": str(pip)}}}


def _has_buildx(engine: Engine) -> bool:
    try:
        engine.docker("buildx", "version")
    except FailedError:
        return False
    return True


def published_ports(described: dict[str, Row]) -> list[int]:
    """The ports on loopback that services publish, e.g. `127.0.0.1:8090:8090` -> 8090."""
    return sorted({int(port.split(":")[1]) for each in described.values() for port in each.get("ports", ())})


def require_free(ports: list[int]) -> None:
    """Raises FailedError naming the first port on loopback that is taken."""
    for port in ports:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise FailedError(f"Port {port} of 127.0.0.1 is taken, and the compose file publishes it: free it.")


def last_edit(state: Row) -> int:
    """The number of the sample publisher's newest edit among the titles of a sandbox's state; 0 before the first."""
    return max((int(number) for number in _EDIT.findall(json.dumps(state))), default=0)


@contextmanager
def project(compose: Compose) -> Iterator[None]:
    """`up` with profile `core`, and `down` with volumes at the end, however that comes."""
    require_free(published_ports(services()))
    say("compose up, profile `core`")
    try:
        compose("up", "--detach", "--no-build", seconds=900)
        yield
    except FailedError:
        for name in ("swoogo-sync", "publisher", "topics", "kafka"):
            print(compose("logs", "--tail", "15", name))
        raise
    finally:
        compose("--profile", "observability", "down", "--volumes", "--timeout", "60")
        say("compose down")


def conference_arrives(swoogo: str) -> None:
    """Waits until the sample conference is in the sandbox at `swoogo` and an edit after it."""

    def whole() -> bool:
        creates = _asked(f"{swoogo}/_control/stats").get("creates", {})
        return bool(creates.get("sponsors"))  # pushed last

    took = until(whole, "the conference is in the sandbox", _ARRIVES_SECONDS)
    made = _asked(f"{swoogo}/_control/stats")["creates"]
    say(f"the conference is in the sandbox, {took:.0f} s after the containers were up: {made}")
    edit_arrives(swoogo, 0)


def edit_arrives(swoogo: str, after: int) -> int:
    """Waits for an edit newer than number `after`; its number."""
    until(lambda: newest_edit(swoogo) > after, f"an edit after number {after}", _ARRIVES_SECONDS)
    say(f"edit {newest_edit(swoogo)} has arrived")
    return newest_edit(swoogo)


def newest_edit(swoogo: str) -> int:
    """The number of the newest edit in the sandbox."""
    return last_edit(_asked(f"{swoogo}/_control/state"))


def stop_one(compose: Compose, swoogo: str) -> None:
    """Stops one of the replicas as `docker stop` does, and sees edits published after it arrive through the other."""
    first, second = (str(row["Id"]) for row in compose.rows(SERVICE))
    compose.engine.docker("stop", "--time", "60", first)
    row = next(row for row in compose.rows(SERVICE) if row["Id"] == first)
    code = int(row["State"]["ExitCode"])
    if code != 0:
        raise FailedError(f"The stopped replica ended with {code}, not with 0.")
    say(f"replica {row['Name'].strip('/')} stopped, exit code 0")
    # The edit under way may have been read before; the one after the next was surely published without the replica.
    seen = newest_edit(swoogo)
    edit_arrives(swoogo, seen + 1)
    compose.engine.docker("start", first)
    until(lambda: _healthy(compose), "both replicas are healthy again", _ARRIVES_SECONDS)
    say("the replica is started again, and both are healthy")
    restarts = [int(row["RestartCount"]) for row in compose.rows(SERVICE) if row["Id"] == second]
    if restarts != [0]:
        raise FailedError(f"The other replica was restarted meanwhile: {restarts}.")


def _healthy(compose: Compose) -> bool:
    return all(row["State"].get("Health", {}).get("Status") == "healthy" for row in compose.rows(SERVICE))


def _asked(url: str) -> Row:
    try:
        answer = httpx.get(url, timeout=30, trust_env=False)
        found: Row = answer.raise_for_status().json()
    except httpx.HTTPError:
        return {}
    return found


def prometheus_scrapes(compose: Compose, address: str) -> None:
    """Starts the compose file's Prometheus, which finds both replicas by their name and evaluates every rule."""
    compose("--profile", "observability", "up", "--detach", "--no-build", "--no-deps", "prometheus")

    def targets() -> list[str]:
        found = _asked(f"{address}/api/v1/targets").get("data", {}).get("activeTargets", ())
        return [str(each["health"]) for each in found]

    def rules() -> list[str]:
        groups = _asked(f"{address}/api/v1/rules").get("data", {}).get("groups", ())
        return [str(rule["health"]) for group in groups for rule in group["rules"]]

    until(lambda: targets() == ["up", "up"], "Prometheus scrapes both replicas", _ARRIVES_SECONDS)
    until(lambda: bool(rules()) and set(rules()) == {"ok"}, "Prometheus has evaluated every rule", _ARRIVES_SECONDS)
    say(f"Prometheus scrapes {len(targets())} replicas found by name, {len(rules())} rules evaluated")


def confinement(compose: Compose) -> list[str]:
    """What a process of the service may do, read inside a replica: user, capabilities, where it can write."""
    script = (
        "import os;s=dict(l.split(':\\t',1) for l in open('/proc/self/status').read().splitlines() if ':\\t' in l);"
        "w=[d for d in ('/','/opt','/opt/swoogo-sync','/var','/tmp') if os.access(d,os.W_OK)];"
        "print('user',os.getuid(),'| capabilities',s['CapBnd'],'| no_new_privs',s['NoNewPrivs'],"
        "'| seccomp',s['Seccomp'],'| writable',w)"
    )
    return compose("exec", "--no-TTY", SERVICE, "python", "-c", script).splitlines()


def as_the_cron_job(compose: Compose, *command: str) -> str:
    """Runs a command of the service as the CronJob's pod does: read-only, no rights, and not even a `/tmp`."""
    environment = {str(name): str(value) for name, value in services()[SERVICE]["environment"].items()}
    [network] = compose.rows(SERVICE)[0]["NetworkSettings"]["Networks"]
    given = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
    limits = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "256m"]
    return compose.engine.docker("run", "--rm", "--network", str(network), *limits, *given, image_of(SERVICE), *command)


def trouble(logs: str) -> Counter[str]:
    """How often each event at warning or above was logged, e.g. `warning push.failed`."""
    plain = _COLOURS.sub("", logs)
    return Counter(f"{level} {event}" for level, event in _TROUBLE.findall(plain))


def root_of(described: dict[str, Row], service: str) -> str:
    """The URL on this machine at which a service's first published port answers."""
    return "http://127.0.0.1:" + str(described[service]["ports"][0].split(":")[1])


def image_of(service: str) -> str:
    """The image that the compose file names for a service."""
    return str(services()[service]["image"])
