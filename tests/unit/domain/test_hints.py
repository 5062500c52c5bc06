"""What deliveries are worth: seen, read, asked for, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.hints import Hint, doubts, is_proved, moment_of, sightings, sort_hints, still_hinted
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, State
from consumer.domain.surveys.survey import Findings, Survey, SurveyState
from tests.support.fakes.hints import merged

pytestmark = pytest.mark.rule("W2", "W3")

WROTE, EDITED, LATER = "2026-06-01 08:59:00", "2026-06-01 09:00:00", "2026-06-01 09:00:01"
NOW: Final = (moment_of(LATER) or 0) + 500
ROW: Final = {"name": "Talk"}
ENTRY: Final = Entry(State.APPLIED, 7, at=moment_of(WROTE) or 0)
LEDGER: Final = {"session/s1": ENTRY}


def a_hint(**changed: Any) -> Hint:
    return replace(Hint(Kind.SESSION, 7, EDITED, "d1", NOW, row=ROW), **changed)


def verdict(hint: Hint, memory: SurveyState | None = None, entry: Entry = ENTRY) -> str:
    look = sort_hints([hint], {"session/s1": entry}, memory or SurveyState(), now=NOW, tolerance=5_000)
    return "seen" if look.seen else "read" if look.reads else "gone" if look.gone else "nothing"


def known(*told: str) -> SurveyState:
    return SurveyState(hinted={"session/7": told})


def surveyed(newest: str, *, over: bool = False) -> SurveyState:
    return SurveyState(newest={Kind.SESSION: newest}, over=(Kind.SESSION,) if over else ())


@pytest.mark.rule("W2")
@pytest.mark.parametrize(
    ("hint", "memory", "expected", "why"),
    [
        (a_hint(), None, "seen", "a whole record, later than all that is known"),
        (a_hint(row=None), None, "read", "it does not carry the record"),
        (a_hint(deleted=True, row=None), None, "gone", "asked for before it is believed"),
        (a_hint(swoogo_id=8), None, "nothing", "a record that is none of ours (G2)"),
        (a_hint(kind=Kind.SPEAKER), None, "nothing", "an id of another kind"),
        (a_hint(), known(EDITED, "d1"), "nothing", "the same delivery again"),
        (a_hint(), known(LATER, "d0"), "nothing", "an older state, out of order"),
        (a_hint(stamp=LATER), known(EDITED, "d0"), "seen", "a later state"),
        (a_hint(), known(EDITED, "d0"), "read", "two states of one second"),
        (a_hint(), known(EDITED, "a", "b", "c", "d"), "nothing", "too many of one second: the reconcile sees to it"),
        (a_hint(), surveyed(LATER), "nothing", "the last survey saw it or something newer"),
        (a_hint(), surveyed(EDITED, over=True), "nothing", "the last survey saw that second whole"),
        (a_hint(), surveyed(EDITED), "read", "the last survey saw a part of that second"),
        (a_hint(), surveyed(WROTE), "seen", "after the last survey"),
        (a_hint(stamp=""), None, "read", "nobody knows how old it is"),
        (a_hint(stamp="2026-06-01T09:00:00Z"), None, "read", "a stamp of another shape"),
        (a_hint(stamp="2099-01-01 00:00:00"), None, "read", "a stamp that lies ahead"),
        (a_hint(stamp="", digest="d0"), known("", "d0"), "nothing", "one without a stamp again"),
        (a_hint(deleted=True, row=None), known(LATER, "d0"), "gone", "a deletion, however late it comes"),
        (a_hint(deleted=True, row=None), known(EDITED, "d1"), "nothing", "a deletion that was asked for"),
    ],
)
def test_what_a_delivery_is_worth(hint: Hint, memory: SurveyState | None, expected: str, why: str) -> None:
    assert verdict(hint, memory) == expected, why


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("wrote", "expected"), [(-60_000, "seen"), (-5_001, "seen"), (-5_000, "read"), (0, "read"), (3_600_000, "read")]
)
def test_a_record_that_was_written_about_then_or_since_is_read(wrote: int, expected: str) -> None:
    """What came may be from before our write, and would look like drift."""
    assert verdict(a_hint(), entry=replace(ENTRY, at=(moment_of(EDITED) or 0) + wrote)) == expected


@pytest.mark.rule("W3")
@pytest.mark.parametrize("state", [State.GONE, State.INTENT])
def test_only_what_is_in_swoogo_by_the_ledger_is_looked_at(state: State) -> None:
    assert verdict(a_hint(), entry=replace(ENTRY, state=state)) == "nothing"


@pytest.mark.rule("W3")
def test_a_delivery_that_was_taken_is_known_from_then_on() -> None:
    """However often it comes again, and in whatever order."""
    memory, hints = SurveyState(), [a_hint(), a_hint(stamp=LATER, digest="d2"), a_hint(deleted=True, digest="d3")]
    for hint in hints:
        memory = sort_hints([hint], LEDGER, memory, now=NOW, tolerance=0).memory
    for hint in hints * 3:
        look = sort_hints([hint], LEDGER, memory, now=NOW, tolerance=0)
        assert (look.seen, look.reads, look.gone, look.memory) == ({}, (), (), memory)


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("held", "hint", "expected"),
    [
        (None, a_hint(), a_hint()),
        (a_hint(), a_hint(at=5), None),
        (a_hint(), a_hint(stamp=LATER, digest="d2"), a_hint(stamp=LATER, digest="d2")),
        (a_hint(stamp=LATER), a_hint(digest="d2"), None),
        (a_hint(), a_hint(digest="d2"), a_hint(digest="d2", row=None)),
        (a_hint(stamp=LATER), a_hint(deleted=True, digest="d2"), a_hint(deleted=True, digest="d2")),
        (a_hint(deleted=True), a_hint(stamp=LATER, digest="d2"), None),
    ],
    ids=["first", "again", "later", "older", "same second", "deleted", "after deletion"],
)
def test_one_hint_a_record_is_kept(held: Hint | None, hint: Hint, expected: Hint | None) -> None:
    assert merged(held, hint) == expected


@pytest.mark.rule("W2")
@pytest.mark.parametrize(
    ("reads", "gone", "lists", "cheaper"),
    [
        (1, 0, False, False),
        (2, 0, False, True),
        (0, 1, False, False),
        (0, 4, False, False),
        (1, 4, False, True),
        (31, 0, True, False),
        (32, 0, True, True),
    ],
)
def test_many_hints_at_once_are_one_survey(reads: int, gone: int, *, lists: bool, cheaper: bool) -> None:
    """The event in one credit and each deletion by itself, or a list a kind; whichever is less."""
    ledger = {f"session/s{n}": replace(ENTRY, swoogo_id=n) for n in range(1, 40)}
    hints = [a_hint(swoogo_id=n, row=None) for n in range(1, reads + 1)]
    hints += [a_hint(swoogo_id=reads + n, deleted=True) for n in range(1, gone + 1)]
    look = sort_hints(hints, ledger, SurveyState(lists=lists), now=NOW, tolerance=0)
    assert look.credits == reads + gone
    assert look.survey_is_cheaper(3) == cheaper


@pytest.mark.rule("D2")
def test_deletions_one_by_one_count_together_until_the_next_survey() -> None:
    """As many as a survey would not believe are not believed here either."""
    ledger = {f"session/s{n}": replace(ENTRY, swoogo_id=n) for n in range(1, 41)}
    gone = [a_hint(swoogo_id=1, deleted=True)]
    assert doubts("ev", ledger, gone, SurveyState(hinted_gone={Kind.SESSION: 7}), 0.2) == []
    [issue] = doubts("ev", ledger, gone * 2, SurveyState(hinted_gone={Kind.SESSION: 8}), 0.2)
    assert (issue.code, issue.detail) == (Code.MANY_MISSING, "10 of 48")


@pytest.mark.rule("W2")
def test_everything_that_was_not_named_is_where_it_was() -> None:
    ledger = {f"session/s{n}": replace(ENTRY, swoogo_id=n) for n in range(1, 4)}
    found = sightings(ledger, {}, [a_hint(swoogo_id=2, deleted=True)])
    assert found[Kind.SESSION].ids == {1, 3}


@pytest.mark.rule("W3")
def test_a_survey_forgets_deliveries_but_those_of_its_own_second() -> None:
    memory = SurveyState(
        hinted={
            "session/1": (WROTE, "a"),
            "session/2": (EDITED, "b"),
            "session/3": ("", "c"),
            "session/4": ("2099-01-01 00:00:00", "d"),
        }
    )
    assert still_hinted(memory, {Kind.SESSION: EDITED}, NOW) == {"session/2": (EDITED, "b")}
    assert still_hinted(memory, {}, NOW) == {"session/1": (WROTE, "a"), "session/2": (EDITED, "b")}


@pytest.mark.rule("W1")
@pytest.mark.parametrize(
    ("heard", "gone", "issue", "proved"),
    [
        (NOW, False, None, True),
        (NOW - 86_400_001, False, None, False),
        (NOW, True, None, False),
        (NOW, False, Issue("session/s1", Code.EDITED_IN_SWOOGO, field="name"), True),
        (NOW, False, Issue("session/s2", Code.EDITED_IN_SWOOGO, field="name"), False),
    ],
    ids=["alive", "no delivery", "a deletion not told", "drift told before", "drift not told"],
)
def test_survey_without_news_proves_webhooks(heard: int, issue: Issue | None, *, gone: bool, proved: bool) -> None:
    former = Issue("session/s1", Code.EDITED_IN_SWOOGO, field="name")
    findings = Findings(gone={"session/s3": ENTRY} if gone else {}, issues=(issue,) if issue else ())
    survey = Survey(findings, "", {}, SurveyState(hinted_at=heard), deep=False)
    assert is_proved(survey, {former.id: former}, NOW) == proved
