"""The topic of issues: a record's issues appear, change and go, whatever breaks off in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Run, Trigger
from tests.contract.bench import Bench
from tests.contract.conftest import MakeBench
from tests.support.builders import EVENT, NOW, ORG, SWOOGO_EVENT, a_mapping

pytestmark = pytest.mark.rule("N2", "G1")

UNTITLED: Final = replace(Issue("session/s1", Code.MISSING_FIELD, field="title"), label="a session")
CLAMPED: Final = replace(Issue("session/s1", Code.MULTI_DAY_CLAMPED), label='"Talk"')
LINKS: Final = replace(Issue("speaker/c1#sessions", Code.REFUSED, detail="No."), label='a speaker of "Talk"')


@pytest.fixture
async def mapped(bench: Bench) -> Bench:
    """A bench with a pair in force."""
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    return bench


def a_run(identifier: str = "run", *, pair_ended: bool = False) -> Run:
    run = Run(identifier, EVENT, Trigger.CHANGES, NOW, ended=NOW + 5, outcome="completed")
    run.org_id, run.swoogo_event_id, run.pair_ended = ORG, SWOOGO_EVENT, pair_ended
    return run


def by_key(*issues: Issue) -> Mapping[str, Issue]:
    return {f"{each.key}|{each.code.value}|{each.field}": each for each in issues}


async def push(bench: Bench, *issues: Issue, pair_ended: bool = False) -> None:
    """A push that ends with these issues."""
    lease = await bench.leased()
    await bench.board.ended(a_run(pair_ended=pair_ended), by_key(*issues), lease)
    await bench.inbox.complete(lease, {})


def told(bench: Bench) -> dict[str, list[str]]:
    """What stands on the topic: key -> codes."""
    return {key: [each.code.value for each in record.issues] for key, record in bench.topic.open_issues.items()}


async def test_issues_of_a_record_appear_change_and_go(mapped: Bench) -> None:
    await push(mapped, UNTITLED, CLAMPED, LINKS)
    assert told(mapped) == {"ev/session/s1": ["missing_field", "multi_day_clamped"], "ev/speaker/c1": ["refused"]}
    assert len(mapped.topic.written) == 2
    await push(mapped, CLAMPED, LINKS)
    assert told(mapped) == {"ev/session/s1": ["multi_day_clamped"], "ev/speaker/c1": ["refused"]}
    assert len(mapped.topic.written) == 3
    await push(mapped)
    assert mapped.topic.written[3:] == [("ev/session/s1", None), ("ev/speaker/c1", None)]


async def test_what_did_not_change_is_not_published_again(mapped: Bench) -> None:
    """Nor what only the service knows: since when a change is parked, and by which fingerprint."""
    await push(mapped, LINKS, CLAMPED)
    await push(mapped, replace(LINKS, parked="another", at=7), CLAMPED)
    assert len(mapped.topic.written) == 2
    await push(mapped, replace(LINKS, label='a speaker of "Renamed"'), CLAMPED)
    assert [key for key, _ in mapped.topic.written[2:]] == ["ev/speaker/c1"]


async def test_what_only_operators_asked_for_is_not_published(mapped: Bench) -> None:
    await push(mapped, Issue("session/s1", Code.NOT_ADOPTED, detail="No."))
    assert mapped.topic.written == []
    assert len(await mapped.board.issues(EVENT)) == 1


@pytest.mark.parametrize("sent", [0, 1])
async def test_next_push_publishes_what_was_stored_and_not_published(mapped: Bench, sent: int) -> None:
    """Kafka failed, or the process ended, before any or after some of the records had arrived."""
    kept = await mapped.leased()
    mapped.topic.fail_after = sent
    with pytest.raises(UnavailableError):
        await mapped.board.ended(a_run(), by_key(CLAMPED, LINKS), kept)
    assert len(await mapped.board.issues(EVENT)) == 2
    await mapped.inbox.complete(kept, {})
    await push(mapped, CLAMPED, LINKS)
    assert told(mapped) == {"ev/session/s1": ["multi_day_clamped"], "ev/speaker/c1": ["refused"]}
    await push(mapped, CLAMPED, LINKS)
    assert len(mapped.topic.written) == sent + 2


async def test_what_may_be_on_the_topic_goes_also_when_its_publishing_broke_off(mapped: Bench) -> None:
    kept = await mapped.leased()
    mapped.topic.fail_after = 0
    with pytest.raises(UnavailableError):
        await mapped.board.ended(a_run(), by_key(CLAMPED), kept)
    await mapped.inbox.complete(kept, {})
    await push(mapped)
    assert mapped.topic.written == [("ev/session/s1", None)]


@pytest.mark.rule("M4", "X1")
async def test_of_a_pair_that_ended_nothing_stays(mapped: Bench) -> None:
    await push(mapped, CLAMPED, LINKS)
    await mapped.board.withdraw(EVENT)
    assert told(mapped) == {}
    await mapped.board.withdraw(EVENT)
    assert len(mapped.topic.written) == 4, "a second time there is nothing to withdraw"


@pytest.mark.rule("M4")
async def test_a_push_whose_pair_ended_meanwhile_withdraws_what_it_published(mapped: Bench) -> None:
    """The one who ends the pair withdraws before this push publishes."""
    lease = await mapped.leased()
    await mapped.connections.put_mapping(ORG, EVENT, None)
    await mapped.board.withdraw(EVENT)
    await mapped.board.ended(a_run(), by_key(CLAMPED), lease)
    assert told(mapped) == {}


@pytest.mark.rule("M4")
async def test_a_push_that_knows_that_its_pair_ended_publishes_nothing(mapped: Bench) -> None:
    await push(mapped, CLAMPED)
    await push(mapped, CLAMPED, LINKS, pair_ended=True)
    assert told(mapped) == {}
    assert [key for key, _ in mapped.topic.written] == ["ev/session/s1", "ev/session/s1"]


@pytest.mark.rule("M3")
async def test_a_pair_mapped_again_has_its_issues_published_again(mapped: Bench) -> None:
    await push(mapped, CLAMPED)
    await mapped.board.withdraw(EVENT)
    await push(mapped, CLAMPED)
    assert told(mapped) == {"ev/session/s1": ["multi_day_clamped"]}


@pytest.mark.rule("G4")
async def test_whoever_lost_the_lease_publishes_nothing(make_bench: MakeBench) -> None:
    bench = make_bench(lease=0.2)
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    late = await bench.leased()
    await bench.passed(0.25)
    await bench.leased()
    with pytest.raises(LeaseLostError):
        await bench.board.ended(a_run(), by_key(CLAMPED), late)
    assert bench.topic.written == []
