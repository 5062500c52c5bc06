"""etcd and a kube-apiserver on loopback, for as long as a block lasts. Nothing else of Kubernetes: no pod ever runs."""

from __future__ import annotations

import csv
import secrets
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.embedded.server import HOST, EmbeddedServer, ServerUnavailableError
from tools.gomodules import Program, built
from tools.running import CACHE

_MINOR: Final = "34"
_VERSION: Final = f"v1.{_MINOR}.4"
_STARTUP_SECONDS: Final = 180.0
API_SERVER: Final = Program(
    name="kube-apiserver",
    module="k8s.io/kubernetes",
    version=_VERSION,
    package="k8s.io/kubernetes/cmd/kube-apiserver",
    local=_VERSION.replace("v1.", "v0."),
    variables=tuple(
        f"k8s.io/component-base/version.{name}={value}"
        for name, value in {"gitVersion": _VERSION, "gitMajor": "1", "gitMinor": _MINOR}.items()
    ),
)


class Etcd(EmbeddedServer):
    """The store of the API server."""

    port_count = 2
    label = "etcd"

    def _command(self) -> list[str]:
        binary = shutil.which("etcd")
        if binary is None:
            raise ServerUnavailableError("There is no `etcd` here: install it (Debian: `apt-get install etcd-server`).")
        clients, peers = (f"http://{HOST}:{port}" for port in self._ports)
        return [
            binary,
            f"--data-dir={self.root / 'data'}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
        ]

    async def _answers(self) -> bool:
        return await _says(f"http://{HOST}:{self.port}/health", ssl.create_default_context(), {})


class ApiServer(EmbeddedServer):
    """A kube-apiserver with its usual admission plugins; `client` speaks to it as an administrator."""

    label = f"kube-apiserver {_VERSION}"

    def __init__(self, binary: Path, etcd: Etcd) -> None:
        super().__init__(startup_timeout=_STARTUP_SECONDS)
        self._binary, self._etcd = binary, etcd
        self._authority = trustme.CA()
        self._token = secrets.token_hex(16)

    def client(self) -> httpx.Client:
        """For its API, with the rights of an administrator."""
        return httpx.Client(
            base_url=f"https://{HOST}:{self.port}",
            verify=self._trust(),
            headers=self._login(),
            trust_env=False,
            timeout=60,
        )

    def _prepare(self) -> None:
        super()._prepare()
        certificate = self._authority.issue_cert(HOST, "localhost")
        certificate.cert_chain_pems[0].write_to_path(self.root / "tls.crt")
        certificate.private_key_pem.write_to_path(self.root / "tls.key")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (self.root / "accounts.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        with (self.root / "tokens.csv").open("w", newline="") as file:
            csv.writer(file).writerow([self._token, "administrator", "1", "system:masters"])

    def _command(self) -> list[str]:
        return [
            str(self._binary),
            f"--etcd-servers=http://{HOST}:{self._etcd.port}",
            f"--bind-address={HOST}",
            f"--advertise-address={HOST}",
            f"--secure-port={self.port}",
            f"--tls-cert-file={self.root / 'tls.crt'}",
            f"--tls-private-key-file={self.root / 'tls.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.root / 'accounts.key'}",
            f"--service-account-signing-key-file={self.root / 'accounts.key'}",
            f"--token-auth-file={self.root / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",
        ]

    async def _answers(self) -> bool:
        return await _says(f"https://{HOST}:{self.port}/readyz", self._trust(), self._login())

    def _login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context


@contextmanager
def api_server() -> Iterator[ApiServer]:
    """A control plane of our own. Raises ServerUnavailableError, ServerFailedError, FailedError."""
    binary = built(API_SERVER, CACHE / "kubernetes")
    with Etcd(startup_timeout=_STARTUP_SECONDS) as etcd, ApiServer(binary, etcd) as server:
        yield server


async def _says(url: str, trust: ssl.SSLContext, headers: dict[str, str]) -> bool:
    async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=10, headers=headers) as client:
        try:
            return (await client.get(url)).is_success
        except httpx.HTTPError:
            return False
