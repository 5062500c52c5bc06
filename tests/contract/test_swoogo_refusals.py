"""Refusals, expired tokens, lost answers and full windows, on the client and on the fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from consumer.domain.connections.connection import IntegrationRequest
from consumer.domain.errors import CredentialError, MissingError, RefusedError, UnansweredError, UnavailableError
from consumer.domain.records.identity import Kind
from consumer.ports import Swoogo, Work
from sandbox.swoogo import Switches
from tests.contract.swoogo_bench import (
    GUESSES,
    SESSION,
    SPEAKER,
    SPEAKER_FIELDS,
    TRACK,
    WORK,
    Bench,
    a_bench,
    sessions_of,
)
from tests.unit.adapters.swoogo.world import KEY, a_work


@pytest.fixture(params=GUESSES, ids=[name for name, _, _ in GUESSES])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """The client and the sandbox under one guess."""
    _, switches, settings = request.param
    async with a_bench(switches, **settings) as made:
        yield made


@pytest.mark.rule("M6")
async def test_an_event_of_somebody_else_is_missing(bench: Bench) -> None:
    """swoogo-api.md 11.2: 404 also means not accessible."""
    assert await bench.swoogo.event_timezone(WORK) == "Asia/Tokyo"
    for event_id in (99, 12345):
        with pytest.raises(MissingError):
            await bench.swoogo.event_timezone(a_work(event_id=event_id))


@pytest.mark.rule("D2")
async def test_a_record_that_is_gone_is_missing(bench: Bench) -> None:
    bench.sandbox.delete("sessions", SESSION)
    with pytest.raises(MissingError):
        await bench.swoogo.update(WORK, Kind.SESSION, SESSION, {"name": "Keynote"})


async def test_a_refused_value_names_our_field(bench: Bench) -> None:
    """swoogo-api.md 4: 422 with an array."""
    with pytest.raises(RefusedError) as caught:
        await bench.swoogo.update(WORK, Kind.SESSION, SESSION, {"name": "Keynote", "location": "77"})
    assert (caught.value.field, str(caught.value)) == ("location", "Location id is invalid.")


@pytest.mark.rule("P2")
async def test_a_second_speaker_with_an_email_may_be_refused() -> None:
    """swoogo-api.md 8.3; no address in the sentence."""
    async with a_bench(Switches(speaker_email_unique="refused")) as bench:
        with pytest.raises(RefusedError) as caught:
            await bench.swoogo.create(WORK, Kind.SPEAKER, SPEAKER_FIELDS | {"email": "BOB@example.com"}, "op")
        assert caught.value.field == "email"
        assert "example.com" not in str(caught.value)


@pytest.mark.rule("R5")
async def test_a_field_that_swoogo_dropped_is_named() -> None:
    """swoogo-api.md 2.2: unwritable fields are dropped without an error."""
    async with a_bench() as bench:
        bench.sandbox.add_faults([{"match": {"path": "update"}, "do": {"drop_field": "start_time"}}])
        fields = {"name": "Keynote", "start_time": "09:00:00"}
        written = await bench.swoogo.update(WORK, Kind.SESSION, SESSION, fields)
        assert written.not_applied == ("start_time",)
        assert written.seen["start_time"] == ""


async def test_an_expired_token_is_replaced(bench: Bench) -> None:
    """swoogo-api.md 1: 30 minutes, then 401."""
    await bench.swoogo.event_timezone(WORK)
    bench.sandbox.expire_tokens()
    await bench.swoogo.create(WORK, Kind.TRACK, {"name": "Side"}, "op")
    assert bench.sandbox.stats()["creates"] == {"tracks": 1}
    assert bench.sandbox.stats()["by_route"]["POST /oauth2/token"]["calls"] == 2
    bench.clock.ms += 1_800_000
    await bench.swoogo.event_timezone(WORK)
    assert bench.sandbox.stats()["by_status"].get("401", 0) == 1


async def test_many_calls_side_by_side_need_one_token(bench: Bench) -> None:
    names = [{"name": f"T{n}"} for n in range(50)]
    made = await asyncio.gather(*(bench.swoogo.create(WORK, Kind.TRACK, fields, "op") for fields in names))
    assert len({written.swoogo_id for written in made}) == 50
    assert bench.sandbox.stats()["by_route"]["POST /oauth2/token"]["calls"] == 1


@pytest.mark.rule("C3")
async def test_credentials_are_tried(bench: Bench) -> None:
    check = bench.client.credentials
    await check.verify(IntegrationRequest("org-1", connected=True, secret_name=KEY))
    bench.verified += 1
    with pytest.raises(CredentialError):
        await check.verify(IntegrationRequest("org-1", connected=True, secret_name="nobody"))


Write = Callable[[Swoogo], Awaitable[Any]]


async def a_create(swoogo: Swoogo) -> Any:
    return await swoogo.create(WORK, Kind.TRACK, {"name": "Side"}, "op")


async def an_update(swoogo: Swoogo) -> Any:
    return await swoogo.update(WORK, Kind.TRACK, TRACK, {"name": "Side"})


async def a_link(swoogo: Swoogo) -> Any:
    return await swoogo.link(WORK, SPEAKER, [SESSION])


FAULTS = [
    {"drop": "before"},
    {"drop": "after"},
    {"status": 500},
    {"status": 503, "effect": True},
    {"html": True},
    {"html": True, "status": 200},
    {"half_json": True},
    {"deep_json": True},
]


@pytest.mark.rule("G2")
@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_create_without_an_answer_is_sent_once(fault: dict[str, Any]) -> None:
    """Whether it happened or not, one call was made; the list tells."""
    async with a_bench() as bench:
        await bench.swoogo.event_timezone(WORK)
        bench.sandbox.add_faults([{"match": {"path": "create"}, "times": None, "do": fault}])
        with pytest.raises(UnansweredError):
            await a_create(bench.swoogo)
        calls = bench.sandbox.stats()["by_route"]["POST /tracks/create"]["calls"]
        assert calls == 1
        found = await bench.swoogo.list(WORK, Kind.TRACK, {})
        assert len(found.matching("side")) == bench.sandbox.stats()["creates"].get("tracks", 0)


@pytest.mark.rule("G2")
async def test_an_empty_answer_to_a_create_is_no_answer() -> None:
    async with a_bench() as bench:
        bench.sandbox.add_faults([{"match": {"path": "create"}, "do": {"empty": True}}])
        with pytest.raises(UnansweredError):
            await a_create(bench.swoogo)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("write", [an_update, a_link])
@pytest.mark.parametrize("duplicates", ["ok", "refused"])
async def test_what_is_safe_to_repeat_survives_one_blip(write: Write, fault: dict[str, Any], duplicates: Any) -> None:
    """Also when the first sending took effect and a link may not be made twice (swoogo-api.md 8.4)."""
    async with a_bench(Switches(link_duplicate=duplicates)) as bench:
        await bench.swoogo.event_timezone(WORK)
        bench.sandbox.add_faults([{"match": {"path": "update|session$"}, "do": fault}])
        await write(bench.swoogo)
        if write is a_link:
            assert sessions_of(bench) == [SESSION]
        else:
            assert bench.record("tracks", TRACK)["name"] == "Side"


async def test_a_server_that_hangs_is_given_up() -> None:
    """swoogo-api.md 11.2: one run waited 858 seconds."""
    async with a_bench(deadline=0.5) as bench:
        await bench.swoogo.event_timezone(WORK)
        bench.sandbox.add_faults([{"match": {"path": "tracks"}, "times": None, "do": {"hang": True}}])
        with pytest.raises(UnansweredError):
            await a_create(bench.swoogo)
        with pytest.raises(UnavailableError):
            await an_update(bench.swoogo)


@pytest.mark.rule("G5")
async def test_when_the_window_is_used_up_the_call_waits_and_goes_through(bench: Bench) -> None:
    """swoogo-api.md 3: 429 until X-Rate-Limit-Reset."""
    bench.sandbox.configure(limit=3, window=60)
    throttled = bench.budget.throttled

    async def hold(grant: Any, reset: float) -> None:
        await throttled(grant, reset)
        bench.clock.ms += round(reset * 1000)

    bench.budget.throttled = hold  # type: ignore[method-assign]
    for number in range(6):
        await bench.swoogo.create(WORK, Kind.TRACK, {"name": f"T{number}"}, "op")
    assert bench.sandbox.stats()["creates"] == {"tracks": 6}
    assert bench.sandbox.stats()["refused_429"] >= 1


@pytest.mark.rule("M1")
async def test_an_organization_cannot_reach_the_records_of_another(bench: Bench) -> None:
    stranger: Work = a_work(key="stranger")
    with pytest.raises((MissingError, RefusedError)):
        await bench.swoogo.update(stranger, Kind.TRACK, TRACK, {"name": "Mine"})
    assert bench.record("tracks", TRACK)["name"] == "Main"
