"""A TLS context from the settings, for Kafka and for Redis; what is wrong with a certificate is one sentence."""

from __future__ import annotations

import ssl
from pathlib import Path

from consumer.domain.errors import ConfigurationError
from consumer.settings import TlsSettings


def tls_context(settings: TlsSettings, variables: str) -> ssl.SSLContext:
    """A context that checks the server's certificate, TLS 1.2 at least.

    `variables`: how the group's variables start, for the sentence: `SWOOGO_SYNC_KAFKA__TLS__`.

    Raises:
        ConfigurationError: a file cannot be read or does not hold what it should; the sentence names its variable.
    """
    try:
        # With a file of our own no other authority is trusted: the system's authorities are not added to it.
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise _unusable(f"{variables}CA_FILE", settings.ca_file, error, "certificates") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = settings.check_hostname
    if settings.cert_file:
        password = settings.key_password.get_secret_value()
        try:
            # A function, so that OpenSSL never asks at a terminal for a password that is missing.
            context.load_cert_chain(settings.cert_file, settings.key_file, password=lambda: password)
        except OSError as error:
            place, name = _culprit(settings)
            what = "a certificate and its key (or the key's password is another one)"
            raise _unusable(f"{variables}{name}", place, error, what) from None
    return context


def _culprit(settings: TlsSettings) -> tuple[Path | None, str]:
    """The file that cannot be opened; else the one that should hold the key."""
    for place, name in ((settings.cert_file, "CERT_FILE"), (settings.key_file, "KEY_FILE")):
        if place and not place.is_file():
            return place, name
    return (settings.key_file, "KEY_FILE") if settings.key_file else (settings.cert_file, "CERT_FILE")


def _unusable(variable: str, place: Path | None, error: OSError, what: str) -> ConfigurationError:
    if isinstance(error, ssl.SSLError):
        return ConfigurationError(f"{variable} names {place}, which does not hold {what} in PEM.")
    return ConfigurationError(f"{variable} names {place}, which cannot be read ({error.strerror}); mount that file.")
