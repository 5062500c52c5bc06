"""Associations of speakers with sessions: all new ones in one call, ours alone taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.errors import MissingError, RefusedError
from consumer.domain.issues.issue import Code
from consumer.domain.records.identity import Kind
from tests.support.builders import EVENT, a_contact, a_session, session_key, speaker_key
from tests.support.fakes.swoogo_calls import Called
from tests.support.service_world import World

pytestmark = pytest.mark.rule("S7", "S8")


def linked(world: World, contact: str = "c1") -> set[str]:
    """Sessionboard ids of the sessions that Swoogo shows a speaker with."""
    speaker = world.entry(speaker_key(contact)).swoogo_id
    assert speaker is not None
    names = {world.entry(session_key(f"s{number}")).swoogo_id: f"s{number}" for number in range(1, 4)}
    return {names[session] for session in world.swoogo.links.get(speaker, set()) if session in names}


async def three_sessions(world: World) -> None:
    await world.sync(*(a_session(f"s{number}", people=["c1"]) for number in (1, 2, 3)), a_contact("c1"))


async def test_all_sessions_of_a_speaker_are_associated_in_one_call(world: World) -> None:
    await three_sessions(world)
    assert len(world.swoogo.called("link")) == 1
    assert linked(world) == {"s1", "s2", "s3"}
    assert world.entry(speaker_key()).links == ("s1", "s2", "s3")


async def test_only_what_is_new_is_sent(world: World) -> None:
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    world.swoogo.calls.clear()
    run = await world.sync(a_session("s2", people=["c1"]))
    [link] = world.swoogo.called("link")
    assert link.ids == (world.entry(session_key("s2")).swoogo_id,)
    assert run.links == 1


async def test_removed_speaker_loses_that_association_only(world: World) -> None:
    await three_sessions(world)
    run = await world.sync(a_session("s2", people=[]))
    assert linked(world) == {"s1", "s3"}
    assert world.entry(speaker_key()).links == ("s1", "s3")
    assert (run.links, len(world.swoogo.called("unlink"))) == (1, 1)


async def test_an_association_made_by_hand_stays(world: World) -> None:
    await world.sync(a_session("s1", people=["c1"]), a_session("s2"), a_contact("c1"))
    speaker, by_hand = world.entry(speaker_key()).swoogo_id, world.entry(session_key("s2")).swoogo_id
    assert speaker is not None
    assert by_hand is not None
    world.swoogo.links[speaker].add(by_hand)
    await world.sync(a_session("s2", people=["c2"]), a_contact("c2"))
    assert by_hand in world.swoogo.links[speaker]


@pytest.mark.rule("E3")
async def test_leaving_accepted_takes_no_association_away(world: World) -> None:
    await three_sessions(world)
    await world.sync(a_session("s2", people=[], status="pending"))
    assert linked(world) == {"s1", "s2", "s3"}


async def test_a_speaker_whose_session_failed_gets_the_association_with_the_retry(world: World) -> None:
    async def fail_sessions(work: object, call: object) -> None:
        world.swoogo.trouble.unavailable = 1 if str(call) == "create session" else 0

    world.swoogo.before_call = fail_sessions
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    assert world.swoogo.called("link") == []
    world.swoogo.before_call = None
    await world.push()
    [link] = world.swoogo.called("link")
    assert link.ids == tuple(world.swoogo.records[Kind.SESSION])


async def test_retry_finishes_the_missing_half_of_associations(world: World) -> None:
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


async def refuse_the_gone(world: World, error: type[RefusedError]) -> None:
    """Swoogo refuses a whole call for one session that it does not have."""
    held = world.swoogo.records[Kind.SESSION]

    async def know_all(work: object, call: Called) -> None:
        if call.what == "link" and not held.keys() >= set(call.ids):
            raise error("Session is invalid.")

    world.swoogo.before_call = know_all


def delete_by_hand(world: World, *sessions: str) -> None:
    """Somebody deletes sessions in Swoogo."""
    for session in sessions:
        del world.swoogo.records[Kind.SESSION][world.entry(session_key(session)).swoogo_id or 0]


@pytest.mark.rule("D2", "G1")
@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("error", [RefusedError, MissingError])
async def test_a_session_deleted_in_swoogo_keeps_no_speaker_from_others(
    world: World, error: type[RefusedError], *, continuous: bool
) -> None:
    """One wrong id refuses the whole call. Which one is found out in the same push, and the rest is sent."""
    world.mapping = replace(world.mapping, continuous=continuous)
    await world.sync(a_session("s1"), a_session("s2"), a_session("s3"))
    delete_by_hand(world, "s1")
    await refuse_the_gone(world, error)
    run = await world.sync(a_session("s1", people=["c1"]), a_session("s2", people=["c1"]), a_contact("c1"))
    assert linked(world) == {"s2"}
    assert world.entry(speaker_key()).links == ("s2",)
    assert await world.codes() == [(session_key("s1"), Code.GONE_IN_SWOOGO)]
    assert (world.entry(session_key("s1")).live, world.entry(session_key("s2")).live) == (False, True)
    asked = [call.kind for call in world.swoogo.called("exists")]
    assert asked == [*([Kind.SPEAKER] if error is MissingError else []), Kind.SESSION, Kind.SESSION]
    assert (world.swoogo.called("list", Kind.SESSION), run.outcome) == ([], "completed_with_issues")
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.calls == []


@pytest.mark.rule("D2")
async def test_several_speakers_of_a_session_that_is_gone_ask_for_it_once(world: World) -> None:
    """A credit each, however many speakers stand on it."""
    await world.sync(a_session("s1"), a_session("s2"), a_session("s3"))
    delete_by_hand(world, "s1")
    await refuse_the_gone(world, RefusedError)
    people = [f"c{number}" for number in range(1, 6)]
    await world.sync(a_session("s1", people=people), a_session("s2", people=people))
    assert all(linked(world, each) == {"s2"} for each in people)
    assert len(world.swoogo.called("exists")) == 2


async def test_where_all_sessions_of_a_speaker_are_gone_nothing_is_sent_again(world: World) -> None:
    await world.sync(a_session("s1"))
    delete_by_hand(world, "s1")
    await refuse_the_gone(world, RefusedError)
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    assert (len(world.swoogo.called("exists")), world.swoogo.called("link")) == (1, [])  # refused calls do not count
    assert await world.codes() == [(session_key("s1"), Code.GONE_IN_SWOOGO)]


@pytest.mark.rule("D2")
async def test_a_former_session_that_is_gone_keeps_no_speaker_from_new_ones(world: World) -> None:
    """Where the setting `link_mode` sends the former sessions with the new ones."""
    await world.sync(a_session("s1", people=["c1"]), a_session("s2"), a_session("s3"), a_contact("c1"))
    former = world.entry(session_key("s1")).swoogo_id
    delete_by_hand(world, "s1")
    refused: list[Called] = []

    async def send_all(work: object, call: Called) -> None:
        if call.what == "link" and world.entry(session_key("s1")).live:
            refused.append(call)
            raise RefusedError("Session is invalid.")

    world.swoogo.before_call = send_all
    await world.sync(a_session("s2", people=["c1"]))
    assert [call.id for call in world.swoogo.called("exists")] == [world.entry(session_key("s2")).swoogo_id, former]
    assert (len(refused), world.entry(speaker_key()).links) == (1, ("s1", "s2"))


@pytest.mark.rule("D2")
async def test_many_sessions_gone_at_once_are_told_and_not_believed(world: World) -> None:
    """The credential may not see them any more; what it sees is associated all the same."""
    names = [f"s{number}" for number in range(1, 7)]
    await world.sync(*map(a_session, names))
    delete_by_hand(world, *names[:5])
    await refuse_the_gone(world, RefusedError)
    await world.sync(*(a_session(each, people=["c1"]) for each in names), a_contact("c1"))
    assert (f"event/{EVENT}", Code.MANY_MISSING) in await world.codes()
    assert all(world.entry(session_key(each)).live for each in names)
    assert world.entry(speaker_key()).links == ("s6",)


@pytest.mark.rule("E6")
@pytest.mark.parametrize("permission", [True, False])
async def test_where_no_session_may_be_read_a_refused_association_stays_an_issue(
    world: World, *, permission: bool
) -> None:
    """There is no telling which session is gone; everything else goes on."""
    await world.sync(a_session("s1"))

    async def may_not(work: object, call: Called) -> None:
        if call.what in {"link", "exists"}:
            raise RefusedError("No access to sessions.", permission=permission)

    world.swoogo.before_call = may_not
    run = await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    assert run.outcome == "completed_with_issues"
    assert [code for _, code in await world.codes()] == [Code.NO_PERMISSION if permission else Code.REFUSED]
    assert world.marks == {}


@pytest.mark.rule("D2", "G1")
async def test_a_speaker_that_is_gone_is_no_reason_to_ask_for_sessions(world: World) -> None:
    """Its tombstone is written at the end of the push, from a list."""
    await world.sync(a_session("s1", people=["c1"]), a_session("s2"), a_contact("c1"))
    world.swoogo.records[Kind.SPEAKER].clear()
    await world.sync(a_session("s2", people=["c1"]))
    assert [call.kind for call in world.swoogo.called("exists")] == [Kind.SPEAKER]
    assert (speaker_key(), Code.GONE_IN_SWOOGO) in await world.codes()
