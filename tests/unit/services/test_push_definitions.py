"""When a push reads Swoogo's field definitions, and what becomes of a field that changes under way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.connections.mapping import FieldMap, FieldMaps
from consumer.domain.issues.issue import Code
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Resource, Session
from consumer.domain.surveys.survey import Depth
from consumer.services.field_definitions import keep_field
from tests.support.builders import EVENT, a_contact, a_mapping, a_session
from tests.support.service_world import World, a_world
from tests.unit.services.reconciled import SETTINGS, reconcile
from tests.unit.services.toggled import updated

pytestmark = pytest.mark.rule("F5", "F6")

MAPS = FieldMaps(sessions=(FieldMap("spoken", "c_1"), FieldMap("form", "Format")))


def talk(title: str = "Opening", spoken: str = "Deutsch", form: str = "Talk") -> Session:
    """A session whose custom fields are mapped."""
    extra = {"spoken": (FieldType.TEXT.value, (spoken,)), "form": (FieldType.CHOICE.value, (form,))}
    return replace(a_session(title=title), extra=extra)


@pytest.fixture
async def mapped() -> World:
    """An event with two mapped fields, one named by its label, synced once."""
    world = await a_world(SETTINGS)
    world.swoogo.define(Kind.SESSION, "c_1", FieldType.TEXT, label="Language")
    world.swoogo.define(Kind.SESSION, "c_2", FieldType.CHOICE, "Talk", "Panel", label="Format")
    world.swoogo.define(Kind.SESSION, "c_3", FieldType.CHOICE, "A", label="Not mapped")
    await updated(world, field_maps=MAPS)
    await world.sync(talk())
    return world


def reads(world: World) -> list[str]:
    return [str(call) for call in world.swoogo.calls if call.what in {"fields", "field"}]


def row(world: World) -> dict[str, str]:
    [held] = world.swoogo.records[Kind.SESSION].values()
    return held


@pytest.mark.rule("F5", "F6")
async def test_definitions_are_read_when_the_mapping_comes_and_not_again(mapped: World) -> None:
    """One list of the kind, one call for each choice field that is a target; a map costs no other call."""
    assert reads(mapped) == ["fields session", "field session"]
    choice = mapped.swoogo.definitions[Kind.SESSION]["c_2"].choices[0]
    assert (row(mapped)["c_1"], row(mapped)["c_2"]) == ("Deutsch", str(choice.id))
    await reconcile(mapped)  # the first one is deep
    mapped.swoogo.calls.clear()
    await mapped.sync(talk("Another"))
    await reconcile(mapped)
    assert reads(mapped) == []


@pytest.mark.rule("F4", "F5")
async def test_a_survey_sees_the_mapped_fields_of_a_new_map(mapped: World) -> None:
    """Else it would count the record as read, and an edit of a mapped field would wait for the next deep reconcile."""
    await reconcile(mapped)
    await updated(mapped, field_maps=MAPS)
    mapped.swoogo.calls.clear()
    await reconcile(mapped)
    called = [call.what for call in mapped.swoogo.calls]
    assert called.index("fields") < called.index("survey")


@pytest.mark.rule("F6")
async def test_without_a_map_no_definition_is_read() -> None:
    world = await a_world(SETTINGS)
    await world.sync(a_session())
    await reconcile(world, Depth.DEEP)
    assert reads(world) == []


@pytest.mark.rule("F5")
async def test_a_mapping_published_again_and_a_deep_reconcile_read_them(mapped: World) -> None:
    """And what is read is what plans go by."""
    for again in ("published", "deep"):
        mapped.swoogo.calls.clear()
        if again == "deep":
            await reconcile(mapped, Depth.DEEP)
        else:
            await updated(mapped, field_maps=MAPS)
            await mapped.push()
        assert reads(mapped) == ["fields session", "field session"], again


@pytest.mark.rule("F5")
async def test_they_come_back_after_a_loss_and_go_with_the_map(mapped: World) -> None:
    """Nothing but a reading is needed; without maps nothing is kept of them."""
    lease = await mapped.claim()
    await mapped.ledger.put_definitions(lease, None)
    mapped.swoogo.calls.clear()
    await mapped.push_claimed(lease)
    assert reads(mapped) == ["fields session", "field session"]
    await updated(mapped)
    await mapped.push()
    assert await mapped.ledger.definitions(EVENT) is None


@pytest.mark.rule("F5")
@pytest.mark.parametrize("label", [False, True], ids=["by attribute", "by label"])
@pytest.mark.parametrize("what", ["renamed", "retyped", "removed"])
async def test_a_field_that_changed_is_an_issue_and_everything_else_goes_on(
    mapped: World, what: str, label: bool
) -> None:
    """Seen by a deep reconcile; published again, the map takes the field as it is now."""
    attribute = "c_2" if label else "c_1"
    fields = mapped.swoogo.definitions[Kind.SESSION]
    if what == "removed":
        del fields[attribute]
    elif what == "renamed":
        fields[attribute] = replace(fields[attribute], label="Renamed")
    else:
        fields[attribute] = replace(fields[attribute], type=FieldType.FILE, choices=())
    await reconcile(mapped, Depth.DEEP)
    assert Code.FIELD_CHANGED in {code for _, code in await mapped.codes()}
    await mapped.sync(talk("Goes on", "Italiano", "Panel"))
    held = row(mapped)
    panel = str(mapped.swoogo.definitions[Kind.SESSION]["c_2"].choices[1].id) if not label else ""
    assert held["name"] == "Goes on"
    assert (held["c_1"], held["c_2"]) == (("Italiano", held["c_2"]) if label else ("Deutsch", panel))
    if what == "renamed" and not label:
        await updated(mapped, field_maps=MAPS)
        await mapped.push()
        assert row(mapped)["c_1"] == "Italiano"
        assert Code.FIELD_CHANGED not in {code for _, code in await mapped.codes()}


@pytest.mark.rule("F3")
async def test_a_choice_that_was_added_is_known_to_the_next_plan(mapped: World) -> None:
    """The kept definitions have it, so that no look is needed for it."""
    lease = await mapped.claim()
    kept = await mapped.ledger.definitions(EVENT)
    assert kept is not None
    field = kept.last.fields[Kind.SESSION]["c_2"]
    await keep_field(mapped.ledger, lease, replace(field, choices=(*field.choices, replace(field.choices[0], id=77))))
    after = await mapped.ledger.definitions(EVENT)
    assert after is not None
    assert [choice.id for choice in after.last.fields[Kind.SESSION]["c_2"].choices][-1] == 77
    assert after.first == kept.first


@pytest.mark.rule("F5")
async def test_definitions_not_read_end_the_push_and_the_next_reads_them() -> None:
    """Nothing is written before it is known what the fields are."""
    world = await a_world(SETTINGS)
    world.mapping = replace(a_mapping(), settings=replace(a_mapping().settings, field_maps=MAPS))
    world.swoogo.define(Kind.SESSION, "c_1", FieldType.TEXT, label="Language")
    world.swoogo.trouble.unavailable = 1
    run = await world.sync(talk())
    assert run.outcome == "failed"
    assert world.swoogo.records[Kind.SESSION] == {}
    await world.push()
    assert row(world)["c_1"] == "Deutsch"


@pytest.mark.rule("F6")
async def test_thirty_entries_on_many_records_cost_the_definitions_and_no_more() -> None:
    """300 sessions and 200 speakers; unchanged, a second push costs nothing with a map or without."""
    spent = []
    for maps in (FieldMaps(), FieldMaps(sessions=many("c"), speakers=many("d"))):
        world = await a_world(SETTINGS)
        for number in range(15):
            world.swoogo.define(Kind.SESSION, f"c_{number}", FieldType.TEXT)
            world.swoogo.define(Kind.SPEAKER, f"d_{number}", FieldType.CHOICE, "Ada", "Bob")
        await updated(world, field_maps=maps)
        values = {f"v{number}": (FieldType.TEXT.value, ("Ada",)) for number in range(15)}
        people = [a_contact(f"c{number}", email=f"c{number}@example.org") for number in range(200)]
        sessions = [a_session(f"s{number}", people=[f"c{number % 200}"]) for number in range(300)]
        everything: list[Resource] = [
            *(replace(each, extra=values) for each in sessions),
            *(replace(each, profile=replace(each.profile, extra=values)) for each in people),
        ]
        run = await world.sync(*everything)
        assert run.outcome == "completed"
        spent.append(run.credits)
        assert all(
            row.get("c_14", "") == ("Ada" if maps else "") for row in world.swoogo.records[Kind.SESSION].values()
        )
        world.swoogo.calls.clear()
        await world.sync(*everything)
        assert world.swoogo.calls == []
    # A list of each kind, and one call for each of the choice fields.
    assert spent[1] - spent[0] == 2 * 10 + 15


def many(prefix: str) -> tuple[FieldMap, ...]:
    return tuple(FieldMap(f"v{number}", f"{prefix}_{number}") for number in range(15))
