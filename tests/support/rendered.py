"""The manifests as `kubectl kustomize` renders them, once a run, and ways to look into them."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.tools import kustomize

ROOT: Final = Path(__file__).parents[2]
KUBERNETES: Final = ROOT / "deploy" / "kubernetes"
Object = dict[str, Any]

OVERLAYS: Final = tuple(sorted(path.name for path in (KUBERNETES / "overlays").iterdir()))
COMPONENTS: Final = tuple(
    sorted(
        str(path.parent.relative_to(ROOT / "deploy"))
        for path in (ROOT / "deploy").rglob("kustomization.yaml")
        if yaml.safe_load(path.read_text())["kind"] == "Component"
    )
)


@functools.cache
def overlay(name: str) -> tuple[Object, ...]:
    """The objects of an overlay."""
    return _render(KUBERNETES / "overlays" / name)


@functools.cache
def component(name: str) -> tuple[Object, ...]:
    """The objects of the base with one component."""
    with tempfile.TemporaryDirectory(dir=KUBERNETES / "overlays") as made:
        lines = {"resources": ["../../base"], "components": [f"../../../{name}"]}
        (Path(made) / "kustomization.yaml").write_text(yaml.safe_dump(lines))
        return _render(Path(made))


def everything() -> Iterator[tuple[str, Object]]:
    """Every object of every overlay and component, and where it was rendered."""
    for name in OVERLAYS:
        yield from ((name, each) for each in overlay(name))
    for name in COMPONENTS:
        yield from ((name, each) for each in component(name))


def of_kind(objects: tuple[Object, ...], *kinds: str) -> list[Object]:
    """Those of some kinds."""
    return [each for each in objects if each["kind"] in kinds]


def pod_of(each: Object) -> Object | None:
    """The specification of the pods an object makes."""
    match each["kind"]:
        case "Deployment" | "StatefulSet" | "Job":
            found: Object = each["spec"]["template"]["spec"]
        case "CronJob":
            found = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        case _:
            return None
    return found


def labels_of_pod(each: Object) -> dict[str, str]:
    """The labels its pods carry."""
    template = (
        each["spec"]["jobTemplate"]["spec"]["template"] if each["kind"] == "CronJob" else each["spec"]["template"]
    )
    found: dict[str, str] = template["metadata"]["labels"]
    return found


def pods() -> list[tuple[str, Object, Object]]:
    """Every object that makes pods: where it was rendered, itself, and the specification of its pods."""
    found = [(where, each, pod_of(each)) for where, each in everything()]
    return [(where, each, pod) for where, each, pod in found if pod is not None]


def ours() -> list[tuple[str, Object, Object]]:
    """The same, of our own image."""
    return [
        (where, each, pod)
        for where, each, pod in pods()
        if any("swoogo-sync" in container["image"] for container in pod["containers"])
    ]


def settings_of(where: tuple[Object, ...], pod: Object) -> dict[str, str]:
    """The environment of the only container, secrets as a word."""
    [container] = pod["containers"]
    maps = {each["metadata"]["name"]: each.get("data", {}) for each in of_kind(where, "ConfigMap")}
    environment: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        environment |= maps[source["configMapRef"]["name"]]
    for variable in container.get("env", ()):
        environment[variable["name"]] = variable.get("value", "from-a-secret")
    return environment


def objects(where: str) -> tuple[Object, ...]:
    """What is rendered there: of an overlay, or of the base with a component."""
    return overlay(where) if where in OVERLAYS else component(where)


def _render(folder: Path) -> tuple[Object, ...]:
    run = subprocess.run([*kustomize(), str(folder)], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    return tuple(yaml.safe_load_all(run.stdout))
