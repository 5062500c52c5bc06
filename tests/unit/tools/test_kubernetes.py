"""What `make kubernetes` asks of an API server, and what it makes of manifests before."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tools.kubernetes.__main__ import in_namespace
from tools.kubernetes.cluster import MANAGER, Cluster, pods_of, warnings_of
from tools.running import FailedError

Object = dict[str, Any]


def config_map(**more: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}, **more}


def cluster(seen: list[httpx.Request], status: int, document: Object) -> Cluster:
    """A server that knows ConfigMaps and answers everything else alike."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1":
            known = {"name": "configmaps", "kind": "ConfigMap", "namespaced": True}
            return httpx.Response(200, json={"resources": [{**known, "name": "configmaps/status"}, known]})
        seen.append(request)
        return httpx.Response(status, json=document, headers={"Warning": '299 - "a \\"word\\" of warning"'})

    return Cluster(httpx.Client(base_url="https://server", transport=httpx.MockTransport(answer)))


def test_an_apply_is_strict_and_in_our_name() -> None:
    seen: list[httpx.Request] = []
    applied = cluster(seen, 200, {"metadata": {"resourceVersion": "7"}}).apply(config_map())
    [request] = seen
    assert (request.method, request.url.path) == ("PATCH", "/api/v1/namespaces/b/configmaps/a")
    assert dict(request.url.params) == {"fieldManager": MANAGER, "fieldValidation": "Strict", "force": "true"}
    assert request.headers["content-type"] == "application/apply-patch+yaml"
    assert (applied.version, applied.warnings) == ("7", ['a "word" of warning'])


def test_a_refusal_names_the_object_and_why() -> None:
    with pytest.raises(FailedError, match="ConfigMap a is refused: no such field"):
        cluster([], 400, {"message": "no such field"}).apply(config_map())


def test_a_kind_the_server_does_not_know_is_an_error() -> None:
    with pytest.raises(FailedError, match="no Deployment in /apis/apps/v1"):
        cluster([], 404, {}).apply({**config_map(), "apiVersion": "apps/v1", "kind": "Deployment"})


def test_several_warnings_are_all_read() -> None:
    answer = httpx.Response(200, headers=[("Warning", '299 - "one"'), ("Warning", '299 - "two, too"')])
    assert warnings_of(answer) == ["one", "two, too"]


def test_a_pod_is_what_a_controller_would_make() -> None:
    template: Object = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [], "volumes": [{"name": "tmp"}]}}
    claim = {"metadata": {"name": "data"}}
    each = {
        "kind": "StatefulSet",
        "metadata": {"name": "valkey", "namespace": "n"},
        "spec": {"template": template, "volumeClaimTemplates": [claim]},
    }
    [pod] = pods_of(each)
    assert pod["metadata"] == {"name": "valkey-0", "namespace": "n", "labels": {"app": "x"}}
    assert [volume["name"] for volume in pod["spec"]["volumes"]] == ["tmp", "data"]
    assert template["spec"]["volumes"] == [{"name": "tmp"}]
    assert pods_of(config_map()) == []


def test_a_namespace_of_its_own_gives_way_to_one_that_is_named() -> None:
    assert in_namespace({"metadata": {"name": "a"}}, "n")["metadata"] == {"name": "a", "namespace": "n"}
    assert in_namespace(config_map(), "n")["metadata"]["namespace"] == "b"
