"""Sponsorship levels of the Swoogo port, on the real client against the sandbox (swoogo-api.md 9.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import httpx
import pytest
from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.tokens import RedisTokens
from consumer.adapters.sealing import KeyPair, TokenCipher
from consumer.adapters.swoogo.choices import Choices
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.errors import RefusedError, UnansweredError, UnavailableError
from consumer.domain.records.identity import Kind
from consumer.settings import SwoogoSettings
from sandbox.swoogo import Credential, SandboxSwoogo, Switches, create_app
from tests.contract.swoogo_bench import GOLD, WORK, a_bench
from tests.support.fakes import InMemoryCircuits
from tests.unit.adapters.swoogo.world import EVENT, KEY, SECRET, MemoryBudget, a_work, open_credentials

pytestmark = pytest.mark.rule("O1")

OTHER_KEY = "other-key"
CHANGED: Any = {
    "text_unicode": "nfc",
    "text_spaces": "folded",
    "text_tags": "stripped",
    "text_ampersand": "escaped",
    "text_astral": "dropped",
    "text_length": "cut",
}
"""Swoogo stores names in every other form at once."""


def levels(sandbox: SandboxSwoogo) -> list[str]:
    """Names of all levels of the account, oldest first."""
    return [level["value"] if "value" in level else level["name"] for level in sandbox.state()["levels"]["main"]]


async def test_a_missing_level_is_added_and_the_others_stay() -> None:
    """The list tells ids, and the new one is among them."""
    async with a_bench() as bench:
        [gold] = (await bench.swoogo.list(WORK, Kind.LEVEL, {})).rows
        silver = (await bench.swoogo.create(WORK, Kind.LEVEL, {"name": "Silver"}, "op")).swoogo_id
        assert levels(bench.sandbox) == [GOLD, "Silver"]
        listed = await bench.swoogo.list(WORK, Kind.LEVEL, {})
        assert {number: row.natural for number, row in listed.rows.items()} == {gold: "gold", silver: "silver"}


@pytest.mark.parametrize("name", ["Gold", "gold", " GOLD "])
async def test_a_level_that_is_there_is_found_however_it_is_written(name: str) -> None:
    """Matched trimmed and without regard to case."""
    async with a_bench() as bench:
        [gold] = (await bench.swoogo.list(WORK, Kind.LEVEL, {})).rows
        assert (await bench.swoogo.create(WORK, Kind.LEVEL, {"name": name}, "op")).swoogo_id == gold
        assert levels(bench.sandbox) == [GOLD]


async def test_of_several_levels_with_one_name_the_oldest_is_used() -> None:
    """swoogo-api.md 9.2: duplicate names exist."""
    async with a_bench() as bench:
        field = bench.sandbox.seed(
            {"fields": [{"resource": "sponsors", "attribute": "level", "choices": ["Tin", GOLD, "gold", "Tin"]}]}
        )
        assert field
        held = (await bench.swoogo.list(WORK, Kind.LEVEL, {})).matching("tin")
        made = await bench.swoogo.create(WORK, Kind.LEVEL, {"name": "tin"}, "op")
        assert made.swoogo_id == min(row.id for row in held)


@pytest.mark.rule("R3")
async def test_looking_costs_eleven_credits_once_and_one_afterwards() -> None:
    """The list of fields is read once; the field itself each time; adding is a look and a write."""
    async with a_bench() as bench:
        await bench.swoogo.event_timezone(WORK)
        spent = []
        for call in (
            bench.swoogo.list(WORK, Kind.LEVEL, {}),
            bench.swoogo.list(WORK, Kind.LEVEL, {}),
            bench.swoogo.create(WORK, Kind.LEVEL, {"name": "Silver"}, "op"),
            bench.swoogo.create(WORK, Kind.LEVEL, {"name": "Silver"}, "op"),
        ):
            before = bench.credits()
            await call
            spent.append(bench.credits() - before)
        assert spent == [11, 1, 2, 1]


@pytest.mark.rule("G2")
@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 503, "effect": True}, {"half_json": True}])
async def test_a_level_whose_answer_was_lost_is_not_added_twice(fault: dict[str, Any]) -> None:
    """The next push looks before adding; a blip inside one call is no second choice either."""
    async with a_bench() as bench:
        await bench.swoogo.list(WORK, Kind.LEVEL, {})
        bench.sandbox.add_faults([{"match": {"method": "PUT", "path": "field"}, "do": fault}])
        await bench.swoogo.create(WORK, Kind.LEVEL, {"name": "Silver"}, "op")
        assert levels(bench.sandbox).count("Silver") == 1


@pytest.mark.rule("G2")
async def test_a_level_that_may_come_late_is_not_added_again_at_once() -> None:
    """No answer and nothing to be seen: the next plan waits until it is settled."""
    async with a_bench(deadline=0.5) as bench:
        await bench.swoogo.list(WORK, Kind.LEVEL, {})
        bench.sandbox.add_faults([{"match": {"method": "PUT", "path": "field"}, "times": None, "do": {"hang": True}}])
        with pytest.raises(UnansweredError):
            await bench.swoogo.create(WORK, Kind.LEVEL, {"name": "Silver"}, "op")
        assert levels(bench.sandbox) == [GOLD]


@pytest.mark.rule("G2")
@pytest.mark.parametrize("look", [None, {"status": 503}], ids=["seen to be missing", "not seen"])
async def test_while_a_level_may_come_late_no_other_event_adds_it(look: dict[str, Any] | None) -> None:
    """Intents are an event's, levels are the account's; the lock is kept until the call is settled."""
    async with a_bench(deadline=0.5) as bench:
        await bench.swoogo.list(WORK, Kind.LEVEL, {})
        rules: list[dict[str, Any]] = [{"match": {"method": "PUT", "path": "field"}, "do": {"hang": True}}]
        if look:
            match = {"method": "GET", "path": "field", "nth": 2}
            rules.append({"match": match, "times": None, "do": look})
        bench.sandbox.add_faults(rules)
        with pytest.raises(UnansweredError):
            await bench.swoogo.create(WORK, Kind.LEVEL, {"name": "Silver"}, "op")
        bench.sandbox.clear_faults()
        other = a_work(event_id=EVENT)
        with pytest.raises(UnavailableError):
            await bench.swoogo.create(other, Kind.LEVEL, {"name": "Silver"}, "op")
        bench.clock.ms += 120_000
        await bench.swoogo.create(other, Kind.LEVEL, {"name": "Silver"}, "op")
        assert levels(bench.sandbox) == [GOLD, "Silver"]


@pytest.mark.rule("G5")
async def test_whoever_waits_for_credits_keeps_the_lock() -> None:
    """Between looking and adding a whole window may pass; no one else adds the level meanwhile."""
    async with a_bench() as bench:
        await bench.swoogo.list(WORK, Kind.LEVEL, {})
        permit, asked = bench.budget.permit, 0

        async def held_up(work: Any, cost: int, seconds: float) -> Any:
            nonlocal asked
            asked += 1
            if asked == 2:  # the first is the look
                bench.clock.ms += 600_000
                with pytest.raises(UnavailableError):
                    await bench.swoogo.create(a_work(event_id=EVENT), Kind.LEVEL, {"name": "Silver"}, "op")
            return await permit(work, cost, seconds)

        bench.budget.permit = held_up  # type: ignore[method-assign]
        await bench.swoogo.create(WORK, Kind.LEVEL, {"name": "Silver"}, "op")
        assert levels(bench.sandbox) == [GOLD, "Silver"]


@pytest.mark.rule("E6")
async def test_without_a_level_field_the_levels_are_refused_with_a_sentence() -> None:
    """The sponsors themselves can still sync."""
    async with a_bench() as bench:
        bench.sandbox.add_faults(
            [{"match": {"path": "sponsors/fields"}, "times": None, "do": {"status": 200, "body": {"items": []}}}]
        )
        with pytest.raises(RefusedError) as caught:
            await bench.swoogo.list(WORK, Kind.LEVEL, {})
        assert caught.value.field == "level"


@pytest.fixture
async def replicas(redis: Redis) -> AsyncIterator[tuple[SandboxSwoogo, list[SwoogoClient]]]:
    """One account with two events and two credentials, and two clients that share nothing but Redis."""
    sandbox = SandboxSwoogo(latency_ms=20, credentials=[Credential(KEY, SECRET), Credential(OTHER_KEY, SECRET)])
    sandbox.seed({"events": [{"id": each, "name": "C", "timezone": "Asia/Tokyo"} for each in (EVENT, EVENT + 1)]})
    cipher = TokenCipher(KeyPair.generate().private)
    clients = [
        SwoogoClient(
            SwoogoSettings(),
            MemoryBudget(),
            RedisTokens(redis, Keys("levels-test"), Scripts(redis), cipher),
            SystemClock(),
            open_credentials,
            InMemoryCircuits(SystemClock()),
            httpx.ASGITransport(app=create_app(sandbox)),
        )
        for _ in range(2)
    ]
    yield sandbox, clients
    for client in clients:
        await client.aclose()


@pytest.mark.rule("G4")
@pytest.mark.parametrize("keys", [(KEY, KEY), (KEY, OTHER_KEY)], ids=["one credential", "two credentials"])
async def test_two_workers_on_two_events_of_one_account_never_double_a_level(
    replicas: tuple[SandboxSwoogo, list[SwoogoClient]], keys: tuple[str, str]
) -> None:
    """Levels belong to the account; the lock that replicas share in Redis makes adding one at a time."""
    sandbox, clients = replicas
    names = [f"Level {number}" for number in range(4)]
    made = await asyncio.gather(
        *(
            client.create(a_work(event_id=EVENT + number, key=keys[number]), Kind.LEVEL, {"name": name}, "op")
            for name in names
            for number, client in enumerate(clients)
        )
    )
    assert sorted(levels(sandbox)) == names
    assert len({written.swoogo_id for written in made}) == len(names)


@pytest.mark.rule("G2")
@pytest.mark.parametrize("name", ["R&D", "<b>Tin</b>", "Tin \U0001f600", "Cafe\u0301  bar", "x" * 200])
@pytest.mark.parametrize("id_only", [False, True])
async def test_the_level_that_was_added_is_known_whatever_is_stored(name: str, id_only: bool) -> None:
    """The one that is new in the answer."""
    answer: Literal["id_only", "full"] = "id_only" if id_only else "full"
    async with a_bench(Switches(**CHANGED, create_answer=answer)) as bench:
        made = await bench.swoogo.create(WORK, Kind.LEVEL, {"name": name}, "op")
        listed = await bench.swoogo.list(WORK, Kind.LEVEL, {})
        assert max(listed.rows) == made.swoogo_id
        assert len(levels(bench.sandbox)) == 2


@pytest.mark.parametrize("name", ["R&D", "<b>Tin</b>", "Cafe\u0301  bar"])
async def test_another_event_of_the_account_finds_a_level_stored_otherwise(name: str) -> None:
    """It has no ledger entry of it."""
    async with a_bench(Switches(**CHANGED)) as bench:
        made = [await bench.swoogo.create(WORK, Kind.LEVEL, {"name": name}, "op") for _ in range(2)]
        assert made[0].swoogo_id == made[1].swoogo_id
        assert len(levels(bench.sandbox)) == 2


@pytest.mark.rule("G2")
async def test_of_several_new_levels_under_other_names_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody adds one in the same moment; which is ours is for the next look, or a person."""
    async with a_bench(Switches(**CHANGED)) as bench:
        switches = bench.sandbox.settings.switches
        await bench.swoogo.list(WORK, Kind.LEVEL, {})

        def add_one(name: str) -> None:
            backend = bench.sandbox._backend
            backend.definitions.add_choice(backend.definitions.of("main", "sponsors")["level"], name)

        reads = Choices.read

        async def read(choices: Choices, work: Any, which: Any) -> Any:
            field = await reads(choices, work, which)
            add_one("By hand")
            return field

        monkeypatch.setattr(Choices, "read", read)
        assert switches.text_ampersand == "escaped"
        with pytest.raises(UnansweredError, match="under another name"):
            await bench.swoogo.create(WORK, Kind.LEVEL, {"name": "Q & \U0001f600"}, "op")
