"""What wins when a person edits a mapped field in Swoogo: four policies against what happens to a record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.connections.mapping import FieldMap, FieldMaps, Policy
from consumer.domain.errors import UnavailableError
from consumer.domain.issues.issue import Code
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Contact
from consumer.ports import Work
from tests.support.builders import a_contact, a_session
from tests.support.fakes.swoogo_calls import Called
from tests.support.service_world import World, a_world
from tests.unit.services.mapped_world import FIELDS, a_mapped_world, talk
from tests.unit.services.reconciled import SETTINGS, reconcile

pytestmark = pytest.mark.rule("F4")

HISTORIES = ("changed", "edited", "edited then changed", "emptied", "cleared", "edited, and a reconcile that fails")
EXPECTED = {
    Policy.UNTIL_EDITED: ("B", "hand", "B", "", "", "hand"),
    Policy.ALWAYS: ("B", "A", "B", "A", "", "A"),
    Policy.IF_EMPTY: ("A", "hand", "hand", "A", "A", "hand"),
    Policy.ONCE: ("A", "hand", "hand", "", "A", "hand"),
}
"""What Swoogo has at the end, after `A` was synced; `B` and "" are what Sessionboard says later, `hand` an edit."""


def held(world: World, kind: Kind = Kind.SESSION) -> dict[Policy, str]:
    [row] = world.swoogo.records[kind].values()
    return {policy: row.get(name, "") for policy, name in FIELDS.items()}


def edit(world: World, value: str) -> None:
    [number] = world.swoogo.records[Kind.SESSION]
    world.swoogo.records[Kind.SESSION][number].update(dict.fromkeys(FIELDS.values(), value))


async def failing(world: World) -> None:
    """A reconcile in which Swoogo is silent from the first update on."""

    async def silent(work: Work, call: Called) -> None:
        del work
        if call.what == "update":
            raise UnavailableError("Swoogo does not answer.")

    world.swoogo.before_call = silent
    assert (await reconcile(world)).outcome == "failed"
    world.swoogo.before_call = None
    await world.push()  # the retry, which is no reconcile


@pytest.mark.rule("F4", "R2")
@pytest.mark.parametrize("history", HISTORIES)
async def test_field_is_what_its_policy_says_after_each_history(history: str) -> None:
    """The table above; and once more nothing is sent."""
    world = await a_mapped_world()
    await world.sync(talk("A"))
    await reconcile(world)
    if history.startswith("edited"):
        edit(world, "hand")
    if history == "emptied":
        edit(world, "")
    if history == "edited, and a reconcile that fails":
        await failing(world)
    await reconcile(world)
    if "changed" in history or history == "cleared":
        await world.sync(talk("" if history == "cleared" else "B"))
        await reconcile(world)
    assert held(world) == {policy: row[HISTORIES.index(history)] for policy, row in EXPECTED.items()}
    await reconcile(world)
    assert [call for call in world.swoogo.log if call.startswith(("update", "create"))] == []


@pytest.mark.rule("F4")
async def test_always_overwrites_once_an_interval_and_says_so_each_time() -> None:
    """The person is told at every reconcile that overwrote; a push of changes in between overwrites nothing."""
    world = await a_mapped_world()
    await world.sync(talk("A"))
    await reconcile(world)
    for _ in range(2):
        edit(world, "hand")
        await world.sync(replace(talk("A"), title="Another"))
        assert held(world)[Policy.ALWAYS] == "hand"
        await reconcile(world)
        assert held(world)[Policy.ALWAYS] == "A"
        said = [issue.field for issue in await world.issues() if issue.code is Code.OVERWRITTEN_IN_SWOOGO]
        assert said == [FIELDS[Policy.ALWAYS]]
    await reconcile(world)
    assert Code.OVERWRITTEN_IN_SWOOGO not in {code for _, code in await world.codes()}


@pytest.mark.rule("F4", "P2")
@pytest.mark.parametrize("theirs", ["", "theirs"])
async def test_speaker_who_was_there_before_gets_what_the_policies_allow(theirs: str) -> None:
    """It is not created here, so that `once` sends nothing; `if_empty` leaves what is there."""
    world = await a_mapped_world()
    person = a_contact("c1")
    mine = replace(person, profile=replace(person.profile, extra={"word": (FieldType.TEXT.value, ("ours",))}))
    world.swoogo.add(Kind.SPEAKER, email="c1@example.org", **dict.fromkeys(FIELDS.values(), theirs))
    await world.sync(a_session(people=["c1"]), mine)
    assert isinstance(mine, Contact)
    assert held(world, Kind.SPEAKER) == {
        Policy.UNTIL_EDITED: "ours",
        Policy.ALWAYS: "ours",
        Policy.IF_EMPTY: theirs or "ours",
        Policy.ONCE: theirs,
    }


@pytest.mark.rule("F4", "F6")
async def test_if_empty_of_a_new_pair_waits_until_a_survey_shows_what_swoogo_has() -> None:
    """A map costs no call of its own: the next deep reconcile reads the records anyway."""
    world = await a_world(SETTINGS)
    world.swoogo.define(Kind.SESSION, "c_1", FieldType.TEXT)
    await world.sync(talk("A"), replace(talk("A"), id="s2"))
    first, second = world.swoogo.records[Kind.SESSION]
    world.swoogo.records[Kind.SESSION][first]["c_1"] = "theirs"
    world.swoogo.records[Kind.SESSION][second]["c_1"] = ""
    maps = FieldMaps(sessions=(FieldMap("word", "c_1", Policy.IF_EMPTY),))
    world.mapping = replace(world.mapping, settings=replace(world.mapping.settings, field_maps=maps))
    await world.push()
    rows = world.swoogo.records[Kind.SESSION]
    assert [rows[each].get("c_1", "") for each in (first, second)] == ["theirs", ""]
    await reconcile(world)  # the first one is deep
    assert [rows[each].get("c_1", "") for each in (first, second)] == ["theirs", "A"]
