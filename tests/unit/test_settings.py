"""Settings: bounds, cross-field rules, the sentence for each mistake, and the files generated from the models."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Literal

import pytest

from consumer.settings import PREFIX, VARIABLES
from tests.unit.settings_ground import KEY, refusal


def out_of_bounds() -> Iterator[tuple[str, str]]:
    for variable in VARIABLES.values():
        name = variable.name.removeprefix(PREFIX)
        for rule in variable.field.metadata:
            if getattr(rule, "ge", None) is not None:
                yield name, str(rule.ge - 1)
            if getattr(rule, "le", None) is not None:
                yield name, str(rule.le + 1)
        if variable.field.annotation in {int, float, bool} or (typing.get_origin(variable.field.annotation) is Literal):
            yield name, "nonsense"
        if variable.field.annotation is float:
            yield name, "nan"
            yield name, "inf"


@pytest.mark.parametrize(("name", "value"), list(out_of_bounds()))
def test_value_out_of_bounds_names_its_variable_and_a_good_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    sentence = refusal(monkeypatch, **{name: value})
    assert sentence.startswith(f"{PREFIX}{name} is '{value}': ")
    assert sentence.endswith(f"; a good value is {VARIABLES[PREFIX + name].good}.")


def test_every_number_has_two_bounds() -> None:
    unbounded = [
        variable.name
        for variable in VARIABLES.values()
        if variable.field.annotation in {int, float}
        and {bound for rule in variable.field.metadata for bound in ("ge", "le") if hasattr(rule, bound)}
        != {"ge", "le"}
    ]
    assert unbounded == []


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param(
            {"DEBOUNCE__MAX_WAIT": "5"},
            "SWOOGO_SYNC_DEBOUNCE__MAX_WAIT is 5: it must be at least SWOOGO_SYNC_DEBOUNCE__QUIET_PERIOD; "
            "a good value is 60.",
            id="max wait below quiet period",
        ),
        pytest.param(
            {"PUSH__LEASE": "30"},
            "SWOOGO_SYNC_PUSH__LEASE is 30: it must be longer than SWOOGO_SYNC_SWOOGO__DEADLINE; a good value is 60.",
            id="lease not longer than a call",
        ),
        pytest.param(
            {"PUSH__LEASE": "30.5", "REDIS__MODE": "cluster"},
            "SWOOGO_SYNC_PUSH__LEASE is 30.5: it must be longer than SWOOGO_SYNC_SWOOGO__DEADLINE, by more than the "
            "second that the clocks of a cluster may differ; a good value is 60.",
            id="lease not longer than a call in a cluster",
        ),
        pytest.param(
            {"SWOOGO__CREDIT_WINDOW": "30"},
            "SWOOGO_SYNC_SWOOGO__CREDIT_WINDOW is 30: it must be longer than SWOOGO_SYNC_SWOOGO__DEADLINE; "
            "a good value is 600.",
            id="a window forgotten before its calls end",
        ),
        pytest.param(
            {"PUSH__SHUTDOWN_GRACE": "5"},
            "SWOOGO_SYNC_PUSH__SHUTDOWN_GRACE is 5: it must be 0, or at least the 20 seconds that an answer may take; "
            "a good value is 20.",
            id="a stop that breaks off calls about to be answered",
        ),
        pytest.param(
            {"IMAGES__ALLOW_HOSTS": "10.0.0.0/99"},
            "SWOOGO_SYNC_IMAGES__ALLOW_HOSTS is '10.0.0.0/99': each must be a host name, an address or a network such "
            "as 10.0.0.0/8; a good value is images.example.org,10.0.0.0/8.",
            id="an example where the default is nothing",
        ),
        pytest.param(
            {"PUSH__RETRY_FIRST": "500", "PUSH__RETRY_MAX": "400"},
            "SWOOGO_SYNC_PUSH__RETRY_MAX is 400: it must be at least SWOOGO_SYNC_PUSH__RETRY_FIRST; "
            "a good value is 5000.",
            id="retries",
        ),
        pytest.param(
            {"SWOOGO__CREDIT_LIMIT": "100", "SWOOGO__CREDIT_RESERVE": "91"},
            "SWOOGO_SYNC_SWOOGO__CREDIT_RESERVE is 91: it must be at least 10 (one list call) below "
            "SWOOGO_SYNC_SWOOGO__CREDIT_LIMIT; a good value is 1.",
            id="no list call would ever get its credits",
        ),
        pytest.param(
            {"KAFKA__TOPICS__STATUS": "sessionboard.sessions"},
            "SWOOGO_SYNC_KAFKA__TOPICS__STATUS is sessionboard.sessions: it must be another than "
            "SWOOGO_SYNC_KAFKA__TOPICS__SESSIONS; a good value is swoogo-sync.status.",
            id="one topic for two things",
        ),
        pytest.param(
            {"KAFKA__SECURITY_PROTOCOL": "SASL_SSL", "KAFKA__SASL__USERNAME": "sync"},
            "SWOOGO_SYNC_KAFKA__SECURITY_PROTOCOL is SASL_SSL, which logs in: set SWOOGO_SYNC_KAFKA__SASL__PASSWORD.",
            id="a login without its password",
        ),
        pytest.param(
            {"KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA__SASL__PASSWORD": "p"},
            "SWOOGO_SYNC_KAFKA__SECURITY_PROTOCOL is SASL_PLAINTEXT, which logs in: set "
            "SWOOGO_SYNC_KAFKA__SASL__USERNAME.",
            id="a login without its user",
        ),
        pytest.param(
            {"KAFKA__SECURITY_PROTOCOL": "SSL", "KAFKA__SASL__PASSWORD": "p"},
            "SWOOGO_SYNC_KAFKA__SASL__PASSWORD is set, and SWOOGO_SYNC_KAFKA__SECURITY_PROTOCOL SSL does not log in: "
            "make it SASL_SSL.",
            id="a password no one asks for",
        ),
        pytest.param(
            {"KAFKA__SASL__USERNAME": "sync"},
            "SWOOGO_SYNC_KAFKA__SASL__USERNAME is set, and SWOOGO_SYNC_KAFKA__SECURITY_PROTOCOL PLAINTEXT does not log "
            "in: make it SASL_SSL (or SASL_PLAINTEXT, without encryption).",
            id="a user no one asks for",
        ),
        pytest.param(
            {"KAFKA__TLS__CA_FILE": "/ca.pem"},
            "SWOOGO_SYNC_KAFKA__TLS__CA_FILE is set, and SWOOGO_SYNC_KAFKA__SECURITY_PROTOCOL PLAINTEXT does not "
            "encrypt: make it SSL.",
            id="certificates that nothing uses",
        ),
        pytest.param(
            {"KAFKA__SECURITY_PROTOCOL": "SSL", "KAFKA__TLS__KEY_FILE": "/key.pem"},
            "SWOOGO_SYNC_KAFKA__TLS__KEY_FILE is set without its certificate: set SWOOGO_SYNC_KAFKA__TLS__CERT_FILE "
            "too.",
            id="a key without its certificate",
        ),
        pytest.param(
            {"REDIS__URL": "rediss://r:6379/0", "REDIS__TLS__KEY_PASSWORD": "p"},
            "SWOOGO_SYNC_REDIS__TLS__KEY_PASSWORD is set without a certificate and key: set "
            "SWOOGO_SYNC_REDIS__TLS__CERT_FILE and KEY_FILE too.",
            id="the password of no key",
        ),
        pytest.param(
            {"REDIS__TLS__CERT_FILE": "/cert.pem"},
            "SWOOGO_SYNC_REDIS__TLS__CERT_FILE is set, and SWOOGO_SYNC_REDIS__URL does not encrypt: make it start with "
            "rediss://.",
            id="certificates for a Redis without TLS",
        ),
        pytest.param(
            {"REDIS__URL": "redis://:first@r:6379/0", "REDIS__PASSWORD": "second"},
            "SWOOGO_SYNC_REDIS__PASSWORD is set, and SWOOGO_SYNC_REDIS__URL holds another one: leave it out of the "
            "address.",
            id="two passwords",
        ),
        pytest.param(
            {"REDIS__USERNAME": "sync"},
            "SWOOGO_SYNC_REDIS__USERNAME is set without SWOOGO_SYNC_REDIS__PASSWORD: set both.",
            id="a Redis user without password",
        ),
        pytest.param(
            {"REDIS__URL": "redis://r:6379/3", "REDIS__MODE": "cluster"},
            "SWOOGO_SYNC_REDIS__URL names database 3: a cluster has none but 0; leave it out.",
            id="a database of a cluster",
        ),
        pytest.param(
            {"REDIS__MODE": "sentinel"},
            "SWOOGO_SYNC_REDIS__SENTINEL_MASTER is needed where SWOOGO_SYNC_REDIS__MODE is sentinel.",
            id="sentinels of no primary",
        ),
        pytest.param(
            {"REDIS__NODES": "r:6379"},
            "SWOOGO_SYNC_REDIS__NODES counts only where SWOOGO_SYNC_REDIS__MODE is cluster or sentinel; a single "
            "server has one address.",
            id="nodes of a single server",
        ),
        pytest.param(
            {"REDIS__URL": "rediss://r:6379/0?ssl_cert_reqs=none"},
            "SWOOGO_SYNC_REDIS__URL is 'rediss://r:6379/0?ssl_cert_reqs=none': nothing may follow the database; what "
            "can be chosen has a setting of its own; a good value is redis://localhost:6379/0.",
            id="certificates that no one would check",
        ),
        pytest.param(
            {"KEYS__PREVIOUS": KEY},
            "SWOOGO_SYNC_KEYS__PREVIOUS is set without SWOOGO_SYNC_KEYS__PRIVATE: the only key is the private one.",
            id="a previous key alone",
        ),
        pytest.param(
            {"KEYS__PREVIOUS": KEY, "KEYS__PRIVATE": KEY},
            "SWOOGO_SYNC_KEYS__PREVIOUS is the same as SWOOGO_SYNC_KEYS__PRIVATE: leave it out, or give the older key.",
            id="one key twice",
        ),
        pytest.param(
            {"KAFKA__BOOTSTRAP_SERVERS": "http://broker:9092"},
            "SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVERS is 'http://broker:9092': every broker must be host:port, with commas "
            "between them; a good value is localhost:9092.",
            id="a broker with a scheme",
        ),
        pytest.param(
            {"KAFKA__BOOTSTRAP_SERVERS": "a:9092,b:65536"},
            "SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVERS is 'a:9092,b:65536': every broker must be host:port, with commas "
            "between them; a good value is localhost:9092.",
            id="a broker's port out of range",
        ),
        pytest.param(
            {"REDIS__URL": "http://localhost"},
            "SWOOGO_SYNC_REDIS__URL is 'http://localhost': URL scheme should be 'redis' or 'rediss'; a good value is "
            "redis://localhost:6379/0.",
            id="a Redis URL with another scheme",
        ),
        pytest.param(
            {"REDIS__URL": "redis://localhost:6379/first"},
            "SWOOGO_SYNC_REDIS__URL is 'redis://localhost:6379/first': what follows the port must be the number of a "
            "database; a good value is redis://localhost:6379/0.",
            id="a database that is no number",
        ),
        pytest.param(
            {"REDIS__PREFIX": "Swoogo Sync"},
            "SWOOGO_SYNC_REDIS__PREFIX is 'Swoogo Sync': string should match pattern '^[a-z0-9-]{1,40}$'; a good "
            "value is swoogo-sync.",
            id="a prefix with a space",
        ),
        pytest.param(
            {"SWOOGO__BASE_URL": "swoogo"},
            "SWOOGO_SYNC_SWOOGO__BASE_URL is 'swoogo': input should be a valid URL, relative URL without a base; "
            "a good value is https://api.swoogo.com/api/v1.",
            id="an address that is none",
        ),
        pytest.param(
            {"KAFKA__BOOTSTRAP_SERVER": "broker:9092"},
            "SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVER is no setting of this service; did you mean "
            "SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVERS?",
            id="a mistyped name",
        ),
        pytest.param(
            {"KAFKA": '{"group_id": "x"}'},
            "SWOOGO_SYNC_KAFKA is a group of settings; set its members one by one, such as "
            "SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVERS.",
            id="a group",
        ),
        pytest.param(
            {"XYZZY": "1"},
            "SWOOGO_SYNC_XYZZY is no setting of this service; .env.example lists those there are.",
            id="nothing near",
        ),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    assert refusal(monkeypatch, **variables) == sentence
