"""Y3 in a push: entries in clear are sealed, a new key costs no call, and a missing one holds the event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.errors import UnreadableRowError
from consumer.domain.records.digests import SEALED, Digests, key_ids
from consumer.domain.records.identity import Kind, digest
from consumer.domain.records.ledger import Entry, State
from consumer.domain.surveys.survey import Depth
from tests.support.builders import EVENT, a_contact, a_session, an_attendance
from tests.support.service_world import DIGEST_KEY, DIGESTS, World, a_world
from tests.unit.services.reconciled import reconcile

pytestmark = pytest.mark.rule("Y3", "G2", "R3")


async def synced() -> World:
    """One session with one speaker, in Swoogo."""
    world = await a_world()
    await world.sync(a_session("s1", people=(an_attendance("c1"),)), a_contact("c1"))
    return world


async def test_an_entry_in_clear_is_sealed_without_a_call() -> None:
    world = await synced()
    sealed = world.entry("speaker/c1")
    names = {"first_name": "Ada", "last_name": "C1", "email": "c1@example.org"}
    clear = {name: digest(value) for name, value in names.items()}
    world.ledger.entries[EVENT]["speaker/c1"] = replace(
        sealed, pushed=clear, seen=clear, natural="c1@example.org", format=1
    )
    before = len(world.swoogo.calls)
    await world.push()
    after = world.entry("speaker/c1")
    assert len(world.swoogo.calls) == before
    assert (after.format, after.pushed, after.natural) == (SEALED, sealed.pushed, sealed.natural)
    assert "c1@example.org" not in repr(world.ledger.changelog.written[-1])


@pytest.mark.parametrize("how", ["a push", "a deep reconcile"])
async def test_a_new_key_costs_no_call_and_overwrites_no_edit(how: str) -> None:
    world = await synced()
    speaker = world.entry("speaker/c1").swoogo_id
    assert speaker is not None
    world.swoogo.records[Kind.SPEAKER][speaker]["company"] = "typed in Swoogo"
    new = Digests((b"n" * 32, DIGEST_KEY))
    use(world, new)
    world.swoogo.calls.clear()
    if how == "a push":
        await world.push()
    else:
        await reconcile(world, Depth.DEEP)
    assert {call.what for call in world.swoogo.calls} <= {"list", "survey", "event"}
    assert key_ids(world.entry("speaker/c1")) == key_ids(Entry(State.INTENT, natural=new.of("any")))
    use(world, Digests(new.keys[:1]))
    await world.given(a_session("s1", people=(an_attendance("c1"), an_attendance("c9", email="C1@example.org"))))
    await world.push()
    assert len(world.swoogo.records[Kind.SPEAKER]) == 1  # found by the e-mail address all the same (P2)


@pytest.mark.rule("G2")
async def test_an_event_whose_key_is_missing_is_held() -> None:
    world = await synced()
    use(world, Digests((b"n" * 32,)))
    before = len(world.swoogo.calls)
    with pytest.raises(UnreadableRowError, match="SWOOGO_SYNC_KEYS__DIGEST"):
        await world.push()
    assert len(world.swoogo.calls) == before
    use(world, DIGESTS)
    await world.push()


def use(world: World, digests: Digests) -> None:
    """Restart with these keys."""
    pusher = world.pusher
    reconciler = replace(pusher.reconciler, digests=digests)
    world.pusher = replace(pusher, rules=replace(pusher.rules, digests=digests), reconciler=reconciler)
    world.swoogo.digests = digests
