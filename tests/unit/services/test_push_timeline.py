"""What a push leaves in the timelines of its records; a run that finds nothing new leaves nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from consumer.domain.errors import UnavailableError
from consumer.domain.push.timeline import What
from tests.support.builders import EVENT, NOW, a_contact, a_session, session_key, speaker_key
from tests.support.service_world import World, a_world


async def story(world: World, key: str) -> Counter[What]:
    return Counter(each.what for each in (await world.timeline.of(EVENT, key)).happened)


@pytest.mark.rule("N2")
async def test_a_record_tells_what_became_of_it() -> None:
    world = await a_world()
    await world.sync(a_session(people=["c1"]), a_contact())
    assert await story(world, session_key()) == Counter([What.CHANGED, What.CREATED, What.LINKED])
    assert await story(world, speaker_key()) == Counter([What.CHANGED, What.CREATED, What.LINKED])
    await world.sync(a_session(people=["c1"], title="Another", version=NOW))
    assert (await story(world, session_key()))[What.UPDATED] == 1
    newest = (await world.timeline.of(EVENT, session_key())).happened[0]
    assert newest.fields == ("name",)


async def test_a_timeline_that_cannot_be_written_keeps_the_changes() -> None:
    """As everything that a push commits: it comes again."""
    world = await a_world()
    world.timeline.failures.append(UnavailableError("Redis does not answer."))
    with pytest.raises(UnavailableError):
        await world.sync(a_session())
    assert world.marks
