"""Programs that tests need: Prometheus, promtool, kustomize, actionlint, a loader of compose files, the example
publisher in TypeScript, Chromium, and axe-core.

Each is taken from where it is installed, else fetched once into `.cache/tools` without root: Prometheus from Debian's
package (unpacked, not installed), axe-core from npm's registry, the others built by Go. Chromium alone is installed,
Debian's package, where we are root. `python -m tests.support.tools` fetches all. A program that cannot be had is an
error that says what to install, never a skip.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from tests.support.services import MissingServiceError

CACHE: Final = Path(__file__).parents[2] / ".cache" / "tools"
_KUSTOMIZE: Final = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.3"
_COMPOSE: Final = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
_ACTIONLINT: Final = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
_AXE: Final = "axe-core@4.14.1"
_AXE_SHA512: Final = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS: Final = 600


def kustomize() -> list[str]:
    """The command that renders a folder, which is to be appended. Raises MissingServiceError."""
    kubectl = shutil.which("kubectl")
    if kubectl and "Kustomize Version: v5" in _run([kubectl, "version", "--client"]):
        return [kubectl, "kustomize"]
    own = shutil.which("kustomize")
    return [own or str(_built("kustomize", _KUSTOMIZE, "kustomize")), "build"]


def compose_loader() -> list[str]:
    """The command that reads a compose file as Docker's does, and prints it. Raises MissingServiceError."""
    return [str(_built("compose-spec", _COMPOSE, "cmd"))]


def actionlint() -> Path:
    """Reads the workflows of the code host. Raises MissingServiceError."""
    return _built("actionlint", _ACTIONLINT, "actionlint")


def typescript_publisher() -> list[str]:
    """The command that runs the example publisher in TypeScript, compiled. Raises MissingServiceError."""
    source = CACHE.parents[1] / "examples" / "publisher" / "typescript"
    files = [source / name for name in ("package.json", "package-lock.json", "tsconfig.json", "publisher.ts")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    place = CACHE / f"typescript-publisher-{digest}"
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise MissingServiceError("The example in TypeScript needs Node.js with npm: install them.")
    if not place.exists():
        with _making(place) as work:
            for file in files:
                shutil.copy(file, work)
            _run([npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit"], cwd=work)
            _run([node, "node_modules/typescript/bin/tsc"], cwd=work)
    return [node, str(place / "out" / "publisher.js")]


def promtool() -> Path:
    """Raises MissingServiceError."""
    return _of_prometheus("promtool")


def prometheus() -> Path:
    """Raises MissingServiceError."""
    return _of_prometheus("prometheus")


def chromium() -> Path:
    """A browser; as root on Debian it is installed when there is none. Raises MissingServiceError."""
    found = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _run(["apt-get", "-qq", "update"], must=False)  # one source of several may be away
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium"], env=environment)
        found = shutil.which("chromium")
    if found is None:
        raise MissingServiceError("The tests of the console's pages need Chromium: install Debian's package.")
    return Path(found)


def axe() -> Path:
    """axe-core, one script that finds what keeps people out of a page. Raises MissingServiceError."""
    place = CACHE / _AXE
    npm = shutil.which("npm")
    if not place.exists():
        if npm is None:
            raise MissingServiceError("The tests of the console's pages need axe-core: install Node.js with npm.")
        with _making(place) as work:
            _run([npm, "pack", "--silent", _AXE], cwd=work)
            [package] = work.glob("*.tgz")
            if base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode() != _AXE_SHA512:
                raise MissingServiceError(f"What npm's registry gives as {_AXE} is not what it was.")
            with tarfile.open(package) as files:
                files.extract("package/axe.min.js", work, filter="data")
            package.unlink()
    return place / "package" / "axe.min.js"


def _built(name: str, module: str, binary: str) -> Path:
    """A program of a Go module, under `name`; its version is part of the folder's name."""
    place = CACHE / f"{name}-{module.rpartition('@')[2]}"
    if (place / name).exists():
        return place / name
    go = shutil.which("go")
    if go is None:
        raise MissingServiceError(f"These tests need {name}: install Go, with which it is built.")
    with _making(place) as work:
        environment = {**os.environ, "GOBIN": str(work), "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
        _run([go, "install", module], env=environment)
        (work / binary).rename(work / name)
    return place / name


def _of_prometheus(name: str) -> Path:
    installed = shutil.which(name)
    if installed:
        return Path(installed)
    place = CACHE / "prometheus"
    if not place.exists():
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise MissingServiceError(f"These tests need {name}: install Prometheus, Debian's or another.")
        with _making(place) as work:
            # Lists of our own: the machine's may be old or missing, and only root may renew them.
            (work / "apt" / "lists" / "partial").mkdir(parents=True)
            (work / "apt" / "archives" / "partial").mkdir(parents=True)
            own = ["-o", f"Dir::State={work / 'apt'}", "-o", f"Dir::Cache={work / 'apt'}", "-qq"]
            own += ["-o", "Dir::State::status=/var/lib/dpkg/status", "-o", "APT::Sandbox::User="]
            _run(["apt-get", *own, "update"], must=False)  # one source of several may be away
            _run(["apt-get", *own, "download", "prometheus"], cwd=work)
            [package] = work.glob("prometheus_*.deb")
            _run(["dpkg-deb", "-x", str(package), str(work)])
            shutil.rmtree(work / "apt")
            package.unlink()
    return place / "usr" / "bin" / name


class _making:  # noqa: N801 - used as a function
    """A folder beside its final place, moved there when everything in it is whole."""

    def __init__(self, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        self._place, self._work = place, Path(tempfile.mkdtemp(prefix=".fetching-", dir=place.parent))

    def __enter__(self) -> Path:
        return self._work

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None and not self._place.exists():
            self._work.rename(self._place)
        else:
            shutil.rmtree(self._work, ignore_errors=True)


def _run(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None, must: bool = True) -> str:
    try:
        run = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise MissingServiceError(f"`{' '.join(command[:3])}` did not end within {_SECONDS} s.") from None
    if must and run.returncode != 0:
        tail = "\n".join((run.stdout + run.stderr).splitlines()[-8:])
        raise MissingServiceError(f"`{' '.join(command[:3])}` failed:\n{tail}")
    return run.stdout


def main() -> int:
    """Fetch everything; 1 with a sentence on standard error when something cannot be had."""
    try:
        kustomize(), compose_loader(), actionlint(), typescript_publisher()
        promtool(), prometheus(), axe(), chromium()
    except MissingServiceError as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
