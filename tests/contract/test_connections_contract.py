"""Credentials in use and event pairs: one partner each, for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.contract.bench import Bench
from tests.contract.conftest import MakeBench
from tests.support.builders import EVENT, ORG, SWOOGO_EVENT, a_connection, a_mapping


async def test_c1_an_organization_has_one_connection_which_is_replaced_as_a_whole(bench: Bench) -> None:
    assert await bench.connections.connection(ORG) is None
    await bench.connections.put_connection(ORG, a_connection())
    named = replace(a_connection(), sealed="", secret_name="mounted", continuous=False)
    await bench.connections.put_connection(ORG, named)
    assert await bench.connections.connection(ORG) == named
    assert await bench.connections.connection("another") is None
    await bench.connections.put_connection(ORG, None)
    assert await bench.connections.connection(ORG) is None


async def test_m1_m4_an_organization_has_many_pairs_and_ending_one_leaves_the_others(bench: Bench) -> None:
    for event in ("e1", "e2"):
        await bench.connections.put_mapping(ORG, event, a_mapping(event_id=event, sync_capacity=event == "e1"))
    await bench.connections.put_mapping("another", "e3", a_mapping(event_id="e3"))
    assert await bench.connections.mappings(ORG) == {
        "e1": a_mapping(event_id="e1", sync_capacity=True),
        "e2": a_mapping(event_id="e2"),
    }
    assert await bench.connections.mapping("e1") == a_mapping(event_id="e1", sync_capacity=True)
    await bench.connections.put_mapping(ORG, "e1", None)
    assert await bench.connections.mappings(ORG) == {"e2": a_mapping(event_id="e2")}
    assert await bench.connections.mapping("e1") is None


async def test_ending_a_pair_that_is_not_there_is_harmless(bench: Bench) -> None:
    await bench.connections.put_mapping(ORG, EVENT, None)
    await bench.connections.put_connection(ORG, None)
    assert await bench.connections.mappings(ORG) == {}


async def test_m3_claiming_the_same_pair_again_is_granted(bench: Bench) -> None:
    assert await bench.connections.claim_pair(EVENT, SWOOGO_EVENT)
    assert await bench.connections.claim_pair(EVENT, SWOOGO_EVENT)
    pairs = await bench.connections.pairs()
    assert (pairs.swoogo_of, pairs.event_of) == ({EVENT: SWOOGO_EVENT}, {SWOOGO_EVENT: EVENT})


@pytest.mark.parametrize(("event", "swoogo"), [(EVENT, 1), ("another", SWOOGO_EVENT)])
async def test_m2_neither_partner_of_a_pair_gets_another_not_even_after_it_ended(
    bench: Bench, event: str, swoogo: int
) -> None:
    await bench.connections.claim_pair(EVENT, SWOOGO_EVENT)
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    await bench.connections.put_mapping(ORG, EVENT, None)
    assert not await bench.connections.claim_pair(event, swoogo)
    assert (await bench.connections.pairs()).swoogo_of == {EVENT: SWOOGO_EVENT}


async def test_m2_of_many_that_want_one_swoogo_event_at_once_exactly_one_gets_it(make_bench: MakeBench) -> None:
    here, there = make_bench(), make_bench()
    answers = await asyncio.gather(
        *(
            side.connections.claim_pair(f"{name}-{number}", 99)
            for number in range(10)
            for name, side in (("here", here), ("there", there))
        )
    )
    assert sum(answers) == 1
    pairs = await here.connections.pairs()
    assert pairs.swoogo_of == {pairs.event_of[99]: 99}


async def test_m2_of_many_swoogo_events_wanted_for_one_event_at_once_exactly_one_is_had(bench: Bench) -> None:
    answers = await asyncio.gather(*(bench.connections.claim_pair(EVENT, number) for number in range(1, 20)))
    assert sum(answers) == 1
    assert len((await bench.connections.pairs()).event_of) == 1
