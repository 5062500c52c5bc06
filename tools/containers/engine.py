"""A Docker engine: the one that answers, else Debian's `dockerd` with a socket, data and a pid file of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.containers import docker_answers
from tools.running import CACHE, FailedError, run, say, until

DATA: Final = CACHE / "containers" / "engine"
_OPTIONS: Final = (
    "--iptables=false",  # a kernel without netfilter's tables is enough; builds use the host's network
    "--storage-driver=overlay2",
    "--default-ulimit=nofile=20000:20000",
)
_BRIDGE: Final = "docker0"
_ADVICE: Final = "Start Docker, or install Debian's engine and its client (`apt-get install docker.io`) and be root."


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine that answers. `client` is a `docker` that builds with BuildKit; `own`: we started it."""

    client: str
    host: str
    own: bool
    substituted: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What clients of this engine need in theirs."""
        return {"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "1"}

    def docker(self, *arguments: str, seconds: float = 600) -> str:
        """Standard output of a command of the client. Raises FailedError."""
        return run([self.client, *arguments], env=self.environment, seconds=seconds)

    def has(self, image: str) -> bool:
        """Whether the engine has an image of this name."""
        return bool(self.docker("images", "--quiet", image).strip())


@contextmanager
def docker_engine(environment: Mapping[str, str]) -> Iterator[Engine]:
    """An engine for the time of the block. One of ours is ended with every container in it. Raises FailedError."""
    if docker_answers(environment):
        host = environment.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        yield Engine(client=_client(), host=host, own=False)
        return
    daemon = shutil.which("dockerd")
    if daemon is None or os.geteuid() != 0:
        raise FailedError(f"No Docker engine answers. {_ADVICE}")
    DATA.mkdir(parents=True, exist_ok=True)
    had_bridge = _has_bridge()
    with tempfile.TemporaryDirectory(prefix="docker-") as made:
        work = Path(made)
        host = f"unix://{work / 'docker.sock'}"
        places = ["--host", host, "--data-root", str(DATA), "--exec-root", str(work / "exec")]
        log = work / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [daemon, *_OPTIONS, *places, "--pidfile", str(work / "docker.pid")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        engine = Engine(client=_client(), host=host, own=True)
        try:
            _await(engine, process, log)
            engine.substituted.append(f"the engine: {_version(engine)}, started for this run with {' '.join(_OPTIONS)}")
            yield engine
        finally:
            _end(engine, process)
            if not had_bridge and _has_bridge() and shutil.which("ip"):
                run(["ip", "link", "delete", _BRIDGE])


def _client() -> str:
    """A client that builds with BuildKit: newer ones need the plugin buildx, Debian's has it in itself."""
    found = [path for path in (shutil.which("docker"), "/usr/bin/docker") if path and Path(path).exists()]
    for path in found:
        if _builds(path):
            return path
    raise FailedError(f"No `docker` here builds with BuildKit. {_ADVICE}")


def _builds(client: str) -> bool:
    try:
        run([client, "buildx", "version"])
    except FailedError:
        version = run([client, "--version"]).split()[2]
        return int(version.partition(".")[0]) < 23  # since then `docker build` is buildx
    return True


def _await(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    def ready() -> bool:
        if process.poll() is not None:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise FailedError(f"dockerd ended with {process.returncode} while starting:\n{tail}")
        return docker_answers({"DOCKER_HOST": engine.host})

    say(f"dockerd is starting, process {process.pid}")
    until(ready, "the Docker engine answers", 60)


def _end(engine: Engine, process: subprocess.Popen[bytes]) -> None:
    """Containers first: their processes are not children of the engine's."""
    if process.poll() is None:
        if docker_answers({"DOCKER_HOST": engine.host}):
            left = engine.docker("ps", "--all", "--quiet").split()
            if left:
                engine.docker("rm", "--force", "--volumes", *left)
            engine.docker("network", "prune", "--force")
            engine.docker("image", "prune", "--force")  # what an earlier run's tags named
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    say(f"dockerd, process {process.pid}, has ended")


def _version(engine: Engine) -> str:
    return "Docker " + engine.docker("version", "--format", "{{.Server.Version}}").strip()


def _has_bridge() -> bool:
    return Path("/sys/class/net", _BRIDGE).exists()
