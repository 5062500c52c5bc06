"""What is held back: records by rules, an event until its embargo ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.connections.mapping import HoldRule, MappingSettings, Publish
from consumer.domain.issues.issue import Code
from consumer.domain.planning.eligibility import Reason
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Contact, Session, Sponsor
from tests.support.builders import HOUR, MINUTE, NOW, a_contact, a_mapping, a_plan_input, a_session, a_track
from tests.support.service_world import SUBJECT, World, a_world
from tests.unit.services.reconciled import SETTINGS, reconcile
from tests.unit.services.toggled import updated

pytestmark = pytest.mark.rule("F8")


def tagged(*tags: str, **fields: Any) -> Session:
    return replace(a_session(people=["c1"]), extra={"tags": (FieldType.CHOICES.value, tags)}, **fields)


def a_speaker(diet: str) -> Contact:
    person = a_contact("c1")
    return replace(person, profile=replace(person.profile, extra={"consent": (FieldType.CHOICE.value, (diet,))}))


RULES = {
    "status": HoldRule("status", ("Accepted",)),
    "track": HoldRule("track", (" databases ",)),
    "tag": HoldRule("tags", ("TBA", "Draft")),
    "others": HoldRule("tags", ("Final",), others=True),
    "custom": HoldRule("stage", ("draft",)),
}


@pytest.mark.parametrize(
    ("rule", "session", "held"),
    [
        pytest.param("status", tagged(), True, id="the category, where there is no status of its own"),
        pytest.param("track", tagged(track=a_track()), True, id="by the name of its track"),
        pytest.param("track", tagged(), False, id="in no track"),
        pytest.param("tag", tagged("Kafka", "draft"), True, id="one of its tags"),
        pytest.param("tag", tagged("Kafka"), False, id="other tags"),
        pytest.param("others", tagged("Kafka"), True, id="not one of those that may go"),
        pytest.param("others", tagged("final"), False, id="one of those that may go"),
        pytest.param("custom", tagged(), False, id="a field that it does not carry"),
    ],
)
def test_session_is_held_back_by_a_rule(rule: str, session: Session, held: bool) -> None:
    settings = MappingSettings(publish=Publish(sessions=(RULES[rule],)))
    plan = make_plan(a_plan_input(session, a_speaker(""), mapping=replace(a_mapping(), settings=settings)))
    reasons = {skip.key: skip.reason for skip in plan.skips}
    assert reasons == ({"session/s1": Reason.HELD_BACK, "speaker/c1": Reason.HELD_BACK} if held else {})
    assert bool(plan.operations) is not held
    assert {issue.code for issue in plan.issues} == ({Code.HELD_BACK} if held else set())


@pytest.mark.rule("E3")
async def test_synced_record_that_becomes_held_back_stays_untouched_and_resumes() -> None:
    """As E3: its associations and its speakers stay as well."""
    world = await a_world(SETTINGS)
    publish = Publish(sessions=(RULES["tag"],), speakers=(HoldRule("consent", ("no",)),))
    world.mapping = replace(a_mapping(remove_deleted_speakers=True), settings=MappingSettings(publish=publish))
    await world.sync(tagged("Kafka"), a_speaker("yes"))
    world.swoogo.calls.clear()
    await world.sync(tagged("TBA", title="Held"), a_speaker("no"))
    assert world.swoogo.calls == []
    await world.sync(tagged("Kafka", title="Shown"), a_speaker("no"))
    assert world.swoogo.log == ["update session"]
    assert await world.codes() == [("speaker/c1", Code.HELD_BACK)]


async def embargoed_world() -> World:
    """Everything is there, and is not sent for an hour."""
    world = await a_world(SETTINGS)
    world.mapping = a_mapping(embargo_until=NOW + HOUR, remove_deleted_sessions=True)
    await world.sync(tagged(), a_speaker("yes"), Sponsor("p1", name="Acme"))
    return world


async def test_event_under_an_embargo_is_due_by_itself_when_it_ends() -> None:
    """Nothing is sent before, whatever comes round; at that moment everything is, without a change."""
    world = await embargoed_world()
    assert world.swoogo.calls == []
    assert await world.codes() == [("event/ev", Code.HELD_BACK)]
    await reconcile(world)
    await world.push(None)
    assert world.swoogo.called("create") == []
    assert world.inbox.state(SUBJECT).due == NOW + HOUR
    await world.clock.advance((NOW + HOUR - world.clock.now()) / 1000)
    await world.push()
    assert sorted(map(str, world.swoogo.called("create"))) == ["create session", "create speaker", "create sponsor"]
    assert await world.codes() == []


async def test_embargo_holds_changes_and_removals_of_what_is_synced() -> None:
    world = await a_world(SETTINGS)
    await world.sync(tagged(), a_speaker("yes"))
    world.mapping = a_mapping(embargo_until=NOW + HOUR, remove_deleted_sessions=True)
    world.swoogo.calls.clear()
    await world.sync(replace(tagged(), deleted=True))
    assert world.swoogo.calls == []
    assert list(world.swoogo.records[Kind.SESSION])


async def test_embargo_that_is_moved_counts_from_the_mapping() -> None:
    """A mapping published again makes the event due, and its new moment is kept."""
    world = await embargoed_world()
    await updated(world, embargo_until=NOW + 5 * MINUTE)
    await world.push()
    assert world.inbox.state(SUBJECT).due == NOW + 5 * MINUTE
    await world.push()
    assert world.swoogo.called("create")
