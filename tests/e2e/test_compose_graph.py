"""The compose file's services without containers: the same programs, their command lines and settings from the file.

Prometheus scrapes the service, the recording and alert rules evaluate, one alert is made
to fire and clears. Kafka is that of the test run; Valkey, sandbox, publisher and service start as the file says; only
addresses differ, and what waits for minutes is made to wait for seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient

from consumer.adapters.kafka.topics import DEFAULT_TOPICS
from consumer.settings import PREFIX
from sandbox.demo.world import ServiceProcess
from sandbox.embedded.server import HOST
from tests.support.compose import ROOT, ComposePrometheus, ComposeSwoogo, ComposeValkey, services, with_addresses
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

_LISTENS: Final = re.compile(r"probes\.listening.*?port\S*?=\S*?(\d+)")
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_PATIENCE: Final = 90.0


@dataclass(slots=True)
class Graph:
    """What runs."""

    addresses: dict[str, str]
    environment: dict[str, str]
    swoogo: ComposeSwoogo
    folder: Path
    client: httpx.AsyncClient
    replicas: list[ServiceProcess]
    ports: list[int]
    prometheus: ComposePrometheus | None = None

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A program of Python's, as in a container of the service."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env={**kept, **self.environment}, capture_output=True, text=True, check=False, timeout=90
        )

    async def start_replicas(self) -> None:
        """Start what is not running, each on the port for its probes that it had, and wait until it is ready."""
        for replica, known in zip(self.replicas, self.ports or [0] * len(self.replicas), strict=True):
            replica.environment = {
                **self.environment,
                f"{PREFIX}HTTP__HOST": HOST,
                f"{PREFIX}HTTP__PORT": str(known),
            }
            replica.start()
        self.ports = [
            await wait_until(partial(self._port, replica), "a replica serves its probes", _PATIENCE)
            for replica in self.replicas
        ]
        for port in self.ports:
            await wait_until(partial(self._ready, port), "a replica is ready", _PATIENCE)

    def _port(self, replica: ServiceProcess) -> int:
        replica.check()
        found = _LISTENS.findall(_COLOURS.sub("", replica.log_path.read_text(errors="replace")))
        return int(found[-1]) if found else 0

    async def _ready(self, port: int) -> bool:
        for replica in self.replicas:
            replica.check()
        try:
            return (await self.client.get(f"http://{HOST}:{port}/readyz")).is_success
        except httpx.HTTPError:
            return False

    async def ask(self, path: str, **parameters: str) -> Any:
        """Prometheus's API."""
        assert self.prometheus is not None
        answer = await self.client.get(f"{self.prometheus.url}/api/v1/{path}", params=parameters)
        document = answer.json()
        assert document["status"] == "success", (parameters, document)
        return document["data"]

    async def value(self, expression: str) -> float | None:
        """The largest value of an expression now, or None without a series."""
        found = (await self.ask("query", query=expression))["result"]
        return max((float(each["value"][1]) for each in found), default=None)

    async def firing(self, name: str) -> bool:
        """Whether an alert fires."""
        alerts = (await self.ask("alerts"))["alerts"]
        return any(each["labels"]["alertname"] == name and each["state"] == "firing" for each in alerts)


def _quick(rules: str) -> str:
    """The rules, with every wait a second long."""
    return re.sub(r"^(\s+(?:for|interval): )\d+\w$", r"\g<1>1s", rules, flags=re.MULTILINE)


def _prometheus_files(ports: list[int]) -> dict[str, str]:
    """The compose file's configuration, with the replicas' addresses in place of their name."""
    config = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"}
    [job] = config["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [f"{HOST}:{port}" for port in ports]}]
    config["rule_files"] = ["rules.yml"]
    rules = _quick((ROOT / "deploy/observability/rules.yml").read_text())
    return {"prometheus.yml": yaml.safe_dump(config), "rules.yml": rules}


@pytest.fixture
async def graph(kafka_bootstrap: str, tmp_path: Path) -> AsyncIterator[Graph]:
    """Everything of profile `core`, in the order that `depends_on` gives; topics under their own names, so alone."""
    async with AsyncExitStack() as stack:
        valkey, swoogo = ComposeValkey(), ComposeSwoogo()
        for server in (valkey, swoogo):
            await server.astart()
            stack.push_async_callback(server.astop)
        addresses = {
            "kafka:9092": kafka_bootstrap,
            "valkey:6379": f"{HOST}:{valkey.port}",
            "swoogo:8090": f"{HOST}:{swoogo.port}",
        }
        composed = services()["swoogo-sync"]["environment"]
        values = with_addresses([str(value) for value in composed.values()], addresses)
        environment = dict(zip(composed, values, strict=True))
        environment[f"{PREFIX}IMAGES__ALLOW_HOSTS"] = HOST
        environment[f"{PREFIX}DEBOUNCE__QUIET_PERIOD"] = "1"
        environment[f"{PREFIX}PUSH__POLL_INTERVAL"] = "0.1"
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        await admin.start()
        stack.push_async_callback(admin.close)
        stack.push_async_callback(admin.delete_topics, list(DEFAULT_TOPICS))
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        replicas = [
            ServiceProcess(environment, tmp_path / f"replica-{number}.log")
            for number in range(services()["swoogo-sync"]["deploy"]["replicas"])
        ]
        running = Graph(addresses, environment, swoogo, tmp_path, client, replicas, [])
        for replica in replicas:
            stack.callback(replica.stop, hard=True)
        yield running


async def test_compose_graph_syncs_is_scraped_and_raises_an_alert(graph: Graph) -> None:
    command = services()["topics"]["command"]
    topics = await asyncio.to_thread(graph.call, "-m", "consumer.entrypoints.cli", *command)
    assert topics.returncode == 0, topics.stderr
    await graph.start_replicas()
    await _the_conference_is_synced(graph)
    graph.prometheus = ComposePrometheus(_prometheus_files(graph.ports))
    async with graph.prometheus:
        await _prometheus_scrapes_and_evaluates(graph)
        await _the_dashboard_draws(graph)
        await _an_alert_fires_and_clears(graph)


async def _the_conference_is_synced(graph: Graph) -> None:
    publisher = with_addresses(services()["publisher"]["command"], graph.addresses)
    published = await asyncio.to_thread(graph.call, "-m", *publisher, "--edits=0")
    assert published.returncode == 0, published.stderr
    assert "Tallgrass Systems Summit" in published.stdout

    async def synced() -> bool:
        for replica in graph.replicas:
            replica.check()
        answer = await graph.client.get(f"http://{HOST}:{graph.swoogo.port}/_control/stats")
        # Beyond the associations come images; the last kind to be created is enough to know that a push went through.
        return bool(answer.json()["creates"].get("sponsors", 0))

    await wait_until(synced, "the conference is in Swoogo", _PATIENCE)


async def _prometheus_scrapes_and_evaluates(graph: Graph) -> None:
    async def both_up() -> bool:
        targets = (await graph.ask("targets"))["activeTargets"]
        return [each["health"] for each in targets] == ["up", "up"]

    async def all_evaluated() -> bool:
        groups = (await graph.ask("rules"))["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert not [rule for rule in rules if rule["health"] == "err"], rules
        return len(rules) > 15 and all(rule["health"] == "ok" for rule in rules)

    await wait_until(both_up, "Prometheus scrapes both replicas", _PATIENCE)
    await wait_until(all_evaluated, "every rule was evaluated", _PATIENCE)

    async def recorded() -> bool:
        return await graph.value("swoogo_sync:consumer_lag_records:max") is not None

    await wait_until(recorded, "a recording rule has recorded", _PATIENCE)
    assert await graph.value("count(swoogo_sync_build_info)") == 2


async def _the_dashboard_draws(graph: Graph) -> None:
    """Every query is answered; those of what the service surely did are not empty."""
    dashboard = json.loads((ROOT / "deploy/observability/dashboard.json").read_text())
    wanted = {"Replicas", "Records not read yet", "Event loop and figures", "Memory", "Processor"}

    async def all_drawn() -> bool:
        # A rate needs two scrapes of each replica.
        drawn = set()
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                expression = target["expr"].replace("$__rate_interval", "1m").replace("$namespace", ".*")
                if (await graph.ask("query", query=expression))["result"]:
                    drawn.add(panel["title"])
        return wanted <= drawn

    await wait_until(all_drawn, f"the panels {', '.join(sorted(wanted))} are drawn", _PATIENCE)


async def _an_alert_fires_and_clears(graph: Graph) -> None:
    assert not await graph.firing("SwoogoSyncDown")
    for replica in graph.replicas:
        assert replica.stop() == 0, replica.tail()
    await wait_until(lambda: graph.firing("SwoogoSyncDown"), "no replica runs, and the alert fires", _PATIENCE)
    await graph.start_replicas()

    async def cleared() -> bool:
        return not await graph.firing("SwoogoSyncDown")

    await wait_until(cleared, "replicas run again, and the alert has cleared", _PATIENCE)
