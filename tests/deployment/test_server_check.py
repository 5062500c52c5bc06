"""`make kubernetes` leaves nothing out: each workload is tried as a pod, each custom resource has a definition."""

from __future__ import annotations

from tests.support.rendered import everything
from tools.kubernetes.cluster import pods_of
from tools.kubernetes.definitions import OURS, PUBLISHED, read


def test_every_workload_of_ours_makes_a_pod() -> None:
    made = {
        each["kind"]
        for _, each in everything()
        if pods_of({**each, "metadata": {"namespace": "n", **each["metadata"]}})
    }
    assert made == {"Deployment", "StatefulSet", "CronJob"}


def test_every_custom_resource_of_the_manifests_is_defined() -> None:
    """Those of published types by their plural; Strimzi's topics in both versions that the overlays name."""
    used = {
        (each["apiVersion"], each["kind"])
        for _, each in everything()
        if each["apiVersion"].partition("/")[0] in {"keda.sh", "kafka.strimzi.io", "monitoring.coreos.com"}
    }
    ours = {
        (f"{each['spec']['group']}/{version['name']}", each["spec"]["names"]["kind"])
        for each in read(OURS)
        for version in each["spec"]["versions"]
    }
    plurals = {f"{kind.lower()}s" for _, kind in used - ours}
    assert plurals == set().union(*(types.needed for types in PUBLISHED))
    assert ours <= used
