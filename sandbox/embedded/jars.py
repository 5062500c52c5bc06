"""The jars of Apache Kafka, fetched once with Maven into a cache directory.

What is fetched is in the `pom.xml` beside this file. A directory that exists is complete: it is
renamed into place at the end.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from sandbox.embedded.server import ServerUnavailableError

_POM = Path(__file__).with_name("pom.xml")
_MAVEN_TIMEOUT_SECONDS = 300


def kafka_version() -> str:
    """The version of Apache Kafka that is fetched, e.g. `4.1.0`."""
    version = ET.parse(_POM).findtext("./dependencies/dependency/version")  # noqa: S314  (our own file)
    if not version:
        raise ValueError("The pom.xml of the embedded Kafka names no version.")
    return version


def default_cache() -> Path:
    """`.cache/kafka` of the checkout this file lies in, else of the user's cache directory."""
    project = Path(__file__).parents[2]
    if (project / "pyproject.toml").is_file():
        return project / ".cache" / "kafka"
    return Path.home() / ".cache" / "swoogo-sync" / "kafka"


def fetched(cache: Path | None = None) -> Path | None:
    """The directory with the jars when they are there already, else None."""
    jars = _jars(cache)
    return jars if jars.is_dir() else None


def fetch(cache: Path | None = None) -> Path:
    """The directory with the jars, downloaded when it is not there yet.

    Raises `ServerUnavailableError` when Maven is missing or cannot resolve them.
    """
    present = fetched(cache)
    if present is not None:
        return present
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerUnavailableError(
            "Apache Kafka's jars are not here and there is no `mvn` to fetch them: install Maven."
        )
    jars = _jars(cache)
    jars.parent.mkdir(parents=True, exist_ok=True)
    # Maven writes beside the final place, so that an interrupted download is never taken for a whole one
    # and two processes that fetch at once cannot mix their files.
    work = Path(tempfile.mkdtemp(prefix=".fetching-", dir=jars.parent))
    try:
        shutil.copy(_POM, work / "pom.xml")
        command = [maven, "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        try:
            run = subprocess.run(
                [*command, f"-DoutputDirectory={work / 'jars'}"],
                cwd=work,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_MAVEN_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ServerUnavailableError(
                f"Maven did not fetch Apache Kafka within {_MAVEN_TIMEOUT_SECONDS} s; try again later."
            ) from None
        if run.returncode != 0:
            tail = "\n".join((run.stdout + run.stderr).splitlines()[-15:])
            raise ServerUnavailableError(f"Maven could not fetch Apache Kafka {kafka_version()}:\n{tail}")
        try:
            (work / "jars").rename(jars)
        except OSError:
            if not jars.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return jars


def _jars(cache: Path | None) -> Path:
    # The whole list of jars names the directory: a changed pom.xml must not find the old ones.
    pom = hashlib.sha256(_POM.read_bytes()).hexdigest()[:8]
    return (cache or default_cache()) / f"kafka-{kafka_version()}-{pom}"
