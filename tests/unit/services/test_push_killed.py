"""A push killed at any moment is finished by the next worker, with nothing lost and nothing twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.connections.mapping import Policy
from consumer.domain.push.run import Run
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from tests.support.builders import EVENT, a_contact, a_room, a_session, a_track
from tests.support.service_world import SUBJECT, World, a_world
from tests.unit.services.mapped_world import FIELDS, a_mapped_world, talk
from tests.unit.services.reconciled import reconcile, the_id

pytestmark = pytest.mark.rule("G1", "G2", "G6")


class KilledError(BaseException):
    """The process is gone: nothing may catch this."""


class Killer:
    """Ends the process just before or just after the n-th thing that a push does outside its own memory."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.done = 0
        self.fired = False
        self._at = at
        self._after = after

    def watch(self, owner: object, *names: str) -> None:
        """Count the calls of these methods."""
        for name in names:
            setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **given: Any) -> Any:
            self._dead()
            mine, self.done = self.done, self.done + 1
            if mine == self._at and not self._after:
                self._kill()
            answer = await method(*args, **given)
            self._dead()
            if mine == self._at:
                self._kill()
            return answer

        return call

    def _kill(self) -> None:
        self.fired = True
        raise KilledError

    def _dead(self) -> None:
        if self.fired:
            raise KilledError


async def changed_world() -> World:
    """A session and its speaker are synced; records change, and others come."""
    world = await a_world(concurrency=2)
    world.swoogo.add(Kind.SPEAKER, first_name="Ada", last_name="Old", email="c2@example.org")
    await world.sync(a_session("s1", people=["c1"]), a_contact("c1"))
    await world.given(
        a_session("s1", title="Changed", people=["c2"]),
        a_session("s2", room=a_room(), track=a_track(), people=["c1", "c2"]),
        a_contact("c2"),
    )
    return world


async def killed(killer: Killer, world: World, push: Callable[[World], Awaitable[Run]] = World.push) -> World:
    """The world after a push in which the process ended."""
    originals = {
        owner: {name: getattr(owner, name) for name in names}
        for owner, names in (
            (world.swoogo, ("create", "update", "link", "unlink", "list")),
            (world.ledger, ("put", "put_directory", "flush")),
            (world.board, ("started", "ended")),
            (world.inbox, ("complete",)),
        )
    }
    for owner, methods in originals.items():
        killer.watch(owner, *methods)
    with suppress(KilledError):
        await push(world)
    for owner, methods in originals.items():
        for name, method in methods.items():
            setattr(owner, name, method)
    return world


async def steps(make: Callable[[], Awaitable[World]], push: Callable[[World], Awaitable[Run]] = World.push) -> int:
    """How many things the push does when no one ends it."""
    killer = Killer(10_000, after=False)  # later than anything
    await killed(killer, await make(), push)
    return killer.done


async def finish(world: World) -> None:
    """The next worker's pushes, until none is due at once."""
    for _ in range(10):
        if world.inbox.state(SUBJECT).due is None:
            break
        await world.push()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_push_killed_at_any_moment_is_finished_without_loss_or_duplicate(after: bool) -> None:
    total = await steps(changed_world)
    assert total > 15
    for step in range(total):
        killer = Killer(step, after=after)
        world = await killed(killer, await changed_world())
        assert killer.fired
        await finish(world)
        check(world, step)


def check(world: World, step: int) -> None:
    names = sorted(row["name"] for row in world.swoogo.records[Kind.SESSION].values())
    assert names == ["Changed", "Title of s2"], step
    emails = sorted(row["email"] for row in world.swoogo.records[Kind.SPEAKER].values())
    assert emails == ["c1@example.org", "c2@example.org"], step
    assert len(world.swoogo.records[Kind.LOCATION]) == len(world.swoogo.records[Kind.TRACK]) == 1, step
    ids = {key: entry.swoogo_id for key, entry in world.ledger.entries[EVENT].items()}
    assert world.swoogo.records[Kind.SESSION][ids["session/s2"] or 0]["location"] == str(ids["location/r1"]), step
    assert world.swoogo.links == {
        ids["speaker/c1"]: {ids["session/s2"]},
        ids["speaker/c2"]: {ids["session/s1"], ids["session/s2"]},
    }, step
    assert {entry.state for entry in world.ledger.entries[EVENT].values()} == {State.APPLIED}, step
    assert world.marks == {}, step
    logged = {key: entry for _, key, entry in world.ledger.changelog.written}
    assert {key: entry for key, entry in logged.items() if entry} == world.ledger.entries[EVENT], step


async def edited_world() -> World:
    """Two sessions whose mapped fields a person edited; one changes, and a third comes."""
    world = await a_mapped_world()
    await world.sync(talk("A"), replace(talk("A"), id="s2"))
    await reconcile(world)
    for row in world.swoogo.records[Kind.SESSION].values():
        row.update(dict.fromkeys(FIELDS.values(), "hand"))
    await world.given(talk("B"), replace(talk("A"), id="s3"))
    return world


@pytest.mark.rule("F4")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("push", [World.push, reconcile], ids=["push", "reconcile"])
async def test_policies_hold_when_the_process_ends_at_any_moment(
    push: Callable[[World], Awaitable[Run]], after: bool
) -> None:
    """What a person may keep is kept, what always wins does; a create that was cut short is one with all fields."""
    total = await steps(edited_world, push)
    assert total > 8
    for step in range(total):
        killer = Killer(step, after=after)
        world = await killed(killer, await edited_world(), push)
        assert killer.fired
        await finish(world)
        await reconcile(world)
        rows = world.swoogo.records[Kind.SESSION]
        assert len(rows) == 3, step
        found = {
            key: {policy: rows[the_id(world, f"session/{key}")][name] for policy, name in FIELDS.items()}
            for key in ("s1", "s2", "s3")
        }
        kept = {Policy.IF_EMPTY: "hand", Policy.ONCE: "hand"}
        assert found == {
            "s1": dict.fromkeys(Policy, "B") | kept,
            "s2": dict.fromkeys(Policy, "hand") | {Policy.ALWAYS: "A"},
            "s3": dict.fromkeys(Policy, "A"),
        }, step
        await reconcile(world)
        assert [call for call in world.swoogo.log if call.startswith(("update", "create"))] == [], step
