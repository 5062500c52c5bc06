"""Builds a program of a Go module whose go.mod forbids `go install`: one with `replace` or `exclude` directives.

A module of our own requires it and repeats those directives, as Go heeds only those of the main module. Where one leads
into the other's source tree (Kubernetes' `./staging`), the published module of the same name stands in.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.running import FailedError, run, say

_LOCAL: Final = re.compile(r"^\s*(?P<module>\S+) => \./\S+$", re.MULTILINE)
_BLOCK: Final = re.compile(r"^(?:exclude|replace) \(\n.*?^\)$|^(?:exclude|replace) [^(\n]+$", re.MULTILINE | re.DOTALL)
_GO: Final = re.compile(r"^go \d+\.\d+.*$", re.MULTILINE)
_SECONDS: Final = 3 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to be built.

    `package` is the import path of its `main`, `local` the version of modules that its go.mod replaces by folders,
    `variables` what the linker sets, as `name=value`.
    """

    name: str
    module: str
    version: str
    package: str
    local: str = ""
    variables: Sequence[str] = ()


def module_file(program: Program, theirs: str) -> str:
    """The go.mod that builds a program; `theirs` is the text of its module's. Raises FailedError."""
    go = _GO.search(theirs)
    blocks = [block[0] for block in _BLOCK.finditer(theirs)]
    for position, block in enumerate(blocks):
        if _LOCAL.search(block) and not program.local:
            raise FailedError(f"{program.module} takes modules from its own folders; which version stands in?")
        blocks[position] = _LOCAL.sub(rf"\t\g<module> => \g<module> {program.local}", block)
    lines = ["module built", go[0] if go else "", f"require {program.module} {program.version}", *blocks]
    return "\n\n".join(line for line in lines if line) + "\n"


def built(program: Program, cache: Path) -> Path:
    """The program, built once into `cache`; its version is part of the folder's name. Raises FailedError."""
    place = cache / f"{program.name}-{program.version}" / program.name
    if place.exists():
        return place
    go = shutil.which("go")
    if go is None:
        raise FailedError(f"{program.name} is built with Go: install Go.")
    say(f"building {program.name} {program.version} (once; it stays in {cache.name})")
    place.parent.mkdir(parents=True, exist_ok=True)
    # Two packages at a time and politely: such a build takes minutes to most of an hour, and others use the machine.
    environment = {"GOFLAGS": "-mod=mod -buildvcs=false -p=2", "GOTOOLCHAIN": "local"}
    flags = " ".join(["-s", "-w", *(f"-X {variable}" for variable in program.variables)])
    with tempfile.TemporaryDirectory(dir=cache) as made:
        work = Path(made)
        (work / "go.mod").write_text(module_file(program, _their_file(go, program)))
        command = [go, "build", "-trimpath", "-ldflags", flags, "-o", program.name, program.package]
        run(["nice", "-n", "19", *command], cwd=work, env=environment, seconds=_SECONDS)
        (work / program.name).rename(place)
    return place


def _their_file(go: str, program: Program) -> str:
    with tempfile.TemporaryDirectory() as empty:
        run([go, "mod", "download", f"{program.module}@{program.version}"], cwd=Path(empty))
    cache = Path(run([go, "env", "GOMODCACHE"]).strip())
    # Go writes a capital as `!` and its small letter, so that two modules never share a folder by case.
    folder = re.sub(r"[A-Z]", lambda letter: "!" + letter[0].lower(), program.module)
    return Path(os.fspath(cache / "cache" / "download" / folder / "@v" / f"{program.version}.mod")).read_text()
