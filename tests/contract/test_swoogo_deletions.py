"""Deletions of the Swoogo port, on the real client against the sandbox, under both guesses about their path."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.domain.errors import MissingError, RefusedError
from consumer.domain.records.identity import Kind
from sandbox.swoogo import Switches
from tests.contract.swoogo_bench import OTHER, SESSION, SPEAKER, WORK, Bench, a_bench

pytestmark = pytest.mark.rule("D4")

GUESSES = [
    pytest.param(Switches(delete_path=path, delete_status=status), {"delete_path": path}, id=f"{path}-{status}")
    for path in ("action", "rest")
    for status in (204, 200)
]


def ids(bench: Bench, kind: str) -> set[int]:
    return {row["id"] for row in bench.sandbox.state()[kind]}


@pytest.mark.parametrize(("switches", "settings"), GUESSES)
async def test_a_record_is_deleted_for_one_credit(switches: Switches, settings: dict[str, Any]) -> None:
    """swoogo-api.md 2.1: path and answer are guesses."""
    async with a_bench(switches, **settings) as bench:
        await bench.swoogo.event_timezone(WORK)
        before = bench.credits()
        await bench.swoogo.delete(WORK, Kind.SESSION, SESSION)
        await bench.swoogo.delete(WORK, Kind.SPEAKER, SPEAKER)
        assert bench.credits() - before == 2
        assert SESSION not in ids(bench, "sessions")
        assert SPEAKER not in ids(bench, "speakers")
        assert OTHER in ids(bench, "sessions")


@pytest.mark.parametrize(("switches", "settings"), GUESSES)
async def test_what_is_not_there_is_deleted(switches: Switches, settings: dict[str, Any]) -> None:
    """A 404 is believed after a look at the record itself."""
    async with a_bench(switches, **settings) as bench:
        bench.sandbox.delete("sessions", SESSION)
        await bench.swoogo.delete(WORK, Kind.SESSION, SESSION)
        assert bench.sandbox.stats()["by_route"]["GET /sessions/{id}"]["calls"] == 1


@pytest.mark.parametrize(("switches", "settings"), GUESSES)
async def test_a_session_with_registrants_is_kept_by_a_rule(switches: Switches, settings: dict[str, Any]) -> None:
    """swoogo-api.md 7.5."""
    async with a_bench(switches, **settings) as bench:
        bench.sandbox.register(SESSION)
        with pytest.raises(RefusedError, match="registrants") as caught:
            await bench.swoogo.delete(WORK, Kind.SESSION, SESSION)
        assert (caught.value.rule, caught.value.permission) == (True, False)
        assert SESSION in ids(bench, "sessions")


@pytest.mark.parametrize("path", ["action", "rest"])
@pytest.mark.parametrize("kind", [Kind.SESSION, Kind.SPEAKER])
async def test_a_wrong_guess_about_the_path_is_an_error_and_never_a_deletion(path: Any, kind: Kind) -> None:
    """Believed, its 404 would have the record forgotten here and created a second time later."""
    wrong = "rest" if path == "action" else "action"
    async with a_bench(Switches(delete_path=path), delete_path=wrong) as bench:
        with pytest.raises(RefusedError) as caught:
            await bench.swoogo.delete(WORK, kind, SESSION if kind is Kind.SESSION else SPEAKER)
        assert not caught.value.rule
        assert not isinstance(caught.value, MissingError)
        assert SESSION in ids(bench, "sessions")


async def test_a_record_of_somebody_else_is_not_taken_for_deleted() -> None:
    """swoogo-api.md 11.2: 403 where the record is not accessible."""
    async with a_bench(Switches(not_found_status=403)) as bench:
        made = bench.sandbox.create("sessions", {"event_id": 99, "name": "Theirs"})["id"]
        with pytest.raises(RefusedError) as caught:
            await bench.swoogo.delete(WORK, Kind.SESSION, made)
        assert (caught.value.rule, caught.value.permission) == (False, True)


@pytest.mark.rule("G1")
@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 503, "effect": True}, {"html": True}])
async def test_a_deletion_whose_answer_was_lost_is_repeated(fault: dict[str, Any]) -> None:
    """It is safe to do twice."""
    async with a_bench() as bench:
        await bench.swoogo.event_timezone(WORK)
        bench.sandbox.add_faults([{"match": {"path": "delete"}, "do": fault}])
        await bench.swoogo.delete(WORK, Kind.SESSION, SESSION)
        assert SESSION not in ids(bench, "sessions")
