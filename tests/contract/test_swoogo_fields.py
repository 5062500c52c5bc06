"""Field definitions, mapped fields and added choices of the Swoogo port (swoogo-api.md 9.2).

The same scenarios run on the fake and on the real client against the sandbox, under every guess about its fields.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
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
from consumer.domain.field_definitions import (
    Alteration,
    FieldDefinition,
    FieldDefinitions,
    FieldType,
    compare,
)
from consumer.domain.identity import Kind
from consumer.domain.survey import Known
from consumer.ports import Swoogo, Work
from consumer.settings import SwoogoSettings
from sandbox.swoogo import Credential, SandboxSwoogo, Switches, create_app
from tests.contract.test_swoogo import SESSION, WORK, Bench, a_bench
from tests.support.fakes import FakeSwoogo, InMemoryCircuits
from tests.unit.adapters.swoogo.world import EVENT, KEY, SECRET, MemoryBudget, Time, a_work, open_credentials

pytestmark = pytest.mark.rule("F2", "F3", "F5", "F6")

GUESSES: list[tuple[str, Switches, dict[str, Any]]] = [
    ("as-guessed", Switches(), {}),
    ("choices-one-by-one", Switches(fields_choices="absent"), {}),
    ("fields-of-contacts", Switches(speaker_fields="contacts"), {}),
    ("address-whole", Switches(address_fields="whole"), {}),
    ("custom-nested", Switches(custom_form="nested"), {"custom_fields": "nested"}),
    ("custom-top", Switches(custom_form="top"), {}),
    ("nested-dots", Switches(nested_form="dots"), {"nested_fields": "dots"}),
    ("choices-comma", Switches(choices_form="comma"), {"multiple_choices": "comma"}),
    (
        "choices-objects-nested",
        Switches(choices_form="objects", custom_form="nested"),
        {"multiple_choices": "objects", "custom_fields": "nested"},
    ),
    ("expanded-bare", Switches(expand_custom=False), {}),
    ("cleared-by-null", Switches(clear_with="null"), {"clear_with": "null"}),
]
FIELDS: list[dict[str, Any]] = [
    {"resource": "sessions", "name": "Language"},
    {"resource": "sessions", "name": "Format", "type": "dropDownList", "choices": ["Talk", "Panel"]},
    {"resource": "sessions", "name": "Tags", "type": "checkboxList", "choices": ["AI", "Web", "Data"]},
    {"resource": "sessions", "name": "Minutes", "type": "number"},
    {"resource": "sessions", "name": "Recorded", "type": "checkbox"},
    {"resource": "speakers", "name": "Pronouns"},
]


@dataclass
class World:
    """A Swoogo with some custom fields, and how their attributes are called there."""

    swoogo: Swoogo
    names: dict[str, str]
    bench: Bench | None = None
    fake: FakeSwoogo | None = None

    def targets(self) -> dict[Kind, tuple[str, ...]]:
        """What a map names."""
        session = tuple(self.names[name] for name in ("Language", "Format", "Tags", "Minutes", "Recorded"))
        return {Kind.SESSION: session, Kind.SPEAKER: (self.names["Pronouns"], "workAddress.line_2", "mobile_phone")}

    async def work(self) -> Work:
        """With the definitions of the targets."""
        targets = self.targets()
        read = await self.swoogo.read_definitions(WORK, targets)
        kept = {kind: {name: read.fields[kind][name] for name in names} for kind, names in targets.items()}
        return replace(WORK, definitions=FieldDefinitions(kept, read.read_at))

    def field(self, work: Work, name: str, kind: Kind = Kind.SESSION) -> FieldDefinition:
        """A definition by the label."""
        return work.definitions.fields[kind][self.names[name]]


@asynccontextmanager
async def real(switches: Switches | None = None, **settings: Any) -> AsyncIterator[World]:
    async with a_bench(switches, **settings) as bench:
        bench.sandbox.seed({"fields": FIELDS})
        names = {
            held["name"]: attribute
            for kind in ("sessions", "speakers")
            for attribute, held in bench.sandbox.fields(kind).items()
        }
        yield World(bench.swoogo, names, bench)


@asynccontextmanager
async def faked() -> AsyncIterator[World]:
    fake = FakeSwoogo(Time())
    fake.zones[EVENT] = "Asia/Tokyo"
    types = {
        "dropDownList": FieldType.CHOICE,
        "checkboxList": FieldType.CHOICES,
        "checkbox": FieldType.CHECKBOX,
        "textInput": FieldType.TEXT,
        "number": FieldType.NUMBER,
    }
    names: dict[str, str] = {}
    for number, entry in enumerate(FIELDS, 1):
        kind = Kind.SESSION if entry["resource"] == "sessions" else Kind.SPEAKER
        type_, label = types[entry.get("type", "textInput")], entry["name"]
        names[label] = fake.define(kind, f"c_{number}", type_, *entry.get("choices", ()), label=label).attribute
    fake.records[Kind.SESSION][SESSION] = {"name": "Keynote"}
    yield World(fake, names, fake=fake)


@pytest.fixture(params=["fake", *(name for name, _, _ in GUESSES)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The port on the fake, and on the real client under each guess."""
    guess = next(((switches, settings) for name, switches, settings in GUESSES if name == request.param), None)
    async with real(guess[0], **guess[1]) if guess else faked() as made:
        yield made


@pytest.mark.rule("F5")
async def test_definitions_are_read_with_types_and_the_choices_asked_for(world: World) -> None:
    """Label, type and choices with ids; documented attributes are there whatever is listed."""
    work = await world.work()
    tags = world.field(work, "Tags")
    assert (tags.label, tags.type, [choice.name for choice in tags.choices]) == (
        "Tags",
        FieldType.CHOICES,
        ["AI", "Web", "Data"],
    )
    types = {name: world.field(work, name).type for name in ("Language", "Format", "Minutes", "Recorded")}
    assert types == {
        "Language": FieldType.TEXT,
        "Format": FieldType.CHOICE,
        "Minutes": FieldType.NUMBER,
        "Recorded": FieldType.CHECKBOX,
    }
    speaker = work.definitions.fields[Kind.SPEAKER]
    assert (speaker["workAddress.line_2"].parent, speaker["mobile_phone"].type) == ("workAddress", FieldType.PHONE)
    everything = await world.swoogo.read_definitions(WORK, {Kind.SESSION: ()})
    assert everything.fields[Kind.SESSION]["id"].read_only
    assert everything.fields[Kind.SESSION]["name"].required


@pytest.mark.rule("F2", "F3")
@pytest.mark.rule("R2")
async def test_mapped_fields_are_created_changed_read_and_cleared(world: World) -> None:
    """They are spelt as Swoogo takes them, and read the same from every answer."""
    work = await world.work()
    tags = world.field(work, "Tags").choices
    values = {
        world.names["Language"]: "Français",
        world.names["Format"]: str(world.field(work, "Format").choices[1].id),
        world.names["Tags"]: f"{tags[0].id},{tags[2].id}",
        world.names["Minutes"]: "45",
        world.names["Recorded"]: "1",
    }
    made = await world.swoogo.create(work, Kind.SESSION, {"name": "New", "date": "2025-08-09", **values}, "op")
    assert made.not_applied == ()
    fields = await shown(world, work, Kind.SESSION, made.swoogo_id)
    assert {name: fields.get(name) for name in values} == values
    changes = {world.names["Tags"]: str(tags[1].id), world.names["Language"]: "", world.names["Minutes"]: "50"}
    changed = await world.swoogo.update(work, Kind.SESSION, made.swoogo_id, changes, "New")
    assert changed.not_applied == ()
    fields = await shown(world, work, Kind.SESSION, made.swoogo_id)
    assert {name: fields.get(name, "") for name in values} == {**values, **changes}


@pytest.mark.rule("F2")
async def test_a_part_of_a_nested_attribute_is_written_and_read(world: World) -> None:
    """`workAddress.line_2`; the other parts stay."""
    work = await world.work()
    fields = {"first_name": "Ann", "last_name": "Oz", "email": "ann@example.com"}
    extra = {"workAddress.line_2": "Floor 3", world.names["Pronouns"]: "they/them", "mobile_phone": "+49 30 1"}
    made = await world.swoogo.create(work, Kind.SPEAKER, {**fields, **extra}, "op")
    held = await shown(world, work, Kind.SPEAKER, made.swoogo_id)
    assert {name: held.get(name) for name in extra} == extra
    await world.swoogo.update(work, Kind.SPEAKER, made.swoogo_id, {"workAddress.line_2": ""}, "Ann Oz")
    held = await shown(world, work, Kind.SPEAKER, made.swoogo_id)
    assert held.get("workAddress.line_2", "") == ""


async def shown(world: World, work: Work, kind: Kind, identifier: int) -> dict[str, str]:
    """What a list and a survey show of a record, which is the same."""
    listed = (await world.swoogo.list(work, kind, {})).rows[identifier].fields or {}
    seen = await world.swoogo.survey_event(work, {}, [kind])
    surveyed = (seen.kinds[kind] if kind in seen.kinds else await world.swoogo.survey_kind(work, kind, Known())).rows[
        identifier
    ].fields or {}
    assert dict(listed) == dict(surveyed)
    return dict(listed)


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
