"""The image, without an engine. Its file is read, and its steps are done as far as they can be here.

What only an engine can show is listed in docs/deploy.md with how it was tried.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from consumer.settings import PREFIX, VARIABLES
from tests.support.commands import resolve
from tests.support.rendered import ROOT

DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()


@dataclass(frozen=True, slots=True)
class Step:
    stage: str
    word: str
    rest: str

    @property
    def command(self) -> list[str] | None:
        """The words of an exec form; None: a shell would be needed."""
        text = re.sub(r"^(--\S+\s+)+", "", self.rest)
        text = text.removeprefix("CMD ") if self.word == "HEALTHCHECK" else text
        try:
            words: list[str] = json.loads(text)
        except ValueError:
            return None
        return words


def steps() -> list[Step]:
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    found, stage = [], ""
    for line in filter(str.strip, text.splitlines()):
        word, rest = line.strip().split(None, 1)
        if word == "FROM":
            stage = rest.split()[-1]
        found.append(Step(stage, word, " ".join(rest.split())))
    return found


STEPS: Final = steps()
SHIPPED: Final = ("runtime", "service")


def of(word: str, *stages: str) -> list[Step]:
    return [step for step in STEPS if step.word == word and (not stages or step.stage in stages)]


def test_the_base_is_an_argument_with_a_version() -> None:
    arguments = dict(step.rest.split("=", 1) for step in of("ARG", ""))
    assert set(arguments) == {"PYTHON_IMAGE", "RUNTIME_IMAGE"}
    assert re.search(r":3\.\d+-slim-\w+$", arguments["PYTHON_IMAGE"])
    bases = [step.rest.split()[0] for step in of("FROM")]
    assert set(bases) == {"${PYTHON_IMAGE}", "${RUNTIME_IMAGE}", "build", "runtime"}
    assert STEPS[-1].stage == "service", "what is built when no target is named"


def test_nothing_needs_a_shell() -> None:
    for step in [*of("RUN"), *of("CMD"), *of("ENTRYPOINT"), *of("HEALTHCHECK")]:
        assert step.command, f"{step.word} {step.rest}"


def test_what_is_installed_is_locked_and_hashed_and_never_compiled() -> None:
    """`--only-binary` is what makes one file build for amd64 and arm64 without compilers."""
    installs = [step.command for step in of("RUN") if step.command and {"install", "wheel"} & set(step.command)]
    assert len(installs) == 5
    for command in installs:
        if "--no-index" in command:
            assert "--no-deps" in command
        else:
            assert "--require-hashes" in command
            assert command[command.index("--only-binary") + 1] == ":all:"
            lock = command[command.index("-r") + 1]
            assert lock.endswith(".lock")


def test_it_runs_as_a_number_that_is_not_root() -> None:
    [user] = of("USER", *SHIPPED)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.rest)
    assert not of("RUN", *SHIPPED), "the shipped stages only copy"


def test_it_says_what_it_is_and_whether_it_is_well() -> None:

    labels = " ".join(step.rest for step in of("LABEL", "service"))
    for name in ("title", "description", "licenses", "version", "revision", "created"):
        assert f"org.opencontainers.image.{name}=" in labels
    [health] = of("HEALTHCHECK", "service")
    [entry], [command] = of("ENTRYPOINT", "service"), of("CMD", "service")
    assert entry.command == ["swoogo-sync"]
    assert command.command is not None
    assert health.command is not None
    assert health.command[0] == "swoogo-sync"
    for name in (health.command[1], command.command[0]):
        assert resolve([name])[1] == []
    assert [step.rest for step in of("EXPOSE")] == [str(VARIABLES[f"{PREFIX}HTTP__PORT"].default)]


def test_its_environment_is_settings_and_python() -> None:
    [environment] = of("ENV", *SHIPPED)
    names = [pair.partition("=")[0] for pair in shlex.split(environment.rest)]
    assert all(name in VARIABLES or name == "PATH" or name.startswith("PYTHON") for name in names)
    assert f"{PREFIX}HTTP__HOST=0.0.0.0" in environment.rest


def test_what_is_copied_reaches_the_builder_and_nothing_else_does() -> None:
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert "\n*\n" in "\n" + (ROOT / ".dockerignore").read_text()
    copied = set()
    for step in of("COPY"):
        if "--from=" not in step.rest:
            copied |= set(step.rest.split()[:-1])
    assert copied == admitted
    for name in copied:
        assert (ROOT / name).exists(), name


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build stage makes of the source: the wheel, unpacked where nothing can be written."""
    folder = tmp_path_factory.mktemp("image")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(ROOT)], capture_output=True, text=True, check=False, timeout=110
    )
    assert run.returncode == 0, run.stderr
    [wheel] = folder.glob("swoogo_sync-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def in_the_image(installed: Path, code: str) -> str:
    """Python as the container has it: the wheel before everything, no home, a working folder that is not ours."""
    (installed / "empty").mkdir(exist_ok=True, mode=0o555)
    kept = {"PATH": os.environ["PATH"], "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=installed / "empty",
        env={**kept, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_wheel_runs_without_a_home_and_brings_its_data(installed: Path) -> None:
    out = in_the_image(
        installed,
        "import sys; sys.argv = ['swoogo-sync', '--version']\n"
        "import consumer, pathlib; from consumer.entrypoints.cli.app import main\n"
        "print(consumer.__file__, len(list(pathlib.Path(consumer.__file__).parent.glob('adapters/redis/lua/*.lua'))))\n"
        "main()",
    )
    place, scripts = out.splitlines()[0].split()
    assert place.startswith(str(installed))
    assert int(scripts) == len(list((ROOT / "consumer/adapters/redis/lua").glob("*.lua"))) > 0
    assert out.splitlines()[1].startswith("swoogo-sync 0.")


def test_the_console_brings_its_pages(installed: Path) -> None:
    found = in_the_image(
        installed,
        "import consumer.entrypoints.console as console, pathlib\n"
        "from consumer.entrypoints.console.drawing import Drawing; Drawing()._templates.get_template('base.html')\n"
        "root = pathlib.Path(console.__file__).parent\n"
        "kept = [each for each in root.rglob('*') if each.suffix in {'.html', '.css', '.js'}]\n"
        "print(*(each.relative_to(root) for each in kept))",
    )
    source = ROOT / "consumer/entrypoints/console"
    kept = {str(each.relative_to(source)) for each in source.rglob("*") if each.suffix in {".html", ".css", ".js"}}
    assert set(found.split()) == kept > {"templates/base.html", "static/style.css"}


@pytest.mark.parametrize(
    ("lock", "modules"),
    [
        ("requirements.lock", "consumer.app, consumer.entrypoints.cli.run, consumer.adapters.images.worker"),
        ("requirements.lock", "consumer.entrypoints.console.app, consumer.entrypoints.console.tokens"),
        ("deploy/requirements-sandbox.lock", "sandbox.swoogo.__main__, sandbox.demo.publish"),
    ],
)
def test_it_starts_with_what_is_in_the_lock_alone(installed: Path, lock: str, modules: str) -> None:
    """Else it works here, where the development tools are installed, and not in the image."""
    locked = [line.partition("==")[0] for line in (ROOT / lock).read_text().splitlines() if "==" in line[:60]]
    code = f"""
import re, sys
from importlib.metadata import packages_distributions
locked = set({locked!r}) | {{"swoogo-sync"}}
def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()
closed = {{top for top, names in packages_distributions().items() if not locked & {{plain(name) for name in names}}}}
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in closed:
            raise ModuleNotFoundError(f"{{name}} is not in {lock}", name=name)
sys.meta_path.insert(0, Hidden())
import {modules}
print(len(closed))
"""
    assert int(in_the_image(installed, code)) > 10, "nothing was hidden, so nothing was shown"
