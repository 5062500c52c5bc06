"""An event is put away or brought back while Kafka is away, or while something changes in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from consumer.adapters.redis.personal_data import RedisPersonalData
from consumer.domain.errors import UnavailableError
from tests.integration.redis.archived import DAY, ENTRIES, an_event_that_is_over, archive, archiver, past, topic
from tests.support.builders import EVENT, NOW, an_entry, session_key
from tests.support.desk import Desk

pytestmark = [pytest.mark.integration, pytest.mark.rule("Y4")]


async def test_a_change_between_the_look_and_the_archive_keeps_it(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    _, over = await archive(desk).over(0, desk.clock.now() - DAY, desk.clock.now())
    assert over == [EVENT]
    await desk.record(past("s1", version=NOW + 1))
    assert not await archive(desk).put_away(EVENT, "op", desk.clock.now())
    assert await desk.stores.redis.hlen(desk.stores.keys.event(EVENT, "rows")) == 3


async def test_without_kafka_it_neither_goes_nor_comes_back_and_loses_nothing(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    topic(desk).away = True
    with pytest.raises(UnavailableError):
        await archiver(desk).look()
    assert await archive(desk).archived_at(EVENT) is None
    topic(desk).away = False
    await archiver(desk).look()
    topic(desk).away = True
    await desk.record(past("s1", title="Another", version=NOW + 1))
    with pytest.raises(UnavailableError):
        await desk.claim()
    topic(desk).away = False
    await desk.claim()
    assert await desk.ledger.load(EVENT) == ENTRIES


async def test_a_large_ledger_comes_back_in_parts_and_goes_on_where_a_worker_died(desk: Desk) -> None:
    """Until all of it is there nothing is planned from a part, and nothing is counted twice."""
    entries = {session_key(f"s{number}"): an_entry(number) for number in range(1, 1202)}
    await an_event_that_is_over(desk, entries)
    await archiver(desk).look()
    scripts, calls = archive(desk)._scripts, list[bool]()
    original = scripts.bring_back

    async def dies(*arguments: Any, last: bool, **named: Any) -> bool:
        if len(calls) == 1:
            raise UnavailableError("It dies.")
        calls.append(last)
        return await original(*arguments, last=last, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripts, "bring_back", dies)
        with pytest.raises(UnavailableError):
            await archive(desk).bring_back(EVENT)
    assert calls == [False]
    assert await desk.stores.redis.hlen(desk.stores.keys.event(EVENT, "ledger")) == 500
    assert await desk.ledger.load(EVENT) == entries
    await desk.record(past("s1", title="Another", version=NOW + 1))
    await desk.claim()
    assert await desk.ledger.load(EVENT) == entries
    shown = (await desk.read("status", EVENT))["event"]
    assert (shown["archived"], shown["ledger"]) == (None, {"session/applied": 1201})
    assert not await archive(desk)._stats.recount(EVENT)


async def test_a_copy_that_could_not_be_removed_goes_with_the_next_erasure(desk: Desk) -> None:
    """Kafka went away when the event was back already."""
    await an_event_that_is_over(desk)
    await archiver(desk).look()
    lying = dict(topic(desk).held)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topic(desk), "forget", refused)
        with pytest.raises(UnavailableError):
            await archive(desk).bring_back(EVENT)
    assert topic(desk).held == lying
    assert await archive(desk).archived_at(EVENT) is None
    assert await desk.ledger.load(EVENT) == ENTRIES
    data = RedisPersonalData(desk.stores)
    await data.release(await data.seize(EVENT, "erase", 60.0, 1.0))
    assert not topic(desk).held


@pytest.mark.parametrize("paused", ["archived_at", "_read", "forget"])
async def test_a_worker_that_stood_still_while_it_came_back_takes_nothing_from_the_next_archive(
    desk: Desk, paused: str
) -> None:
    await an_event_that_is_over(desk)
    await archiver(desk).look()
    slow, lying = archive(desk), topic(desk)
    place: Any = lying if paused == "forget" else slow
    original, later = getattr(place, paused), an_entry(1, pushed={"name": "Another"})

    async def meanwhile(*arguments: Any) -> Any:
        patch.undo()
        found = await original(*arguments) if paused != "forget" else None
        await slow.bring_back(EVENT)
        await desk.record(past("s1", title="Another", version=NOW + 1))
        await desk.pushed({session_key("s1"): later}, run=desk.run())
        await desk.stores.redis.delete(desk.stores.keys.event(EVENT, "unlogged"))
        assert await slow.put_away(EVENT, "later", desk.clock.now())
        return await original(*arguments) if paused == "forget" else found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, paused, meanwhile)
        await slow.bring_back(EVENT)
    assert await desk.ledger.load(EVENT) == {**ENTRIES, session_key("s1"): later}
    await slow.bring_back(EVENT)
    assert await desk.ledger.load(EVENT) == {**ENTRIES, session_key("s1"): later}


async def test_of_what_came_in_between_no_copy_stays(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    write = topic(desk).write

    async def slow(event_id: str, op_id: str, rows: Mapping[bytes, bytes]) -> Sequence[str]:
        places = await write(event_id, op_id, rows)
        await desk.record(past("s1", version=NOW + 1))
        return places

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topic(desk), "write", slow)
        assert not await archive(desk).put_away(EVENT, "op", desk.clock.now())
    assert not topic(desk).held
    assert await desk.stores.redis.hlen(desk.stores.keys.event(EVENT, "rows")) == 3


async def refused(*_: object) -> None:
    raise UnavailableError("Kafka is away.")
