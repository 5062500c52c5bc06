"""Every issue as an admin reads it."""

from __future__ import annotations

import re

import pytest

from consumer.domain.issue import NOTICES, SENTENCES, Code, Issue


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_sentence_about_the_record(code: Code) -> None:
    """N2: names the record by its id, leaves no placeholder, and ends like a sentence."""
    sentence = Issue("session/s-1", code, field="FIELD", detail="DETAIL").sentence()
    assert "Session s-1" in sentence
    assert not re.search(r"[{}]", sentence)
    assert sentence.endswith(".")
    assert sentence[0].isupper()
    assert "\n" not in sentence
    assert "  " not in sentence


@pytest.mark.parametrize("code", list(Code))
def test_a_sentence_says_all_that_is_known(code: Code) -> None:
    """N2: a field or a detail that a sentence has a place for is told."""
    sentence = Issue("session/s-1", code, field="FIELD", detail="DETAIL").sentence()
    assert ("FIELD" in sentence) is ("{field}" in SENTENCES[code])
    assert ("DETAIL" in sentence) is ("{detail}" in SENTENCES[code])


@pytest.mark.parametrize(
    ("issue", "sentence"),
    [
        (
            Issue("speaker/c1", Code.MISSING_FIELD, field="email"),
            "Speaker c1 is not synced because its e-mail address is missing. Add it in Sessionboard.",
        ),
        (
            Issue("session/s1", Code.INVALID_TIME_RANGE, field="ends_at"),
            "Session s1 is not synced because it does not end after it starts. Correct its times in Sessionboard.",
        ),
        (
            Issue("speaker/c2", Code.DUPLICATE_EMAIL, field="email", detail="speaker c1"),
            (
                "Speaker c2 is not synced because another speaker has the same e-mail address (speaker c1). "
                "Merge the two in Sessionboard or correct one address."
            ),
        ),
        (
            Issue("session/s1", Code.REFUSED, field="name", detail="Name is required."),
            (
                "Swoogo refused Session s1: Name is required. Correct it in Sessionboard, or in Swoogo what is in its "
                "way; it is tried again when it changes, and at the next comparison with Swoogo (without continuous "
                "sync: at the next manual sync)."
            ),
        ),
        (
            Issue("speaker/c1", Code.NAME_SHORTENED, field="job_title", detail="255 characters"),
            (
                "The job title of Speaker c1 is longer than Swoogo takes and was cut to 255 characters. "
                "Shorten it in Sessionboard if the cut is in the wrong place."
            ),
        ),
        (
            Issue("session/s1", Code.MULTI_DAY_CLAMPED),
            (
                "Session s1 runs over several dates; Swoogo shows it on its first date only. "
                "To show the others, make a session for each in Sessionboard."
            ),
        ),
        (
            Issue("location/r1", Code.RENAMED_AFTER_SYNC, field="name", detail='"Hall 1"'),
            (
                'Location r1 was renamed in Sessionboard after it was synced; Swoogo keeps the name "Hall 1". '
                "Rename it in Swoogo too (this notice stays), or make a new one in Sessionboard and assign it to the "
                "sessions."
            ),
        ),
    ],
)
def test_what_people_read(issue: Issue, sentence: str) -> None:
    """N2: what is wrong with which record, and what to do about it."""
    assert issue.sentence() == sentence


def test_braces_in_a_detail_are_only_text() -> None:
    """N2: Swoogo's words can hold anything."""
    assert "{record} {0}" in Issue("session/s1", Code.REFUSED, detail="{record} {0}").sentence()


def test_an_issue_about_associations_names_the_speaker() -> None:
    """N2: the key they are filed under is not for people."""
    assert "Speaker c1:" in Issue("speaker/c1#sessions", Code.REFUSED, detail="No.").sentence()


def test_an_id_may_hold_a_slash() -> None:
    assert "Level Gold/Silver " in Issue("level/Gold/Silver", Code.GONE_IN_SWOOGO).sentence()


@pytest.mark.parametrize("code", list(Code))
def test_a_notice_is_about_something_that_was_synced(code: Code) -> None:
    """S3, S6: a notice reports something done, an issue something left out."""
    assert Issue("session/s1", code).notice is (code in NOTICES)
    assert ("is not synced" in SENTENCES[code]) <= (code not in NOTICES)


@pytest.mark.parametrize(
    ("field", "label"),
    [("starts_at", "start time"), ("ends_at", "end time"), ("first_name", "first name"), ("photo_url", "headshot")],
)
def test_a_field_is_called_what_admins_call_it(field: str, label: str) -> None:
    """N2: the names of the contract are for machines."""
    sentence = Issue("session/s1", Code.IMAGE_UNUSABLE, field=field, detail="No.").sentence()
    assert f"without its {label}:" in sentence
    assert field not in sentence


@pytest.mark.parametrize(
    ("code", "command"),
    [
        (Code.GONE_IN_SWOOGO, "swoogo-sync ledger lift EVENT session/s1"),
        (Code.MANY_MISSING, "swoogo-sync reconcile EVENT --confirm-deletions"),
    ],
)
def test_where_only_an_operator_can_help_the_command_is_named(code: Code, command: str) -> None:
    """N2: whoever is asked finds what to type."""
    assert f"`{command}`" in Issue("session/s1", code).sentence()
