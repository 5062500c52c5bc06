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
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer
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
from tests.integration.secure.outputs import PATIENCE, found, listen, topic, value_of
from tests.support import secure_redis as redis_support
from tests.support.conferences import small
from tests.support.secure_kafka import PASSWORD as KAFKA_PASSWORD
from tests.support.secure_kafka import USER, Rights, grant
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.e2e, pytest.mark.rule("C2", "Y2", "Y3")]

KEY, SECRET = "canary-consumer-key", "canary-consumer-secret"
WRONG, IN_CLEAR = "canary-wrong-secret", "canary-secret-in-clear"
EMAIL, NAME = "canary-ada@people.example", "Canaryada"


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

    await wait_until(rebuilt, "the snapshot is back", PATIENCE)
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

            await wait_until(letters, "the unreadable records are dead letters", PATIENCE)
            await wait_until(refused, "the wrong secret is refused", PATIENCE)
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
