"""What a survey says about the ledger: gone, edited, or too much to believe; and how often surveys come."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.ledger_commands import lifted
from consumer.domain.records.identity import Kind, digest
from consumer.domain.records.ledger import Entry, Remote, State, known_ids
from consumer.domain.surveys.survey import EMPTIED, Findings, KindSurvey, Known, SurveyState, budgeted_interval, examine
from consumer.domain.surveys.survey_issues import survives
from tests.support.builders import EVENT, NOW, a_directory, an_entry, an_intent

LONG = "x" * 300


def seen(*ids: int, **rows: Mapping[str, str]) -> KindSurvey:
    """Ids that are there; `r7={...}`: fields of record 7."""
    held = {int(name[1:]): Remote(int(name[1:]), "", fields) for name, fields in rows.items()}
    return KindSurvey({*ids, *held}, held)


def found(ledger: Mapping[str, Entry], kind: Kind, sighting: KindSurvey, *, confirmed: bool = False) -> Findings:
    return examine(ledger, {kind: sighting}, EVENT, max_missing_share=0.2, now=NOW, confirmed=confirmed)


@pytest.mark.rule("D2")
@pytest.mark.parametrize(
    ("total", "gone", "believed"),
    [
        pytest.param(1, 1, True, id="one of one: a few may always go"),
        pytest.param(4, 3, True, id="three of four"),
        pytest.param(4, 4, False, id="four of four"),
        pytest.param(20, 4, True, id="a fifth"),
        pytest.param(19, 4, False, id="more than a fifth"),
        pytest.param(100, 20, True, id="a fifth of many"),
        pytest.param(100, 21, False, id="more than a fifth of many"),
    ],
)
def test_more_than_a_share_gone_at_once_is_not_believed(total: int, gone: int, believed: bool) -> None:
    """Nothing of that kind is concluded, and the event's admin is told; an operator may confirm."""
    ledger = {f"session/s{number}": an_entry(number) for number in range(1, total + 1)}
    here = seen(*range(gone + 1, total + 1))
    findings = found(ledger, Kind.SESSION, here)
    issue = Issue(f"event/{EVENT}", Code.MANY_MISSING, field="sessions", detail=f"{gone} of {total}")
    assert (len(findings.gone), findings.issues) == ((gone, ()) if believed else (0, (issue,)))
    assert len(found(ledger, Kind.SESSION, here, confirmed=True).gone) == gone


@pytest.mark.rule("D2")
def test_a_loss_of_one_kind_says_nothing_about_another() -> None:
    """The mistake is in the sessions; the speaker who is gone is gone."""
    ledger = {f"session/s{number}": an_entry(number) for number in range(1, 10)} | {"speaker/c1": an_entry(50)}
    findings = examine(ledger, {Kind.SESSION: seen(), Kind.SPEAKER: seen()}, EVENT, max_missing_share=0.2, now=NOW)
    assert findings.gone.keys() == {"speaker/c1"}
    assert findings.gone["speaker/c1"] == an_entry(50, state=State.GONE, at=NOW)


@pytest.mark.parametrize("entry", [an_intent("talk"), an_entry(7, state=State.GONE)])
def test_only_what_was_there_can_be_gone(entry: Entry) -> None:
    assert found({"session/s1": entry}, Kind.SESSION, seen()) == Findings()


@pytest.mark.rule("D2")
def test_a_kind_that_was_not_seen_says_nothing() -> None:
    """Silence is no deletion."""
    assert examine({"session/s1": an_entry(7)}, {}, EVENT, max_missing_share=0.2, now=NOW) == Findings()


@pytest.mark.rule("R2")
@pytest.mark.parametrize(
    ("held", "pushed", "row", "edited"),
    [
        pytest.param({"name": "A"}, {"name": "A"}, {"name": "B"}, ["name"], id="edited"),
        pytest.param({"name": "A"}, {"name": "A"}, {"name": "A"}, [], id="untouched"),
        pytest.param({"name": "A"}, {"name": "A"}, {"name": ""}, ["name"], id="emptied"),
        pytest.param({"bio": LONG}, {"bio": LONG}, {"bio": LONG}, [], id="a long text"),
        pytest.param({"bio": LONG}, {"bio": LONG}, {"bio": LONG + "y"}, ["bio"], id="a long text edited"),
        pytest.param({"name": "a"}, {"name": "A"}, {"name": "a"}, [], id="Swoogo answered another spelling"),
        pytest.param({"capacity": ""}, {}, {"capacity": "30"}, [], id="a field that was never ours"),
        pytest.param(
            {"name": "A", "date": "d"}, {"name": "A", "date": "d"}, {"date": "e"}, ["date"], id="not all came"
        ),
    ],
)
def test_field_counts_as_edited_when_it_differs_from_our_last_answer(
    held: Mapping[str, str], pushed: Mapping[str, str], row: Mapping[str, str], edited: list[str]
) -> None:
    """Told per field."""
    entry = an_entry(7, pushed=pushed, seen={name: digest(value) for name, value in held.items()})
    findings = found({"session/s1": entry}, Kind.SESSION, seen(r7=row))
    assert findings.issues == tuple(
        Issue("session/s1", Code.EDITED_IN_SWOOGO, field=name, detail="" if row[name] else EMPTIED) for name in edited
    )
    assert findings.compared_keys == {"session/s1"}


@pytest.mark.rule("R2")
def test_a_field_that_no_answer_had_shown_is_learned_at_first_sight() -> None:
    """When a create answered only an id, drift counts from the first survey on."""
    entry = an_entry(7, pushed={"name": "A", "bio": LONG})
    findings = found({"session/s1": entry}, Kind.SESSION, seen(r7={"name": "A", "bio": LONG, "other": "x"}))
    assert findings.issues == ()
    assert findings.learned["session/s1"].seen == {"name": "A", "bio": digest(LONG)}


@pytest.mark.rule("S6")
def test_whoever_renames_a_room_in_swoogo_may() -> None:
    """Its name is frozen on our side; there is nothing to tell."""
    entry = an_entry(7, pushed={"name": "Hall"}, seen={"name": "Hall"})
    assert found({"location/r1": entry}, Kind.LOCATION, seen(r7={"name": "Aula"})).issues == ()


EDITED = Issue("session/s1", Code.EDITED_IN_SWOOGO, field="name")
MISSING = Issue(f"event/{EVENT}", Code.MANY_MISSING, field="sessions", detail="4 of 4")


@pytest.mark.rule("R2")
@pytest.mark.parametrize(
    ("issue", "findings", "sent", "stands"),
    [
        (EDITED, None, {}, True),
        (EDITED, None, {"session/s1": {"name"}}, False),
        (EDITED, None, {"session/s1": {"date"}, "session/s2": {"name"}}, True),
        (EDITED, Findings(), {}, True),
        (EDITED, Findings(compared_keys={"session/s1"}), {}, False),
        (MISSING, None, {}, True),
        (MISSING, Findings(), {}, False),
        (Issue("session/s1", Code.REFUSED), None, {}, False),
    ],
)
def test_an_edit_is_told_until_its_record_is_read_again_or_its_field_is_sent(
    issue: Issue, findings: Findings | None, sent: Mapping[str, set[str]], stands: bool
) -> None:
    assert survives(issue, findings, sent) is stands


@pytest.mark.rule("R2")
def test_what_was_seen_before_counts_for_fields_that_are_not_sent() -> None:
    """The answer to an update shows what a person typed meanwhile, which stays drift."""
    entry = an_entry(7, pushed={"name": "A", "bio": "B"}, seen={"name": "A", "bio": "B"})
    after = entry.sent({"name": "C"}, {"name": "C", "bio": "By hand", "date": "d"}, natural="c", version=2)
    assert after.seen == {"name": "C", "bio": "B", "date": "d"}
    assert entry.sent({"name": "C"}, {}, natural="c", version=2).seen == {"bio": "B"}


@pytest.mark.rule("D3")
def test_a_lift_forgets_the_entry_and_the_associations_with_it() -> None:
    """Whatever is no tombstone stays as it is."""
    ledger = {
        "session/s1": an_entry(1, state=State.GONE),
        "session/s2": an_entry(2),
        "speaker/c1": an_entry(3, links=("s1", "s2")),
        "speaker/c2": an_entry(4, links=("s2",)),
        "speaker/c3": an_entry(5, links=("s1",), state=State.GONE),
    }
    assert lifted(ledger, {"session/s1", "session/s2", "session/s9"}) == {
        "session/s1": None,
        "speaker/c1": an_entry(3, links=("s2",)),
        "speaker/c3": an_entry(5, links=(), state=State.GONE),
    }
    assert lifted(ledger, {"speaker/c3"}) == {"speaker/c3": None}


@pytest.mark.rule("G5")
@pytest.mark.parametrize(
    ("needed", "seconds"),
    [(1, 1800), (1_500, 1800), (1_501, 1801.2), (31 * 100, 3720)],
)
def test_interval_stretches_to_the_share_of_surveys(needed: int, seconds: float) -> None:
    """2,000 credits in 600 s; a quarter of them makes 1,500 in half an hour."""
    assert budgeted_interval(1800, needed, limit=2_000, window=600, share=0.25) == pytest.approx(seconds)


def test_known_ids_are_those_listed_or_in_the_ledger() -> None:
    directory = a_directory(Remote(1, "by hand"), Remote(2, "ours"), Remote(3, "gone"))
    ledger = {"session/a": an_entry(2, natural="ours now"), "session/b": an_entry(3, state=State.GONE)}
    ledger |= {"session/c": an_entry(4, natural="new"), "session/d": an_intent("x"), "speaker/e": an_entry(9)}
    assert known_ids(Kind.SESSION, directory, ledger) == {1: "by hand", 2: "ours now", 4: "new"}


@pytest.mark.rule("R2")
@pytest.mark.parametrize(
    ("stamp", "over", "read"),
    [
        pytest.param("2026-06-01 10:00:01", True, True, id="newer"),
        pytest.param("2026-06-01 10:00:00", True, False, id="of a second that had passed"),
        pytest.param("2026-06-01 10:00:00", False, True, id="of a second that had not"),
        pytest.param("2026-06-01 09:59:59", False, False, id="older"),
    ],
)
def test_a_record_is_read_again_while_its_second_may_last(stamp: str, over: bool, read: bool) -> None:
    """`updated_at` is in whole seconds (swoogo-api.md 2.8)."""
    assert Known({}, "2026-06-01 10:00:00", over).changed(stamp) is read


@pytest.mark.rule("R2")
def test_second_is_over_when_a_later_survey_found_nothing_newer() -> None:
    """By the moments of our own surveys, never by comparing our clock with Swoogo's."""
    sessions = {Kind.SESSION: KindSurvey({1}, {}, "10:00:00")}
    first = SurveyState().read(sessions, began=NOW, ended=NOW + 500)
    assert (first.newest, first.over) == ({Kind.SESSION: "10:00:00"}, ())
    soon = first.read(sessions, began=NOW + 2_499, ended=NOW + 2_600)
    assert soon.over == ()
    later = first.read(sessions, began=NOW + 2_500, ended=NOW + 2_600)
    assert later.over == (Kind.SESSION,)
    assert later.read(sessions, began=NOW + 2_700, ended=NOW + 2_800).over == (Kind.SESSION,), "over is over"
    assert later.read({}, began=NOW + 9_000, ended=NOW + 9_100).over == (Kind.SESSION,), "no new sight of the kind"
    changed = later.read({Kind.SESSION: KindSurvey({1}, {}, "10:00:07")}, began=NOW + 9_000, ended=NOW + 9_100)
    assert (changed.newest, changed.over) == ({Kind.SESSION: "10:00:07"}, ())
