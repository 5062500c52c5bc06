"""Apache Kafka as people run it: TLS, logins, client certificates, and rights for one user only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from sandbox.embedded import EmbeddedKafka
from sandbox.embedded.server import HOST
from tests.support.certificates import Certificates

USER: Final = "swoogo-sync"
PASSWORD: Final = "canary-of-the-kafka-login"

_TOPIC, _GROUP = 2, 3
_LITERAL, _PREFIXED = 3, 4
_READ, _WRITE, _DELETE, _DESCRIBE = 3, 4, 6, 8
_ALLOW: Final = 3

_LISTENERS: Final = """
listeners=PLAINTEXT://{host}:{plain},BEHIND://{host}:{behind},CONTROLLER://{host}:{controller},\
SASL_SSL://{host}:{login},SSL://{host}:{mutual},SASL_PLAINTEXT://{host}:{clear}
advertised.listeners=PLAINTEXT://{host}:{plain},BEHIND://{host}:{behind},SASL_SSL://{host}:{login},\
SSL://{host}:{mutual},SASL_PLAINTEXT://{host}:{clear}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,BEHIND:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL,\
SASL_PLAINTEXT:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={server}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
listener.name.ssl.ssl.client.auth=required
listener.name.ssl.ssl.principal.mapping.rules=RULE:^.*CN=([^,]+).*$/$1/,DEFAULT
listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_plaintext.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class SecureKafka(EmbeddedKafka):
    """`bootstrap` is without login, for the test itself; who comes in there may do everything."""

    port_count = 6

    def __init__(self, certificates: Certificates) -> None:
        """`certificates`: the client's common name is `USER`."""
        super().__init__()
        self._certificates = certificates

    @property
    def login(self) -> str:
        """SASL over TLS: SCRAM and PLAIN."""
        return f"{HOST}:{self._ports[3]}"

    @property
    def mutual(self) -> str:
        """TLS that asks for a certificate."""
        return f"{HOST}:{self._ports[4]}"

    @property
    def clear(self) -> str:
        """SASL without encryption: SCRAM-SHA-512 only."""
        return f"{HOST}:{self._ports[5]}"

    def _more_properties(self) -> str:
        plain, controller, behind, login, mutual, clear = self._ports
        return _LISTENERS.format(
            host=HOST,
            plain=plain,
            controller=controller,
            behind=behind,
            login=login,
            mutual=mutual,
            clear=clear,
            server=self._certificates.server,
            authority=self._certificates.authority,
            user=USER,
            password=PASSWORD,
        )

    def _format_options(self) -> list[str]:
        users = [f"{mechanism}=[name={USER},password={PASSWORD}]" for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256")]
        return [part for user in users for part in ("--add-scram", user)]


@dataclass(frozen=True, slots=True)
class Rights:
    """What docs/access.md says that the service needs."""

    read: Sequence[str]
    write: Sequence[str]
    group_prefix: str
    delete: Sequence[str] = ()
    member: bool = True
    """Of the groups; else they may only be looked at."""

    def acls(self) -> list[tuple[int, str, int, int]]:
        """(resource type, name, pattern type, operation)."""
        return [
            *((_TOPIC, name, _LITERAL, _READ) for name in self.read),
            *((_TOPIC, name, _LITERAL, _WRITE) for name in self.write),
            *((_TOPIC, name, _LITERAL, _DELETE) for name in self.delete),
            (_GROUP, self.group_prefix, _PREFIXED, _READ if self.member else _DESCRIBE),
        ]


async def grant(bootstrap: str, rights: Rights) -> None:
    """Give the user these rights and no other."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for kind, name, pattern, operation in rights.acls():
            request = CreateAclsRequest(kind, name, pattern, f"User:{USER}", "*", operation, _ALLOW)
            answer: Any = await admin._send_to_controller(request)
            for code, message in answer.creation_responses:
                assert code == 0, message
    finally:
        await admin.close()
