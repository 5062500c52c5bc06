"""`doctor`: everything the service stands on, one line each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from consumer.adapters.clock import SystemClock
from consumer.adapters.doctor.kafka import of_kafka
from consumer.adapters.doctor.redis import of_redis
from consumer.adapters.doctor.swoogo import of_swoogo
from consumer.adapters.doctor.verdict import Grade, Verdict, fine, weak, wrong
from consumer.adapters.kafka.codecs import check_codecs
from consumer.adapters.redis.replicas import RedisReplicas
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.adapters.sealing import CredentialOpener
from consumer.adapters.swoogo.channel import Channel
from consumer.domain.connection import Connection
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.entrypoints.console.exits import Exit
from consumer.entrypoints.console.output import out, plain, print_json
from consumer.entrypoints.console.running import read_running, replicas_sentence, waiting_sentences
from consumer.entrypoints.console.table import Column, Fit, print_table
from consumer.settings import Settings, load_settings

_STYLES: Final = {Grade.FINE: "green", Grade.WEAK: "yellow", Grade.WRONG: "red"}


@dataclass(frozen=True, slots=True)
class DoctorDocument:
    """What `doctor --json` prints."""

    well: bool
    verdicts: tuple[Verdict, ...]


def examine(*, as_json: bool) -> Exit:
    """Look at everything; a part that does not answer keeps no other from being looked at."""
    verdicts = tuple(asyncio.run(_examine()))
    document = DoctorDocument(all(each.grade is not Grade.WRONG for each in verdicts), verdicts)
    if as_json:
        print_json(document)
    else:
        columns = (Column(""), Column(""), Column("", fit=Fit.WORDS))
        rows = [(each.grade.value, each.part, plain(each.sentence)) for each in verdicts]
        print_table(out(), columns, rows, [_STYLES[each.grade] for each in verdicts])
    return Exit.FINE if document.well else Exit.NO


async def _examine() -> list[Verdict]:
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return [wrong("settings", sentence) for sentence in str(error).splitlines()]
    found = [fine("settings", "all can be read")]
    opener, verdict = _keys(settings)
    found.append(verdict)
    found.append(_codecs())
    try:
        bound = open_stores(settings)
    except ConfigurationError as error:
        return [*found, *await of_kafka(settings.kafka), wrong("redis", str(error))]
    try:
        # Side by side: a part that does not answer takes as long as its timeout, and no longer.
        parts = await asyncio.gather(
            of_kafka(settings.kafka),
            of_redis(bound.redis, settings.redis),
            _swoogo(settings, bound, opener),
            _running(settings, bound),
        )
    finally:
        await bound.redis.aclose()
    return [*found, *(verdict for part in parts for verdict in part)]


async def _running(settings: Settings, bound: Stores) -> list[Verdict]:
    """Whether anything runs, and what waits meanwhile."""
    now = SystemClock().now()
    try:
        running = await read_running(RedisReplicas(bound.redis, bound.keys), settings.kafka, now)
    except UnavailableError:
        return []  # the part redis says so
    alive = bool(running.alive)
    grade = fine if alive else wrong if running.behind else weak
    found = [grade("replicas", replicas_sentence(running, now))]
    if not running.kafka:  # else the part kafka says so
        found += [(weak if alive else wrong)("replicas", each) for each in waiting_sentences(running, now)]
    return found


def _keys(settings: Settings) -> tuple[CredentialOpener | None, Verdict]:
    try:
        settings.keys.needed_private()
        opener = CredentialOpener(settings.keys)
    except ConfigurationError as error:
        return None, wrong("keys", str(error))
    return opener, fine("keys", f"credentials are sealed to {opener.public}")


def _codecs() -> Verdict:
    try:
        check_codecs()
    except ConfigurationError as error:
        return wrong("kafka", str(error))
    return fine("kafka", "gzip, snappy, lz4 and zstd can be read")


async def _swoogo(settings: Settings, bound: Stores, opener: CredentialOpener | None) -> list[Verdict]:
    if opener is None:
        return []  # the part keys says so
    try:
        connections = await _connections(bound)
    except UnavailableError as error:
        return [wrong("swoogo", f"the connected organizations are not known: {error}")]
    channel = Channel(settings.swoogo)
    try:
        return await of_swoogo(channel, SystemClock(), opener, connections)
    finally:
        await channel.aclose()


async def _connections(bound: Stores) -> list[tuple[Connection, int]]:
    """Every connection that an event leads to, with the Swoogo id of an event of its own, 0 for none."""
    events = await bound.inbox.events()
    asked, mappings = await asyncio.gather(
        asyncio.gather(*map(bound.connections.asked_by, events)),
        asyncio.gather(*map(bound.connections.mapping, events)),
    )
    orgs = dict.fromkeys((org_id for organizations in asked for org_id in organizations), 0)
    for mapping in mappings:
        if mapping:
            orgs[mapping.org_id] = orgs.get(mapping.org_id) or mapping.swoogo_event_id
    found = await asyncio.gather(*map(bound.connections.connection, sorted(orgs)))
    return [(each, orgs[each.org_id]) for each in found if each]
