"""Two contacts merged in Sessionboard, where one survives under the address of the other."""

from __future__ import annotations

import pytest

from consumer.domain.errors import RefusedError
from consumer.domain.issues.issue import Code
from consumer.domain.issues.sentences import for_admin
from consumer.domain.records.identity import Kind
from tests.support.builders import a_contact, a_mapping, a_session, speaker_key
from tests.support.service_world import World

pytestmark = pytest.mark.rule("P2", "D1")

TAKEN = RefusedError("Email has already been taken.", field="email", rule=True)


async def two_speakers(world: World) -> None:
    await world.sync(a_session("s1", people=["c1"]), a_session("s2", people=["c2"]), a_contact("c1"), a_contact("c2"))


async def merge(world: World) -> None:
    """c1 is gone; c2 has its address and its session."""
    survivor = a_contact("c2", email="c1@example.org", company="Both")
    await world.sync(a_session("s1", people=["c2"]), a_contact("c1", deleted=True), survivor)


async def test_the_survivor_of_a_merge_gets_the_address(world: World) -> None:
    """And everything else; both speakers stay in Swoogo."""
    await two_speakers(world)
    await merge(world)
    row = world.swoogo.records[Kind.SPEAKER][world.entry(speaker_key("c2")).swoogo_id or 0]
    assert (row["email"], row["company"]) == ("c1@example.org", "Both")
    assert len(world.swoogo.records[Kind.SPEAKER]) == 2
    assert await world.codes() == []


async def test_where_swoogo_refuses_the_address_the_issue_says_what_to_do(world: World) -> None:
    """Swoogo may hold an address only once in an event; no public source says so."""
    await two_speakers(world)
    world.swoogo.trouble.refused["c1@example.org"] = TAKEN
    await merge(world)
    (issue,) = await world.issues()
    assert (issue.key, issue.code, issue.field) == (speaker_key("c2"), Code.REFUSED, "email")
    assert "delete the speaker in Swoogo" in for_admin(issue)


@pytest.mark.rule("D4")
async def test_the_survivor_follows_once_the_other_speaker_is_deleted(world: World) -> None:
    """In the push after that, which comes at once."""
    world.mapping = a_mapping(remove_deleted_speakers=True)
    await two_speakers(world)
    await merge(world)
    assert [row["email"] for row in world.swoogo.records[Kind.SPEAKER].values()] == ["c2@example.org"]
    await world.push()
    assert [row["email"] for row in world.swoogo.records[Kind.SPEAKER].values()] == ["c1@example.org"]
    assert await world.codes() == []


@pytest.mark.rule("D4")
async def test_the_survivor_waits_for_no_deletion_that_swoogo_refuses(world: World) -> None:
    """The other speaker stays in Swoogo, and its contact owns no address."""
    world.mapping = a_mapping(remove_deleted_speakers=True)
    await two_speakers(world)
    world.swoogo.trouble.kept[world.entry(speaker_key("c1")).swoogo_id or 0] = RefusedError("No.", rule=True)
    await merge(world)
    await world.push()
    row = world.swoogo.records[Kind.SPEAKER][world.entry(speaker_key("c2")).swoogo_id or 0]
    assert row["email"] == "c1@example.org"
