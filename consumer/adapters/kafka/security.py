"""How every Kafka client of this service reaches the brokers, and why one does not let it in.

aiokafka logs the reason of a refused connection and raises that nothing answered. `refusal` asks once more, so that
a wrong password is distinguished from a broker that is away.
"""

from __future__ import annotations

import ssl
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from consumer.adapters.tls import tls_context
from consumer.domain.errors import ConfigurationError, SwoogoSyncError, UnavailableError
from consumer.settings import PREFIX, KafkaSettings

_OWN = f"{PREFIX}KAFKA__"
_ASK_MS = 10_000


def tls_of(settings: KafkaSettings) -> ssl.SSLContext | None:
    """How connections are encrypted; None: not at all. Raises ConfigurationError about a certificate."""
    return tls_context(settings.tls, f"{_OWN}TLS__") if settings.uses_tls else None


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Address, encryption and login, as aiokafka's clients take them. Raises ConfigurationError.

    Without FastStream: its import costs a command that only looks a third of a second.
    """
    options = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
        "ssl_context": tls_of(settings),
    }
    if settings.logs_in:
        options |= {
            "sasl_mechanism": settings.sasl.mechanism,
            "sasl_plain_username": settings.sasl.username,
            "sasl_plain_password": settings.sasl.password.get_secret_value(),
        }
    return options


async def explain_connection_error(settings: KafkaSettings, error: Exception) -> SwoogoSyncError:
    """Why no broker could be used, after a client of ours failed with `error`.

    A ConfigurationError where trying again cannot help (login, certificate, protocol), else an UnavailableError.
    """
    options = client_options(settings)
    for broker in options.pop("bootstrap_servers").split(","):
        host, _, port = broker.strip().rpartition(":")
        try:
            connection = await create_conn(host.strip("[]"), int(port), request_timeout_ms=_ASK_MS, **options)
            try:
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
        except (KafkaError, OSError, TimeoutError) as reason:
            sentence = _sentence(settings, broker.strip(), reason)
            if sentence:
                return ConfigurationError(sentence)
    return UnavailableError(
        f"Kafka at {settings.bootstrap_servers} did not answer ({type(error).__name__}); check {_OWN}BOOTSTRAP_SERVERS."
    )


def _sentence(settings: KafkaSettings, broker: str, reason: Exception) -> str | None:
    """What to change, or None: the broker is away."""
    at, protocol = f"Kafka at {broker}", settings.security_protocol
    match reason:
        case SaslAuthenticationFailed():
            return (
                f"{at} refused the login of {settings.sasl.username}; check {_OWN}SASL__USERNAME, {_OWN}SASL__PASSWORD "
                f"and {_OWN}SASL__MECHANISM ({settings.sasl.mechanism})."
            )
        case UnsupportedSaslMechanismError() | AuthenticationMethodNotSupported():
            return f"{at} does not offer {settings.sasl.mechanism}; set {_OWN}SASL__MECHANISM to one that it offers."
        case IllegalSaslStateError():
            return f"{at} takes no login on that port; check {_OWN}SECURITY_PROTOCOL ({protocol}) and the port."
        case ssl.SSLCertVerificationError():
            return (
                f"The certificate of {at} is not accepted ({reason.verify_message}); check {_OWN}TLS__CA_FILE and that "
                "the certificate names this host."
            )
        case ssl.SSLError():
            return (
                f"{at} ended the TLS handshake ({reason.reason or type(reason).__name__}); check that the port is one "
                f"of TLS, and {_OWN}TLS__CERT_FILE where the brokers ask for a certificate."
            )
        case KafkaConnectionError() | ConnectionResetError():
            # Taken and then closed: what a listener does that speaks another protocol, or misses a certificate.
            certificate = f", and {_OWN}TLS__CERT_FILE where the brokers ask for one" if settings.uses_tls else ""
            return (
                f"{at} took the connection and closed it; check {_OWN}SECURITY_PROTOCOL ({protocol}) and the port"
                f"{certificate}."
            )
    return None
