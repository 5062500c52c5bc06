"""Field definitions, mapped fields and added choices of the Swoogo port (swoogo-api.md 9.2).

The same scenarios run on the fake and on the real client against the sandbox, under every guess about its fields.
"""

from __future__ import annotations

import pytest

from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Known
from consumer.ports import Work
from tests.contract.mapped_fields import World
from tests.contract.swoogo_bench import WORK

pytestmark = pytest.mark.rule("F2", "F3", "F5", "F6")


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
