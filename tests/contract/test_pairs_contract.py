"""The register of pairs: one partner each, for ever, and on the changelog before it counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from consumer.domain.connections.pair import Pair, PairEnd, Partners
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.ports import Lease, org_subject
from tests.contract.bench import Bench
from tests.contract.conftest import MakeBench
from tests.support.builders import EVENT, NOW, ORG, SWOOGO_EVENT

PAIR = Pair(EVENT, SWOOGO_EVENT, ORG, mapped_at=NOW, epoch=1)


def held(org_id: str = ORG, epoch: int = 1) -> Lease:
    return Lease(org_subject(org_id), epoch, "op")


async def claimed(bench: Bench) -> None:
    assert await bench.pairs.claim(held(), EVENT, SWOOGO_EVENT, NOW) == PAIR


@pytest.mark.rule("M2")
async def test_a_pair_is_known_from_both_sides(bench: Bench) -> None:
    assert await bench.pairs.all() == {}
    assert await bench.pairs.pair(EVENT) is None
    assert await bench.pairs.partners(EVENT, SWOOGO_EVENT) == Partners()
    await claimed(bench)
    assert await bench.pairs.all() == {EVENT: PAIR}
    assert await bench.pairs.pair(EVENT) == PAIR
    assert await bench.pairs.partners(EVENT, SWOOGO_EVENT) == Partners(PAIR, PAIR)
    assert await bench.pairs.partners("other", SWOOGO_EVENT) == Partners(None, PAIR)
    assert await bench.pairs.partners(EVENT, 1) == Partners(PAIR, None)


@pytest.mark.rule("M3")
async def test_claiming_the_same_pair_again_is_granted_and_keeps_its_first_time(bench: Bench) -> None:
    await claimed(bench)
    assert await bench.pairs.claim(held(), EVENT, SWOOGO_EVENT, NOW + 5) == PAIR
    await bench.pairs.end(held(), EVENT, PairEnd.REMOVED, NOW + 6)
    ended = replace(PAIR, ended_at=NOW + 6, ended_by=PairEnd.REMOVED)
    assert await bench.pairs.pair(EVENT) == ended
    assert await bench.pairs.claim(held(), EVENT, SWOOGO_EVENT, NOW + 7) == PAIR


@pytest.mark.rule("M2")
@pytest.mark.parametrize(("event", "swoogo"), [(EVENT, 1), ("another", SWOOGO_EVENT)])
@pytest.mark.parametrize("org_id", [ORG, "somebody else"])
async def test_neither_partner_of_a_pair_gets_another_not_even_after_it_ended(
    bench: Bench, event: str, swoogo: int, org_id: str
) -> None:
    await claimed(bench)
    await bench.pairs.end(held(), EVENT, PairEnd.DISCONNECTED, NOW, era=NOW)
    assert await bench.pairs.claim(held(org_id, 9), event, swoogo, NOW) is None
    assert set(await bench.pairs.all()) == {EVENT}


@pytest.mark.rule("M1")
async def test_a_pair_is_of_one_organization_until_that_one_lets_it_go(bench: Bench) -> None:
    await claimed(bench)
    other = held("somebody else")
    assert await bench.pairs.claim(other, EVENT, SWOOGO_EVENT, NOW) is None
    await bench.pairs.end(other, EVENT, PairEnd.REMOVED, NOW)
    assert await bench.pairs.pair(EVENT) == PAIR, "another organization cannot end it"
    await bench.pairs.end(held(), EVENT, PairEnd.REMOVED, NOW)
    taken = await bench.pairs.claim(other, EVENT, SWOOGO_EVENT, NOW + 5)
    assert taken == replace(PAIR, org_id="somebody else")


async def test_ending_a_pair_that_is_not_there_is_harmless(bench: Bench) -> None:
    await bench.pairs.end(held(), EVENT, PairEnd.REMOVED, NOW)
    await bench.pairs.flush(held())
    assert await bench.pairs.all() == {}
    assert bench.pair_log.written == []


@pytest.mark.rule("X2")
async def test_a_disconnect_seals_what_it_ends_and_what_had_ended_before(bench: Bench) -> None:
    await claimed(bench)
    await bench.pairs.end(held(), EVENT, PairEnd.REMOVED, NOW + 1)
    await bench.pairs.end(held(), EVENT, PairEnd.DISCONNECTED, NOW + 2, era=NOW + 2)
    removed = replace(PAIR, ended_at=NOW + 1, ended_by=PairEnd.REMOVED, era=NOW + 2)
    assert await bench.pairs.pair(EVENT) == removed
    again = await bench.pairs.claim(held(), EVENT, SWOOGO_EVENT, NOW + 3)
    assert again == replace(PAIR, era=NOW + 2)


@pytest.mark.rule("G3")
async def test_an_older_disconnect_that_comes_again_changes_no_era(bench: Bench) -> None:
    await claimed(bench)
    for era in (NOW + 2, NOW + 1, NOW + 2):
        await bench.pairs.end(held(), EVENT, PairEnd.DISCONNECTED, NOW + 5, era=era)
    pair = await bench.pairs.pair(EVENT)
    assert pair is not None
    assert pair.era == NOW + 2


@pytest.mark.rule("G4")
async def test_a_worker_that_lost_the_organization_changes_no_pair(bench: Bench) -> None:
    assert await bench.pairs.claim(held(epoch=2), EVENT, SWOOGO_EVENT, NOW)
    with pytest.raises(LeaseLostError):
        await bench.pairs.end(held(epoch=1), EVENT, PairEnd.DISCONNECTED, NOW, era=NOW)
    with pytest.raises(LeaseLostError):
        await bench.pairs.claim(held(epoch=1), EVENT, SWOOGO_EVENT, NOW)
    assert await bench.pairs.pair(EVENT) == replace(PAIR, epoch=2)


@pytest.mark.rule("G4")
async def test_register_read_fences_former_holders(bench: Bench) -> None:
    """Also where it changed nothing: what it decided by must not change behind its back."""
    await bench.pairs.fence(held(epoch=2))
    await bench.pairs.fence(held("somebody else", 1))
    for work in (
        bench.pairs.claim(held(epoch=1), EVENT, SWOOGO_EVENT, NOW),
        bench.pairs.end(held(epoch=1), EVENT, PairEnd.REMOVED, NOW),
        bench.pairs.fence(held(epoch=1)),
    ):
        with pytest.raises(LeaseLostError):
            await work
    assert await bench.pairs.all() == {}
    assert await bench.pairs.claim(held(epoch=2), EVENT, SWOOGO_EVENT, NOW)


@pytest.mark.rule("M1", "G4")
async def test_old_lease_takes_no_pair_of_another_organization(bench: Bench) -> None:
    """A worker that lost the organization wakes when the event was with another one and is free again."""
    theirs = held("somebody else", 3)
    assert await bench.pairs.claim(held(epoch=2), EVENT, SWOOGO_EVENT, NOW)
    await bench.pairs.end(held(epoch=2), EVENT, PairEnd.REMOVED, NOW)
    assert await bench.pairs.claim(theirs, EVENT, SWOOGO_EVENT, NOW)
    await bench.pairs.end(theirs, EVENT, PairEnd.REMOVED, NOW)
    ended = await bench.pairs.pair(EVENT)
    with pytest.raises(LeaseLostError):
        await bench.pairs.claim(held(epoch=1), EVENT, SWOOGO_EVENT, NOW)
    assert await bench.pairs.pair(EVENT) == ended


@pytest.mark.rule("M2", "G6")
async def test_every_change_of_a_pair_is_on_the_changelog_after_a_flush(bench: Bench) -> None:
    await claimed(bench)
    assert bench.pair_log.written == []
    await bench.pairs.flush(held())
    await bench.pairs.end(held(), EVENT, PairEnd.REMOVED, NOW + 1)
    await bench.pairs.flush(held())
    await bench.pairs.flush(held())
    assert bench.pair_log.written == [PAIR, replace(PAIR, ended_at=NOW + 1, ended_by=PairEnd.REMOVED)]


@pytest.mark.rule("M2")
async def test_a_pair_whose_changelog_record_failed_is_flushed_by_the_next_worker(make_bench: MakeBench) -> None:
    here, there = make_bench(), make_bench()
    await claimed(here)
    here.pair_log.failures.append(UnavailableError("Kafka is away."))
    with pytest.raises(UnavailableError):
        await here.pairs.flush(held())
    await there.pairs.flush(held(epoch=2))
    assert there.pair_log.written == [PAIR]


@pytest.mark.rule("M2")
async def test_the_pairs_of_another_organization_are_that_one_s_to_flush(bench: Bench) -> None:
    """Two writers of one key could end with the older record last."""
    await claimed(bench)
    await bench.pairs.flush(held("somebody else"))
    assert bench.pair_log.written == []


async def ended(bench: Bench, org_id: str = ORG, event: str = EVENT, swoogo: int = SWOOGO_EVENT) -> Pair:
    await bench.pairs.claim(held(org_id), event, swoogo, NOW)
    await bench.pairs.end(held(org_id), event, PairEnd.REMOVED, NOW)
    pair = await bench.pairs.pair(event)
    assert pair is not None
    return pair


@pytest.mark.rule("M8")
@pytest.mark.parametrize(("event", "swoogo"), [(EVENT, 1), ("another", SWOOGO_EVENT), (EVENT, SWOOGO_EVENT)])
async def test_voided_pair_frees_both_partners(bench: Bench, event: str, swoogo: int) -> None:
    pair = await ended(bench)
    assert await bench.pairs.void(pair, NOW + 1, "the wrong one")
    assert await bench.pairs.all() == {}
    assert await bench.pairs.partners(EVENT, SWOOGO_EVENT) == Partners()
    taken = await bench.pairs.claim(held("somebody else"), event, swoogo, NOW + 2)
    assert taken == Pair(event, swoogo, "somebody else", mapped_at=NOW + 2, epoch=1, round=1)
    assert await bench.pairs.claim(held("somebody else"), "free", 99, NOW) == Pair(
        "free", 99, "somebody else", mapped_at=NOW, epoch=1
    )


@pytest.mark.rule("M8", "G6")
async def test_the_changelog_says_that_a_pair_is_voided_before_a_partner_is_free(bench: Bench) -> None:
    pair = await ended(bench)
    bench.pair_log.failures.append(UnavailableError("Kafka is away."))
    with pytest.raises(UnavailableError):
        await bench.pairs.void(pair, NOW + 1, "the wrong one")
    marked = await bench.pairs.pair(EVENT)
    assert marked == pair.voided(NOW + 1, "the wrong one")
    for event, swoogo in ((EVENT, SWOOGO_EVENT), (EVENT, 1), ("another", SWOOGO_EVENT)):
        assert await bench.pairs.claim(held(), event, swoogo, NOW + 2) is None
    assert await bench.pairs.void(marked, NOW + 9, "asked again")
    assert bench.pair_log.written == [marked]
    assert await bench.pairs.all() == {}


@pytest.mark.rule("M8")
async def test_a_pair_that_was_mapped_again_meanwhile_is_not_voided(bench: Bench) -> None:
    pair = await ended(bench)
    again = await bench.pairs.claim(held(), EVENT, SWOOGO_EVENT, NOW + 1)
    assert not await bench.pairs.void(pair, NOW + 2, "the wrong one")
    assert await bench.pairs.all() == {EVENT: again}


@pytest.mark.rule("M8", "X2")
async def test_a_disconnect_while_a_pair_is_voided_is_not_lost(bench: Bench) -> None:
    """It seals the pair that is there; the void is tried again with that."""
    pair = await ended(bench)
    await bench.pairs.flush(held())

    async def disconnect() -> None:
        await bench.pairs.end(held(epoch=2), EVENT, PairEnd.DISCONNECTED, NOW + 1, era=NOW + 1)

    bench.pair_log.during_write = disconnect
    assert not await bench.pairs.void(pair, NOW + 2, "the wrong one")
    sealed = await bench.pairs.pair(EVENT)
    assert sealed is not None
    assert (sealed.era, sealed.voided_at) == (NOW + 1, NOW + 2)
    assert await bench.pairs.void(sealed, NOW + 3, "asked again")


@pytest.mark.rule("M8")
async def test_rounds_grow_with_each_void(bench: Bench) -> None:
    for number in range(3):
        pair = await ended(bench)
        assert pair.round == number
        assert await bench.pairs.void(pair, NOW, "again")
    assert (await ended(bench, event="another")).round == 3


@pytest.mark.rule("M2")
async def test_of_many_that_want_one_swoogo_event_at_once_exactly_one_gets_it(make_bench: MakeBench) -> None:
    here, there = make_bench(), make_bench()
    answers = await asyncio.gather(
        *(
            side.pairs.claim(held(name), f"{name}-{number}", 99, NOW)
            for number in range(10)
            for name, side in (("here", here), ("there", there))
        )
    )
    [won] = [each for each in answers if each]
    assert await here.pairs.all() == {won.event_id: won}


@pytest.mark.rule("M2")
async def test_one_of_many_concurrent_partners_wins(bench: Bench) -> None:
    answers = await asyncio.gather(*(bench.pairs.claim(held(), EVENT, number, NOW) for number in range(1, 20)))
    [won] = [each for each in answers if each]
    assert await bench.pairs.all() == {EVENT: won}
    taken = [number for number in range(1, 20) if (await bench.pairs.partners("x", number)).of_swoogo_event]
    assert taken == [won.swoogo_event_id]
