"""What the tests of connections and pairs share."""

from __future__ import annotations

from dataclasses import replace

from consumer.adapters.redis import codecs
from consumer.domain.connections.connection import (
    Announcement,
    IntegrationRequest,
    MappingRequest,
    Request,
    disconnect_key,
    integration_key,
)
from consumer.ports import Change, Lease, org_subject
from tests.support.builders import ORG
from tests.support.service_world import World, a_world

SUBJECT = org_subject(ORG)


A, B = 501, 502


def connected(name: str = "first", *, continuous: bool = True) -> IntegrationRequest:
    return IntegrationRequest(ORG, connected=True, continuous=continuous, secret_name=name)


def pair(event: str = "e1", swoogo: int = A, **changed: object) -> MappingRequest:
    made = MappingRequest(ORG, event, present=True, swoogo_event_id=swoogo, timezone="Europe/London")
    return replace(made, **changed)  # type: ignore[arg-type]


def removed(event: str = "e1") -> MappingRequest:
    return MappingRequest(ORG, event, present=False)


stamps = iter(range(1, 10_000))


def key_of(request: Request) -> str:
    if isinstance(request, MappingRequest):
        return f"mapping/{request.event_id}"
    return integration_key(request.org_id) if request.connected else disconnect_key(request.org_id)


async def ask(world: World, *requests: Request) -> Lease:
    """Publish requests and claim the organization."""
    changes = [Change(key_of(request), f"{next(stamps):015d}", codecs.encode(request)) for request in requests]
    await world.inbox.record(SUBJECT, changes)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    return lease


async def settle(world: World, *requests: Request) -> list[Announcement]:
    """Publish requests and have them dealt with; what was announced."""
    world.board.topic.announcements.clear()
    await world.connector.serve(await ask(world, *requests))
    assert world.inbox.state(SUBJECT).marks == {}
    return world.board.topic.announcements


def told(announcements: list[Announcement]) -> list[tuple[str, str]]:
    return [(each.action, each.code) for each in announcements]


async def unconnected() -> World:
    """An organization that published nothing yet; Swoogo has two events."""
    made = await a_world()
    await made.connections.put_connection(ORG, None)
    await made.connections.put_mapping(ORG, "ev", None)
    await made.inbox.set_continuous("ev", on=False)
    made.swoogo.zones = {A: "Europe/London", B: "Europe/London"}
    return made
