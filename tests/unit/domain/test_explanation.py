"""What is said of a record: every reason for leaving it out, every state of its event, every issue (U4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.explaining.event_holds import EventHolds
from consumer.domain.explaining.explanation import RecordFacts, explain
from consumer.domain.explaining.sync_state import Became
from consumer.domain.issues.issue import Code, Hand, Issue, hand_of
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, SetImage, Update
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, Remote, State
from consumer.domain.records.snapshot import Session
from tests.support.builders import NOW, START, a_contact, a_mapping, a_session, an_entry, an_intent

pytestmark = pytest.mark.rule("U4")

KEY = "session/s1"
SENT = an_entry(101, pushed={"name": "Title", "date": "2026-07-01"}, at=NOW)
GONE = Entry(State.GONE, swoogo_id=101, at=NOW)
UPDATE = Update(Kind.SESSION, KEY, 101, {"name": "New"}, {"name": "Old"}, "")


def facts(**fields: Any) -> RecordFacts:
    """A record that is in Swoogo as it should be."""
    given = RecordFacts(KEY, resource=a_session(version=NOW), entry=SENT, mapping=a_mapping(), now=NOW)
    return replace(given, **fields)


def test_a_record_in_sync_says_so_on_both_sides() -> None:
    told = explain(facts())
    assert told.state is Became.IN_SWOOGO
    assert told.here == "Sessionboard has it as accepted. It was last changed on 1 Jun 2026, 09:00."
    assert told.between == "2 fields of it sent; what is kept of that changed on 1 Jun 2026, 09:00."
    assert told.there == "Swoogo has it as 101."
    assert told.next == "A sync now would send nothing of it."
    assert told.holds == ()


@pytest.mark.parametrize(
    ("reason", "sentence", "remedy"),
    [
        (Reason.DELETED, "It was deleted in Sessionboard. It stays in Swoogo as it is.", "Restore it"),
        (Reason.NOT_ACCEPTED, "Its status is pending; accepted sessions are synced. It stays", "Accept it"),
        (Reason.ENDED, "It ended on 1 Jul 2026, 10:00; what has ended is left alone.", "Move it to a later time"),
        (Reason.NO_ELIGIBLE_SESSION, "This person is on no session that is synced.", "Put them on a session"),
        (Reason.SEALED, "It was synced before the organization disconnected", "Make a new session"),
        (Reason.PARKED, "Swoogo refused this change before", "Change it in Sessionboard"),
        (Reason.HELD_BACK, "Every session of this person is held back", "It goes over when one of these"),
        (Reason.FROZEN, "What is new about it is frozen.", "It goes over when the freeze ends"),
        (Reason.UNAPPROVED, "Changes of this event wait until", "Approve the plan."),
        (Reason.WAITING, "Swoogo did not answer when it was created", "There is nothing to do"),
        (Reason.GONE, "It was deleted in Swoogo.", "An operator lifts that"),
        (Reason.ISSUE, "Something about it has to be set right first.", "Look at its issues."),
    ],
)
def test_every_reason_has_a_sentence_and_what_ends_it(reason: Reason, sentence: str, remedy: str) -> None:
    (hold,) = explain(facts(resource=a_session(status="pending"), skip=Skip(KEY, reason))).holds
    assert hold.code == reason.value
    assert hold.sentence.startswith(sentence)
    assert hold.remedy.startswith(remedy)


def test_every_reason_is_in_the_table_above() -> None:
    marks = test_every_reason_has_a_sentence_and_what_ends_it.pytestmark  # type: ignore[attr-defined] # pytest sets it
    (table,) = (each.args[1] for each in marks if each.name == "parametrize")
    assert {row[0] for row in table} == set(Reason)


def test_an_embargo_says_until_when() -> None:
    (hold,) = explain(facts(mapping=a_mapping(embargo_until=START), skip=Skip(KEY, Reason.HELD_BACK))).holds
    assert hold.sentence.startswith("Nothing of this event is sent before 1 Jul 2026, 09:00.")
    assert hold.remedy == "It goes over by itself then."


def test_what_an_issue_says_is_not_said_twice() -> None:
    told = explain(facts(skip=Skip(KEY, Reason.ISSUE, Issue(KEY, Code.MISSING_FIELD, field="title"))))
    assert told.holds == ()


@pytest.mark.parametrize("code", Code)
def test_every_issue_code_has_a_state(code: Code) -> None:
    """The same hand as in the list of what needs one; what was deleted in Swoogo has a state of its own."""
    state, hand = explain(facts(issues=(Issue(KEY, code, field="title"),))).state, hand_of(code)
    others = {Hand.HELD: Became.HELD, Hand.EDITED: Became.EDITED}
    if hand.needed and code is not Code.GONE_IN_SWOOGO:
        assert state is Became.NEEDS_HAND
    else:
        assert state is others.get(hand, Became.IN_SWOOGO)


@pytest.mark.parametrize(
    ("entry", "skip", "codes", "sends", "state"),
    [
        (GONE, None, [Code.GONE_IN_SWOOGO], False, Became.GONE),
        (GONE, None, [Code.MISSING_FIELD], False, Became.NEEDS_HAND),
        (SENT, None, [], True, Became.WAITING),
        (SENT, None, [Code.EDITED_IN_SWOOGO], True, Became.WAITING),
        (None, Reason.WAITING, [], False, Became.WAITING),
        (SENT, Reason.HELD_BACK, [Code.HELD_BACK], True, Became.HELD),
        (SENT, Reason.FROZEN, [], False, Became.HELD),
        (SENT, Reason.UNAPPROVED, [], False, Became.WAITING),
        (SENT, Reason.NOT_ACCEPTED, [], True, Became.IN_SWOOGO),
        (None, Reason.NOT_ACCEPTED, [], True, Became.LEFT_OUT),
        (None, Reason.ENDED, [], True, Became.OVER),
        (None, None, [], False, Became.LEFT_OUT),
    ],
)
def test_one_state_holds_the_first_of_several(
    entry: Entry | None, skip: Reason | None, codes: list[Code], sends: bool, state: Became
) -> None:
    issues = tuple(Issue(KEY, code) for code in codes)
    given = facts(entry=entry, skip=Skip(KEY, skip) if skip else None, issues=issues, dirty=sends)
    assert explain(given).state is state


@pytest.mark.parametrize(
    ("entry", "between", "there"),
    [
        (None, "Nothing of it was ever sent.", "It is not in Swoogo."),
        (an_intent("title"), "It was sent to be created on 1 Jun 2026, 09:00, and no answer came.", "Whether it is in"),
        (GONE, "It was sent before, and found deleted in Swoogo on 1 Jun 2026, 09:00.", "Swoogo had it as 101;"),
        (replace(GONE, erased=NOW), "The person was erased on 1 Jun 2026, 09:00: digests are kept", "Swoogo had it"),
    ],
)
def test_what_was_sent_and_what_is_there(entry: Entry | None, between: str, there: str) -> None:
    told = explain(facts(entry=entry))
    assert told.between.startswith(between)
    assert told.there.startswith(there)


def test_edits_by_hand_are_named() -> None:
    edits = tuple(Issue(KEY, Code.EDITED_IN_SWOOGO, field=name) for name in ("start_time", "description"))
    assert explain(facts(issues=edits)).there == "Swoogo has it as 101. Edited there: description, start time."


@pytest.mark.parametrize(
    ("fields", "here"),
    [
        ({"resource": None}, "Sessionboard never sent it, so far as is known here."),
        ({"resource": None, "key": "location/r1"}, "Sessionboard names it in its sessions and sponsors"),
        ({"resource": None, "copied": True}, "Sessionboard sent no contact record of this person"),
        ({"resource": a_contact(deleted=True, version=NOW)}, "It was deleted in Sessionboard on 1 Jun 2026, 09:00."),
        ({"resource": Session("s1")}, "Sessionboard has it as a session without a status."),
        ({"mapping": None}, "Sessionboard has it as accepted. It was last changed on 1 Jun 2026, 08:00 UTC."),
    ],
)
def test_what_sessionboard_has(fields: dict[str, Any], here: str) -> None:
    assert explain(facts(**fields)).here.startswith(here)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (UPDATE, "update its name, for 1 credit."),
        (Create(Kind.SESSION, KEY, {}, ""), "create it, for 1 credit."),
        (Adopt(Kind.SPEAKER, KEY, Remote(7, ""), {}, ""), "take the record 7 of Swoogo for it, for 0 credits"),
        (Link(KEY, ("s1", "s2"), ("s3",)), "put it on 2 sessions and take it off 1 session, for 2 credits."),
        (Link("speaker/c1", ("s1",), ()), "put 1 speaker on it, for 1 credit."),
        (Link("speaker/c1", (), ("s1",)), "take 1 speaker off it, for 1 credit."),
        (Delete(Kind.SESSION, KEY, 101), "delete it in Swoogo, for 1 credit."),
        (SetImage(Kind.SPEAKER, KEY, "https://a.example/b", {}), "upload its image when its bytes are new"),
    ],
)
def test_what_a_sync_would_do(operation: Any, words: str) -> None:
    assert explain(facts(operations=(operation,))).next.startswith(f"A sync now would {words}")


@pytest.mark.parametrize(
    ("holds", "continuous", "codes"),
    [
        (EventHolds(refused=True, due_in=0), True, ["credential_refused", "due"]),
        (EventHolds(paused_for=30, due_in=0), True, ["circuit_open", "due"]),
        (EventHolds(working=True), True, ["pushing"]),
        (EventHolds(failures=2, due_in=60), True, ["failing"]),
        (EventHolds(due_in=4), True, ["waiting"]),
        (EventHolds(due_in=4), False, ["waiting"]),
        (EventHolds(), False, ["not_continuous"]),
        (EventHolds(), True, ["not_due"]),
    ],
)
def test_what_holds_the_event_holds_what_waits(holds: EventHolds, continuous: bool, codes: list[str]) -> None:
    given = facts(operations=(UPDATE,), holds=holds, mapping=a_mapping(continuous=continuous))
    assert [each.code for each in explain(given).holds] == codes
    assert explain(replace(given, operations=())).holds == ()


def test_without_a_mapping_nothing_is_sent() -> None:
    told = explain(facts(mapping=None, entry=None, skip=Skip(KEY, Reason.ENDED)))
    assert [each.code for each in told.holds] == ["not_mapped"]
    assert told.next == "Nothing is sent: the event is not mapped."


def test_what_is_frozen_in_part_says_so() -> None:
    told = explain(facts(operations=(UPDATE,), frozen=(UPDATE,), holds=EventHolds(due_in=4)))
    assert [each.code for each in told.holds] == ["frozen", "waiting"]


@pytest.mark.parametrize(("approval", "codes"), [("required", 1), ("refused", 1), ("approved", 0), ("", 0)])
def test_what_has_to_be_approved_waits_for_that(approval: str, codes: int) -> None:
    told = explain(facts(operations=(UPDATE,), holds=EventHolds(due_in=4, approval=approval)))
    assert [each.code for each in told.holds].count("waiting_for_approval") == codes


@pytest.mark.parametrize(
    ("holds", "remedy"),
    [
        (EventHolds(due_in=4.2), "It goes over by itself at 09:00:04."),
        (EventHolds(due_in=60, failures=1), "The next try comes at 09:01:00."),
        (EventHolds(failures=1), "The next try comes."),
        (EventHolds(paused_for=30, working=True), "They are tried again by themselves at 09:00:30."),
    ],
)
def test_what_comes_by_itself_says_when_on_the_clocks_of_the_event(holds: EventHolds, remedy: str) -> None:
    """A moment, not a number of seconds: the page stays the same until then."""
    assert explain(facts(operations=(UPDATE,), holds=holds)).holds[0].remedy == remedy
