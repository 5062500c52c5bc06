"""Choices and definitions at Swoogo: added once, noticed when they change (F3, F5)."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.tokens import RedisTokens
from consumer.adapters.sealing import KeyPair, TokenCipher
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.errors import RefusedError, UnansweredError, UnavailableError
from consumer.domain.fields.definitions import Alteration, FieldDefinition, FieldDefinitions, compare
from consumer.domain.records.identity import Kind
from consumer.ports import Work
from consumer.settings import SwoogoSettings
from sandbox.swoogo import Credential, SandboxSwoogo, Switches, create_app
from tests.contract.mapped_fields import FIELDS, World, real
from tests.contract.swoogo_bench import SESSION, WORK
from tests.support.fakes import InMemoryCircuits
from tests.unit.adapters.swoogo.world import EVENT, KEY, SECRET, MemoryBudget, a_work, open_credentials

pytestmark = pytest.mark.rule("F2", "F3", "F5", "F6")


@pytest.mark.rule("F3")
async def test_missing_choices_are_added_once_and_matched_by_name(world: World) -> None:
    """Trimmed, case-insensitive; those that are there stay, and their ids too."""
    work = await world.work()
    attribute, before = world.names["Tags"], world.field(work, "Tags")
    field = await world.swoogo.add_choices(work, Kind.SESSION, attribute, [" web ", "Security", "Ops"])
    assert field.choices[:3] == before.choices
    assert [choice.name for choice in field.choices[3:]] == ["Security", "Ops"]
    again = await world.swoogo.add_choices(work, Kind.SESSION, attribute, ["security", "Ops"])
    assert {choice.id for choice in again.choices} == {choice.id for choice in field.choices}
    fresh = world.field(await world.work(), "Tags")
    assert [choice.name for choice in fresh.choices] == ["AI", "Web", "Data", "Security", "Ops"]


@pytest.mark.rule("F3")
async def test_choices_of_what_is_no_choice_field_are_refused(world: World) -> None:
    """Before any call."""
    work = await world.work()
    with pytest.raises(RefusedError):
        await world.swoogo.add_choices(work, Kind.SESSION, world.names["Language"], ["x"])


@pytest.mark.rule("F6")
@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    ("switches", "expected"), [(Switches(), [20, 2, 1]), (Switches(fields_choices="absent"), [22, 2, 1])]
)
async def test_what_definitions_and_choices_cost(switches: Switches, expected: list[int]) -> None:
    """Ten a kind, one for each choice field where the list has none; adding is two, finding is one."""
    async with real(switches) as world:
        bench = world.bench
        assert bench
        await bench.swoogo.event_timezone(WORK)
        work, spent = WORK, []
        for step in range(3):
            before = bench.credits()
            if step == 0:
                work = await world.work()
            else:
                await bench.swoogo.add_choices(work, Kind.SESSION, world.names["Tags"], ["New", "Other"])
            spent.append(bench.credits() - before)
        assert spent == expected


@pytest.mark.rule("F6")
async def test_mapped_fields_cost_no_call_of_their_own() -> None:
    """Create, update, list and survey cost what they cost without a map."""
    async with real() as world:
        bench = world.bench
        assert bench
        costs: list[int] = []
        for work in (await world.work(), replace(WORK, definitions=FieldDefinitions())):
            before = bench.credits()
            await bench.swoogo.list(work, Kind.SESSION, {})
            await bench.swoogo.survey_event(work, {})
            fields = {"name": f"New {len(costs)}", "date": "2025-08-09"}
            mapped = {world.names["Language"]: "de"} if work.definitions.fields else {}
            await bench.swoogo.create(work, Kind.SESSION, {**fields, **mapped}, "op")
            costs.append(bench.credits() - before)
        assert costs == [12, 12]


@pytest.mark.rule("F5")
@pytest.mark.rule("R5")
async def test_field_that_changes_meanwhile_is_noticed() -> None:
    """Renamed, retyped, removed, choice removed; what Swoogo drops without a word is told."""
    async with real() as world:
        assert world.bench
        sandbox, names = world.bench.sandbox, world.names
        work = await world.work()
        sandbox.alter_field("sessions", names["Language"], name="Tongue")
        sandbox.alter_field("sessions", names["Format"], remove_choices=["Talk"])
        sandbox.alter_field("sessions", names["Minutes"], type="textInput")
        sandbox.alter_field("sessions", names["Recorded"], remove=True)
        read = await world.swoogo.read_definitions(WORK, world.targets())
        changes = {(change.attribute, change.what) for change in compare(work.definitions, read)}
        assert changes == {
            (names["Language"], Alteration.RENAMED),
            (names["Format"], Alteration.CHOICE_REMOVED),
            (names["Minutes"], Alteration.RETYPED),
            (names["Recorded"], Alteration.REMOVED),
        }
        written = await world.swoogo.update(
            work, Kind.SESSION, SESSION, {"capacity": "9", names["Recorded"]: "1", names["Language"]: "it"}, "Keynote"
        )
        held = world.bench.record("sessions", SESSION)
        assert (held["capacity"], held[names["Language"]]) == (9, "it")
        assert written.not_applied == ()


@pytest.mark.rule("R5")
async def test_a_read_only_field_is_told_as_not_applied() -> None:
    """Swoogo drops what cannot be written; no definition says which fields these are."""
    async with real() as world:
        assert world.bench
        work = await world.work()
        language = world.names["Language"]
        world.bench.sandbox.alter_field("sessions", language, read_only=True)
        written = await world.swoogo.update(work, Kind.SESSION, SESSION, {language: "de"}, "Keynote")
        assert written.not_applied == (language,)


@pytest.mark.rule("F5")
async def test_definitions_that_may_not_be_read_leave_the_documented_attributes() -> None:
    """The event syncs; only custom targets are off."""
    async with real() as world:
        assert world.bench
        world.bench.sandbox.add_faults(
            [{"match": {"path": "sessions/fields"}, "times": None, "do": {"status": 403, "body": {"message": "No."}}}]
        )
        read = await world.swoogo.read_definitions(WORK, {Kind.SESSION: (world.names["Language"],)})
        assert read.get(Kind.SESSION, "webinar_url") is not None
        assert read.get(Kind.SESSION, world.names["Language"]) is None


@pytest.mark.rule("F3", "G2")
@pytest.mark.rule("G2")
@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 503, "effect": True}, {"half_json": True}])
async def test_choices_whose_answer_was_lost_are_not_added_twice(fault: dict[str, Any]) -> None:
    """Swoogo is looked at before anything is sent again."""
    async with real() as world:
        assert world.bench
        work, sandbox = await world.work(), world.bench.sandbox
        sandbox.add_faults([{"match": {"method": "PUT", "path": "field"}, "do": fault}])
        field = await world.swoogo.add_choices(work, Kind.SESSION, world.names["Tags"], ["Ops", "Law"])
        held = [choice["name"] for choice in sandbox.fields("sessions")[world.names["Tags"]]["choices"]]
        assert held == ["AI", "Web", "Data", "Ops", "Law"]
        assert [choice.name for choice in field.choices] == held


@pytest.mark.rule("F3", "G2")
@pytest.mark.rule("G2")
async def test_while_choices_may_come_late_no_other_event_adds_them() -> None:
    """The lock on the account's field is kept until the call is settled."""
    async with real(deadline=0.5) as world:
        assert world.bench
        work, sandbox = await world.work(), world.bench.sandbox
        sandbox.add_faults([{"match": {"method": "PUT", "path": "field"}, "do": {"hang": True}}])
        with pytest.raises(UnansweredError):
            await world.swoogo.add_choices(work, Kind.SESSION, world.names["Tags"], ["Ops"])
        with pytest.raises(UnavailableError):
            await world.swoogo.add_choices(work, Kind.SESSION, world.names["Tags"], ["Ops"])
        world.bench.clock.ms += 120_000
        await world.swoogo.add_choices(work, Kind.SESSION, world.names["Tags"], ["Ops"])
        names = [choice["name"] for choice in sandbox.fields("sessions")[world.names["Tags"]]["choices"]]
        assert names.count("Ops") == 1


@pytest.mark.rule("F3", "G4")
@pytest.mark.rule("G4")
@pytest.mark.integration
async def test_two_replicas_on_two_events_never_double_a_choice(redis: Redis) -> None:
    """Fields are the account's; replicas that share only Redis add one at a time."""
    other = "other-key"
    sandbox = SandboxSwoogo(latency_ms=10, credentials=[Credential(KEY, SECRET), Credential(other, SECRET)])
    sandbox.seed({"events": [{"id": each, "name": "C"} for each in (EVENT, EVENT + 1)], "fields": FIELDS})
    [tags] = [name for name, held in sandbox.fields("sessions").items() if held["name"] == "Tags"]
    cipher = TokenCipher(KeyPair.generate().private)
    clients = [
        SwoogoClient(
            SwoogoSettings(),
            MemoryBudget(),
            RedisTokens(redis, Keys("fields-test"), Scripts(redis), cipher),
            SystemClock(),
            open_credentials,
            InMemoryCircuits(SystemClock()),
            httpx.ASGITransport(app=create_app(sandbox)),
        )
        for _ in range(2)
    ]

    async def add(client: SwoogoClient, work: Work, names: list[str]) -> FieldDefinition:
        read = await client.read_definitions(work, {Kind.SESSION: (tags,)})
        return await client.add_choices(replace(work, definitions=read), Kind.SESSION, tags, names)

    names = [f"Tag {number}" for number in range(4)]
    works = [a_work(event_id=EVENT), a_work(event_id=EVENT + 1, key=other)]
    await asyncio.gather(
        *(
            add(client, work, list(pair))
            for client, work in zip(clients, works, strict=True)
            for pair in itertools.pairwise(names)
        )
    )
    held = [choice["name"] for choice in sandbox.fields("sessions")[tags]["choices"]]
    assert sorted(held) == sorted(["AI", "Web", "Data", *names])
    for client in clients:
        await client.aclose()
