"""Every issue as an event admin reads it, and as an operator does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.errors import NO_REASON
from consumer.domain.issues.issue import OPERATORS_ONLY, Code, Effect, Issue, effect_of
from consumer.domain.issues.labels import Labels
from consumer.domain.issues.sentence_templates import SENTENCES
from consumer.domain.issues.sentences import field_label, for_admin, for_operator, reason_words
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Contact, Place, Profile, Snapshot, Sponsor
from tests.support.builders import a_mapping, a_session

TITLE: Final = '"Opening keynote" (Hall A, 12 Oct)'
SPEAKER: Final = f"a speaker of {TITLE}"
UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
OPERATORS_WORDS: Final = re.compile(r"`|swoogo-sync|--\w|SWOOGO_SYNC|\b[45]\d\d\b|Kafka|Redis|EVENT")


def session(code: Code, **fields: Any) -> Issue:
    return replace(Issue("session/s1", code, **fields), label=TITLE)


def speaker(code: Code, **fields: Any) -> Issue:
    return replace(Issue("speaker/c1", code, **fields), label=SPEAKER)


@pytest.mark.rule("N2")
@pytest.mark.parametrize("label", ["", TITLE])
@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_whole_sentence_for_both_readers(code: Code, label: str) -> None:
    """For both readers."""
    issue = replace(Issue("session/s1", code, field="title", detail="Detail.", other="session/s2"), label=label)
    for sentence in (for_admin(issue), for_operator(issue, "e1")):
        assert not re.search(r"[{}]|  |\n|\(\)", sentence)
        assert sentence.endswith(".")
        assert sentence[0].isupper() or sentence[0] == '"'
    assert "s1" not in for_admin(issue)
    assert "session/s1" in for_operator(issue, "e1")
    assert label in for_admin(issue)
    assert label in for_operator(issue, "e1")


@pytest.mark.rule("N2")
@pytest.mark.parametrize("code", list(Code))
def test_what_only_operators_can_use_stands_only_in_their_sentence(code: Code) -> None:
    """For both readers."""
    issue = session(code, field="title", detail="Detail.", hint="Swoogo answered 422 to the update of a session.")
    assert not OPERATORS_WORDS.search(for_admin(issue))


@pytest.mark.rule("N2")
@pytest.mark.parametrize("code", list(Code))
def test_a_sentence_says_all_that_is_known(code: Code) -> None:
    """A field or a detail that it has a place for is told; a field by the name that its reader knows."""
    issue = session(code, field="ends_at", detail="DETAIL")
    assert ("end time" in for_admin(issue)) is ("{field}" in SENTENCES[code].admin)
    assert ("DETAIL" in for_admin(issue)) is ("{detail}" in SENTENCES[code].admin)
    assert ("DETAIL" in for_operator(issue, "e1")) is ("{detail}" in SENTENCES[code].operator)


PARKED: Final = (
    "It is parked: sent again when it changes, at the next reconcile, or after "
    "`swoogo-sync parked retry e1 session/s1`."
)
AGAIN: Final = (
    "It is tried again when it changes, and at the next comparison with Swoogo (without continuous sync: at the next "
    "sync that somebody starts)."
)


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    ("issue", "admin", "operator"),
    [
        (
            session(Code.MISSING_FIELD, field="ends_at"),
            f"{TITLE} is not in Swoogo: it has no end time. Add one in Sessionboard.",
            (
                f"{TITLE} [session/s1] is left out: the required field ends_at is not set. Its admin sets it in "
                "Sessionboard; it syncs by itself then."
            ),
        ),
        (
            replace(session(Code.MISSING_FIELD, field="ends_at"), live=True),
            (f"{TITLE} is in Swoogo, but its changes are not synced: it has no end time. Add one in Sessionboard."),
            (
                f"{TITLE} [session/s1] is left out: the required field ends_at is not set. Its admin sets it in "
                "Sessionboard; it syncs by itself then."
            ),
        ),
        (
            speaker(Code.MISSING_FIELD, field="email"),
            f"A speaker of {TITLE} is not in Swoogo: the person has no e-mail address. Add one in Sessionboard.",
            (
                f"A speaker of {TITLE} [speaker/c1] is left out: the required field email is not set. Its admin sets "
                "it in Sessionboard; it syncs by itself then."
            ),
        ),
        (
            session(Code.REFUSED, detail=NO_REASON, hint="Swoogo answered 422 to the update of a session."),
            (
                f"Swoogo did not take {TITLE}, and gave no reason. Compare it with what Swoogo's own form asks for "
                f"(required fields, lengths, choices) and correct it in Sessionboard. {AGAIN}"
            ),
            (
                f"{TITLE} [session/s1]: Swoogo refused it without a reason. Swoogo answered 422 to the update of a "
                f"session. {PARKED}"
            ),
        ),
        (
            session(Code.REFUSED, detail="Track is not allowed here."),
            (
                f"Swoogo did not take {TITLE}: Track is not allowed here. Correct it in Sessionboard, or remove in "
                f"Swoogo what is in its way. {AGAIN}"
            ),
            f"{TITLE} [session/s1]: Swoogo refused it: Track is not allowed here. {PARKED}",
        ),
        (
            session(Code.FIELD_NOT_APPLIED, field="track"),
            (
                f"Swoogo took the change of {TITLE}, but does not show its track as it was sent. See in Swoogo whether "
                "the field can be edited, and set it there; it is sent again when it changes in Sessionboard."
            ),
            (
                f"{TITLE} [session/s1]: Swoogo answered with success and did not keep track as it was sent. It is sent "
                "again when it changes in Sessionboard."
            ),
        ),
        (
            session(Code.AMBIGUOUS_MATCH, detail="ids 7, 9"),
            (
                f"{TITLE} may be in Swoogo already: Swoogo did not answer when it was created, and these of its "
                "records may be it: ids 7, 9. Delete those that are too many in Swoogo, or tell the people who run "
                "the sync which is the right one."
            ),
            (
                f"{TITLE} [session/s1]: a create got no answer, and these records of Swoogo may be its result: ids 7, "
                "9. Nothing is created before a person decides: `swoogo-sync ledger adopt e1 session/s1 SWOOGO_ID` "
                "takes the right one, `swoogo-sync ledger forget e1 session/s1` says that it is none of them; or "
                "delete the extra ones in Swoogo."
            ),
        ),
        (
            session(Code.UNKNOWN_STATUS, field="status"),
            (
                f"{TITLE} is not in Swoogo: the category of its status is not known. In Sessionboard, give it a status "
                "of the category accepted to sync it, or of another one (accept queue, pending, decline queue, "
                "declined) to leave it out."
            ),
            (
                f"{TITLE} [session/s1] is left out: its status is none of accepted, accept_queue, pending, "
                "decline_queue, declined. If Sessionboard has a new category, a later version of the service has to "
                "know it."
            ),
        ),
        (
            session(Code.NO_PERMISSION, hint="Swoogo answered 403 to the update of a session."),
            (
                f"Swoogo does not let the sync write {TITLE}. Ask the owner of the Swoogo account to give the user of "
                "the API key access to this event."
            ),
            (
                f"{TITLE} [session/s1]: the user of the API key may not write it in Swoogo. Swoogo answered 403 "
                f"to the update of a session. The owner of the Swoogo account has to allow it. {PARKED}"
            ),
        ),
        (
            replace(Issue("event/ev", Code.MANY_MISSING, "sessions", "9 of 12"), label='event "Northlight Summit"'),
            (
                'Event "Northlight Summit": 9 of 12 sessions are missing in Swoogo at once, which looks like a '
                "mistake, so none counts as deleted. Restore them in Swoogo; if they were deleted on purpose, ask the "
                "people who run the sync to confirm it."
            ),
            (
                'Event "Northlight Summit" [event/ev]: 9 of 12 sessions are missing in Swoogo at once, so none counts '
                "as deleted; perhaps the API key sees less than before. If they were deleted on purpose, "
                "`swoogo-sync reconcile e1 --confirm-deletions` confirms it."
            ),
        ),
        (
            speaker(
                Code.IMAGE_UNUSABLE,
                field="photo_url",
                detail="cdn.example has no image at this address.",
                hint="Its server answered 404.",
            ),
            (
                f"A speaker of {TITLE} is in Swoogo without its headshot: cdn.example has no image at this address. If "
                "that stays so, put another one in Sessionboard."
            ),
            (
                f"A speaker of {TITLE} [speaker/c1] is synced without photo_url: cdn.example has no image at this "
                "address. Its server answered 404. It is tried again when its address changes."
            ),
        ),
        (
            session(Code.EDITED_IN_SWOOGO, field="start_time"),
            (
                f"The start time of {TITLE} was edited in Swoogo. It stays as it is there until it changes in "
                "Sessionboard; to undo the edit, edit it back in Swoogo."
            ),
            (
                f"{TITLE} [session/s1]: start_time was edited in Swoogo and is not overwritten before it changes in "
                "Sessionboard."
            ),
        ),
        (
            session(Code.NOT_ADOPTED, detail="Swoogo has no session 7."),
            f"{TITLE} is being looked for in Swoogo by the people who run the sync; there is nothing for you to do.",
            (
                f"{TITLE} [session/s1] was not adopted as you asked: Swoogo has no session 7. "
                "`swoogo-sync ledger show e1 session/s1` shows what is known of it; then ask again."
            ),
        ),
        (
            replace(
                speaker(Code.DUPLICATE_EMAIL, field="email", other="speaker/c2"), other_label='a speaker of "Panel"'
            ),
            (
                f'A speaker of {TITLE} is not in Swoogo: another speaker of "Panel" has the same e-mail address. Merge '
                "the two in Sessionboard, or correct one address."
            ),
            (
                f'A speaker of {TITLE} [speaker/c1] is left out: another speaker of "Panel" [speaker/c2] has the same '
                "e-mail address and comes first. Their admin merges the two in Sessionboard, or corrects one address."
            ),
        ),
    ],
)
def test_what_people_read(issue: Issue, admin: str, operator: str) -> None:
    """What is wrong with which record, and what to do about it."""
    assert for_admin(issue) == admin
    assert for_operator(issue, "e1") == operator


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    ("key", "admin", "operator"),
    [
        ("speaker/c1#sessions", "the sessions of a speaker", "Swoogo refused the sessions:"),
        ("speaker/c1#image", "the headshot of a speaker", "Swoogo refused the headshot:"),
        ("session/s1#removal", "the deletion of a session", "Swoogo refused the deletion:"),
    ],
)
def test_a_refusal_says_which_part_of_the_record_it_is_about(key: str, admin: str, operator: str) -> None:
    """For both readers."""
    issue = Issue(key, Code.REFUSED, field="photo_url" if key.endswith("#image") else "", detail="No.")
    assert for_admin(issue).startswith(f"Swoogo did not take {admin}: No.")
    assert operator in for_operator(issue, "e1")
    assert f"parked retry e1 {key}`" in for_operator(issue, "e1")


@pytest.mark.rule("N2")
def test_two_speakers_who_swap_addresses_are_told_of_each_other() -> None:
    """For both readers."""
    issue = replace(
        speaker(Code.REFUSED, field="email", detail="Email has already been taken.", other="speaker/c2"),
        other_label='a speaker of "Panel"',
    )
    assert 'taken. A speaker of "Panel" still has that e-mail address in Swoogo.' in for_admin(issue)
    assert "[speaker/c2] still has that e-mail address" in for_operator(issue, "e1")


@pytest.mark.rule("N2")
def test_braces_in_a_detail_are_only_text() -> None:
    """Swoogo's words can hold anything."""
    issue = session(Code.REFUSED, detail="{record} {0}", other="session/s2")
    assert "{record} {0}" in for_admin(issue)
    assert "{record} {0}" in for_operator(issue, "e1")


@pytest.mark.rule("N2")
@pytest.mark.parametrize("code", list(Code))
def test_a_record_that_is_left_out_is_not_said_to_be_in_swoogo(code: Code) -> None:
    """For both readers."""
    left_out = effect_of(code) is Effect.LEFT_OUT
    assert ("{out}" in SENTENCES[code].admin) <= left_out
    assert (" is in Swoogo" in SENTENCES[code].admin) <= (not left_out)
    assert (code in OPERATORS_ONLY) <= left_out


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    ("field", "label"),
    [("starts_at", "start time"), ("ends_at", "end time"), ("first_name", "first name"), ("photo_url", "headshot")],
)
def test_a_field_is_called_what_admins_call_it(field: str, label: str) -> None:
    """The names of the contract are for machines."""
    assert field_label(field) == label


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("not_accepted", "not accepted"),
        ("no_eligible_session", "without an eligible session"),
        ("missing_field", "missing field"),
        ("sealed", "synced before a disconnect"),
    ],
)
def test_a_reason_can_stand_after_a_number(label: str, words: str) -> None:
    """`4 not accepted`."""
    assert reason_words(label) == words


ids = st.uuids(version=4).map(str)
titles = st.text(st.characters(codec="utf-8", categories=["L", "Zs", "P"]), max_size=100).filter(
    lambda text: not OPERATORS_WORDS.search(text)
)


@st.composite
def dressed_issues(draw: st.DrawFn) -> tuple[Issue, set[str]]:
    """An issue of a record of a snapshot, as a push stores it, and the ids and names that admins must not read."""
    session_id, contact_id, other_id, sponsor_id, room_id = (draw(ids) for _ in range(5))
    person = Profile("Ada", "Lovelace", "ada@example.org")
    snapshot = Snapshot(
        {session_id: a_session(session_id, people=[contact_id], title=draw(titles), room=Place(room_id, draw(titles)))},
        {contact_id: Contact(contact_id, profile=person), other_id: Contact(other_id)},
        {sponsor_id: Sponsor(sponsor_id, name=draw(titles))},
    )
    event_id = draw(ids)
    keys = {
        Kind.SESSION: session_id,
        Kind.SPEAKER: draw(st.sampled_from([contact_id, other_id])),
        Kind.SPONSOR: sponsor_id,
        Kind.LOCATION: room_id,
        "event": event_id,
    }
    kind = draw(st.sampled_from(sorted(keys)))
    issue = Issue(
        f"{kind}/{keys[kind]}{draw(st.sampled_from(['', '#sessions', '#image', '#removal']))}",
        draw(st.sampled_from(sorted(Code))),
        field="email",
        detail="Ada Lovelace (ada@example.org) cannot be taken.",
        other=f"speaker/{draw(st.sampled_from([contact_id, other_id]))}",
        hint="Swoogo answered 422 to the update of a session.",
    )
    [dressed] = Labels(snapshot, {}, a_mapping(event_id=event_id)).dressed_all([issue])
    private = {"Lovelace", "ada@"} if keys[kind] == contact_id else {"ada@"}
    return dressed, {session_id, contact_id, other_id, sponsor_id, room_id, event_id} | private


@pytest.mark.rule("N2")
@given(dressed_issues())
def test_sentences_for_admins_name_no_technical_detail(made: tuple[Issue, set[str]]) -> None:
    """For both readers."""
    issue, unspeakable = made
    sentence = for_admin(issue)
    assert not {each for each in unspeakable if each in sentence}
    assert not UUID_TEXT.search(sentence)
    assert not OPERATORS_WORDS.search(sentence)


def test_the_property_would_see_an_id() -> None:
    """The pattern that it looks for matches what ids look like."""
    assert UUID_TEXT.search(str(UUID(int=5)))
