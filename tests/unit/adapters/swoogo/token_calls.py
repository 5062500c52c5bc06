"""What the tests of tokens share."""

from __future__ import annotations

from consumer.adapters.sealing import credential_id
from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import Kind
from tests.unit.adapters.swoogo.world import KEY, World, a_work, answer

ID = credential_id(KEY)


GOOD = answer({"id": 7})


async def call(world: World, trigger: Trigger = Trigger.CHANGES) -> None:
    await world.client.update(a_work(trigger=trigger), Kind.TRACK, 7, {"name": "New"})
