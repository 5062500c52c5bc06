"""What a push says of each record: what changed and reached Swoogo, what was seen there, which issues came and went."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, Plan, SetImage, Update
from consumer.domain.push.claim import EventState, Lease, event_subject
from consumer.domain.push.execution import ExecutionResult
from consumer.domain.push.facts import Facts
from consumer.domain.push.push_report import PushReport
from consumer.domain.push.run import Run, Trigger
from consumer.domain.push.settlement import Settlement
from consumer.domain.push.timeline import Happening, What, happenings
from consumer.domain.records.identity import Kind, stamp
from consumer.domain.records.ledger import Entry, Ledger, Remote, State
from tests.support.builders import EVENT, NOW, a_contact, a_mapping, a_session, a_snapshot, an_entry

S1, S2, C1 = "session/s1", "session/s2", "speaker/c1"
SENT = an_entry(101)
END = NOW + 900


def report(
    *operations: Operation,
    before: Ledger | None = None,
    after: Ledger | None = None,
    former: tuple[Issue, ...] = (),
    now: tuple[Issue, ...] = (),
    cleared: tuple[str, ...] = (),
    skips: tuple[Skip, ...] = (),
    **result: Any,
) -> PushReport:
    """A push with this plan, ledger and issues."""
    snapshot = a_snapshot(a_session("s1"), a_session("s2", deleted=True), a_contact("c1"))
    lease = Lease(event_subject(EVENT), 1, "run")
    facts = Facts(lease, a_mapping(), EventState(snapshot), before or {}, {each.id: each for each in former})
    marks = {key: stamp(NOW - 5, NOW - 3, 1) for key in cleared}
    return PushReport(
        facts,
        Plan((operations,), skips=skips),
        ExecutionResult(before if after is None and before else after or {}, **result),
        Settlement(Run("run", EVENT, Trigger.CHANGES, NOW, ended=END), {each.id: each for each in now}, cleared=marks),
    )


def said(given: PushReport) -> dict[str, list[tuple[str, tuple[str, ...], str]]]:
    return {
        key: [(each.what.value, each.fields, each.code) for each in all_] for key, all_ in happenings(given).items()
    }


UPDATE = Update(Kind.SESSION, S1, 101, {"name": "New"}, {"name": "Old"}, "")


def test_a_change_and_what_it_came_to() -> None:
    """With the moment Sessionboard published it, and the one Swoogo confirmed it."""
    given = report(
        UPDATE, before={S1: SENT}, cleared=(S1,), sent={S1: frozenset({"name", "date"})}, confirmed={S1: NOW + 7}
    )
    assert happenings(given) == {
        S1: (
            Happening(NOW - 3, What.CHANGED, ("name",), run="run"),
            Happening(NOW + 7, What.UPDATED, ("date", "name"), run="run"),
        )
    }


def test_nothing_new_says_nothing() -> None:
    """Every half an hour, of every event."""
    issue = Issue(S1, Code.MISSING_FIELD, field="title")
    assert happenings(report(before={S1: SENT}, former=(issue,), now=(issue,))) == {}


@pytest.mark.parametrize(
    ("operation", "before", "after", "what"),
    [
        (Create(Kind.SESSION, S1, {}, ""), None, SENT, What.CREATED),
        (Create(Kind.SESSION, S1, {}, ""), None, None, None),
        (Create(Kind.SESSION, S1, {}, ""), None, Entry(State.INTENT), None),
        (Adopt(Kind.SPEAKER, S1, Remote(7, ""), {}, ""), None, SENT, What.ADOPTED),
        (UPDATE, SENT, SENT, None),
        (Delete(Kind.SESSION, S1, 101), SENT, None, What.REMOVED),
        (Delete(Kind.SESSION, S1, 101), SENT, SENT, None),
        (SetImage(Kind.SPEAKER, S1, "", {}), SENT, replace(SENT, image={"url": "x"}), What.IMAGE),
        (SetImage(Kind.SPEAKER, S1, "", {}), SENT, SENT, None),
    ],
)
def test_an_operation_is_told_by_what_the_ledger_has_of_it(
    operation: Operation, before: Entry | None, after: Entry | None, what: What | None
) -> None:
    given = report(operation, before={S1: before} if before else {}, after={S1: after} if after else {})
    assert said(given) == ({S1: [(what.value, (), "")]} if what else {})


@pytest.mark.rule("Y3")
def test_who_takes_part_stands_with_both_and_names_none_at_the_session() -> None:
    linked = report(Link(C1, ("s1",), ("s2",)), before={C1: SENT}, after={C1: replace(SENT, links=("s1",))})
    assert said(linked) == {key: [("linked", (), "")] for key in (C1, S1, S2)}
    assert "c1" not in str(happenings(linked)[S1])
    assert said(report(Link(C1, ("s1",), ()), before={C1: SENT}, after={C1: SENT})) == {}


def test_a_create_without_an_answer() -> None:
    assert said(report(Create(Kind.SESSION, S1, {}, ""), unanswered=frozenset({S1}))) == {S1: [("unanswered", (), "")]}


def test_a_deletion_a_person_and_what_is_no_record() -> None:
    given = report(cleared=(S2, "contact/c1", "mapping/ev"), skips=(Skip(S2, Reason.DELETED),))
    assert said(given) == {S2: [("deleted", (), "")], C1: [("changed", (), "")]}


@pytest.mark.parametrize(
    ("skip", "more"),
    [
        (Skip(S1, Reason.NOT_ACCEPTED), [("left_out", (), "not_accepted")]),
        (Skip(S1, Reason.PARKED), []),
        (Skip(S1, Reason.ISSUE, Issue(S1, Code.MISSING_FIELD)), []),
    ],
)
def test_why_a_change_went_nowhere(skip: Skip, more: list[Any]) -> None:
    """What has an issue is told as that."""
    assert said(report(cleared=(S1,), skips=(skip,))) == {S1: [("changed", (), ""), *more]}


def test_issues_come_and_go_and_stand_with_their_record() -> None:
    came, went = Issue(f"{S1}#sessions", Code.REFUSED, field="capacity"), Issue(S1, Code.MISSING_FIELD)
    given = report(former=(went,), now=(came,))
    assert sorted(said(given)[S1]) == [("issue", ("capacity",), "refused"), ("settled", (), "missing_field")]


def test_what_people_did_in_swoogo_is_seen_once() -> None:
    edit, gone = Issue(S1, Code.EDITED_IN_SWOOGO, field="name"), Issue(S2, Code.GONE_IN_SWOOGO)
    given = report(before={S2: SENT}, after={S2: replace(SENT, state=State.GONE)}, now=(edit, gone))
    assert said(given) == {S1: [("edited", ("name",), "")], S2: [("gone", (), "")]}
