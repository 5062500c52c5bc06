"""What the tests of hints share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from consumer.domain.issues.issue import Code
from consumer.domain.push.cause import Reconcile
from consumer.domain.push.hints import Hint
from consumer.domain.push.run import Run
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Sponsor
from consumer.domain.surveys.survey import Depth
from consumer.services.hints import HintTaker
from consumer.settings import ReconcileSettings, WebhookSettings
from tests.support.builders import EVENT, a_contact, a_room, a_session
from tests.support.service_world import SETTINGS, SUBJECT, World, a_world

RECONCILE = ReconcileSettings(interval=1800, deep_interval=86_400)


SECRET = SecretStr("0123456789abcdef")


HOOKS = WebhookSettings(
    enabled="on", public_url="https://h.example", path_secret=SECRET, secret=SECRET, clock_tolerance=5.0
)


def stamp(world: World) -> str:
    """`updated_at` of a record that is edited now."""
    return datetime.fromtimestamp(world.clock.now() // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


async def a_hinted_world(sessions: int = 1, **changed: Any) -> World:
    """A synced event that was surveyed, a while ago, and takes hints."""
    world = await a_world(RECONCILE)
    world.pusher = replace(
        world.pusher,
        hints=HintTaker(
            world.hints,
            world.inbox,
            world.ledger,
            world.swoogo,
            world.board,
            world.timeline,
            world.clock,
            world.pusher.reconciler,
            SETTINGS,
            HOOKS.model_copy(update=changed),
        ),
    )
    more = [a_session(f"s{number}") for number in range(2, sessions + 1)]
    await world.sync(a_session(people=["c1"], room=a_room()), *more, a_contact("c1"), Sponsor("p1", name="Acme"))
    await survey(world)
    await world.clock.advance(60)
    world.swoogo.calls.clear()
    return world


async def survey(world: World) -> Run:
    """A regular survey, now."""
    await world.inbox.request_survey(EVENT, Depth.SHALLOW)
    return await look(world, Depth.SHALLOW)


async def look(world: World, depth: Depth = Depth.HINTED) -> Run:
    """Claim the event as soon as it is due, and push it."""
    due = await world.inbox.due(1)
    if not due.subjects:
        await world.clock.advance(due.next_in or 0)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    assert lease.cause == Reconcile(depth)
    return await world.push_claimed(lease)


def the_id(world: World, key: str) -> int:
    return world.entry(key).swoogo_id or 0


def edit(world: World, key: str, **fields: str) -> dict[str, str]:
    """A person edits a record; returns it as Swoogo shows it."""
    kind = Kind(key.partition("/")[0])
    row = world.swoogo.records[kind][the_id(world, key)]
    row |= fields
    return dict(row)


def a_hint(world: World, key: str, row: dict[str, str] | None = None, **changed: Any) -> Hint:
    kind = Kind(key.partition("/")[0])
    hint = Hint(kind, the_id(world, key), stamp(world), f"d{world.clock.now()}{key}{row}", world.clock.now(), row=row)
    return replace(hint, **changed)


async def deliver(world: World, *hints: Hint | None) -> Run:
    """Deliver, and look as soon as the event is due."""
    world.swoogo.calls.clear()
    for hint in hints:
        await world.hints.put(EVENT, hint)
    return await look(world)


async def drift(world: World) -> list[tuple[str, str]]:
    return [(issue.key, issue.field) for issue in await world.issues() if issue.code is Code.EDITED_IN_SWOOGO]
