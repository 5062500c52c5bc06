"""What people read of some issues, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from consumer.domain.errors import NO_REASON
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.sentences import field_label, for_admin, for_operator, reason_words

TITLE: Final = '"Opening keynote" (Hall A, 12 Oct)'
SPEAKER: Final = f"a speaker of {TITLE}"


PARKED: Final = (
    "It is parked: sent again when it changes, at the next reconcile, or after "
    "`swoogo-sync parked retry e1 session/s1`."
)
AGAIN: Final = (
    "It is tried again when it changes, and at the next comparison with Swoogo (without continuous sync: at the next "
    "sync that somebody starts)."
)


def session(code: Code, **fields: Any) -> Issue:
    return replace(Issue("session/s1", code, **fields), label=TITLE)


def speaker(code: Code, **fields: Any) -> Issue:
    return replace(Issue("speaker/c1", code, **fields), label=SPEAKER)


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
