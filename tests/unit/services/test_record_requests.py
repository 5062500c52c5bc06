"""Requests, deletions and failures among the records of a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.connections.connection import MappingRequest
from consumer.domain.errors import PoisonError, UnavailableError
from consumer.domain.records.snapshot import Snapshot
from consumer.ports import Change, event_subject, org_subject
from consumer.services.record import Recorded
from tests.support.builders import EVENT, NOW, ORG, a_mapping, a_record
from tests.support.examples import valid_record, valid_value
from tests.unit.services.record_stage import EXAMPLE_EVENT, EXAMPLE_ORG, SCHEDULED, CountingDecoder, Stage, an_edit


@pytest.mark.rule("C5", "G3")
async def test_a_sync_request_is_passed_on_once(stage: Stage) -> None:
    """A replay asks for nothing."""
    request = valid_record("mappings-sync-requested", offset=3)
    assert (await stage.record(request)).news == 1
    assert (await stage.record(request)).news == 0
    kept = stage.inbox.state(event_subject(EXAMPLE_EVENT)).request
    assert kept is not None
    assert kept.scope == valid_value("mappings-sync-requested")["data"]["scope"]


@pytest.mark.rule("G3")
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one after the other"])
async def test_an_older_version_published_after_a_newer_one_becomes_visible(stage: Stage, together: bool) -> None:
    newer, older = valid_value("sessions-scheduled"), valid_value("sessions-scheduled")
    older["data"] |= {"updated_at": "2026-03-01T08:00:00Z", "title": "Older"}
    records = [a_record(newer, offset=7), a_record(older, offset=8)]
    for batch in [records] if together else [[each] for each in records]:
        await stage.record(*batch)
    state = await stage.inbox.load(EXAMPLE_EVENT)
    assert {each.title for each in state.snapshot.sessions.values()} == {newer["data"]["title"]}
    assert state.overtaken == set(state.marks)


@pytest.mark.rule("M8")
@pytest.mark.parametrize("holder", [EXAMPLE_ORG, "another"])
async def test_a_record_of_another_organization_has_the_mapping_looked_at_again(stage: Stage, holder: str) -> None:
    """At once, and only where they differ."""
    mapping = replace(a_mapping(event_id=EXAMPLE_EVENT), org_id=holder)
    await stage.connections.put_mapping(holder, EXAMPLE_EVENT, mapping)
    request = Change(f"mapping/{EXAMPLE_EVENT}", "1", b"{}")
    await stage.inbox.record(org_subject(holder), [request])
    state = stage.inbox.state(org_subject(holder))
    state.marks.clear()
    for name in ("sessions-scheduled", "speakers-whole", "sponsors-tier-as-field"):
        state.marks.clear()
        await stage.record(valid_record(name))
        assert bool(state.marks) == (holder == "another")


@pytest.mark.rule("C5", "O3")
@pytest.mark.parametrize("ids", [("r-1", "r-2"), (None, None)], ids=["with ids", "as before"])
async def test_no_request_of_a_batch_is_dropped_for_a_later_one(stage: Stage, ids: tuple[str | None, ...]) -> None:
    """ "agenda" and "sponsors" pressed in one second is a sync of both."""
    records = []
    for offset, (request_id, scope) in enumerate(zip(ids, ("agenda", "sponsors"), strict=True)):
        value = valid_value("mappings-sync-requested")
        value["data"] |= {"scope": scope, "request_id": request_id}
        records.append(a_record(value, topic="sessionboard.mappings", offset=offset))
    assert (await stage.record(*records)).news == 2
    state = stage.inbox.state(event_subject(EXAMPLE_EVENT))
    assert state.request is not None
    assert (state.request.scope, len(state.requests)) == ("all", 2)


@pytest.mark.rule("M4")
async def test_a_null_value_removes_the_mapping_of_its_organization(stage: Stage) -> None:
    """The key names no organization; the organization that asked for the pair is known, active or not."""
    await stage.connections.add_requester(EVENT, ORG)
    result = await stage.record(a_record(None, topic="sessionboard.mappings", key=f"mapping/{EVENT}"))
    assert result.news == 1
    requests = (await stage.inbox.requests(ORG)).rows
    request = requests[f"mapping/{EVENT}"]
    assert isinstance(request, MappingRequest)
    assert not request.present


@pytest.mark.rule("M4", "G1")
async def test_a_null_value_removes_a_mapping_that_was_asked_for_in_the_same_batch(stage: Stage) -> None:
    """Although it is not active yet."""
    await stage.record(
        valid_record("mappings-mapping-added"),
        a_record(None, topic="sessionboard.mappings", key=f"mapping/{EXAMPLE_EVENT}", timestamp=NOW, offset=1),
    )
    requests = (await stage.inbox.requests(EXAMPLE_ORG)).rows
    request = requests[f"mapping/{EXAMPLE_EVENT}"]
    assert isinstance(request, MappingRequest)
    assert not request.present


@pytest.mark.rule("X1", "G1")
async def test_a_disconnect_is_not_hidden_by_credentials_published_after_it(stage: Stage) -> None:
    """In one batch or compacted into one row, the pairs would never end and nothing would be sealed."""
    await stage.record(
        a_record(None, topic="sessionboard.mappings", key=f"integration/{EXAMPLE_ORG}", timestamp=NOW),
        valid_record("mappings-integration-connected-sealed", offset=1),
    )
    asked = await stage.inbox.requests(EXAMPLE_ORG)
    assert set(asked.rows) == set(asked.marks) == {f"disconnect/{EXAMPLE_ORG}", f"integration/{EXAMPLE_ORG}"}


@pytest.mark.rule("M4")
async def test_null_value_takes_back_all_requests_for_the_event(stage: Stage) -> None:
    """The records of all of them had the one key that is gone now."""
    for org_id in ("one", "two"):
        await stage.connections.add_requester(EVENT, org_id)
    result = await stage.record(a_record(None, topic="sessionboard.mappings", key=f"mapping/{EVENT}"))
    assert result.news == 2
    assert [list((await stage.inbox.requests(org)).marks) for org in ("one", "two")] == [[f"mapping/{EVENT}"]] * 2


@pytest.mark.rule("M4")
async def test_a_null_value_for_a_pair_nobody_has_is_ignored(stage: Stage) -> None:
    """There is nothing to end."""
    result = await stage.record(a_record(None, topic="sessionboard.mappings", key="mapping/nobody"))
    assert result == Recorded(received=1, ignored=1)


@pytest.mark.rule("X1")
async def test_a_null_value_disconnects_its_organization(stage: Stage) -> None:
    """The key names it."""
    await stage.record(a_record(None, topic="sessionboard.mappings", key=f"integration/{ORG}"))
    asked = await stage.inbox.requests(ORG)
    assert list(asked.rows) == list(asked.marks) == [f"disconnect/{ORG}"]


@pytest.mark.rule("G1")
async def test_nothing_may_be_committed_when_the_inbox_fails(stage: Stage) -> None:
    """The error passes through, and the batch comes again."""
    stage.inbox.failures.append(UnavailableError("Redis does not answer."))
    batch = [an_edit("kept"), valid_record("speakers-whole", offset=1)]
    with pytest.raises(UnavailableError):
        await stage.record(*batch)
    await stage.record(*batch)
    assert (await stage.session()).title == "kept"
    assert (await stage.snapshot()).contacts


@pytest.mark.rule("G1")
async def test_nothing_may_be_committed_when_a_dead_letter_is_not_safe(stage: Stage) -> None:
    """The same batch again loses nothing and doubles nothing but the attempt."""
    stage.dead_letters.failures.append(UnavailableError("Kafka does not answer."))
    batch = [an_edit(5), valid_record("speakers-whole", offset=1)]
    with pytest.raises(UnavailableError):
        await stage.record(*batch)
    result = await stage.record(*batch)
    assert (result.dead, result.news) == (1, 0)
    assert len(stage.letters) == 1


async def test_an_empty_batch_is_nothing(stage: Stage) -> None:
    assert await stage.record() == Recorded()


@pytest.mark.rule("G4")
async def test_every_event_of_a_batch_gets_one_call(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """One script call per event and batch."""
    calls: list[tuple[str, int]] = []
    record = stage.inbox.record

    async def counted(subject: Any, changes: Sequence[Change]) -> int:
        calls.append((str(subject), len(changes)))
        return await record(subject, changes)

    monkeypatch.setattr(stage.inbox, "record", counted)
    await stage.record(
        an_edit("a"),
        valid_record("speakers-whole"),
        valid_record("sponsors-tier-as-field"),
        valid_record("mappings-mapping-added"),
    )
    assert sorted(calls) == [(str(event_subject(EXAMPLE_EVENT)), 3), (str(org_subject(EXAMPLE_ORG)), 1)]


@pytest.mark.rule("G1")
def test_a_poison_error_repeats_nothing_of_the_record() -> None:
    """Values may be personal data; sentences end up in logs and headers."""
    value = valid_value(SCHEDULED)
    value["data"]["status"] = ["ada@canary.example"]
    decoder = CountingDecoder()
    peeked = decoder.peek(a_record(value))
    assert peeked is not None
    with pytest.raises(PoisonError) as refused:
        decoder.read(peeked)
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


CONTACT: Final = "sessionboard.speakers"


@pytest.mark.rule("P5")
async def test_a_contact_deleted_by_null_value_is_noted_on_the_changelog(stage: Stage) -> None:
    """Its topic forgets the deletion when it is compacted. Also when the batch comes again."""
    for _ in range(2):
        await stage.record(a_record(None, topic=CONTACT, key=f"{EVENT}/c1", offset=4))
        assert list(stage.changelog.deletions) == [(EVENT, "c1")]
    assert (await stage.snapshot(EVENT)).contacts["c1"].deleted


@pytest.mark.rule("P5")
async def test_other_deletions_are_not_noted(stage: Stage) -> None:
    """Only persons have copies elsewhere."""
    await stage.record(a_record(None, topic="sessionboard.sessions", key=f"{EVENT}/s1"))
    assert stage.changelog.deletions == {}


@pytest.mark.rule("P5", "G1")
async def test_a_deletion_that_cannot_be_noted_is_read_again(stage: Stage) -> None:
    """Nothing is committed before the changelog has it."""
    stage.changelog.failures.append(UnavailableError("Kafka is away."))
    with pytest.raises(UnavailableError):
        await stage.record(a_record(None, topic=CONTACT, key=f"{EVENT}/c1"))
    await stage.record(a_record(None, topic=CONTACT, key=f"{EVENT}/c1"))
    assert list(stage.changelog.deletions) == [(EVENT, "c1")]


@pytest.mark.rule("G3")
@given(
    edits=st.lists(st.sampled_from([0, 0, 500, 180_000, 86_400_000, 365 * 86_400_000]), min_size=1, max_size=6),
    deleted=st.booleans(),
    size=st.integers(1, 4),
)
def test_no_date_ahead_silences_what_follows(edits: list[int], deleted: bool, size: int) -> None:
    """Edits dated ahead of Kafka by up to a year, then one as it should be, or a deletion; two seconds apart."""
    records = []
    for number, ahead in enumerate([*edits, 0]):
        received = NOW + number * 2_000
        moment = datetime.fromtimestamp((received + ahead) / 1000, UTC).isoformat()
        value = valid_value("sessions-short")
        value["data"] |= {"title": f"edit {number}", "updated_at": moment}
        value["metadata"]["datetime"] = moment
        records.append(a_record(value, offset=number, timestamp=received))
    if deleted:
        event, own = value["metadata"]["event_id"], value["data"]["id"]
        records.append(a_record(None, key=f"{event}/{own}", offset=len(records), timestamp=received + 2_000))
    stage = Stage()

    async def play() -> Snapshot:
        for start in range(0, len(records), size):
            await stage.record(*records[start : start + size])
        return (await stage.inbox.load(str(value["metadata"]["event_id"]))).snapshot

    (found,) = asyncio.run(play()).sessions.values()
    assert (found.deleted, found.title) == ((True, "") if deleted else (False, f"edit {len(edits)}"))
