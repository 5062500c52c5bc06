"""The publisher against a real broker."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer

from sandbox.conference.model import Conference, Talk
from sandbox.conference.publisher import Publisher
from sandbox.conference.records import TopicNames, Writer
from sandbox.conference.sample import sample
from sandbox.conference.sessionboard import Event
from tests.support.topics import Topics

pytestmark = pytest.mark.integration

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


async def topic_names(topics: Topics) -> TopicNames:
    names = await topics.service_topics(partitions=3)
    return TopicNames(
        sessions=names["sessionboard.sessions"],
        speakers=names["sessionboard.speakers"],
        sponsors=names["sessionboard.sponsors"],
        mappings=names["sessionboard.mappings"],
    )


async def latest(bootstrap: str, topic: str, count: int) -> dict[str, bytes | None]:
    """The newest value of each key after `count` records."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        values: dict[str, bytes | None] = {}
        for _ in range(count):
            record = await asyncio.wait_for(consumer.getone(), 10)
            values[record.key.decode()] = record.value
        return values
    finally:
        await consumer.stop()


async def test_a_whole_conference_arrives_in_its_topics(topics: Topics) -> None:
    names = await topic_names(topics)
    conference = sample(AT)
    writer = Writer(event=Event.of(conference, event_id=42, org_id="org"), topics=names)
    async with Publisher(topics.bootstrap, writer) as publisher:
        count = await publisher.publish(conference, at=AT)
        await publisher.send([writer.mapping_added(7, at=AT)])
    assert count == len(conference.talks) + len(conference.people) + len(conference.sponsors)
    sessions = await latest(topics.bootstrap, names.sessions, len(conference.talks))
    assert set(sessions) == {f"42/{each}" for each in conference.talks}
    assert set(await latest(topics.bootstrap, names.speakers, len(conference.people))) == {
        f"42/{each}" for each in conference.people
    }
    assert set(await latest(topics.bootstrap, names.mappings, 1)) == {"mapping/42"}


async def test_a_second_revision_sends_only_what_changed(topics: Topics) -> None:
    names = await topic_names(topics)
    first = Conference(
        name="C",
        timezone="UTC",
        talks={each: Talk(id=each, title=each) for each in ("kept", "edited", "removed")},
    )
    second = replace(first, talks={"kept": first.talks["kept"], "edited": Talk(id="edited", title="new")})
    writer = Writer(event=Event.of(first, event_id=42, org_id="org"), topics=names, deletion="null")
    async with Publisher(topics.bootstrap, writer) as publisher:
        assert await publisher.publish(first, at=AT) == 3
        assert await publisher.publish(second, at=AT + timedelta(seconds=1)) == 2
        assert publisher.published == second
    values = await latest(topics.bootstrap, names.sessions, 5)
    assert values["42/removed"] is None
    assert json.loads(values["42/edited"] or b"")["data"]["title"] == "new"
    assert json.loads(values["42/kept"] or b"")["metadata"]["action"] == "session.created"


async def test_publishing_outside_the_context_is_refused() -> None:
    conference = Conference(name="C", timezone="UTC", talks={"a": Talk(id="a", title="a")})
    publisher = Publisher("127.0.0.1:1", Writer(event=Event.of(conference, event_id=1, org_id="o")))
    with pytest.raises(RuntimeError, match="context manager"):
        await publisher.publish(conference, at=AT)
    assert publisher.published is None
