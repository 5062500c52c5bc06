"""Who takes part in a sync, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.domain.issues.issue import Code
from consumer.domain.planning.eligibility import Reason, Skip, missing_person_field, session_skip
from consumer.domain.records.snapshot import CATEGORIES, Profile
from tests.support.builders import HOUR, MINUTE, NOW, START, SessionFields, a_profile, a_session, session_key

pytestmark = pytest.mark.rule("E1", "E2", "E3", "E4", "E5", "E6")


def test_an_accepted_scheduled_session_with_a_title_is_eligible() -> None:
    """Status `accepted`, a title, a start and an end after it."""
    assert session_skip(a_session(), NOW) is None


@pytest.mark.parametrize("status", sorted(CATEGORIES - {"accepted"}))
def test_a_session_of_any_other_category_is_left_out_without_an_issue(status: str) -> None:
    """Not accepted is nothing to correct."""
    assert session_skip(a_session(status=status), NOW) == Skip(session_key(), Reason.NOT_ACCEPTED)


@pytest.mark.parametrize("status", ["", "Accepted", "confirmed", "accepted "])
def test_a_status_that_is_no_category_is_an_issue(status: str) -> None:
    """A category we do not know never counts as accepted, and somebody is told."""
    skip = session_skip(a_session(status=status), NOW)
    assert skip is not None
    assert skip.issue is not None
    assert (skip.reason, skip.issue.code, skip.issue.field) == (Reason.ISSUE, Code.UNKNOWN_STATUS, "status")
    assert skip.label == "unknown_status"


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        (SessionFields(title=""), "title"),
        (SessionFields(title=" \t\n"), "title"),
        (SessionFields(title="\u200b\u00ad"), "title"),
        (SessionFields(title="\x00\x0b"), "title"),
        (SessionFields(starts_at=None), "starts_at"),
        (SessionFields(ends_at=None), "ends_at"),
        (SessionFields(starts_at=None, ends_at=None), "starts_at"),
        (SessionFields(title="", starts_at=None), "title"),
    ],
)
def test_a_session_without_a_required_field_is_an_issue_that_names_it(fields: SessionFields, missing: str) -> None:
    """Title, start and end are required."""
    skip = session_skip(a_session(**fields), NOW)
    assert skip is not None
    assert skip.issue is not None
    assert (skip.issue.code, skip.issue.field) == (Code.MISSING_FIELD, missing)
    assert skip.label == "missing_field"


@pytest.mark.rule("S4")
@pytest.mark.parametrize("ends_at", [START, START - 1, START - HOUR])
def test_an_end_that_is_not_after_the_start_is_an_issue(ends_at: int) -> None:
    """Reported, not synced."""
    skip = session_skip(a_session(ends_at=ends_at), NOW)
    assert skip is not None
    assert skip.issue is not None
    assert (skip.issue.code, skip.issue.field) == (Code.INVALID_TIME_RANGE, "ends_at")


@pytest.mark.parametrize(
    ("ends_at", "reason"),
    [(NOW - MINUTE, Reason.ENDED), (NOW, Reason.ENDED), (NOW + 1, None)],
)
def test_a_session_is_left_out_from_the_moment_it_ends(ends_at: int, reason: Reason | None) -> None:
    """One that runs still is synced, one that has ended is not; that is no issue."""
    skip = session_skip(a_session(starts_at=NOW - HOUR, ends_at=ends_at), NOW)
    assert (skip.reason if skip else None) == reason
    assert skip is None or skip.issue is None


@pytest.mark.rule("D1")
def test_deleted_session_is_left_out_without_an_issue() -> None:
    """A thin deletion carries nothing, and that is no fault."""
    assert session_skip(a_session(deleted=True, title="", starts_at=None, status=""), NOW) == Skip(
        session_key(), Reason.DELETED
    )


def test_what_is_not_accepted_is_not_judged_further() -> None:
    """A draft may lack anything without anybody being told."""
    skip = session_skip(a_session(status="pending", title="", starts_at=None), NOW)
    assert skip is not None
    assert skip.issue is None
    assert skip.label == "not_accepted"


@pytest.mark.parametrize(
    ("profile", "missing"),
    [
        (a_profile(), ""),
        (a_profile(first_name=""), "first_name"),
        (a_profile(first_name=" "), "first_name"),
        (a_profile(last_name=None), "last_name"),
        (a_profile(email=""), "email"),
        (a_profile(email=None), "email"),
        (Profile(), "first_name"),
    ],
)
def test_a_speaker_needs_first_name_last_name_and_email(profile: Profile, missing: str) -> None:
    """Not carried and empty are both missing; the first one is named."""
    assert missing_person_field(profile) == missing


@pytest.mark.parametrize("name", ["first_name", "last_name", "email"])
def test_a_person_of_whom_nothing_can_be_seen_lacks_that_field(name: str) -> None:
    """Invisible and control characters alone are no name."""
    fields: dict[str, Any] = {"first_name": "Ada", "last_name": "L", "email": "a@b.org", name: "\u200d\x07 \u2060"}
    assert missing_person_field(Profile(**fields)) == name
