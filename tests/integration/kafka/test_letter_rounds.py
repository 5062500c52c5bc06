"""U5: dead letters chosen by reason and event; a dry run changes nothing; what fails again is left in the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.kafka.publish import KafkaDeadLetters, producer
from consumer.domain.errors import PoisonError
from consumer.ports import DeadLetter, RawRecord
from tests.integration.kafka.kafka_world import KafkaWorld
from tests.integration.kafka.letters import call, lettered, read
from tests.support.examples import valid_record

pytestmark = [pytest.mark.integration, pytest.mark.rule("U5"), pytest.mark.usefixtures("audit")]

BAD: Final = b"not json"


class Reader:
    """Reads the sessions topic on, as the service does: what it cannot read becomes a dead letter."""

    def __init__(self, kafka: KafkaWorld) -> None:
        self._kafka = kafka
        self._decoder = KafkaDecoder(kafka.topics, 1_000_000)
        self._next = 0

    async def read(self, count: int) -> int:
        """The next `count` records; how many of them were dead."""
        topics = self._kafka.topics
        found = (await self._kafka.read(topics.sessions, self._next + count))[self._next :]
        self._next += len(found)
        letters = []
        for each in found:
            record = RawRecord(
                topics.sessions, 0, each.offset, each.timestamp, each.key, each.value, tuple(each.headers)
            )
            try:
                self._decoder.peek(record)
            except PoisonError as error:
                letters.append(DeadLetter(record, error.reason, str(error)))
        sender = producer(self._kafka.settings)
        await sender.start()
        try:
            await KafkaDeadLetters(sender, topics.dead_letters, topics.mappings).put(letters)
        finally:
            await sender.stop()
        return len(letters)


async def dump(kafka: KafkaWorld) -> Mapping[str, list[tuple[Any, ...]]]:
    """Every record of the topics that a replay writes to."""
    counts = {kafka.topics.sessions: 4, kafka.topics.dead_letters: 4}
    found = {topic: await kafka.read(topic, count) for topic, count in counts.items()}
    return {topic: [(each.offset, each.key, each.value) for each in records] for topic, records in found.items()}


async def test_a_letter_that_fails_three_rounds_is_left_alone_until_it_is_asked_for_again(kafka: KafkaWorld) -> None:
    service = Reader(kafka)
    await kafka.send(BAD, keys=[b"7/a"])
    assert await service.read(1) == 1
    for rounds in range(3):
        (letter,) = (await read(kafka, "list"))["letters"]
        assert (letter["rounds"], letter["key"]) == (rounds, "7/a")
        (foreseen,) = (await read(kafka, "replay", "--code", "not_json", "--dry-run"))["letters"]
        assert foreseen["would"].startswith("Fail again with not_json: ")
        assert (await read(kafka, "replay", "--code", "not_json", "--yes"))["replayed"] == [letter["id"]]
        assert await service.read(1) == 1
    (letter,) = (await read(kafka, "list"))["letters"]
    assert letter["rounds"] == 3
    (foreseen,) = (await read(kafka, "replay", "--all", "--dry-run"))["letters"]
    assert (foreseen["outcome"], foreseen["would"]) == ("exhausted", "Nothing, it failed 3 times")
    left = await read(kafka, "replay", "--all", "--yes", code=1)
    assert (left["replayed"], left["exhausted"]) == ([], [letter["id"]])
    assert (await read(kafka, "list"))["open"] == 1
    assert (await call(kafka, "replay", "--all", "--yes", "--again")).exit_code == 2, "without a reason"
    done = await read(kafka, "replay", "--all", "--yes", "--again", "--reason", "Its publisher says that it is right.")
    assert done["replayed"] == [letter["id"]]


async def test_a_dry_run_says_what_each_would_do_and_changes_nothing(kafka: KafkaWorld) -> None:
    good = valid_record("sessions-scheduled").value or b""
    await lettered(kafka, [("1/a", BAD), ("2/b", BAD), ("3/c", b'{"consumer_secret": "clear"'), ("1/a", good)])
    before = await dump(kafka)
    shown = (await read(kafka, "replay", "--all", "--dry-run"))["letters"]
    assert {(each["offset"], each["outcome"]) for each in shown} == {
        (0, "newer"),
        (1, "fail"),
        (2, "lost"),
        (3, "fail"),
    }
    (only,) = (await read(kafka, "replay", "--event", "2", "--dry-run"))["letters"]
    assert only["offset"] == 1
    assert (await call(kafka, "replay", "--event", "2", "--older-than", "1h", "--dry-run")).exit_code == 1
    assert (await call(kafka, "discard", "--code", "not_json", "--dry-run")).exit_code == 0
    assert await dump(kafka) == before


@pytest.mark.parametrize("options", [(), ("--all", "--code", "not_json"), ("0:1", "--all")], ids=str)
async def test_letters_are_chosen_in_one_way(kafka: KafkaWorld, options: tuple[str, ...]) -> None:
    assert (await call(kafka, "replay", *options)).exit_code == 2
