"""No client of Kafka or Redis is made past the settings of encryption and login."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import consumer

CLIENTS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "AIOKafkaClient", "KafkaBroker"}
REDIS = {"Redis", "BlockingConnectionPool", "ConnectionPool", "from_url"}
SOURCE = Path(consumer.__file__).parent


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """(place, name, call) of everything that is called in the service."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", name, node


def test_every_kafka_client_has_encryption_and_login_from_one_place() -> None:
    made = [(place, call) for place, name, call in calls() if name in CLIENTS]
    assert len(made) >= 4
    wrong = [
        place
        for place, call in made
        if not any(word.arg is None or word.arg == "security" for word in call.keywords)
        or (
            any(word.arg in {"bootstrap_servers", "security_protocol"} for word in call.keywords)
            and not any(word.arg is None for word in call.keywords)
        )
    ]
    assert wrong == [], "take it from adapters.kafka.access"


def test_the_redis_client_is_made_in_one_place() -> None:
    assert {place.partition(":")[0] for place, name, _ in calls() if name in REDIS} == {"adapters/redis/client.py"}
