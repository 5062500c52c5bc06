"""Associations of speakers with sessions: all new ones in one call, ours alone taken away (S7, S8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.errors import MissingError, RefusedError
from consumer.domain.issue import Code
from consumer.domain.record import Kind
from tests.support.builders import a_contact, a_session, session_key, speaker_key
from tests.support.fakes.swoogo import Called
from tests.unit.services.world import World


def linked(world: World, contact: str = "c1") -> set[str]:
    """Sessionboard ids of the sessions that Swoogo shows a speaker with."""
    speaker = world.entry(speaker_key(contact)).swoogo_id
    assert speaker is not None
    names = {world.entry(session_key(f"s{number}")).swoogo_id: f"s{number}" for number in range(1, 4)}
    return {names[session] for session in world.swoogo.links.get(speaker, set()) if session in names}


async def three_sessions(world: World) -> None:
    await world.sync(*(a_session(f"s{number}", people=["c1"]) for number in (1, 2, 3)), a_contact("c1"))


async def test_s7_all_sessions_of_a_speaker_are_associated_in_one_call(world: World) -> None:
    await three_sessions(world)
    assert len(world.swoogo.called("link")) == 1
    assert linked(world) == {"s1", "s2", "s3"}
    assert world.entry(speaker_key()).links == ("s1", "s2", "s3")


async def test_s7_only_what_is_new_is_sent(world: World) -> None:
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    world.swoogo.calls.clear()
    run = await world.sync(a_session("s2", people=["c1"]))
    [link] = world.swoogo.called("link")
    assert link.ids == (world.entry(session_key("s2")).swoogo_id,)
    assert run.links == 1


async def test_s8_a_speaker_taken_off_an_eligible_session_loses_that_association_and_no_other(world: World) -> None:
    await three_sessions(world)
    run = await world.sync(a_session("s2", people=[]))
    assert linked(world) == {"s1", "s3"}
    assert world.entry(speaker_key()).links == ("s1", "s3")
    assert (run.links, len(world.swoogo.called("unlink"))) == (1, 1)


async def test_s8_an_association_made_by_hand_stays(world: World) -> None:
    await world.sync(a_session("s1", people=["c1"]), a_session("s2"), a_contact("c1"))
    speaker, by_hand = world.entry(speaker_key()).swoogo_id, world.entry(session_key("s2")).swoogo_id
    assert speaker is not None
    assert by_hand is not None
    world.swoogo.links[speaker].add(by_hand)
    await world.sync(a_session("s2", people=["c2"]), a_contact("c2"))
    assert by_hand in world.swoogo.links[speaker]


async def test_e3_leaving_accepted_takes_no_association_away(world: World) -> None:
    await three_sessions(world)
    await world.sync(a_session("s2", people=[], status="pending"))
    assert linked(world) == {"s1", "s2", "s3"}


async def test_s7_a_speaker_whose_session_failed_gets_the_association_with_the_retry(world: World) -> None:
    async def fail_sessions(work: object, call: object) -> None:
        world.swoogo.trouble.unavailable = 1 if str(call) == "create session" else 0

    world.swoogo.before_call = fail_sessions
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    assert world.swoogo.called("link") == []
    world.swoogo.before_call = None
    await world.push()
    [link] = world.swoogo.called("link")
    assert link.ids == tuple(world.swoogo.records[Kind.SESSION])


async def test_s7_half_done_associations_are_finished_by_the_retry_without_repeating_the_other_half(
    world: World,
) -> None:
    await three_sessions(world)
    await world.given(a_session("s1", people=[]), a_session("s2", people=[]))
    seen: list[str] = []

    async def fail_the_second(work: object, call: object) -> None:
        seen.append(str(call))
        world.swoogo.trouble.unavailable = 1 if seen.count("unlink speaker") == 2 else 0

    world.swoogo.before_call = fail_the_second
    run = await world.push()
    assert (run.outcome, world.entry(speaker_key()).links) == ("failed", ("s2", "s3"))
    world.swoogo.before_call = None
    world.swoogo.calls.clear()
    await world.push()
    assert len(world.swoogo.called("unlink")) == 1
    assert linked(world) == {"s3"}


@pytest.mark.parametrize("error", [RefusedError, MissingError])
async def test_d2_g1_without_continuous_sync_a_session_deleted_in_swoogo_keeps_no_speaker_from_the_others(
    world: World, error: type[RefusedError]
) -> None:
    """C4: no reconcile comes round to notice it, and one wrong id refuses the whole call. The next sync goes on."""
    world.mapping = replace(world.mapping, continuous=False)
    await world.sync(a_session("s1"), a_session("s2"), a_session("s3"))
    held = world.swoogo.records[Kind.SESSION]
    gone = world.entry(session_key("s1")).swoogo_id
    assert gone is not None
    del held[gone]

    async def know_all(work: object, call: Called) -> None:
        if call.what == "link" and not held.keys() >= set(call.ids):
            raise error("Session is invalid.")

    world.swoogo.before_call = know_all
    await world.sync(a_session("s1", people=["c1"]), a_session("s2", people=["c1"]), a_contact("c1"))
    assert (session_key("s1"), Code.GONE_IN_SWOOGO) in await world.codes()
    assert world.entry(session_key("s2")).live
    assert len(world.swoogo.called("list", Kind.SESSION)) == 1
    await world.push()
    assert linked(world) == {"s2"}
    assert await world.codes() == [(session_key("s1"), Code.GONE_IN_SWOOGO)]
    assert len(world.swoogo.called("list", Kind.SESSION)) == 1


@pytest.mark.parametrize("error", [RefusedError, MissingError])
async def test_e6_where_the_sessions_may_not_be_listed_a_refused_association_stays_an_issue(
    world: World, error: type[RefusedError]
) -> None:
    """C4: without continuous sync the refusal is reason to list them; that this is refused too ends nothing else."""
    world.mapping = replace(world.mapping, continuous=False)
    await world.sync(a_session("s1"))

    refused = []

    async def may_not(work: object, call: Called) -> None:
        if call.what == "link" or (call.what, call.kind) == ("list", Kind.SESSION):
            refused.append(call.what)
            raise error("No access to sessions.", permission=True)

    world.swoogo.before_call = may_not
    run = await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    assert run.outcome == "completed_with_issues"
    assert [code for _, code in await world.codes()] == [Code.NO_PERMISSION]
    assert world.marks == {}
    assert refused == ["link", "list"]
