"""`status` ends with what needs an operator, why, and until when; each state through the real adapters."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.circuits import RedisCircuits
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.connections.connection import Connection
from consumer.domain.issues.issue import Code, Issue
from consumer.settings import SwoogoSettings
from tests.support.builders import EVENT, a_mapping
from tests.support.desk import Desk, a_desk, soon

pytestmark = pytest.mark.integration

MAPPING = a_mapping()
CREDENTIAL, ORG = MAPPING.credential, MAPPING.org_id


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as made:
        await made.map(MAPPING)
        await made.stores.connections.put_connection(ORG, Connection(ORG, CREDENTIAL, continuous=True))
        yield made


async def needs(desk: Desk, *of: str) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in (await desk.read("status", *of))["attention"]["needs"]}


async def footer(desk: Desk, *of: str) -> list[str]:
    lines = (await desk.call("status", *of)).stdout.splitlines()
    return lines[lines.index("Needs an operator:") + 1 :] if "Needs an operator:" in lines else []


async def paused(desk: Desk, times: int = 5) -> RedisCircuits:
    bound = desk.stores
    circuits = RedisCircuits(bound.redis, bound.keys, bound.scripts, desk.clock, SwoogoSettings())
    for _ in range(times):
        await circuits.failed(CREDENTIAL, "Swoogo answered 503 to ada@example.org.")
    return circuits


async def test_a_service_that_is_well_needs_nothing(desk: Desk) -> None:
    await desk.record(soon("s1"))
    await desk.pushed({}, {}, desk.run())
    assert await needs(desk) == {}
    assert await needs(desk, EVENT) == {}
    assert "Needs an operator" not in (await desk.call("status", EVENT)).stdout


async def test_an_open_circuit_says_why_and_when_the_next_try_is(desk: Desk) -> None:
    circuits = await paused(desk)
    need = (await needs(desk))["circuit_open"]
    assert re.fullmatch(
        rf"Calls for event {EVENT} have been paused for \d[\d.]* s: Swoogo answered 503 to a\*\*\*@example.org\. "
        r"Next try (in [\d.]+ s|now)\.",
        need["sentence"],
    )
    assert need["until"]
    assert (await footer(desk))[1] == "      swoogo-sync doctor"
    assert "circuit_open" in await needs(desk, EVENT)
    await circuits.succeeded(CREDENTIAL)
    assert await needs(desk) == {}


async def test_a_circuit_that_is_closed_needs_nothing_however_often_calls_failed(desk: Desk) -> None:
    await paused(desk, times=4)
    assert await needs(desk) == {}


async def test_a_refused_credential_names_its_organization_until_it_is_another(desk: Desk) -> None:
    connections = desk.stores.connections
    assert await connections.claim_refusal_report(ORG, CREDENTIAL, "op")
    assert "credential_refused" in await needs(desk), "also while it is being reported"
    await connections.confirm_refusal_report(ORG, CREDENTIAL, "op")
    need = (await needs(desk, EVENT))["credential_refused"]
    assert need["sentence"].startswith(
        f"Swoogo refuses the credential of organization {ORG} (event {EVENT}): it has to"
    )
    assert CREDENTIAL not in need["sentence"]
    await connections.put_connection(ORG, Connection(ORG, "another", continuous=True))
    assert await needs(desk) == {}


async def test_a_failing_event_says_what_went_wrong_and_when_it_is_tried_again(desk: Desk) -> None:
    for _ in range(2):
        await desk.ask()
        lease = await desk.claim()
        await desk.board.ended(desk.run(outcome="failed", error="Swoogo did not answer."), {}, lease)
        await desk.stores.inbox.complete(lease, {}, failed=True, retry_in=0)
    need = (await needs(desk))["failing"]
    assert need["sentence"] == f"Event {EVENT} failed 2 times in a row: Swoogo did not answer. Next try now."
    assert (await footer(desk))[:2] == [f"  {need['sentence']}", f"      swoogo-sync runs {EVENT}"]


@pytest.mark.rule("G6")
async def test_an_event_that_waits_says_why_and_until_when(desk: Desk, redis: Redis) -> None:
    await Scripts(redis).invalidate_credits(Keys("cli-test").credential(CREDENTIAL, "credits"), window=600_000)
    need = (await needs(desk))["waiting"]
    assert re.search(r"goes on with one call at a time .* at the latest until 20\d\d-", need["sentence"])


@pytest.mark.parametrize(
    ("issue", "kind", "command"),
    [
        (Issue("session/s1", Code.REFUSED, detail="No.", parked="x"), "parked", f"parked list {EVENT}"),
        (
            Issue(f"event/{EVENT}", Code.TOO_MANY_REMOVALS, "9", "sessions"),
            "too_many_removals",
            f"ledger remove {EVENT}",
        ),
        (
            Issue(f"event/{EVENT}", Code.MANY_MISSING, "sessions", "9"),
            "many_missing",
            f"reconcile {EVENT} --confirm-deletions",
        ),
        (
            Issue("session/s1", Code.AMBIGUOUS_MATCH, detail="ids 1, 2"),
            "ambiguous_match",
            f"issues {EVENT} --code ambiguous_match",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_waits_for_an_operator_says_what_to_type(desk: Desk, issue: Issue, kind: str, command: str) -> None:
    await desk.record(soon("s1"))
    await desk.pushed({}, {f"{issue.key}|{issue.code}|": issue}, desk.run())
    assert list(await needs(desk)) == [kind]
    lines = await footer(desk, EVENT)
    assert lines[0].startswith(f"  Event {EVENT} has ")
    assert lines[1] == f"      swoogo-sync {command}"


async def test_without_kafka_status_does_not_say_that_nothing_needs_an_operator(desk: Desk) -> None:
    attention = (await desk.read("status"))["attention"]
    assert (attention["dead_letters"], bool(attention["why"])) == (None, True)
    assert "Nothing needs an operator" not in (await desk.call("status")).stdout
