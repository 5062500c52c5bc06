"""The ledger: what is in Swoogo, written by the holder of the lease alone, and all of it on the changelog."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from consumer.adapters.redis.keys import Keys
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.domain.fields.definitions import Choice, FieldDefinition, FieldDefinitions, KeptDefinitions
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Remote, State
from consumer.ports import event_subject
from tests.contract.bench import Bench
from tests.contract.conftest import MakeBench
from tests.support.builders import EVENT, NOW, an_entry, an_intent, session_key, speaker_key
from tests.support.fakes import InMemoryLedger

FULL = an_entry(
    7,
    pushed={"name": "Opening", "description": "x" * 500, "track": ""},
    seen={"name": "Opening"},
    natural="opening|2026-07-01|09:00:00",
    links=("s1", "s2"),
    contact_id=9,
    image={"url": "https://example.org/a.png", "etag": '"1"'},
    version=3,
    epoch=1,
    op_id="op",
    at=NOW,
)


async def test_entries_come_back_as_they_were_written_and_none_forgets_one(bench: Bench) -> None:
    lease = await bench.leased()
    intent = an_intent("ada@example.org")
    await bench.ledger.put(lease, {session_key("s1"): FULL, speaker_key("c1"): intent})
    assert await bench.ledger.load(EVENT) == {session_key("s1"): FULL, speaker_key("c1"): intent}
    await bench.ledger.put(lease, {speaker_key("c1"): None, session_key("s2"): an_entry(8)})
    assert await bench.ledger.load(EVENT) == {session_key("s1"): FULL, session_key("s2"): an_entry(8)}


async def test_the_ledger_of_one_event_is_no_other_s(bench: Bench) -> None:
    await bench.ledger.put(await bench.leased(), {session_key(): FULL})
    assert await bench.ledger.load("another") == {}


@pytest.mark.rule("G4")
async def test_whoever_lost_the_lease_cannot_write_to_the_ledger(bench: Bench) -> None:
    lost = await bench.leased()
    await bench.ledger.put(lost, {session_key(): an_entry(1)})
    heir = await bench.claimed(event_subject(EVENT), "heir")
    with pytest.raises(LeaseLostError):
        await bench.ledger.put(lost, {session_key(): an_entry(2)})
    with pytest.raises(LeaseLostError):
        await bench.ledger.put_directory(lost, Kind.SPEAKER, Directory({1: Remote(1, "a")}))
    assert await bench.ledger.load(EVENT) == {session_key(): an_entry(1)}
    assert await bench.ledger.directories(EVENT) == {}
    await bench.ledger.put(heir, {session_key(): an_entry(3)})
    assert await bench.ledger.load(EVENT) == {session_key(): an_entry(3)}


@pytest.mark.rule("G4", "G6")
async def test_whoever_lost_the_lease_cannot_tick_off_what_the_heir_wrote(bench: Bench) -> None:
    """Otherwise the heir's entry would never reach the changelog, and a rebuild would miss it."""
    lost = await bench.leased()
    heir = await bench.claimed(event_subject(EVENT), "heir")
    await bench.ledger.put(heir, {session_key(): an_entry(3)})
    with pytest.raises(LeaseLostError):
        await bench.ledger.flush(lost)
    bench.changelog.written.clear()
    await bench.ledger.flush(heir)
    assert bench.changelog.written == [(EVENT, session_key(), an_entry(3))]


async def test_a_flush_puts_the_last_state_of_each_entry_on_the_changelog_once(bench: Bench) -> None:
    lease = await bench.leased()
    await bench.ledger.put(lease, {session_key("s1"): an_entry(9), session_key("s2"): an_entry(2)})
    await bench.ledger.put(lease, {session_key("s1"): an_entry(1), session_key("s2"): None})
    await bench.ledger.flush(lease)
    assert sorted(bench.changelog.written, key=str) == sorted(
        [(EVENT, session_key("s1"), an_entry(1)), (EVENT, session_key("s2"), None)], key=str
    )
    await bench.ledger.flush(lease)
    assert len(bench.changelog.written) == 2


@pytest.mark.rule("G6")
async def test_all_entries_are_put_on_the_changelog_again(bench: Bench) -> None:
    lost = await bench.leased()
    entries = {session_key("s1"): an_entry(1), session_key("s2"): an_entry(2)}
    await bench.ledger.put(lost, entries)
    await bench.ledger.flush(lost)
    heir = await bench.claimed(event_subject(EVENT), "heir")
    bench.changelog.written.clear()
    with pytest.raises(LeaseLostError):
        await bench.ledger.requeue_changelog(lost)
    await bench.ledger.flush(heir)
    assert bench.changelog.written == []
    await bench.ledger.requeue_changelog(heir)
    await bench.ledger.flush(heir)
    assert sorted(bench.changelog.written) == [(EVENT, key, entry) for key, entry in sorted(entries.items())]


@pytest.mark.rule("G6")
async def test_an_intent_is_on_the_changelog_before_anything_may_be_sent(bench: Bench) -> None:
    """A Redis that forgets it, a moment later, does not make the create forgotten."""
    lease = await bench.leased()
    await bench.ledger.put(lease, {session_key("s1"): an_intent("opening"), session_key("s2"): an_entry(2)})
    assert bench.changelog.written == [(EVENT, session_key("s1"), an_intent("opening"))]


@pytest.mark.rule("G4", "G6")
async def test_more_entries_than_one_script_takes_are_put_logged_and_logged_again(bench: Bench) -> None:
    lease = await bench.leased()
    entries = {session_key(f"s{number}"): an_entry(number) for number in range(1, 1202)}
    await bench.ledger.put(lease, dict(entries))
    assert await bench.ledger.load(EVENT) == entries
    await bench.ledger.flush(lease)
    assert {key: entry for _, key, entry in bench.changelog.written} == entries
    bench.changelog.written.clear()
    await bench.ledger.flush(lease)
    assert bench.changelog.written == []
    await bench.ledger.requeue_changelog(lease)
    await bench.ledger.flush(lease)
    assert {key: entry for _, key, entry in bench.changelog.written} == entries


@pytest.mark.rule("G2", "G6")
async def test_an_intent_that_redis_forgets_while_the_changelog_takes_it_is_put_again(bench: Bench) -> None:
    """A rebuild may have read the changelog before it was there: a worker that then dies leaves nothing else."""
    lease = await bench.leased()

    async def forget() -> None:
        if bench.redis is None:
            assert isinstance(bench.ledger, InMemoryLedger)
            bench.ledger.entries.clear()
        else:
            await bench.redis.delete(Keys("test").event(EVENT, "ledger"), Keys("test").event(EVENT, "unlogged"))

    bench.changelog.during_write = forget
    await bench.ledger.put(lease, {session_key("s1"): an_intent("opening")})
    assert await bench.ledger.load(EVENT) == {session_key("s1"): an_intent("opening")}


@pytest.mark.rule("G6")
async def test_an_intent_that_the_changelog_does_not_take_is_told_at_once(bench: Bench) -> None:
    lease = await bench.leased()
    bench.changelog.failures.append(UnavailableError("Kafka is down."))
    with pytest.raises(UnavailableError):
        await bench.ledger.put(lease, {session_key("s1"): an_intent("opening")})


@pytest.mark.rule("G4")
async def test_intent_of_a_worker_without_the_lease_is_not_sent(bench: Bench) -> None:
    lost = await bench.leased()

    async def taken_over() -> None:
        await bench.claimed(event_subject(EVENT), "heir")

    bench.changelog.during_write = taken_over
    with pytest.raises(LeaseLostError):
        await bench.ledger.put(lost, {session_key("s1"): an_intent("opening")})


@pytest.mark.rule("G6")
async def test_a_late_flush_of_a_lost_lease_is_followed_by_what_the_heir_wrote(bench: Bench) -> None:
    """The changelog keeps the last record of a key: what was overwritten there out of order is written again."""
    lost = await bench.leased()
    await bench.ledger.put(lost, {session_key(): an_entry(1)})

    async def taken_over() -> None:
        heir = await bench.claimed(event_subject(EVENT), "heir")
        await bench.ledger.put(heir, {session_key(): an_entry(2)})

    bench.changelog.during_write = taken_over
    with pytest.raises(LeaseLostError):
        await bench.ledger.flush(lost)
    again = await bench.claimed(event_subject(EVENT), "again")
    await bench.ledger.flush(again)
    assert bench.changelog.written[-1] == (EVENT, session_key(), an_entry(2))


@pytest.mark.rule("G6")
async def test_what_a_worker_that_died_had_not_logged_is_logged_by_the_next(make_bench: MakeBench) -> None:
    died = make_bench()
    await died.ledger.put(await died.leased(), {session_key(): an_entry(1)})
    heir = make_bench()
    await heir.ledger.flush(await heir.claimed(event_subject(EVENT), "heir"))
    assert heir.changelog.written == [(EVENT, session_key(), an_entry(1))]


@pytest.mark.rule("G1")
async def test_a_changelog_that_fails_is_told_and_written_by_the_next_flush(bench: Bench) -> None:
    lease = await bench.leased()
    await bench.ledger.put(lease, {session_key(): an_entry(1)})
    bench.changelog.failures.append(UnavailableError("Kafka is down."))
    with pytest.raises(UnavailableError):
        await bench.ledger.flush(lease)
    assert bench.changelog.written == []
    await bench.ledger.flush(lease)
    assert bench.changelog.written == [(EVENT, session_key(), an_entry(1))]


@pytest.mark.rule("G2")
async def test_a_listing_is_remembered_without_its_fields_and_is_never_fresh(bench: Bench) -> None:
    """Only the silence of a list read in this very push means absence."""
    lease = await bench.leased()
    listed = Directory({4: Remote(4, "ada@example.org", {"email": "ada@example.org"}, 9)}, fresh=True, at=NOW)
    await bench.ledger.put_directory(lease, Kind.SPEAKER, listed)
    await bench.ledger.put_directory(lease, Kind.TRACK, Directory(at=NOW))
    await bench.ledger.put_directory(lease, Kind.SESSION, Directory(at=NOW, with_event=7))
    kept = await bench.ledger.directories(EVENT)
    assert kept[Kind.SPEAKER] == Directory({4: Remote(4, "ada@example.org")}, fresh=False, at=NOW)
    assert kept[Kind.TRACK] == Directory(at=NOW)
    assert kept[Kind.SESSION] == Directory(at=NOW, with_event=7)
    assert kept[Kind.SPEAKER].matching("ada@example.org") == (Remote(4, "ada@example.org"),)


@pytest.mark.parametrize("state", list(State))
async def test_every_state_survives(bench: Bench, state: State) -> None:
    lease = await bench.leased()
    await bench.ledger.put(lease, {"level/Gold / Platinum": an_entry(1, state=state)})
    assert (await bench.ledger.load(EVENT))["level/Gold / Platinum"].state is state


@pytest.mark.rule("G6")
async def test_entry_written_during_a_flush_goes_with_the_next(bench: Bench) -> None:
    """A push flushes now and then while its other workers go on."""
    lease = await bench.leased()
    await bench.ledger.put(lease, {session_key(): an_intent("opening")})

    async def write_meanwhile() -> None:
        await bench.ledger.put(lease, {session_key(): an_entry(1)})

    bench.changelog.during_write = write_meanwhile
    await bench.ledger.flush(lease)
    await bench.ledger.flush(lease)
    assert bench.changelog.written[-1] == (EVENT, session_key(), an_entry(1))


@pytest.mark.rule("G6")
async def test_flushes_side_by_side_leave_the_newest_entry_last_on_the_changelog(bench: Bench) -> None:
    lease = await bench.leased()
    await bench.ledger.put(lease, {session_key(): an_intent("opening")})
    second: list[asyncio.Task[None]] = []

    async def flush_meanwhile() -> None:
        await bench.ledger.put(lease, {session_key(): an_entry(1)})
        second.append(asyncio.create_task(bench.ledger.flush(lease)))
        await asyncio.wait(second, timeout=0.1)

    bench.changelog.during_write = flush_meanwhile
    await bench.ledger.flush(lease)
    await asyncio.gather(*second)
    await bench.ledger.flush(lease)
    assert bench.changelog.written[-1] == (EVENT, session_key(), an_entry(1))


@pytest.mark.rule("F5")
async def test_definitions_are_kept_as_they_were_read_and_gone_when_asked(bench: Bench) -> None:
    """Fenced like the rest of the ledger; gone with what was seen of the Swoogo event."""
    form = FieldDefinition(Kind.SESSION, "c_1", "Format", FieldType.CHOICE, "list", 7, choices=(Choice(1, "Ä"),))
    read = FieldDefinitions({Kind.SESSION: {"c_1": form}}, NOW)
    kept = KeptDefinitions({Kind.SESSION: ("c_1",)}, read, read.with_field(replace(form, label="Form")), "stamp")
    assert await bench.ledger.definitions(EVENT) is None
    lease = await bench.leased()
    await bench.ledger.put_definitions(lease, kept)
    assert await bench.ledger.definitions(EVENT) == kept
    with pytest.raises(LeaseLostError):
        await bench.ledger.put_definitions(replace(lease, epoch=lease.epoch - 1), None)
    await bench.ledger.forget_swoogo(lease)
    assert await bench.ledger.definitions(EVENT) is None
