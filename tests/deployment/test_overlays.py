"""What each overlay and component adds for Kubernetes: scaling, topics, roles, and what they are asked for."""

from __future__ import annotations

import re

import pytest

from consumer.adapters.kafka.topics import DEFAULT_TOPICS
from consumer.settings import PREFIX, VARIABLES
from tests.support.rendered import (
    COMPONENTS,
    OVERLAYS,
    ROOT,
    component,
    everything,
    labels_of_pod,
    objects,
    of_kind,
    ours,
    overlay,
    pod_of,
    settings_of,
)


@pytest.mark.parametrize("where", ["production", "production-keda", "split-roles"])
def test_replicas_are_spread_over_zones_and_nodes(where: str) -> None:
    for each in of_kind(overlay(where), "Deployment"):
        pod = each["spec"]["template"]["spec"]
        keys = {spread["topologyKey"] for spread in pod["topologySpreadConstraints"]}
        assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        [apart] = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        wanted = apart["podAffinityTerm"]["labelSelector"]["matchLabels"]
        assert wanted.items() <= labels_of_pod(each).items()


def test_replicas_are_set_exactly_where_keda_does_not_scale() -> None:
    """Without KEDA a deployment that names no number falls to one replica; with it, a number would fight KEDA's."""
    for where in OVERLAYS:
        scaled = {one["spec"]["scaleTargetRef"]["name"] for one in of_kind(overlay(where), "ScaledObject")}
        for each in of_kind(overlay(where), "Deployment"):
            assert ("replicas" in each["spec"]) != (each["metadata"]["name"] in scaled), where
    [production] = of_kind(overlay("production"), "Deployment")
    assert production["spec"]["replicas"] == 2
    assert of_kind(overlay("production-keda"), "ScaledObject")


def test_development_brings_its_namespace_under_pod_security_restricted() -> None:
    [namespace] = of_kind(overlay("development"), "Namespace")
    assert {each["metadata"].get("namespace") for each in overlay("development")} == {
        None,
        namespace["metadata"]["name"],
    }
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_keda_names_existing_groups_and_never_scales_to_zero() -> None:
    from consumer.observability.metrics.freshness import DUE

    seen = set()
    for where, each in everything():
        if each["kind"] != "ScaledObject":
            continue
        spec = each["spec"]
        targets = {one["metadata"]["name"] for one in of_kind(objects(where), "Deployment")}
        assert spec["scaleTargetRef"]["name"] in targets, where
        assert spec["minReplicaCount"] >= 2, where
        assert "idleReplicaCount" not in spec, where
        assert spec["maxReplicaCount"] <= 6, "more replicas than partitions read nothing"
        assert spec["triggers"], where
        for trigger in spec["triggers"]:
            asked = trigger["metadata"]
            if trigger["type"] == "kafka":
                assert asked["bootstrapServersFromEnv"] in VARIABLES
                kind = asked["consumerGroup"].removeprefix("swoogo-sync.")
                assert asked["topic"] == VARIABLES[f"{PREFIX}KAFKA__TOPICS__{kind.upper()}"].default, where
            else:
                assert trigger["type"] == "prometheus"
                assert DUE.name in asked["query"]
            seen.add((where, trigger["name"]))
            if "authenticationRef" in trigger:
                logins = {one["metadata"]["name"] for one in of_kind(objects(where), "TriggerAuthentication")}
                assert trigger["authenticationRef"]["name"] in logins
    names = {name for where, name in seen if where == "split-roles"}
    assert names == {"lag-sessions", "lag-speakers", "lag-sponsors", "lag-mappings", "due"}


def test_split_roles_scale_by_what_they_wait_for() -> None:
    scaled = {
        each["metadata"]["name"]: each["spec"]["triggers"] for each in of_kind(overlay("split-roles"), "ScaledObject")
    }
    assert {trigger["type"] for trigger in scaled["swoogo-sync-ingest"]} == {"kafka"}
    assert {trigger["type"] for trigger in scaled["swoogo-sync-sync"]} == {"prometheus"}
    roles = {
        each["metadata"]["name"]: settings_of(overlay("split-roles"), pod)[f"{PREFIX}ROLE"]
        for where, each, pod in ours()
        if where == "split-roles" and each["kind"] == "Deployment"
    }
    assert roles == {"swoogo-sync-ingest": "ingest", "swoogo-sync-sync": "sync"}


@pytest.mark.parametrize(("where", "version"), [("topics", "v1"), ("topics-v1beta2", "v1beta2")])
def test_strimzi_topics_are_what_the_service_asks_for(where: str, version: str) -> None:
    topics = of_kind(overlay(where), "KafkaTopic")
    assert {each["apiVersion"] for each in topics} == {f"kafka.strimzi.io/{version}"}
    made = {each["metadata"]["name"]: each["spec"] for each in topics}
    assert set(made) == set(DEFAULT_TOPICS)
    for name, policy in DEFAULT_TOPICS.items():
        config = {key: str(value) for key, value in made[name]["config"].items()}
        assert policy.config().items() <= config.items(), name
        assert int(config["min.insync.replicas"]) < made[name]["replicas"], name


def test_metrics_are_scraped_from_a_port_of_the_service() -> None:
    [monitor] = of_kind(overlay("production"), "ServiceMonitor")
    [service] = of_kind(overlay("production"), "Service")
    [endpoint] = monitor["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert endpoint["path"] == "/metrics"


@pytest.mark.rule("C4")
def test_the_reconcile_is_asked_for_by_the_cron_job_alone() -> None:
    """The service's own clock is off, or events would be compared twice as often."""
    for where in ("kubernetes/components/reconcile-cronjob", "split-roles"):
        [job] = of_kind(objects(where), "CronJob")
        assert job["spec"]["concurrencyPolicy"] == "Forbid"
        pod = pod_of(job)
        assert pod is not None
        assert settings_of(objects(where), pod)[f"{PREFIX}RECONCILE__INTERVAL"] == "0"


def test_kafka_with_login_and_tls_reaches_every_pod_that_reads_the_settings() -> None:
    name = "kubernetes/components/kafka-sasl-tls"
    for _, _, pod in [each for each in ours() if each[0] == name]:
        environment = settings_of(component(name), pod)
        assert environment[f"{PREFIX}KAFKA__SECURITY_PROTOCOL"] == "SASL_SSL"
        mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        assert environment[f"{PREFIX}KAFKA__TLS__CA_FILE"].rpartition("/")[0] in mounts


def test_the_guide_names_every_overlay_and_component() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text()
    for name in OVERLAYS:
        assert f"| `{name}` |" in guide, name
    for name in COMPONENTS:
        assert f"| `{name.removeprefix('kubernetes/') if 'components' in name else f'deploy/{name}'}` |" in guide, name
    for path in re.findall(r"`(deploy/[a-z/.-]+)`", guide):
        assert (ROOT / path).exists(), path


@pytest.mark.rule("W3")
def test_role_webhooks_has_no_key_and_reaches_only_names_and_redis() -> None:
    """It is on the Internet: an intruder finds two secrets of its own, and hints."""
    found = component("kubernetes/components/webhooks")
    [deployment] = [each for each in of_kind(found, "Deployment") if each["metadata"]["name"].endswith("webhooks")]
    pod = deployment["spec"]["template"]["spec"]
    named = {each["name"] for each in pod["containers"][0]["env"]}
    assert not [name for name in named if "KEYS" in name or "KAFKA" in name]
    assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
    [policy] = [each for each in of_kind(found, "NetworkPolicy") if each["metadata"]["name"].endswith("webhooks")]
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert ports == {53, 6379, 6380}
    [ingress] = of_kind(found, "Ingress")
    assert ingress["spec"]["tls"]
    [main] = [each for each in of_kind(found, "Deployment") if each["metadata"]["name"] == "swoogo-sync"]
    secrets = {each["name"].rpartition("__")[2] for each in main["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert {"PATH_SECRET", "SECRET"} <= secrets


@pytest.mark.rule("K3", "K4")
def test_role_console_has_no_key_and_is_reached_by_its_proxy_only() -> None:
    """Orders are off until they are wanted; an intruder finds neither a key nor a way to Swoogo's credentials."""
    found = component("kubernetes/components/console")
    [deployment] = [each for each in of_kind(found, "Deployment") if each["metadata"]["name"].endswith("console")]
    pod = deployment["spec"]["template"]["spec"]
    environment = settings_of(found, pod)
    assert not [name for name in environment if "KEYS" in name]
    assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
    assert environment[f"{PREFIX}CONSOLE__ORDERS"] == "off"
    assert environment[f"{PREFIX}CONSOLE__OIDC__ISSUER"].startswith("https://")
    [policy] = [each for each in of_kind(found, "NetworkPolicy") if each["metadata"]["name"].endswith("console")]
    peers = {port["port"]: rule["from"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
    assert peers[8082] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "oauth2-proxy"}}}]
    assert set(peers) == {8080, 8082}
    assert not of_kind(found, "Ingress"), "the proxy has it"
    [main] = [each for each in of_kind(found, "Deployment") if each["metadata"]["name"] == "swoogo-sync"]
    assert "CONSOLE" not in str(main), "the workers know nothing of it"
