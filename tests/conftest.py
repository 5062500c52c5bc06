"""Fixtures of all tests. Services start when a test first asks for them: unit tests alone start nothing."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Final

import hypothesis
import pytest
from pydantic import RedisDsn
from redis.asyncio import Redis

from consumer.adapters.redis.client import connect
from consumer.settings import RedisSettings
from sandbox.embedded import EmbeddedCluster, ServerUnavailableError
from tests.support.key_leaks import leaked_keys
from tests.support.machines import drawn
from tests.support.services import MissingServiceError, Service, find_kafka, find_redis
from tests.support.sharing import share
from tests.support.topics import Topics
from tools.rules import RULES

# What a machine finds must be found again on the next one; people may explore. How long an example takes says how busy
# the machine is, and nothing of the code.
hypothesis.settings.register_profile("here", drawn(40), derandomize="CI" in os.environ)
hypothesis.settings.load_profile("here")

# All that is collected stays, and looking for garbage meanwhile takes a fifth of the time of collecting it.
gc.disable()

_SERVICES: Final = pytest.StashKey[list[Service]]()
_SUMMARY: Final = pytest.StashKey[list[str]]()
_TOLD: Final = "services"

# Files that take longest begin first, so that the processes of a run end together.
_ORDER: Final = ("e2e", "chaos", "integration", "browser", "deployment", "benchmarks", "matrix")

# A developer's own settings must not reach the code under test.
for _name in [name for name in os.environ if name.startswith("SWOOGO_SYNC_")]:
    if not _name.startswith("SWOOGO_SYNC_TEST_"):
        del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real servers first (needs `--no-loadscope-reorder` where files are shared between processes)."""
    unknown = {rule for item in items for mark in item.iter_markers("rule") for rule in mark.args} - set(RULES)
    if unknown:
        raise pytest.UsageError(f"There is no such rule in tools/rules.py: {', '.join(sorted(map(str, unknown)))}")

    def rank(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(_ORDER) if name in item.path.parts), len(_ORDER))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """What stays until the end is not looked through again by each garbage collection: a fifth of the time of a run."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """`host:port` of a Kafka for the whole run; its processes share it, with topics and groups of their own."""
    find = partial(find_kafka, os.environ)
    if hasattr(request.config, "workerinput"):
        find = partial(share, tmp_path_factory.getbasetemp().parent, "kafka", find)
    return _provide(request.config, find)


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    """URL of a Redis for this process of the run; it is flushed, and asked what its clients do."""
    return _provide(request.config, partial(find_redis, os.environ))


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of an empty database, answering bytes; afterwards the keys are checked for leaks."""
    client = Redis.from_url(redis_url, decode_responses=False)
    try:
        await client.flushdb()
        yield client
        leaked = await leaked_keys(client)
    finally:
        await client.aclose()
    if leaked:
        pytest.fail(f"These Redis keys would stay for ever: {', '.join(leaked)}", pytrace=False)


@pytest.fixture(scope="session")
def cluster() -> Iterator[EmbeddedCluster]:
    """A Redis Cluster of six processes for this process of the run; what moves in it stays moved."""
    made = EmbeddedCluster()
    try:
        made.start()
    except ServerUnavailableError as missing:
        pytest.fail(str(missing), pytrace=False)
    yield made
    made.stop()


@pytest.fixture
async def cluster_redis(cluster: EmbeddedCluster) -> AsyncIterator[Redis]:
    """The service's client of that cluster, emptied before."""
    settings = RedisSettings(mode="cluster", url=RedisDsn(cluster.url), nodes=cluster.further)
    async with connect(settings) as client:
        await client.flushdb()
        yield client


@pytest.fixture
async def topics(kafka_bootstrap: str) -> AsyncIterator[Topics]:
    """Makes topics of this test's own; they are deleted afterwards."""
    made = Topics(kafka_bootstrap)
    yield made
    await made.delete()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which servers the run used: a pass on Tansu is not a pass on Apache Kafka."""
    for text in _UNRETRIEVED.found:
        terminalreporter.section("a task ended with an error that nothing asked for", red=True)
        terminalreporter.write_line(text)
    lines = [*config.stash.get(_SUMMARY, []), *_summary(config)]
    if lines:
        terminalreporter.section("services")
        for line in lines:
            terminalreporter.write_line(line)


class _Unretrieved(logging.Handler):
    """Errors of tasks and futures that ended unseen; asyncio reports them when they are collected."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if "never retrieved" in text:
            self.found.append(text)


_UNRETRIEVED: Final = _Unretrieved()
logging.getLogger("asyncio").addHandler(_UNRETRIEVED)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """No task has ended with an error that nothing asked for. A worker process passes on which servers it used."""
    gc.collect()
    if _UNRETRIEVED.found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told[_TOLD] = _summary(session.config)


@pytest.hookimpl(trylast=True, specname="pytest_sessionfinish")
def pytest_services_stop(session: pytest.Session) -> None:
    """All fixtures have ended, and no timeout of a test counts: a shared server waits here for the other processes."""
    for service in session.config.stash.get(_SERVICES, []):
        service.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker process has ended."""
    told = getattr(node, "workeroutput", {}).get(_TOLD, [])
    node.config.stash.setdefault(_SUMMARY, []).extend(told)


def _summary(config: pytest.Config) -> list[str]:
    return [line for service in config.stash.get(_SERVICES, []) for line in service.summary()]


def _provide(config: pytest.Config, find: Callable[[], Service]) -> str:
    try:
        service = find()
    except MissingServiceError as missing:
        if "CI" not in os.environ and os.environ.get("SWOOGO_SYNC_TEST_ALLOW_MISSING") == "1":
            pytest.skip(str(missing))
        pytest.fail(str(missing), pytrace=False)
    config.stash.setdefault(_SERVICES, []).append(service)
    return service.address
