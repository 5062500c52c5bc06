"""`doctor`: everything the service stands on, one line each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.topic_checks import check_codecs
from consumer.adapters.redis.replicas import RedisReplicas
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.adapters.sealing import CredentialOpener
from consumer.adapters.swoogo.transport import Transport
from consumer.diagnostics.check_result import CheckResult, Grade
from consumer.diagnostics.kafka import check_kafka
from consumer.diagnostics.redis import check_redis_server
from consumer.diagnostics.swoogo import WebhookState, check_swoogo, check_webhooks, webhook_states
from consumer.domain.connections.connection import Connection
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.entrypoints.cli.arguments import AsJson
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.entrypoints.cli.output import out, print_json
from consumer.entrypoints.cli.table import print_table, prose
from consumer.entrypoints.documents.running import read_running, replicas_sentence, waiting_sentences
from consumer.entrypoints.documents.words import plain
from consumer.settings import Settings, load_settings

_STYLES: Final = {Grade.OK: "green", Grade.WARNING: "yellow", Grade.ERROR: "red"}


@dataclass(frozen=True, slots=True)
class DoctorDocument:
    """What `doctor --json` prints."""

    well: bool
    checks: tuple[CheckResult, ...]
    webhooks: tuple[WebhookState, ...] = ()


def examine(*, as_json: AsJson = False) -> Exit:
    """Check everything the service needs, one line each, with what to do about it.

    Settings, key pair, Kafka, Redis, Swoogo and clocks. Writes nothing; costs two credits of each connected
    organization. Exit code 1 when something is wrong.
    """
    webhooks: list[WebhookState] = []
    checks = tuple(asyncio.run(_examine(webhooks)))
    document = DoctorDocument(all(each.grade is not Grade.ERROR for each in checks), checks, tuple(webhooks))
    if as_json:
        print_json(document)
    else:
        columns = ("", "", prose(""))
        rows = [(each.grade.value, each.part, plain(each.sentence)) for each in checks]
        print_table(out(), columns, rows, [_STYLES[each.grade] for each in checks])
    return Exit.OK if document.well else Exit.FAILED


async def _examine(webhooks: list[WebhookState]) -> list[CheckResult]:
    """All lines; what is known of webhooks is put into the list as well."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return [CheckResult.error("settings", sentence) for sentence in str(error).splitlines()]
    found = [CheckResult.ok("settings", "all can be read")]
    opener, verdict = _keys(settings)
    found.append(verdict)
    found.append(_codecs())
    try:
        bound = open_stores(settings)
    except ConfigurationError as error:
        return [*found, *await check_kafka(settings.kafka), CheckResult.error("redis", str(error))]
    try:
        # Side by side: a part that does not answer takes as long as its timeout, and no longer.
        parts = await asyncio.gather(
            check_kafka(settings.kafka),
            check_redis_server(bound.redis, settings.redis),
            _swoogo(settings, bound, opener),
            _running(settings, bound),
            _webhooks(settings, bound, webhooks),
        )
    finally:
        await bound.aclose()
    return [*found, *(verdict for part in parts for verdict in part)]


async def _webhooks(settings: Settings, bound: Stores, states: list[WebhookState]) -> list[CheckResult]:
    try:
        states += await webhook_states(bound, settings.webhooks)
    except UnavailableError:
        return []  # the part redis says so
    return check_webhooks(states)


async def _running(settings: Settings, bound: Stores) -> list[CheckResult]:
    """Whether anything runs, and what waits meanwhile."""
    now = SystemClock().now()
    try:
        running = await read_running(RedisReplicas(bound.redis, bound.keys), settings.kafka, now)
    except UnavailableError:
        return []  # the part redis says so
    alive = bool(running.alive)
    ok, warning, error = CheckResult.ok, CheckResult.warning, CheckResult.error
    grade = ok if alive else error if running.behind else warning
    found = [grade("replicas", replicas_sentence(running, now))]
    if not running.kafka:  # else the part kafka says so
        found += [(warning if alive else error)("replicas", each) for each in waiting_sentences(running, now)]
    return found


def _keys(settings: Settings) -> tuple[CredentialOpener | None, CheckResult]:
    try:
        settings.keys.needed_private()
        opener = CredentialOpener(settings.keys)
    except ConfigurationError as error:
        return None, CheckResult.error("keys", str(error))
    return opener, CheckResult.ok("keys", f"credentials are sealed to {opener.public}")


def _codecs() -> CheckResult:
    try:
        check_codecs()
    except ConfigurationError as error:
        return CheckResult.error("kafka", str(error))
    return CheckResult.ok("kafka", "gzip, snappy, lz4 and zstd can be read")


async def _swoogo(settings: Settings, bound: Stores, opener: CredentialOpener | None) -> list[CheckResult]:
    if opener is None:
        return []  # the part keys says so
    try:
        connections = await _connections(bound)
    except UnavailableError as error:
        return [CheckResult.error("swoogo", f"the connected organizations are not known: {error}")]
    channel = Transport(settings.swoogo)
    try:
        return await check_swoogo(channel, SystemClock(), opener, connections)
    finally:
        await channel.aclose()


async def _connections(bound: Stores) -> list[tuple[Connection, int]]:
    """Every connection that an event leads to, with the Swoogo id of an event of its own, 0 for none."""
    events = await bound.inbox.events()
    asked, mappings = await asyncio.gather(
        asyncio.gather(*map(bound.connections.requesters_of, events)),
        asyncio.gather(*map(bound.connections.mapping, events)),
    )
    orgs = dict.fromkeys((org_id for organizations in asked for org_id in organizations), 0)
    for mapping in mappings:
        if mapping:
            orgs[mapping.org_id] = orgs.get(mapping.org_id) or mapping.swoogo_event_id
    found = await asyncio.gather(*map(bound.connections.connection, sorted(orgs)))
    return [(each, orgs[each.org_id]) for each in found if each]
