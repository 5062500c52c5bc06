"""The compose file is one that Docker's loader takes, and says what the service needs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from typing import Any, Final

import pytest
import yaml

from consumer.adapters.kafka.topics import LARGEST_MESSAGE
from consumer.adapters.sealing import KeyPair
from consumer.settings import PREFIX, VARIABLES, Settings, load_settings
from sandbox.demo.publish import main as publish
from sandbox.demo.world import CONSUMER_KEY, CONSUMER_SECRET
from tests.support.commands import resolve
from tests.support.compose import FILE, ROOT, services
from tests.support.tools import compose_loader

SERVICES: Final = services()
OURS: Final = {name for name, each in SERVICES.items() if each["image"].startswith("swoogo-sync")}


def seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]


def settings(environment: Mapping[str, str]) -> Settings:
    """As the service reads them."""
    assert set(environment) <= set(VARIABLES)
    values: dict[str, Any] = {}
    for variable, value in environment.items():
        *groups, leaf = variable.removeprefix(PREFIX).lower().split("__")
        place = values
        for group in groups:
            place = place.setdefault(group, {})
        place[leaf] = value
    return load_settings(**values)


def test_the_loader_that_docker_uses_takes_the_file() -> None:
    """compose-go: schema, references, dependencies, every service of any profile; webhooks are off by default."""
    run = subprocess.run(
        [*compose_loader(), "--format", "json", str(FILE)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)["services"]
    assert set(found) == set(SERVICES)
    assert found["swoogo-sync"]["environment"][f"{PREFIX}WEBHOOKS__ENABLED"] == "off"


def test_both_profiles_start_by_default_and_core_stands_alone() -> None:
    assert "COMPOSE_PROFILES=core,observability" in (ROOT / ".env").read_text()
    of = {
        profile: {name for name, each in SERVICES.items() if each["profiles"] == [profile]}
        for profile in ("core", "observability", "webhooks", "console")
    }
    assert set().union(*of.values()) == set(SERVICES)
    assert of["webhooks"] == {"webhooks"}
    assert of["console"] == {"console", "console-port"}
    for name in of["core"]:
        assert set(SERVICES[name].get("depends_on", {})) <= of["core"], name


def test_webhooks_are_received_without_a_key_or_kafka() -> None:
    """Off by default; the receiver has the address and secrets that the workers register, and Redis."""
    workers, receiver = (settings(SERVICES[name]["environment"]) for name in ("swoogo-sync", "webhooks"))
    assert workers.webhooks.enabled == "off"
    assert (receiver.role, receiver.webhooks.enabled, receiver.webhooks.mistake()) == ("webhooks", "on", None)
    assert receiver.webhooks.address == workers.webhooks.address
    assert receiver.webhooks.secret == workers.webhooks.secret
    assert receiver.redis == workers.redis
    host, port = receiver.webhooks.public_url.removeprefix("http://").split(":")
    assert SERVICES[host]["profiles"] == ["webhooks"]
    assert (receiver.webhooks.host, receiver.webhooks.port) == ("0.0.0.0", int(port))
    own = {name.removeprefix(PREFIX).partition("__")[0] for name in SERVICES["webhooks"]["environment"]}
    assert own == {"ROLE", "REDIS", "LOG", "WEBHOOKS"}


def test_the_console_has_no_key_and_is_reached_from_this_machine_only() -> None:
    console, port = SERVICES["console"], SERVICES["console-port"]
    own = settings(console["environment"])
    assert (own.role, own.console.enabled, own.console.mistake()) == ("console", True, None)
    assert own.console.host == "127.0.0.1"
    assert not own.keys.private.get_secret_value()
    assert own.redis == settings(SERVICES["swoogo-sync"]["environment"]).redis
    assert port["network_mode"] == "service:console"
    listening, target = port["command"][1:]
    assert console["ports"] == [f"127.0.0.1:{own.console.port}:{listening}"]
    assert int(target) == own.console.port


def test_images_are_pinned() -> None:
    for name, each in SERVICES.items():
        assert re.search(r":v?\d+\.\d+", each["image"]), name


def test_a_slow_start_fails_no_health_check() -> None:
    """The first `up` on a busy laptop builds and starts everything at once."""
    for name, each in SERVICES.items():
        check = each.get("healthcheck", {})
        if check and not check.get("disable"):
            assert (check["start_period"], check["timeout"]) == ("180s", "30s"), name


def test_the_start_order_waits_for_health_or_for_an_end() -> None:
    for name, each in SERVICES.items():
        for other, how in each.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert SERVICES[other]["healthcheck"]["test"][0] == "CMD", (name, other)
            else:
                assert how["condition"] == "service_completed_successfully", (name, other)
                assert SERVICES[other]["restart"] == "on-failure:10", other
    assert set(SERVICES["swoogo-sync"]["depends_on"]) == {"topics", "kafka", "valkey", "swoogo"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_are_locked_down(name: str) -> None:
    each = SERVICES[name]
    assert each["read_only"] is True
    assert each["cap_drop"] == ["ALL"]
    assert each["security_opt"] == ["no-new-privileges:true"]


def test_nothing_is_published_beyond_this_machine() -> None:
    for name, each in SERVICES.items():
        for port in each.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name


def test_the_environment_makes_settings_the_service_starts_with() -> None:
    for name in ("swoogo-sync", "topics"):
        assert settings(SERVICES[name]["environment"]).keys.needed_private()


def test_there_is_time_to_drain() -> None:
    needed = VARIABLES[f"{PREFIX}PUSH__SHUTDOWN_GRACE"].default + VARIABLES[f"{PREFIX}KAFKA__SESSION_TIMEOUT"].default
    assert seconds(SERVICES["swoogo-sync"]["stop_grace_period"]) >= needed + 5


def test_two_replicas_with_limits() -> None:
    deploy = SERVICES["swoogo-sync"]["deploy"]
    assert deploy["replicas"] == 2
    assert set(deploy["resources"]["limits"]) == {"cpus", "memory"}


def test_valkey_keeps_what_it_is_told() -> None:
    command = SERVICES["valkey"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "always"
    assert options["--maxmemory-policy"] == "noeviction"
    assert "valkey:/data" in SERVICES["valkey"]["volumes"]


def test_kafka_takes_the_largest_record_and_makes_no_topic_by_itself() -> None:
    environment = SERVICES["kafka"]["environment"]
    assert int(environment["KAFKA_MESSAGE_MAX_BYTES"]) >= LARGEST_MESSAGE
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert f"kafka:{environment['KAFKA_LOG_DIRS']}" in SERVICES["kafka"]["volumes"]
    inside = SERVICES["swoogo-sync"]["environment"][f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS"]
    assert f"INSIDE://{inside}" in environment["KAFKA_ADVERTISED_LISTENERS"]


def test_the_keys_belong_together_and_open_the_sandbox_only() -> None:
    private = SERVICES["swoogo-sync"]["environment"][f"{PREFIX}KEYS__PRIVATE"]
    assert f"--public-key={KeyPair.from_private(private).public}" in SERVICES["publisher"]["command"]
    assert f"{CONSUMER_KEY}:{CONSUMER_SECRET}" in SERVICES["swoogo"]["command"]


def test_the_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    from sandbox.swoogo.__main__ import _parser

    assert SERVICES["topics"]["command"][:2] == ["topics", "create"]
    assert resolve(["topics", "create"])[1] == []
    assert SERVICES["swoogo-sync"]["healthcheck"]["test"][1:] == ["swoogo-sync", "health", "ready"]
    assert resolve(["health", "ready"])[1] == ["ready"]
    module, *options = SERVICES["swoogo"]["command"]
    assert module == "sandbox.swoogo"
    assert _parser().parse_args([str(each) for each in options]).port == 8090
    module, *options = SERVICES["publisher"]["command"]
    assert module == "sandbox.demo.publish"
    with pytest.raises(SystemExit):
        publish(["--help"])
    help_text = capsys.readouterr().out
    for option in options:
        assert option.partition("=")[0] in help_text


def test_prometheus_and_grafana_find_what_is_mounted() -> None:
    mounts: dict[str, str] = {}
    for name in ("prometheus", "grafana"):
        for mount in SERVICES[name]["volumes"]:
            source, target, *_ = mount.split(":")
            if source.startswith("./"):
                assert (ROOT / source).exists(), mount
                mounts[target] = source
    config = yaml.safe_load((ROOT / mounts["/etc/prometheus/prometheus.yml"]).read_text())
    assert set(config["rule_files"]) <= set(mounts)
    [found] = config["scrape_configs"][0]["dns_sd_configs"]
    assert found["names"] == ["swoogo-sync"]
    assert found["port"] == VARIABLES[f"{PREFIX}HTTP__PORT"].default
    [provider] = yaml.safe_load(
        (ROOT / mounts["/etc/grafana/provisioning/dashboards"] / "swoogo-sync.yml").read_text()
    )["providers"]
    assert any(target.startswith(provider["options"]["path"] + "/") for target in mounts)
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in mounts
    [source] = yaml.safe_load((ROOT / mounts["/etc/grafana/provisioning/datasources"] / "prometheus.yml").read_text())[
        "datasources"
    ]
    assert source["isDefault"] is True
