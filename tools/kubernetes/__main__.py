"""`python -m tools.kubernetes`: applies every overlay and component to a real API server, and says what it saw.

Exit code 1 with a sentence when something is refused, warned of, or changed by a second apply.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final

from sandbox.embedded import ServerFailedError, ServerUnavailableError
from tests.support.rendered import COMPONENTS, OVERLAYS, component, overlay
from tests.support.services import MissingServiceError
from tools.kubernetes.cluster import Cluster, Object, pods_of
from tools.kubernetes.control_plane import api_server
from tools.kubernetes.definitions import OURS, definitions
from tools.running import ROOT, FailedError, end_on_signals, say

_SCALED: Final = 5  # as KEDA might


def main() -> int:
    """Run it all; the exit code."""
    end_on_signals()
    try:
        with api_server() as server, server.client() as client:
            cluster = Cluster(client)
            say(f"kube-apiserver {cluster.version()} answers on port {server.port} of 127.0.0.1")
            for definition in definitions():
                cluster.define(definition)
                versions = ", ".join(each["name"] for each in definition["spec"]["versions"])
                say(f"defined {definition['metadata']['name']} ({versions})")
            _refuses_what_it_should(cluster)
            for where, objects in targets():
                say(f"{where}: {_applied(cluster, objects)}")
    except (FailedError, MissingServiceError, ServerFailedError, ServerUnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("ended before it was done, and so is everything that was started")
        return 130
    print(f"\nSubstituted:\n- Strimzi's definition of a topic: ours, in {OURS.relative_to(ROOT)}")
    return 0


def targets() -> Iterator[tuple[str, list[Object]]]:
    """Every overlay as it is, and the base with every component in a namespace of its own."""
    for name in OVERLAYS:
        yield f"overlay {name}", list(overlay(name))
    for name in COMPONENTS:
        space = f"component-{name.rpartition('/')[2]}"
        yield f"component {name}", [in_namespace(each, space) for each in component(name)]


def in_namespace(each: Object, name: str) -> Object:
    """An object that names no namespace, in one."""
    return {**each, "metadata": {"namespace": name, **each["metadata"]}}


def _applied(cluster: Cluster, objects: list[Object]) -> str:
    own = {each["metadata"]["name"] for each in objects if each["kind"] == "Namespace"}
    for name in sorted({each["metadata"].get("namespace", "") for each in objects} - own - {""}):
        cluster.namespace(name)
    # As kubectl sorts them: a namespace before what is in it.
    ordered = sorted(objects, key=lambda each: each["kind"] != "Namespace")
    versions, warnings, pods = [], [], 0
    for each in ordered:
        applied = cluster.apply(each)
        warnings += applied.warnings
        versions.append(applied.version)
        if each["kind"] == "Namespace":
            cluster.account(each["metadata"]["name"])
    for pod in (pod for each in ordered for pod in pods_of(each)):
        warnings += cluster.would_run(pod)
        pods += 1
    if warnings:
        raise FailedError("The server warns:\n" + "\n".join(warnings))
    for each, version in zip(ordered, versions, strict=True):
        if cluster.apply(each).version != version:
            raise FailedError(f"{each['kind']} {each['metadata']['name']} is changed by a second apply.")
    for each in ordered:
        if each["kind"] == "Deployment":
            _keeps_what_scales_it(cluster, each)
    for each in reversed(ordered):
        if each["kind"] != "Namespace":
            cluster.delete(each)
    kinds = Counter(each["kind"] for each in objects)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{listed}; {pods} pod(s) admitted under `restricted`; a second apply changes nothing"


def _keeps_what_scales_it(cluster: Cluster, each: Object) -> None:
    """Where a deployment names its replicas an apply sets them; where it leaves them to KEDA, it leaves them alone."""
    cluster.scale(each, _SCALED)
    cluster.apply(each)
    wanted = each["spec"].get("replicas", _SCALED)
    if cluster.replicas(each) != wanted:
        raise FailedError(f"{each['metadata']['name']} has {cluster.replicas(each)} replicas, not {wanted}.")


def _refuses_what_it_should(cluster: Cluster) -> None:
    """A check that takes everything shows nothing: a pod that may be root, and a field that is spelled wrong."""
    cluster.namespace("refusals")
    meta = {"name": "root", "namespace": "refusals"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "dataa": {}}
    for what, attempt in (("a pod that may be root", cluster.would_run), ("a field spelled wrong", cluster.apply)):
        try:
            attempt(pod if what.startswith("a pod") else wrong)
        except FailedError as refusal:
            say(f"refused, as it should: {str(refusal)[:200]}")
        else:
            raise FailedError(f"The server takes {what}: this check shows nothing.")


if __name__ == "__main__":
    sys.exit(main())
