"""What the contract tests of mapped fields share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from consumer.domain.fields.definitions import FieldDefinition, FieldDefinitions
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.ports import Swoogo, Work
from sandbox.swoogo import Switches
from tests.contract.swoogo_bench import SESSION, WORK, Bench, a_bench
from tests.support.fakes import FakeSwoogo
from tests.unit.adapters.swoogo.world import EVENT, Time

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


def guessed(name: str) -> AbstractAsyncContextManager[World]:
    """The port on the fake, or on the real client under the guess of that name."""
    guess = next(((switches, settings) for known, switches, settings in GUESSES if known == name), None)
    return real(guess[0], **guess[1]) if guess else faked()
