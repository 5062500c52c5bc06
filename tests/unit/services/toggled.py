"""A mapping whose settings change."""

from __future__ import annotations

from typing import Any

from consumer.adapters.redis import codecs
from consumer.domain.connections.connection import MappingRequest
from consumer.domain.connections.mapping import MappingSettings
from consumer.ports import Change, org_subject
from tests.support.builders import EVENT, ORG, SWOOGO_EVENT, ZONE
from tests.support.service_world import World

_stamps = iter(range(1, 10_000))


async def updated(world: World, **settings: Any) -> None:
    """`mapping.updated` is published and dealt with."""
    wanted = MappingRequest(
        ORG,
        EVENT,
        present=True,
        swoogo_event_id=SWOOGO_EVENT,
        timezone=ZONE,
        name="A conference",
        settings=MappingSettings(**settings),
    )
    subject = org_subject(ORG)
    await world.inbox.record(
        subject, [Change(f"mapping/{EVENT}", f"{next(_stamps) + 10**9:015d}", codecs.encode(wanted))]
    )
    lease = await world.inbox.claim(subject, world.clock.new_id())
    assert lease is not None
    await world.connector.serve(lease)
    mapping = await world.connections.mapping(EVENT)
    assert mapping is not None
    world.mapping = mapping
