"""The FastStream broker that the subscribers hang on: it only consumes, and only says what people can act on."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, Final

from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from consumer.adapters.kafka.reader import TopicReader
from consumer.adapters.kafka.security import tls_of
from consumer.settings import KafkaSettings

_LOGINS: Final = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
REBALANCE_MS: Final = 60_000
_REQUEST_MS: Final = 70_000
"""Longer than a rebalance, during which the broker holds the answer back; else joining a group would never end."""
_METADATA_MS: Final = 60_000
"""How often partitions that were added are looked for; aiokafka's own five minutes are long for a new session."""
_BATCH_SECONDS: Final = 5.0
"""For a batch that is being recorded when the service is stopped. It may be waiting for Redis for much longer, and
whatever was not committed is read again."""


class _Broker(KafkaBroker):
    async def _connect(self) -> Any:
        builder: Any = await super()._connect()
        self.config.broker_config.builder = partial(TopicReader, **builder.keywords)
        return self.config.broker_config.builder


def security(settings: KafkaSettings) -> BaseSecurity:
    """Encryption and login, as FastStream takes them. Raises ConfigurationError about a certificate."""
    context = tls_of(settings)
    if not settings.logs_in:
        return BaseSecurity(ssl_context=context, use_ssl=settings.uses_tls)
    login = _LOGINS[settings.sasl.mechanism]
    password = settings.sasl.password.get_secret_value()
    return login(settings.sasl.username, password, ssl_context=context, use_ssl=settings.uses_tls)


def open_broker(settings: KafkaSettings) -> KafkaBroker:
    """A broker to subscribe at; nothing is connected yet.

    Its own producer is left out (`adapters.kafka.publish` has one), and so is the AsyncAPI page.
    """
    return _Broker(
        [each.strip() for each in settings.bootstrap_servers.split(",")],  # one string would be one address
        security=security(settings),
        apply_types=False,
        consumer_only=True,
        graceful_timeout=_BATCH_SECONDS,
        request_timeout_ms=_REQUEST_MS,
        metadata_max_age_ms=_METADATA_MS,
        # What it swallows (a commit that failed, a codec it cannot read) is nowhere else to be seen. Not its own
        # logger, which brings a handler of its own.
        logger=logging.getLogger("kafka.consumer"),
        log_level=logging.DEBUG,
    )
