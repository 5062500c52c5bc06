"""What is published of each record, and when it is news."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from consumer.domain.issues.issue import Code, Effect, Issue
from consumer.domain.issues.record_issues import RecordIssues, by_record, news
from consumer.domain.planning.scope import Scope, covers
from consumer.domain.push.run import RECORDS_TOLD, Run, Trigger
from consumer.domain.records.snapshot import Snapshot
from tests.support.builders import EVENT, NOW, a_session

CLAMPED: Final = replace(Issue("session/s1", Code.MULTI_DAY_CLAMPED), label='"Talk"')
REFUSED: Final = replace(Issue("session/s1", Code.REFUSED, detail="No."), label='"Talk"')
LINKS: Final = replace(Issue("speaker/c1#sessions", Code.REFUSED, detail="No."), label='a speaker of "Talk"')


@pytest.mark.rule("N2")
def test_issues_are_gathered_by_record_what_leaves_it_out_first() -> None:
    found = by_record([CLAMPED, LINKS, REFUSED])
    assert {key: [each.code for each in record.issues] for key, record in found.items()} == {
        "session/s1": [Code.REFUSED, Code.MULTI_DAY_CLAMPED],
        "speaker/c1": [Code.REFUSED],
    }
    assert [record.title for record in found.values()] == ['"Talk"', 'a speaker of "Talk"']
    assert found["session/s1"].issues[0].effect is Effect.LEFT_OUT


@pytest.mark.rule("N2")
def test_the_order_in_which_issues_were_found_is_no_news() -> None:
    assert by_record([CLAMPED, REFUSED]) == by_record([REFUSED, CLAMPED])


@pytest.mark.rule("Y3")
def test_an_address_in_what_swoogo_said_is_masked() -> None:
    [record] = by_record([replace(REFUSED, detail="ada@example.org is taken.")]).values()
    assert "a***@example.org is taken." in record.issues[0].sentence


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    "changed",
    [
        replace(REFUSED, label='"Another"'),
        replace(REFUSED, detail="Yes."),
        replace(REFUSED, field="name"),
        replace(REFUSED, code=Code.NO_PERMISSION),
    ],
)
def test_what_people_would_read_otherwise_is_news(changed: Issue) -> None:
    [before], [after] = by_record([REFUSED]).values(), by_record([changed]).values()
    assert before.digest != after.digest


@pytest.mark.rule("N2")
@pytest.mark.parametrize("same", [replace(REFUSED, parked="f"), replace(REFUSED, at=5), replace(REFUSED, hint="422")])
def test_what_only_the_service_or_operators_read_is_none(same: Issue) -> None:
    assert by_record([REFUSED]) == by_record([same])


@pytest.mark.rule("N2")
def test_only_news_is_sent_and_what_no_longer_stands_goes() -> None:
    wanted = by_record([CLAMPED, LINKS])
    published = {"session/s1": wanted["session/s1"].digest, "speaker/c1": "?3", "sponsor/x": "some digest"}
    assert news(wanted, published) == {"sponsor/x": None, "speaker/c1": wanted["speaker/c1"]}
    assert news(wanted, {}) == wanted
    assert news({}, {}) == {}


SNAPSHOT: Final = Snapshot({"s1": a_session("s1", people=["c1"]), "s2": a_session("s2", people=["c2"])})


@pytest.mark.rule("R6")
@pytest.mark.parametrize(
    ("scope", "keys"),
    [
        (Scope(), "session/s1 session/s2 speaker/c1 speaker/c2 sponsor/x level/Gold location/r event/ev"),
        (Scope(sponsors=False), "session/s1 session/s2 speaker/c1 speaker/c2 location/r event/ev"),
        (Scope(agenda=False), "sponsor/x level/Gold event/ev"),
        (Scope(sponsors=False, session_ids=frozenset({"s1"})), "session/s1 speaker/c1"),
        (Scope(sponsors=False, speaker_ids=frozenset({"c2"})), "speaker/c2"),
        (Scope(session_ids=frozenset({"gone"})), "sponsor/x level/Gold"),
    ],
)
def test_a_sync_is_about_its_own_records(scope: Scope, keys: str) -> None:
    every = "session/s1 session/s2 speaker/c1 speaker/c2 sponsor/x level/Gold location/r event/ev"
    assert [key for key in every.split() if covers(scope, key, SNAPSHOT)] == keys.split()


@pytest.mark.rule("N2")
@pytest.mark.parametrize(("trigger", "listed"), [(Trigger.MANUAL, True), (Trigger.CHANGES, False)])
def test_the_answer_to_a_manual_sync_lists_a_bounded_number_of_records(trigger: Trigger, *, listed: bool) -> None:
    issues = [Issue(f"session/s{number:04}", Code.MISSING_FIELD) for number in range(RECORDS_TOLD + 7)]
    run = Run("run", EVENT, trigger, NOW)
    run.answer(issues, lambda key: key != "session/s0000")
    told: tuple[RecordIssues, ...] = run.records
    assert (len(told), run.more_records) == ((RECORDS_TOLD, 6) if listed else (0, 0))
    assert all(record.key != "session/s0000" for record in told)
