"""What every rendered object must be, whichever overlay or component it comes from."""

from __future__ import annotations

import re
from typing import Any, Final

import kubernetes_validate
import pytest

from consumer.settings import PREFIX, VARIABLES, load_settings
from tests.support.commands import options, resolve
from tests.support.rendered import (
    COMPONENTS,
    OVERLAYS,
    component,
    everything,
    labels_of_pod,
    objects,
    of_kind,
    ours,
    overlay,
    pods,
    settings_of,
)

VERSIONS: Final = ("1.31", kubernetes_validate.latest_version())
OTHERS: Final = {
    "keda.sh/v1alpha1": {"ScaledObject", "TriggerAuthentication"},
    "kafka.strimzi.io/v1": {"KafkaTopic"},
    "kafka.strimzi.io/v1beta2": {"KafkaTopic"},
    "monitoring.coreos.com/v1": {"ServiceMonitor", "PrometheusRule"},
}
SECRET: Final = re.compile("PRIVATE(?!_FILE)|PREVIOUS(?!_FILE)|PASSWORD|SECRET(?!S_DIR)|TOKEN(?!_COSTS)")
MARGIN: Final = 5


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_overlay_renders(name: str) -> None:
    assert overlay(name)


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_renders_on_the_base(name: str) -> None:
    assert len(component(name)) >= len(of_kind(component(name), "Deployment")) > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_its_schema(version: str) -> None:
    """Strict: a key that is spelled wrong is refused too. Custom resources have tests of their own."""
    checked = set()
    for where, each in everything():
        if each["apiVersion"] in OTHERS:
            assert each["kind"] in OTHERS[each["apiVersion"]], (where, each["kind"])
            continue
        try:
            kubernetes_validate.validate(each, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            pytest.fail(f"{where}: {each['kind']} {each['metadata']['name']}: {error.message}")
        checked.add(each["kind"])
    assert checked >= {"Deployment", "CronJob", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"}


def test_no_image_floats() -> None:
    for where, _, pod in pods():
        for container in pod["containers"]:
            _, _, tag = container["image"].rpartition("/")[2].partition(":")
            assert re.match(r"v?\d+\.\d+", tag), (where, container["image"])


def test_every_container_is_limited_and_locked_down() -> None:
    for where, each, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, where
        assert pod["securityContext"]["runAsUser"] > 0, where
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert pod["automountServiceAccountToken"] is False, where
        assert pod["enableServiceLinks"] is False, where
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), where
        for container in pod["containers"]:
            for kind in ("requests", "limits"):
                named = set(container["resources"][kind])
                assert {"cpu", "memory", "ephemeral-storage"} <= named, (where, each["metadata"]["name"], kind)
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"] is True, where
            assert rights["allowPrivilegeEscalation"] is False, where
            assert rights["capabilities"] == {"drop": ["ALL"]}, where


def test_service_accounts_mount_no_token() -> None:
    for where, each in everything():
        if each["kind"] == "ServiceAccount":
            assert each["automountServiceAccountToken"] is False, where


def test_what_is_referred_to_is_there() -> None:
    """Settings, accounts and selectors: a renamed object must take its references along."""
    for where, each, pod in ours():
        there = {(one["kind"], one["metadata"]["name"]) for one in objects(where)}
        assert ("ServiceAccount", pod["serviceAccountName"]) in there, where
        for container in pod["containers"]:
            for source in container["envFrom"]:
                assert ("ConfigMap", source["configMapRef"]["name"]) in there, where
        labels = labels_of_pod(each)
        if each["kind"] == "Deployment":
            assert each["spec"]["selector"]["matchLabels"].items() <= labels.items(), where
            for other in of_kind(objects(where), "PodDisruptionBudget", "Service", "NetworkPolicy"):
                spec = other["spec"]
                selector = spec["selector"] if "selector" in spec else spec["podSelector"]
                wanted = selector.get("matchLabels", selector)
                if other["metadata"]["name"] == each["metadata"]["name"]:
                    assert wanted.items() <= labels.items(), (where, other["kind"])
        covered = [
            policy
            for policy in of_kind(objects(where), "NetworkPolicy")
            if policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        ]
        assert covered, (where, each["metadata"]["name"], "no network policy")


def test_the_environment_holds_settings_only_and_they_are_valid() -> None:
    """Names exist, values are accepted, and together they make settings the service starts with."""
    for where, each, pod in ours():
        environment = settings_of(objects(where), pod)
        unknown = [name for name in environment if name not in VARIABLES]
        assert not unknown, (where, unknown)
        values: dict[str, Any] = {}
        for name, value in environment.items():
            if name.endswith(("KEYS__PRIVATE", "KEYS__PREVIOUS", "KEYS__PRIVATE_FILE", "KEYS__PREVIOUS_FILE")):
                continue
            *groups, leaf = name.removeprefix(PREFIX).lower().split("__")
            place = values
            for group in groups:
                place = place.setdefault(group, {})
            place[leaf] = value
        settings = load_settings(**values)
        assert settings.role in {"all", "ingest", "sync", "webhooks", "console"}, (where, each["metadata"]["name"])


def test_private_keys_are_files_of_a_secret() -> None:
    """A variable would be in the environment of every process of the container."""
    for where, _, pod in ours():
        environment = settings_of(objects(where), pod)
        assert not [name for name in environment if name.endswith(("KEYS__PRIVATE", "KEYS__PREVIOUS"))], where
        for container in pod["containers"]:
            named = {each["name"]: each.get("value", "") for each in container.get("env", ())}
            for name, kept in (("PRIVATE", "keys-private"), ("PREVIOUS", "keys-previous")):
                path = named.get(f"{PREFIX}KEYS__{name}_FILE")
                if path is None:
                    continue  # a command that opens nothing
                folder, _, file = path.rpartition("/")
                [mount] = [each for each in container["volumeMounts"] if each["mountPath"] == folder]
                [volume] = [each for each in pod["volumes"] if each["name"] == mount["name"]]
                assert mount["readOnly"], where
                assert {"key": kept, "path": file} in volume["secret"]["items"], where
        role, words = environment.get(f"{PREFIX}ROLE"), pod["containers"][0].get("args", ())
        if role not in {"ingest", "webhooks", "console"} and "run" in words:
            assert f"{PREFIX}KEYS__PRIVATE_FILE" in environment, where


def test_secrets_are_references() -> None:
    """Neither a value nor a settings map holds one; nothing is mounted from one that is not read only."""
    for where, each in everything():
        assert each["kind"] != "Secret", (where, "secrets are not in this repository")
        if each["kind"] == "ConfigMap":
            held = [name for name in each["data"] if SECRET.search(name)]
            assert not held, (where, held)
    for where, _, pod in pods():
        for container in pod["containers"]:
            plain = [each["name"] for each in container.get("env", ()) if "value" in each]
            assert not [name for name in plain if SECRET.search(name)], where
            assert "@" not in str(container.get("args", "")), where


@pytest.mark.rule("G1")
def test_there_is_time_to_drain() -> None:
    """G1 holds without it; what is killed in the middle is done twice."""
    for where, each, pod in ours():
        if each["kind"] != "Deployment":
            continue
        environment = settings_of(objects(where), pod)
        needed = sum(
            float(environment.get(f"{PREFIX}{name}", VARIABLES[f"{PREFIX}{name}"].default))
            for name in ("PUSH__SHUTDOWN_GRACE", "KAFKA__SESSION_TIMEOUT")
        )
        assert pod["terminationGracePeriodSeconds"] >= needed + MARGIN, where


def test_probes_ask_for_paths_that_are_served_on_the_port_of_the_settings() -> None:
    from consumer.observability.probes import ROUTES

    for where, each, pod in ours():
        if each["kind"] != "Deployment":
            continue
        [container] = pod["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        environment = settings_of(objects(where), pod)
        assert environment[f"{PREFIX}HTTP__HOST"] == "0.0.0.0", where
        for probe, path in (("startupProbe", "/startupz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
            asked = container[probe]["httpGet"]
            assert asked["path"] == path, where
            assert path in ROUTES, path
            assert str(ports[asked["port"]]) == environment[f"{PREFIX}HTTP__PORT"], where


def test_a_start_may_take_as_long_as_kafka_may() -> None:
    for where, each, pod in ours():
        if each["kind"] == "Deployment":
            probe = pod["containers"][0]["startupProbe"]
            limit = VARIABLES[f"{PREFIX}KAFKA__START_TIMEOUT"].default * 2
            assert probe["periodSeconds"] * probe["failureThreshold"] >= limit, where


def test_egress_is_closed_but_for_what_is_needed() -> None:
    """Every rule names ports; what is open to the world is the web only, without private or metadata addresses."""
    for where, each in everything():
        if each["kind"] != "NetworkPolicy":
            continue
        assert set(each["spec"]["policyTypes"]) == {"Ingress", "Egress"}, where
        for rule in each["spec"].get("egress", ()):
            assert rule["ports"], where
            assert rule["to"], where
            for peer in rule["to"]:
                if "ipBlock" in peer and peer["ipBlock"]["cidr"] == "0.0.0.0/0":
                    assert {port["port"] for port in rule["ports"]} <= {443, 80}, where
                    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= set(
                        peer["ipBlock"]["except"]
                    ), where


def test_commands_exist() -> None:
    for where, _, pod in ours():
        words = pod["containers"][0]["args"]
        command, left = resolve(words)
        assert left != words, (where, words)
        assert set(left) <= options(command), (where, words)
