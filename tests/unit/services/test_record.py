"""RECORD: batches become rows, requests and dead letters; the newest wins, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, permutations
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.ports import RawRecord, event_subject
from consumer.services.record import Recorded
from tests.support.builders import NOW, a_record
from tests.support.examples import InvalidExample, dead_examples, valid_names, valid_record, valid_value
from tests.unit.services.record_stage import EXAMPLE_EVENT, EXAMPLE_ORG, SCHEDULED, SESSION_ID, Stage, an_edit

INVALID: Final = dead_examples()


@pytest.mark.rule("M5", "G1")
async def test_a_batch_of_everything_readable_is_recorded_without_a_dead_letter(stage: Stage) -> None:
    """Resources by event, mapped or not; mappings by organization; requests beside them."""
    batch = [valid_record(name, offset=offset) for offset, name in enumerate(valid_names())]
    result = await stage.record(*batch)
    assert stage.letters == []
    assert result.received == len(batch)
    snapshot = await stage.snapshot()
    assert SESSION_ID in snapshot.sessions
    assert snapshot.contacts
    assert snapshot.sponsors
    requests = (await stage.inbox.requests(EXAMPLE_ORG)).rows
    assert {key.partition("/")[0] for key in requests} == {"integration", "disconnect", "mapping"}
    assert stage.inbox.state(event_subject(EXAMPLE_EVENT)).request is not None


@pytest.mark.rule("G1")
@pytest.mark.parametrize("example", INVALID, ids=[each.name for each in INVALID])
async def test_what_nobody_can_read_becomes_a_dead_letter_and_the_rest_flows(
    stage: Stage, example: InvalidExample
) -> None:
    """With its reason, a sentence for a person, and the record as it came."""
    good = valid_value("speakers-whole")
    good["data"]["id"] = "another-one"
    result = await stage.record(example.record, a_record(good, topic="sessionboard.speakers", offset=1))
    (letter,) = stage.dead_letters.letters
    assert letter.record is example.record
    assert letter.reason == example.why
    assert example.says in letter.sentence
    assert (result.dead, result.news) == (1, 1)
    assert (await stage.snapshot()).contacts
    assert (await stage.snapshot()).sessions == {}


@pytest.mark.rule("E8")
@pytest.mark.parametrize("name", ["sponsors-exhibitor", "speakers-of-the-organization"])
async def test_what_is_out_of_scope_is_ignored(stage: Stage, name: str) -> None:
    """Counted, and no dead letter."""
    assert await stage.record(valid_record(name)) == Recorded(received=1, ignored=1)
    assert stage.letters == []


OLD: Final = an_edit("old", updated="2026-03-01T10:00:00Z", published="2026-03-01T10:00:05Z", offset=9)


SAME_VERSION: Final = an_edit("same", updated="2026-03-01T10:00:01Z", published="2026-03-01T10:00:02Z", offset=8)


LATER_PUBLISHED: Final = an_edit("later", updated="2026-03-01T10:00:01Z", published="2026-03-01T10:00:03Z", offset=6)


LATER_OFFSET: Final = an_edit("newest", updated="2026-03-01T10:00:01Z", published="2026-03-01T10:00:03Z", offset=7)


@pytest.mark.rule("G3")
@pytest.mark.parametrize("order", list(permutations([OLD, SAME_VERSION, LATER_PUBLISHED, LATER_OFFSET])))
async def test_the_newest_wins_whatever_the_order(stage: Stage, order: Sequence[RawRecord]) -> None:
    """By version, then publication, then offset; in one batch as in many."""
    result = await stage.record(*order)
    assert (await stage.session()).title == "newest"
    # The last of those that follow the newest is read too: it may say something else.
    assert (result.news, result.superseded, stage.decoder.reads) == (1, 3, 2)
    one_by_one = Stage()
    for record in order:
        await one_by_one.record(record)
    assert await one_by_one.session() == await stage.session()


@pytest.mark.rule("G3")
@settings(max_examples=60, deadline=None)
@given(
    versions=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 8), max_size=3),
    order=st.randoms(use_true_random=False),
)
async def test_any_order_batching_and_replay_end_in_the_same_row(
    versions: list[tuple[int, int]], cuts: list[int], order: Any
) -> None:
    """Replaying any part of a topic changes nothing."""
    records = [
        an_edit(
            f"{offset}", updated=f"2026-03-01T10:00:0{version}Z", published=f"2026-03-01T10:00:0{when}Z", offset=offset
        )
        for offset, (version, when) in enumerate(versions)
    ]
    newest = max((version, when, offset) for offset, (version, when) in enumerate(versions))[2]
    stage = Stage()
    shuffled = [*records, *records[: len(records) // 2]]
    order.shuffle(shuffled)
    bounds = sorted({0, len(shuffled), *(min(cut, len(shuffled)) for cut in cuts)})
    for begin, end in pairwise(bounds):
        await stage.record(*shuffled[begin:end])
    assert (await stage.session()).title == str(newest)
    assert (await stage.record(*records)).news == 0


@pytest.mark.rule("R3", "G3")
async def test_a_burst_of_500_edits_validates_one(stage: Stage) -> None:
    """One row, one validation; the others are superseded unread."""
    burst = [
        an_edit(f"Edit {number}", published=f"2026-03-01T10:{number // 60:02}:{number % 60:02}Z", offset=number)
        for number in range(500)
    ]
    result = await stage.record(*burst)
    assert stage.decoder.reads == 1
    assert result == Recorded(received=500, superseded=499, news=1)
    assert (await stage.session()).title == "Edit 499"


@pytest.mark.rule("G1")
async def test_edits_of_different_records_do_not_supersede_each_other(stage: Stage) -> None:
    """Nor do those of one id in two events, or of a session and a contact with one id."""
    session = valid_value(SCHEDULED)
    elsewhere = valid_value(SCHEDULED)
    elsewhere["metadata"]["event_id"] = "other"
    contact = valid_value("speakers-whole")
    contact["data"]["id"] = SESSION_ID
    result = await stage.record(
        a_record(session), a_record(elsewhere), a_record(contact, topic="sessionboard.speakers")
    )
    assert (result.news, result.superseded) == (3, 0)
    assert SESSION_ID in (await stage.snapshot("other")).sessions
    assert SESSION_ID in (await stage.snapshot()).contacts


@pytest.mark.rule("G1", "G3")
async def test_an_unreadable_newest_falls_back_to_the_newest_that_can_be_read(stage: Stage) -> None:
    """It is a dead letter, and the good one before it is not lost; an older unreadable one is superseded."""
    unreadable = an_edit(5, published="2026-03-01T10:00:09Z", offset=9)
    result = await stage.record(
        an_edit("older", published="2026-03-01T10:00:01Z", offset=1),
        unreadable,
        an_edit(6, published="2026-03-01T10:00:00Z", offset=0),
        an_edit("good", published="2026-03-01T10:00:05Z", offset=5),
    )
    assert (await stage.session()).title == "good"
    assert stage.letters == [(unreadable, "invalid_field")]
    assert (result.dead, result.superseded, result.news) == (1, 2, 1)


@pytest.mark.rule("G1")
async def test_when_no_version_can_be_read_all_of_them_are_dead_letters(stage: Stage) -> None:
    batch = [an_edit(number, offset=number) for number in range(3)]
    result = await stage.record(*batch)
    assert sorted(record.offset for record, _ in stage.letters) == [0, 1, 2]
    assert (result.dead, result.news) == (3, 0)


@pytest.mark.rule("D1", "G3")
async def test_a_null_value_after_a_change_deletes_the_record(stage: Stage) -> None:
    """In one batch; and a replay of the change alone does not bring it back."""
    edit = an_edit("there")
    await stage.record(edit, a_record(None, key=f"{EXAMPLE_EVENT}/{SESSION_ID}", timestamp=NOW, offset=5))
    assert (await stage.session()).deleted
    await stage.record(edit)
    assert (await stage.session()).deleted
