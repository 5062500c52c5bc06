"""G1, G3 under Kafka's own trouble, on a real one of the tests' own: nothing is lost, nothing applied wrongly.

Traffic goes on all the time: edits of a few sessions in turn, one record in fifty that no one can read. In the end the
last edit of every session must stand, every unreadable record be a dead letter, and everything be committed.
`make outages` stops the broker for 3, 25 and 60 seconds too.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from typing import Final

import pytest
from aiokafka.record import default_records
from redis.asyncio import Redis

from consumer.adapters.kafka import broker as timeouts
from consumer.adapters.kafka import reader
from consumer.adapters.kafka.consumer_health import ConsumerHealth
from consumer.domain import consumer_health as rule
from consumer.domain.errors import UnavailableError
from consumer.ports import Change, Inbox, Subject
from schemas.dead_letter import DeadLetterHeaders, Reason
from tests.integration.kafka.kafka_world import a_session_value
from tests.integration.kafka.outages import Breakable, Trouble, a_breakable_kafka
from tests.support.toxics import DOWNSTREAM, UPSTREAM, DropReply, ResetPeer, Timeout
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G1", "G3")]

OUTAGES: Final = [float(each) for each in os.environ.get("SWOOGO_SYNC_TEST_OUTAGES", "").split()]
"""Seconds that the broker is stopped. In any case there is a crash, and an outage beyond the session timeout."""
COMMIT: Final = b"\x00\x08"
"""An OffsetCommit request, after the four bytes of its length."""


@pytest.fixture(scope="module")
async def breakable() -> AsyncIterator[Breakable]:
    async with a_breakable_kafka() as kafka:
        yield kafka


@pytest.fixture
async def trouble(breakable: Breakable, redis: Redis) -> AsyncIterator[Trouble]:
    yield await breakable.world(redis)
    breakable.proxy.clear()


async def more(accepted: list[object], count: int = 60) -> None:
    """Wait until so many more records have been accepted."""
    target = len(accepted) + count
    await wait_until(lambda: len(accepted) >= target, f"{count} more records are accepted", 60)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("hard", "seconds"), [(True, 0.0), *((hard, each) for each in OUTAGES for hard in (False, True))]
)
async def test_a_broker_that_is_stopped_and_comes_back_with_its_data(
    trouble: Trouble, hard: bool, seconds: float
) -> None:
    """`hard`: as a crash does."""
    async with trouble.recording():
        async with trouble.traffic() as accepted:
            await more(accepted)
            await trouble.breakable.restart(hard=hard, away=seconds)
            await more(accepted)
        await trouble.nothing_lost()


async def test_outages_beyond_the_session_and_beyond_every_request(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute against the real timeouts, shortened: the members are thrown out (6 s), requests end unanswered (5 s).

    First the broker refuses connections, and another replica takes over; then it takes them and says nothing. Both are
    told within the time that readiness has, and no one has to be started again.
    """
    for name, value in (("_REQUEST_MS", 5_000), ("REBALANCE_MS", 4_000)):
        monkeypatch.setattr(timeouts, name, value)
    for name, seconds in (("SILENCE", 1.0), ("GRACE", 0.5)):
        monkeypatch.setattr(rule, name, seconds)
    proxy = trouble.breakable.proxy
    async with trouble.recording():
        pulse = ConsumerHealth(120.0)
        pulse.watch(trouble.broker)
        await wait_until(lambda: not pulse.waiting(), "the consumers read", 60)
        async with trouble.traffic() as accepted:
            await more(accepted)
            await proxy.down()
            async with trouble.replica(direct=True).recording():
                await more(accepted)  # it joined, so the members that are silent have been thrown out
                await wait_until(lambda: "is not in its group" in pulse.waiting(), "the outage is noticed", 60)
            await proxy.up()
            await wait_until(lambda: not pulse.waiting(), "the consumers are back", 60)
            await more(accepted)
            hole = [proxy.add(Timeout(), direction) for direction in (UPSTREAM, DOWNSTREAM)]
            await wait_until(lambda: "does not answer its fetches" in pulse.waiting(), "the silence is noticed", 60)
            await wait_until(lambda: "is not in its group" in pulse.waiting(), "heartbeats end unanswered", 60)
            assert all(each.hits for each in hole)
            proxy.clear()
            await wait_until(lambda: not pulse.waiting(), "the consumers are back", 60)
            await more(accepted)
        await trouble.nothing_lost()
        assert pulse.trouble() == ""


async def test_commits_that_fail_and_commits_whose_answer_is_lost(trouble: Trouble) -> None:
    """What was recorded is recorded again, which changes nothing; offsets are committed when it works again."""

    def commits(request: bytes) -> bool:
        return request[4:6] == COMMIT

    async with trouble.recording():
        async with trouble.traffic() as accepted:
            await more(accepted)
            refused = trouble.breakable.proxy.add(ResetPeer(match=commits, times=4), UPSTREAM)
            await wait_until(lambda: refused.hits == 4, "commits fail", 60)
            lost = trouble.breakable.proxy.add(DropReply(match=commits, times=4))
            await wait_until(lambda: lost.hits == 4, "answers of commits are lost", 60)
            await more(accepted)
        await trouble.nothing_lost()


async def test_members_that_come_and_go_all_the_time(trouble: Trouble) -> None:
    """A rebalance with every one of them, while batches fail and are rewound: they may be another member's by then."""
    other = trouble.replica()
    inbox = Unsteady(trouble.bench.inbox)
    async with trouble.recording(inbox):  # type: ignore[arg-type]
        async with trouble.traffic() as accepted:
            for _ in range(4):
                async with other.recording(inbox):  # type: ignore[arg-type]
                    await more(accepted, 30)
                await more(accepted, 10)
        await trouble.nothing_lost()
    assert inbox.failed


class Unsteady:
    """An inbox of which every third call fails, before it did anything or after it did everything."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.calls = 0
        self.failed = 0

    async def record(self, subject: Subject, changes: Sequence[Change]) -> int:
        """See `ports.Inbox`."""
        self.calls += 1
        if self.calls % 6 == 3:
            self.failed += 1
            raise UnavailableError("Redis did not answer.")
        news = await self._inbox.record(subject, changes)
        if self.calls % 6 == 0:
            self.failed += 1
            raise UnavailableError("Redis did not answer.")
        return news

    def __getattr__(self, name: str) -> object:
        return getattr(self._inbox, name)


async def test_a_coordinator_that_moves_away_is_found_again(trouble: Trouble) -> None:
    """Connections are cut again and again while batches are recorded and offsets committed."""
    async with trouble.recording():
        async with trouble.traffic() as accepted:
            for _ in range(6):
                await more(accepted, 20)
                await trouble.breakable.proxy.reset()
        await trouble.nothing_lost()


async def test_a_topic_that_is_deleted_and_made_again_is_read_from_its_start(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offsets begin at 0 again, below those that were committed."""
    monkeypatch.setattr(timeouts, "_METADATA_MS", 500)
    async with trouble.recording():
        await trouble.edits(100)
        await trouble.nothing_lost()
        await trouble.delete(trouble.topics.sessions)
        await trouble.create(trouble.topics.sessions)
        await trouble.edits(30)
        await trouble.nothing_lost()


async def test_recreated_topic_beyond_the_old_offsets_is_read_whole(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For less than the session timeout: the member and its position stay, and the position means another topic."""
    monkeypatch.setattr(reader, "_EVERY_SECONDS", 0.5)
    trouble.settings = trouble.settings.model_copy(update={"session_timeout": 60})
    async with trouble.recording():
        await trouble.edits(20)
        await trouble.nothing_lost()
        [before] = await trouble.places()
        await trouble.breakable.proxy.down()
        await trouble.make_anew(trouble.topics.sessions, 60)
        await trouble.breakable.proxy.up()
        await trouble.nothing_lost()

        async def of_the_new_topic() -> bool:
            return [place.of for place in await trouble.places()] not in ([], [before.of])

        await wait_until(of_the_new_topic, "what is committed says so, for a rebuild", 30)


async def test_a_commit_on_a_topic_made_again_hides_nothing_from_the_next_start(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends before it has looked: what it committed says that it is of the topic of before."""
    monkeypatch.setattr(reader, "_EVERY_SECONDS", 3_600.0)
    trouble.settings = trouble.settings.model_copy(update={"session_timeout": 60})
    async with trouble.recording():
        await trouble.edits(20)
        await trouble.nothing_lost()
        await trouble.breakable.proxy.down()
        await trouble.make_anew(trouble.topics.sessions, 60)
        await trouble.breakable.proxy.up()
        await trouble.all_committed()
        assert len(await trouble.sessions()) == 40  # of 60: the first twenty were passed over, and 60 is committed
    async with trouble.recording():
        await trouble.nothing_lost()


async def test_a_topic_made_again_while_nobody_reads_is_read_whole(trouble: Trouble) -> None:
    """However far it was filled: Kafka forgets a group's offsets with the topic."""
    async with trouble.recording():
        await trouble.edits(20)
        await trouble.nothing_lost()
    await trouble.make_anew(trouble.topics.sessions, 60)
    async with trouble.recording():
        await trouble.nothing_lost()


async def test_an_offset_that_an_operator_set_is_where_reading_goes_on(trouble: Trouble) -> None:
    """It says nothing of the topic, and is believed."""
    await trouble.edits(20)
    await trouble.set_offset(trouble.topics.sessions, 15)
    async with trouble.recording():
        await trouble.all_committed()
        assert set(await trouble.sessions()) == {f"s{number}" for number in range(15, 20)}


async def test_partitions_that_are_added_are_read_from_their_start(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys move to other partitions: an older edit may be read after a newer one, and changes nothing."""
    monkeypatch.setattr(timeouts, "_METADATA_MS", 500)
    async with trouble.recording():
        async with trouble.traffic() as accepted:
            await more(accepted)
            await trouble.grow(trouble.topics.sessions, 4)
            await more(accepted, 100)
        await trouble.nothing_lost()
        assert len({partition for _, partition, _ in trouble.placed}) == 4


async def test_unreadable_codec_stops_its_topic_and_loses_nothing(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiokafka reports it for ever and goes no further; here readiness says so, and the process ends in time."""
    monkeypatch.setattr(rule, "GRACE", 0.5)
    await trouble.edits(10, compression="zstd")
    with monkeypatch.context() as without:
        without.setattr(default_records.codecs, "has_zstd", lambda: False)
        async with trouble.recording():
            pulse = ConsumerHealth(2.0)
            pulse.watch(trouble.broker)
            await wait_until(lambda: "UnsupportedCodecError" in pulse.waiting(), "it is told", 30)
            assert trouble.topics.sessions in pulse.waiting()
            await wait_until(lambda: "is lost for" in pulse.trouble(), "the process would end", 30)
            assert [topic for topic, wrong in pulse.topics().items() if wrong] == [trouble.topics.sessions]
        assert (await trouble.committed())[0] == 0
    async with trouble.recording():
        await trouble.nothing_lost()


async def test_one_bad_record_in_five_hundred(trouble: Trouble) -> None:
    """One batch: 499 are applied, the one is a dead letter that says where it comes from and what is wrong."""
    values = [a_session_value(f"s{number}", title=f"Talk {number}") for number in range(499)]
    values.insert(321, b'{"data": {"id": "s321"')
    async with trouble.recording():
        await trouble.send(*values)
        await trouble.all_committed()
        assert await trouble.sessions() == {f"s{number}": f"Talk {number}" for number in range(499)}
        [letter] = await trouble.read(trouble.topics.dead_letters, 1)
    told = DeadLetterHeaders.from_headers(letter.headers)
    assert (told.origin_topic, told.origin_partition, told.origin_offset) == (trouble.topics.sessions, 0, 321)
    assert (told.reason, letter.value) == (Reason.NOT_JSON, values[321])
