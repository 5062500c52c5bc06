"""End to end: the main job by TLS, as a user with the documented rights alone, in a cluster and by sentinels (5.8)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from consumer.adapters.redis.cluster_map import slot_of
from sandbox.demo.world import Servers
from sandbox.embedded import EmbeddedCluster, EmbeddedSentinels, EmbeddedValkey
from sandbox.embedded.server import HOST, EmbeddedServer
from sandbox.embedded.valkey_cluster import ask
from tests.e2e.many_servers import struck, synced
from tests.support.certificates import Certificates, certificates
from tests.support.cluster_faults import ClusterFaults
from tests.support.conferences import grown, small
from tests.support.secure_redis import PASSWORD, USER, documented_user
from tests.support.sentinel_faults import SentinelFaults
from tests.support.tls_gate import tls_gate

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2", "G6"), pytest.mark.timeout(180)]


class Guard:
    """Gates with TLS before servers, which know the documented user. `found`: settings that lead through them."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.prefix = f"tls-{uuid.uuid4().hex[:8]}"
        self.files: Certificates = certificates(folder, USER)
        self._users = folder / "users.acl"
        self._users.write_text(f"user {' '.join(documented_user(self.prefix))}\nuser default on nopass ~* &* +@all\n")
        self._stack = stack

    async def stand_before(self, server: EmbeddedServer) -> int:
        """The port of its gate, whether it runs already or not."""
        return await self._stack.enter_async_context(tls_gate(self.files, lambda: server.port))

    async def stand_before_all(self, servers: list[EmbeddedValkey], announce: str) -> list[int]:
        """Ports of gates that these servers announce, for clients that know the user."""
        for each in servers:
            port = await self.stand_before(each)
            each.options |= {announce: str(port), "aclfile": str(self._users)}
        return [each.announced for each in servers]

    def found(self, mode: str, ports: list[int], **further: str) -> tuple[str, dict[str, str]]:
        """Address, and settings."""
        return f"rediss://{HOST}:{ports[0]}/0", {
            "REDIS__MODE": mode,
            "REDIS__NODES": ",".join(f"{HOST}:{port}" for port in ports[1:]),
            "REDIS__USERNAME": USER,
            "REDIS__PASSWORD": PASSWORD,
            "REDIS__TLS__CA_FILE": str(self.files.authority),
            **{f"REDIS__{name}": value for name, value in further.items()},
        }


@asynccontextmanager
async def guard(folder: Path) -> AsyncIterator[Guard]:
    async with AsyncExitStack() as stack:
        yield Guard(folder, stack)


async def test_in_a_cluster(kafka_bootstrap: str, tmp_path: Path) -> None:
    """A slot moves and a primary dies meanwhile."""
    cluster = EmbeddedCluster()
    async with guard(tmp_path) as guarded:
        ports = await guarded.stand_before_all(cluster.nodes, "cluster-announce-client-port")
        url, found = guarded.found("cluster", ports)
        async with cluster, synced(Servers(kafka_bootstrap, url, guarded.prefix), found) as playing:
            conference, tag = small(), f"{{event/{playing.event.id}}}"
            for kind, number in (("moved", 20), ("killed", 21)):
                conference = grown(conference, number)
                await struck(playing, ClusterFaults(cluster).strike(kind, slot_of(tag)), kind, [conference])
            assert f"user={USER}" in await ask(await cluster.primary_of(slot_of(tag)), "CLIENT", "LIST")


async def test_by_sentinels(kafka_bootstrap: str, tmp_path: Path) -> None:
    """The sentinels want a login too, and the primary hands over meanwhile."""
    sentinels = EmbeddedSentinels(rules=f"user sentinel-user on >{PASSWORD} +sentinel|masters\n")
    async with guard(tmp_path) as guarded:
        await guarded.stand_before_all(sentinels.servers, "replica-announce-port")
        async with sentinels:
            ports = [await guarded.stand_before(each) for each in sentinels.sentinels]
            url, found = guarded.found(
                "sentinel",
                ports,
                SENTINEL_MASTER=sentinels.name,
                SENTINEL_USERNAME="sentinel-user",
                SENTINEL_PASSWORD=PASSWORD,
            )
            async with synced(Servers(kafka_bootstrap, url, guarded.prefix), found) as playing:
                conference = grown(small(), 20)
                await struck(playing, SentinelFaults(sentinels).strike("handed over"), "handed over", [conference])
                assert f"user={USER}" in await ask(await sentinels.primary(), "CLIENT", "LIST")
