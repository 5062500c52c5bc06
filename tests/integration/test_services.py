"""How the test run finds its servers, waits, and notices keys that would stay for ever."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from redis.asyncio import Redis

from sandbox.embedded import ServerFailedError, ServerUnavailableError
from tests.support.containers import docker_answers
from tests.support.key_leaks import leaked_keys
from tests.support.services import MissingServiceError, Service, find_kafka, find_redis, first_available
from tests.support.waiting import wait_until


def unavailable() -> Service:
    raise ServerUnavailableError("no Java here")


def broken() -> Service:
    raise ServerFailedError("did not answer\nlong log")


def absent() -> None:
    return None


def good() -> Service:
    return Service(address="here", source="the good one")


def test_first_server_that_works_is_taken_with_reasons() -> None:
    service = first_available("Kafka", "advice", [absent, unavailable, broken, good])
    assert service.summary() == [
        "the good one at here",
        "  passed over: no Java here",
        "  passed over: did not answer",
    ]


def test_when_none_works_the_message_has_every_reason_and_the_advice() -> None:
    with pytest.raises(
        MissingServiceError, match=r"need a Kafka(.|\n)*no Java here(.|\n)*did not answer(.|\n)*do that"
    ):
        first_available("Kafka", "do that", [absent, unavailable, broken])


def test_given_address_without_an_answer_is_an_error_without_password() -> None:
    with pytest.raises(MissingServiceError, match=r"127\.0\.0\.1:1"):
        find_kafka({"SWOOGO_SYNC_TEST_KAFKA": "127.0.0.1:1"})
    with pytest.raises(MissingServiceError, match=r"redis://\*\*\*@127\.0\.0\.1:1/0"):
        find_redis({"SWOOGO_SYNC_TEST_REDIS": "redis://user:secret@127.0.0.1:1/0"})


@pytest.mark.parametrize(
    ("answer", "usable"), [(b"HTTP/1.0 200 OK\r\n\r\nOK", True), (b"HTTP/1.0 503 No\r\n\r\n", False)]
)
def test_docker_counts_only_when_its_engine_says_it_is_well(tmp_path: Path, answer: bytes, usable: bool) -> None:
    address = tmp_path / "docker.sock"
    assert not docker_answers({"DOCKER_HOST": f"unix://{address}"})
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(address))
        engine.listen()

        def serve() -> None:
            connection, _ = engine.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert docker_answers({"DOCKER_HOST": f"unix://{address}"}) is usable
        thread.join()


@pytest.mark.integration
def test_an_address_that_was_given_is_used_as_it_is(kafka_bootstrap: str, redis_url: str) -> None:
    assert find_kafka({"SWOOGO_SYNC_TEST_KAFKA": kafka_bootstrap}).address == kafka_bootstrap
    assert find_redis({"SWOOGO_SYNC_TEST_REDIS": redis_url}).address == redis_url


async def test_waiting_returns_the_first_truthy_answer() -> None:
    answers = iter([0, None, 3])

    async def later() -> int | None:
        return next(answers)

    assert await wait_until(later, "three comes") == 3
    assert await wait_until(lambda: "now", "now") == "now"


async def test_waiting_in_vain_fails_with_the_sentence() -> None:
    with pytest.raises(AssertionError, match=r"Not within 0\.02 s: the moon is blue"):
        await wait_until(lambda: False, "the moon is blue", timeout=0.02)


@pytest.mark.integration
async def test_key_without_ttl_and_pattern_is_a_leak(redis: Redis) -> None:
    await redis.set("ledger:{7}", "stays")
    await redis.set("lease:{7}", "expires", ex=60)
    await redis.set("ledger:{7}:oops", "forgotten")
    assert await leaked_keys(redis, [r"ledger:\{\d+\}"]) == ["ledger:{7}:oops"]
    assert await leaked_keys(redis, []) == []
    await redis.flushdb()
