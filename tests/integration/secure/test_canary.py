"""The canary: everything runs with marked secrets, e-mail addresses and names, and no output carries them (5.8).

The service runs as it should be deployed: Kafka by SCRAM over TLS with exactly the documented rights, Redis by TLS with
exactly the documented user, credentials sealed to the previous key in the middle of a rotation, logs at DEBUG.

Where what may be:

| | secrets | e-mail addresses | names of people |
| --- | --- | --- | --- |
| logs, metrics, probes, process arguments, names of Redis keys and Kafka keys | no | no | no |
| status topic, headers of dead letters, command line, issues and runs in Redis | no | no | yes, where needed |
| snapshot rows in Redis, dead letters' own bytes | no | yes | yes |
| other values in Redis, the ledger topic | no | no | no |

After `privacy erase` a person is in none of them, nor after a rebuild from the topics.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis
from typer.testing import CliRunner

from consumer.adapters.redis.client import read_value
from consumer.adapters.sealing import KeyPair, TokenCipher, credential_id, seal
from consumer.entrypoints.cli.app import app
from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from sandbox.demo.world import Servers, World, world
from sandbox.embedded.server import free_ports
from tests.integration.secure.conftest import Guarded
from tests.support import secure_redis as redis_support
from tests.support.conferences import small
from tests.support.secure_kafka import PASSWORD as KAFKA_PASSWORD
from tests.support.secure_kafka import USER, Rights, grant
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.e2e, pytest.mark.rule("C2", "Y2", "Y3")]

KEY, SECRET = "canary-consumer-key", "canary-consumer-secret"
WRONG, IN_CLEAR = "canary-wrong-secret", "canary-secret-in-clear"
EMAIL, NAME = "canary-ada@people.example", "Canaryada"
_PATIENCE: Final = 45.0


@dataclass
class Heard:
    """All that came out, by where it came out."""

    machine: dict[str, bytes] = field(default_factory=dict)
    people: dict[str, bytes] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)


def found(marks: Mapping[str, str], *places: Mapping[str, bytes]) -> list[str]:
    """Which mark is where; what stands around it, to find the leak."""
    leaks = []
    for where, text in (item for place in places for item in place.items()):
        for what, mark in marks.items():
            at = text.find(mark.encode())
            if at >= 0:
                leaks.append(f"{what} in {where}: ...{text[max(0, at - 120) : at + 60]!r}")
    return leaks


def address(number: int) -> str:
    """The first two people share one."""
    return EMAIL.replace("ada", f"ada{number}") if number > 1 else EMAIL


def a_marked_conference() -> Conference:
    """Everybody is marked; one speaker lacks what Swoogo requires, so that an issue is told."""
    conference = small()
    people = {
        key: replace(
            person,
            first_name=NAME,
            last_name=f"{NAME}-{number}" if number else "",
            email=address(number),
            biography=f"<p>Write to {address(number)}</p>",
        )
        for number, (key, person) in enumerate(conference.people.items())
    }
    return replace(conference, people=people)


@asynccontextmanager
async def deployed(guarded: Guarded, old: KeyPair) -> AsyncIterator[tuple[World, Redis]]:
    """The world, with one replica running, and a look into Redis past its rights."""
    prefix = f"canary-{uuid.uuid4().hex[:8]}"
    async with redis_support.secure_redis(guarded.files, prefix) as redis, Redis.from_url(redis.plain) as admin:
        settings = {
            "DEBOUNCE__QUIET_PERIOD": "0.4",
            "DEBOUNCE__MAX_WAIT": "2",
            "PUSH__CREATE_SETTLE_TIME": "2",
            "PUSH__RETRY_FIRST": "0.3",
            "PUSH__POLL_INTERVAL": "0.1",
            "LOG__LEVEL": "DEBUG",
            "HTTP__PORT": str(free_ports(1)[0]),
            "KAFKA__BOOTSTRAP_SERVERS": guarded.kafka.login,
            "KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA__SASL__USERNAME": USER,
            "KAFKA__SASL__PASSWORD": KAFKA_PASSWORD,
            "KAFKA__TLS__CA_FILE": str(guarded.files.authority),
            "REDIS__URL": redis.url,
            "REDIS__USERNAME": redis_support.USER,
            "REDIS__PASSWORD": redis_support.PASSWORD,
            "REDIS__TLS__CA_FILE": str(guarded.files.authority),
            "KEYS__PREVIOUS": old.private,
        }
        servers = Servers(guarded.kafka.bootstrap, redis.plain, prefix)
        async with world(window=60.0, latency_ms=2.0, limit=100_000, settings=settings, servers=servers) as running:
            names = running.settings.kafka.topics
            inputs = [names.sessions, names.speakers, names.sponsors, names.mappings]
            outputs = [names.status, names.issues, names.ledger, names.dead_letters]
            rights = Rights(
                [*inputs, names.issues, names.ledger, names.dead_letters], outputs, f"{prefix}.", [names.dead_letters]
            )
            await grant(guarded.kafka.bootstrap, rights)
            await running.post("seed", {"credentials": [{"key": KEY, "secret": SECRET}]})
            running.start_service()
            yield running, admin


async def story(playing: Play, old: KeyPair) -> None:
    """Connect, sync, be refused in several ways, publish what no one can read."""
    shared, writer = playing.world, playing.publisher.writer
    sealed = seal(old.public, KEY, SECRET, org_id=playing.event.org_id)
    await playing.publisher.send(
        [
            writer.integration_connected(sealed=sealed, continuous_sync=True, at=playing.now()),
            writer.mapping_added(playing.swoogo_event_id, at=playing.now()),
        ]
    )
    conference = a_marked_conference()
    chapter = await playing.publish([conference], "first")
    assert chapter.writes > 0
    echo = {"message": f"{EMAIL} is taken by {NAME}."}
    await shared.post(
        "faults",
        [
            {
                "match": {"method": "PUT", "path": "speakers"},
                "times": 1,
                "do": {"status": 422, "body": [{"field": "email", **echo}]},
            },
            {"match": {"method": "PUT", "path": "sessions"}, "times": 1, "do": {"status": 500, "body": echo}},
            {"match": {"method": "PUT", "path": "sessions"}, "times": 1, "do": {"drop": "after"}},
        ],
    )
    people = {key: replace(person, company=f"{NAME} & Co") for key, person in conference.people.items()}
    talks = {key: replace(talk, title=f"{talk.title}, again") for key, talk in conference.talks.items()}
    await playing.publish([replace(conference, people=people, talks=talks)], "again")
    assert all(fault["hits"] == 1 for fault in await shared.get("faults"))
    other = replace(writer, event=replace(playing.event, org_id="another-organization"))
    wrong = seal(shared.keys.public, KEY, WRONG)
    await playing.publisher.send([other.integration_connected(sealed=wrong, continuous_sync=True, at=playing.now())])
    clear = {"consumer_key": KEY, "consumer_secret": IN_CLEAR}
    async with AIOKafkaProducer(bootstrap_servers=shared.bootstrap) as stranger:
        names = shared.settings.kafka.topics
        await stranger.send_and_wait(names.sessions, f'{{"data": {{"email": "{EMAIL}"'.encode(), key=b"k")
        letter = str({"data": {"credentials": clear}}).replace("'", '"')
        await stranger.send_and_wait(names.mappings, letter.encode(), key=b"k")
        renamed, headers = letter.replace("consumer_secret", "clientSecret"), [("x-auth", IN_CLEAR.encode())]
        await stranger.send_and_wait(names.mappings, renamed.encode(), key=b"k", headers=headers)


async def topic(bootstrap: str, name: str) -> list[Any]:
    """All records of a topic."""
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    async with reader:
        parts = [
            TopicPartition(name, number) for number in sorted(reader.partitions_for_topic(name) or {0, 1, 2, 3, 4, 5})
        ]
        reader.assign(parts)
        await reader.seek_to_beginning(*parts)
        ends = await reader.end_offsets(parts)
        records: list[Any] = []
        async with asyncio.timeout(_PATIENCE):
            while sum([await reader.position(each) < ends[each] for each in parts]):
                for batch in (await reader.getmany(timeout_ms=200)).values():
                    records += batch
    return records


async def value_of(redis: Redis, key: bytes) -> bytes:
    """A value of any type as bytes."""
    kind = cast("bytes", await redis.type(key)).decode()
    look: dict[str, Any] = {
        "string": lambda: redis.get(key),
        "hash": lambda: redis.hgetall(key),
        "set": lambda: redis.smembers(key),
        "list": lambda: redis.lrange(key, 0, -1),
        "zset": lambda: redis.zrange(key, 0, -1),
    }
    held = await look[kind]() if kind in look else b""
    if isinstance(held, dict):
        held = [*held.keys(), *held.values()]
    return b"\n".join(cast("list[bytes]", held)) if not isinstance(held, bytes) else held


def _arguments(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


async def listen(playing: Play, redis: Redis) -> Heard:
    """Everything that came out."""
    shared, heard = playing.world, Heard()
    settings, (replica,) = shared.settings, shared.replicas
    assert replica.pid
    heard.machine["process arguments"] = _arguments(replica.pid)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.http.port}", trust_env=False) as client:
        for page in ("metrics", "livez", "readyz", "startupz"):
            heard.machine[page] = (await client.get(f"/{page}")).content
    names = settings.kafka.topics
    for name in (names.status, names.issues, names.ledger, names.dead_letters):
        records = await topic(shared.bootstrap, name)
        assert records, f"nothing on {name}"
        for record in records:
            where = f"{name}@{record.partition}/{record.offset}"
            heard.machine[f"key of {where}"] = record.key or b""
            ours = [value or b"" for header, value in record.headers if header.startswith("swoogo-sync")]
            heard.people[f"headers of {where}"] = b"\n".join(ours)
            # What Sessionboard shows beside a record, and what it hears of syncs: neither may name a person.
            place = heard.machine if name in {names.status, names.issues} else heard.stored
            place = heard.kept if name == names.ledger else place
            place[f"value of {where}"] = record.value or b""
    event = str(playing.event.id)
    for arguments in (
        ["config"],
        ["status"],
        ["status", event],
        ["runs", event],
        ["issues", event],
        ["plan", event],
        ["ledger", "show", event],
        ["doctor"],
        ["keys", "public"],
        ["keys", "sealed"],
        ["keys", "reseal", playing.event.org_id],
        ["health"],
        ["topics", "list"],
        ["dlq", "list"],
        ["dlq", "show"],
        ["parked", "list"],
    ):
        for flags in ([], ["--json"]):
            result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, *flags], env=shared.environment)
            heard.people[f"swoogo-sync {' '.join([*arguments, *flags])}"] = result.output.encode()
    async for key in redis.scan_iter(count=1_000):
        heard.machine[f"name of {key!r}"] = key
        # What people are told rests there first: issues and runs are held to what people may see.
        told = key.endswith((b":issues", b":run", b":runs"))
        place = heard.people if told else heard.stored if key.endswith(b":rows") else heard.kept
        place[f"value of {key!r}"] = await value_of(redis, key)
    await shared.stop_services()
    heard.machine["logs"] = replica.log_path.read_bytes()
    return heard


async def erase_and_rebuild(playing: Play, redis: Redis) -> None:
    """Y2: nothing of the person is left on our topics or in Redis, nor comes back from Sessionboard's topics."""
    shared, marks = playing.world, {"an erased e-mail address": EMAIL, "an erased name": f"{NAME}-1<"}
    names = shared.settings.kafka.topics
    erased = await asyncio.to_thread(
        CliRunner().invoke, app, ["privacy", "erase", EMAIL, "--yes", "--json"], env=shared.environment
    )
    assert erased.exit_code == 0, erased.output
    receipt = json.loads(erased.stdout)
    assert found(marks, {"the receipt": erased.stdout.encode()}) == []
    assert (sum(receipt["erased"].values()), receipt["dead_letters"]) == (2, 1)
    assert receipt["upstream"][names.speakers]

    async def everything() -> dict[str, bytes]:
        held = {f"value of {key!r}": await value_of(redis, key) async for key in redis.scan_iter(count=1_000)}
        for name in (names.status, names.issues, names.ledger, names.dead_letters):
            held |= {f"{name}@{each.offset}": each.value or b"" for each in await topic(shared.bootstrap, name)}
        return held

    assert found(marks, await everything()) == []
    rows = f"{shared.settings.redis.prefix}:{{event/{playing.event.id}}}:rows"

    async def records() -> list[bytes]:
        keys = cast("list[bytes]", await redis.hkeys(rows))
        return sorted(key for key in keys if not key.startswith(b"mapping/"))

    before = await records()
    await redis.flushdb()
    shared.start_service()

    async def rebuilt() -> bool:
        return await records() == before

    await wait_until(rebuilt, "the snapshot is back", _PATIENCE)
    assert found(marks, await everything()) == []


@pytest.mark.timeout(240)
async def test_no_output_carries_what_is_marked(guarded: Guarded) -> None:
    old = KeyPair.generate()
    async with deployed(guarded, old) as (shared, redis):
        organization = str(uuid.uuid4())
        async with play(shared, a_marked_conference(), event_id=7001, org_id=organization) as playing:
            await story(playing, old)
            names = shared.settings.kafka.topics

            async def letters() -> bool:
                return len(await topic(shared.bootstrap, names.dead_letters)) >= 3

            async def refused() -> bool:
                told = await topic(shared.bootstrap, names.status)
                return any(b"integration.rejected" in record.value for record in told)

            await wait_until(letters, "the unreadable records are dead letters", _PATIENCE)
            await wait_until(refused, "the wrong secret is refused", _PATIENCE)
            token = await read_value(redis, f"{shared.settings.redis.prefix}:{{cred/{credential_id(KEY)}}}:token")
            heard = await listen(playing, redis)
            await erase_and_rebuild(playing, redis)
    secrets = {
        "the consumer key": KEY,
        "the consumer secret": SECRET,
        "a wrong consumer secret": WRONG,
        "a consumer secret published in clear": IN_CLEAR,
        "the Kafka password": KAFKA_PASSWORD,
        "the Redis password": redis_support.PASSWORD,
        "the private key": shared.keys.private,
        "the previous private key": old.private,
        "the access token": TokenCipher(shared.keys.private).decrypt(token or b"") or "",
    }
    assert all(secrets.values())
    assert found(secrets, heard.machine, heard.people, heard.stored, heard.kept) == []
    emails = {"an e-mail address": "@people.example"}
    # The command line shows the domain: what is masked is who it is.
    assert found({"an e-mail address": "canary-ada"}, heard.machine, heard.people) == []
    assert found(emails, heard.machine, heard.kept) == []
    assert found({"a name": NAME, "a biography": "Write to"}, heard.machine, heard.kept) == []
    # The search finds what is there, and everything was there to be searched.
    assert found(emails, heard.stored)
    assert found({"a name": NAME}, heard.people)
    assert any(b"(an e-mail address) is taken by" in text for text in heard.people.values())
    assert b"record.dead_letters" in heard.machine["logs"]
    assert len(heard.machine["metrics"]) > 1_000
