"""The definitions of custom resources: made of the types that KEDA and the Prometheus operator publish, Strimzi's ours.

Both projects keep their types in Go modules and make their definitions of them with controller-gen; so do we, once.
Strimzi keeps its in Java, without such a tool; `crds/` has what its documentation says of the fields that we use.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tools.gomodules import Program, built
from tools.running import CACHE, run, say

Object = dict[str, Any]
OURS: Final = Path(__file__).with_name("crds")
_PLACE: Final = CACHE / "kubernetes"
_GENERATOR: Final = Program(
    name="controller-gen",
    module="sigs.k8s.io/controller-tools",
    version="v0.20.1",
    package="sigs.k8s.io/controller-tools/cmd/controller-gen",
)


@dataclass(frozen=True, slots=True)
class Published:
    """Types in a Go module, and which of the definitions made of them our manifests need, by plural."""

    label: str
    module: str
    version: str
    package: str
    needed: frozenset[str]


PUBLISHED: Final = (
    Published(
        "KEDA",
        "github.com/kedacore/keda/v2",
        "v2.20.2",
        "github.com/kedacore/keda/v2/apis/keda/v1alpha1",
        frozenset({"scaledobjects", "triggerauthentications"}),
    ),
    Published(
        "the Prometheus operator",
        "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring",
        "v0.92.1",
        "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1",
        frozenset({"servicemonitors", "prometheusrules"}),
    ),
)


def definitions() -> list[Object]:
    """All that our manifests need. Raises FailedError when the published types cannot be had."""
    theirs = [
        each for types in PUBLISHED for each in read(_made(types)) if each["spec"]["names"]["plural"] in types.needed
    ]
    return [*theirs, *read(OURS)]


def read(folder: Path) -> list[Object]:
    """The definitions in the YAML files of a folder."""
    documents = (each for path in sorted(folder.glob("*.yaml")) for each in yaml.safe_load_all(path.read_text()))
    return [each for each in documents if each and each["kind"] == "CustomResourceDefinition"]


def _made(types: Published) -> Path:
    """The folder with the definitions of a module, made once."""
    name = re.sub(r"\W+", "-", types.package)
    place = _PLACE / f"crds-{name}-{types.version}"
    if place.exists():
        return place
    say(f"making the definitions of {types.label} {types.version} (once)")
    generator = built(_GENERATOR, _PLACE)
    with tempfile.TemporaryDirectory(dir=_PLACE) as made:
        work = Path(made)
        go = run(["go", "env", "GOVERSION"]).strip().removeprefix("go")
        (work / "go.mod").write_text(f"module made\n\ngo {go}\n\nrequire {types.module} {types.version}\n")
        (work / "made.go").write_text(f'package made\n\nimport _ "{types.package}"\n')
        environment = {"GOFLAGS": "-mod=mod -buildvcs=false", "GOTOOLCHAIN": "local"}
        run(["go", "list", "-deps", "./..."], cwd=work, env=environment)
        command = [str(generator), "crd:maxDescLen=0", f"paths={types.package}", "output:crd:dir=made"]
        run(command, cwd=work, env=environment)
        (work / "made").rename(place)
    return place
