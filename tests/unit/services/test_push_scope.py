"""What one sync covers: all, the agenda or the sponsors alone, or selected records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.errors import RefusedError
from consumer.domain.issues.issue import Code
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Remote
from consumer.domain.records.snapshot import Sponsor
from consumer.ports import SyncRequest
from tests.support.builders import EVENT, a_contact, a_room, a_session, session_key
from tests.support.service_world import SUBJECT, World

pytestmark = pytest.mark.rule("C4", "O3", "O4", "R6")

ACME = Sponsor("p1", version=1, name="Acme", description="We make anvils.", website="https://acme.example", tier="Gold")


def names(world: World, kind: Kind) -> list[str]:
    return sorted(row["name"] for row in world.swoogo.records[kind].values())


@pytest.mark.rule("O1", "O2")
async def test_a_sponsor_is_created_with_its_level_and_connected_to_no_session(world: World) -> None:
    await world.sync(a_session("s1"), ACME)
    [sponsor] = world.swoogo.records[Kind.SPONSOR].values()
    [level] = world.swoogo.records[Kind.LEVEL]
    assert sponsor == {
        "name": "Acme",
        "description": "We make anvils.",
        "website": "https://acme.example",
        "level": str(level),
    }
    assert world.swoogo.called("link") == []
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.calls == []


@pytest.mark.rule("O1")
async def test_level_is_never_duplicated(world: World) -> None:
    there = world.swoogo.add(Kind.LEVEL, name="gold")
    await world.sync(
        ACME, replace(ACME, id="p2", name="Bolt", tier=" GOLD"), replace(ACME, id="p3", name="C", tier="Tin")
    )
    assert names(world, Kind.LEVEL) == ["Tin", "gold"]
    levels = {row["name"]: row["level"] for row in world.swoogo.records[Kind.SPONSOR].values()}
    assert levels["Acme"] == levels["Bolt"] == str(there)


@pytest.mark.rule("E5")
async def test_a_sponsor_without_a_name_is_an_issue_and_the_others_sync(world: World) -> None:
    await world.sync(replace(ACME, id="p2", name=" "), ACME)
    assert names(world, Kind.SPONSOR) == ["Acme"]
    assert await world.codes() == [("sponsor/p2", Code.MISSING_FIELD)]


@pytest.mark.parametrize(("wanted", "synced"), [(True, ["Acme"]), (False, [])])
async def test_continuous_sync_includes_sponsors_when_the_pair_says_so(
    world: World, wanted: bool, synced: list[str]
) -> None:
    world.mapping = replace(world.mapping, settings=MappingSettings(sync_sponsors=wanted))
    await world.sync(a_session("s1"), ACME)
    assert names(world, Kind.SPONSOR) == synced
    assert world.marks == {}


@pytest.mark.parametrize(
    ("scope", "sessions", "sponsors", "left"),
    [
        ("agenda", ["Title of s1"], [], ["sponsor/p1"]),
        ("sponsors", [], ["Acme"], ["session/s1"]),
        ("all", ["Title of s1"], ["Acme"], []),
    ],
)
async def test_manual_sync_covers_its_scope_and_leaves_the_rest(
    world: World, scope: str, sessions: list[str], sponsors: list[str], left: list[str]
) -> None:
    await world.given(a_session("s1"), ACME)
    run = await world.push(SyncRequest("pressed", scope))
    assert (run.trigger, run.scope) == (Trigger.MANUAL, scope)
    assert (names(world, Kind.SESSION), names(world, Kind.SPONSOR)) == (sessions, sponsors)
    assert list(world.marks) == left
    if left:
        await world.push()
    assert (names(world, Kind.SESSION), names(world, Kind.SPONSOR)) == (["Title of s1"], ["Acme"])


async def test_a_selected_session_is_synced_alone_with_its_room_and_its_speakers(world: World) -> None:
    await world.given(
        a_session("s1", room=a_room("r1", "Hall 1"), people=["c1"]),
        a_session("s2", room=a_room("r2", "Hall 2"), people=["c2"]),
        a_contact("c1"),
        a_contact("c2"),
        ACME,
    )
    await world.push(SyncRequest("pressed", "agenda", session_ids=("s1",)))
    assert names(world, Kind.SESSION) == ["Title of s1"]
    assert names(world, Kind.LOCATION) == ["Hall 1"]
    assert [row["email"] for row in world.swoogo.records[Kind.SPEAKER].values()] == ["c1@example.org"]
    assert names(world, Kind.SPONSOR) == []
    assert len(world.swoogo.links) == 1
    await world.push()
    assert names(world, Kind.SESSION) == ["Title of s1", "Title of s2"]
    assert world.marks == {}


async def test_a_selected_speaker_is_synced_alone(world: World) -> None:
    await world.given(a_session("s1", people=["c1", "c2"]), a_contact("c1"), a_contact("c2"))
    run = await world.push(SyncRequest("pressed", "agenda", speaker_ids=("c2",)))
    assert [row["email"] for row in world.swoogo.records[Kind.SPEAKER].values()] == ["c2@example.org"]
    assert (names(world, Kind.SESSION), run.operations) == ([], {"create": 1})
    await world.push()
    assert len(world.swoogo.links) == 2


async def test_manual_sync_that_waits_for_swoogo_keeps_its_scope(world: World) -> None:
    """Without continuous sync nothing but what was asked for may be pushed, also when it takes a second try."""
    await world.inbox.set_continuous(EVENT, on=False)
    world.mapping = replace(world.mapping, continuous=False)
    await world.given(a_session("s1"))
    world.swoogo.trouble.lost_before = 1
    await world.push(SyncRequest("first", "agenda", session_ids=("s1",)))
    await world.clock.advance(60)
    await world.push(SyncRequest("second", "agenda", session_ids=("s1",)))
    assert names(world, Kind.SESSION) == []
    await world.given(a_session("s2"), ACME)
    run = await world.push()
    assert (run.trigger, names(world, Kind.SESSION)) == (Trigger.MANUAL, ["Title of s1"])
    assert world.inbox.state(SUBJECT).due is None
    assert session_key("s2") in world.marks


@pytest.mark.rule("E6", "O1", "G1")
@pytest.mark.parametrize("listed", [False, True])
async def test_levels_that_this_credential_may_not_see_hold_up_nothing_else(world: World, listed: bool) -> None:
    """They are a field of the whole account, which a user of one event may have no access to, or no more."""
    if listed:
        old = Directory({7: Remote(7, "gold", {"name": "Gold"})}, at=world.clock.now())
        await world.ledger.put_directory(await world.claim(), Kind.LEVEL, old)
        await world.clock.advance(60)

    async def hide(work: object, call: object) -> None:
        if str(call) == "list level":
            raise RefusedError("Swoogo shows no field for sponsorship levels.", field="level")

    world.swoogo.before_call = hide
    run = await world.sync(a_session("s1"), ACME)
    assert (names(world, Kind.SESSION), names(world, Kind.SPONSOR)) == (["Title of s1"], ["Acme"])
    assert (run.outcome, await world.codes()) == ("completed_with_issues", [("level/gold", Code.REFUSED)])
    world.swoogo.calls.clear()
    await world.push()
    assert (world.swoogo.calls, await world.codes()) == ([], [("level/gold", Code.REFUSED)])
    world.swoogo.before_call = None
    await world.inbox.request_commands(EVENT, [LedgerCommand(Action.RETRY, "level/gold")])
    await world.push(SyncRequest("again"))
    [sponsor] = world.swoogo.records[Kind.SPONSOR].values()
    assert (sponsor["level"], await world.codes()) == (str(world.entry("level/gold").swoogo_id), [])
