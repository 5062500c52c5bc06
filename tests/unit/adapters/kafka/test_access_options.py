"""Every Kafka client gets the same encryption and login, whether FastStream makes it or we do."""

from __future__ import annotations

import subprocess
import sys

import pytest
from faststream.kafka.security import parse_security

from consumer.adapters.kafka.broker import security
from consumer.adapters.kafka.security import client_options
from consumer.settings import KafkaSettings


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_clients_log_in_as_the_subscribers_do(protocol: str, mechanism: str) -> None:
    login = {"mechanism": mechanism} | ({"username": "u", "password": "p"} if "SASL" in protocol else {})
    settings = KafkaSettings.model_validate({"security_protocol": protocol, "sasl": login})
    ours = client_options(settings)
    theirs = parse_security(security(settings))
    assert ours.pop("bootstrap_servers") == settings.bootstrap_servers
    for options in (ours, theirs):
        options["ssl_context"] = bool(options["ssl_context"])
    assert ours == theirs


def test_commands_that_only_look_do_not_load_the_service() -> None:
    """Start-up counts: FastStream alone is a third of a second."""
    looked = ", ".join(f"consumer.entrypoints.cli.{name}" for name in ("status_view", "doctor", "dlq"))
    code = f"import sys, {looked}; print([name for name in ('faststream', 'consumer.app') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
