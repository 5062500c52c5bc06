"""What a GitOps tool asks of an API server: server-side apply with strict fields, its warnings, deletion."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import yaml

from tools.running import FailedError, until

Object = dict[str, Any]
MANAGER: Final = "swoogo-sync-check"
_WARNING: Final = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_RESTRICTED: Final = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of an apply: what the server warned of, and the version the object has now."""

    warnings: list[str]
    version: str


@dataclass(slots=True)
class Cluster:
    """An API server, by its client."""

    client: httpx.Client
    _resources: dict[tuple[str, str], Object] = field(default_factory=dict)

    def version(self) -> str:
        """What the server says it is, e.g. `v1.34.4`."""
        return str(self.client.get("/version").raise_for_status().json()["gitVersion"])

    def apply(self, each: Object) -> Applied:
        """Server-side apply, strict: a field the server does not know is an error. Raises FailedError."""
        answer = self.client.patch(
            self._path(each),
            params={"fieldManager": MANAGER, "fieldValidation": "Strict", "force": "true"},
            content=yaml.safe_dump(each),
            headers={"Content-Type": "application/apply-patch+yaml"},
        )
        document = _taken(answer, each)
        return Applied(warnings_of(answer), str(document["metadata"]["resourceVersion"]))

    def would_run(self, pod: Object) -> list[str]:
        """Warnings about a pod that is only tried (dry run), after every admission check. Raises FailedError."""
        path = self._path(pod).rpartition("/")[0]
        return warnings_of(self._posted(path, pod, dryRun="All", fieldValidation="Strict"))

    def scale(self, each: Object, replicas: int) -> None:
        """Set the number of replicas as an autoscaler does, by the subresource `scale`. Raises FailedError."""
        answer = self.client.patch(
            f"{self._path(each)}/scale",
            params={"fieldManager": "autoscaler"},
            json={"spec": {"replicas": replicas}},
            headers={"Content-Type": "application/merge-patch+json"},
        )
        _taken(answer, each)

    def replicas(self, each: Object) -> int:
        """The number of replicas an object has now. Raises FailedError."""
        return int(_taken(self.client.get(self._path(each)), each)["spec"]["replicas"])

    def delete(self, each: Object) -> None:
        """Forget an object. Raises FailedError."""
        _taken(self.client.delete(self._path(each), params={"propagationPolicy": "Background"}), each)

    def namespace(self, name: str) -> None:
        """A restricted namespace with the account that a controller would put there. Raises FailedError."""
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(_RESTRICTED)}})
        self.account(name)

    def account(self, namespace: str) -> None:
        """The account `default` of a namespace. Raises FailedError."""
        meta = {"name": "default", "namespace": namespace}
        self.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})

    def define(self, definition: Object) -> None:
        """Add a kind of resource, and wait until the server serves it in every version. Raises FailedError."""
        self.apply(definition)
        spec = definition["spec"]
        for version in (each["name"] for each in spec["versions"]):
            path = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
            until(lambda path=path: self.client.get(path).is_success, f"{path} is served", _PATIENCE_SECONDS)  # type: ignore[misc]

    def _posted(self, path: str, each: Object, **parameters: str) -> httpx.Response:
        answer = self.client.post(path, params={"fieldManager": MANAGER, **parameters}, json=each)
        _taken(answer, each)
        return answer

    def _path(self, each: Object) -> str:
        group, kind = str(each["apiVersion"]), str(each["kind"])
        root = f"/apis/{group}" if "/" in group else f"/api/{group}"
        resource = self._resource(root, kind)
        meta = each["metadata"]
        space = f"/namespaces/{meta['namespace']}" if resource["namespaced"] else ""
        return f"{root}{space}/{resource['name']}/{meta['name']}"

    def _resource(self, root: str, kind: str) -> Object:
        if (root, kind) not in self._resources:
            answer = self.client.get(root)
            served: list[Object] = answer.json()["resources"] if answer.is_success else []
            for resource in served:
                if resource["kind"] == kind and "/" not in resource["name"]:
                    self._resources[root, kind] = resource
                    break
            else:
                raise FailedError(f"The server has no {kind} in {root}.")
        return self._resources[root, kind]


def warnings_of(answer: httpx.Response) -> list[str]:
    """The texts of the `Warning` headers of an answer, as kubectl shows them."""
    return [text.replace('\\"', '"') for text in _WARNING.findall(", ".join(answer.headers.get_list("Warning")))]


def pods_of(each: Object) -> list[Object]:
    """The pod that a controller would make of a workload; none for other objects."""
    match each["kind"]:
        case "Deployment" | "StatefulSet" | "Job":
            template = each["spec"]["template"]
        case "CronJob":
            template = each["spec"]["jobTemplate"]["spec"]["template"]
        case _:
            return []
    name, spec = str(each["metadata"]["name"]), dict(template["spec"])
    # A StatefulSet's claims become volumes of its pods.
    claims = each["spec"].get("volumeClaimTemplates", ())
    volumes = [
        {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": f"{claim['metadata']['name']}-0"}}
        for claim in claims
    ]
    spec["volumes"] = [*spec.get("volumes", ()), *volumes]
    meta = {"name": f"{name}-0", "namespace": each["metadata"]["namespace"]}
    meta |= {key: template["metadata"][key] for key in ("labels", "annotations") if key in template["metadata"]}
    return [{"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}]


def _taken(answer: httpx.Response, each: Object) -> Object:
    document: Object = answer.json()
    if not answer.is_success:
        raise FailedError(f"{each['kind']} {each['metadata']['name']} is refused: {document.get('message', document)}")
    return document
