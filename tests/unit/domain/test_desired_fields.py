"""A session and a speaker as Swoogo should hold them: field by field, cleared, unknown, and too long."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from consumer.domain.fields.fitting import DEFAULT
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.desired import (
    Desired,
    TextLimits,
    desired_session,
    desired_speaker,
    desired_sponsor,
    fitted_name,
)
from consumer.domain.records.identity import Kind, digest
from consumer.domain.records.snapshot import Place, Session, Sponsor
from tests.support.builders import (
    DAY,
    HOUR,
    START,
    ZONE,
    ProfileFields,
    a_profile,
    a_room,
    a_session,
    a_track,
    at,
    session_key,
    speaker_key,
)

LIMITS = TextLimits()


def session_fields(session: Session, *, capacity: bool = False) -> Desired:
    default = DEFAULT[Kind.SESSION]
    fields = default if capacity else replace(default, standard=default.standard - {"capacity"})
    return desired_session(session, ZoneInfo(ZONE), LIMITS, fields)


@pytest.mark.rule("S1", "S2", "S5")
def test_a_session_with_everything() -> None:
    """Title, description, date, times, room and track; room and track by their Sessionboard ids."""
    wanted = session_fields(
        a_session(title=" Opening ", description="<p>Hi</p>", room=a_room("r9"), track=a_track("t9"), version=7)
    )
    assert wanted == Desired(
        Kind.SESSION,
        session_key(),
        {
            "name": "Opening",
            "description": "<p>Hi</p>",
            "date": "2026-07-01",
            "start_time": "09:00:00",
            "end_time": "10:00:00",
            "location": "r9",
            "track": "t9",
        },
        natural="opening|2026-07-01|09:00:00",
        version=7,
        places={"location": Place("r9", "Hall 1"), "track": Place("t9", "Databases")},
    )


@pytest.mark.rule("R4")
def test_a_session_without_room_and_track_clears_both() -> None:
    """An unset optional field is empty, not left out."""
    fields = session_fields(a_session()).fields
    assert (fields["location"], fields["track"]) == ("", "")


@pytest.mark.rule("S5", "R4")
def test_a_room_without_a_name_is_no_room() -> None:
    """There is nothing to match or create, and the session no longer stands where it stood."""
    fields = session_fields(a_session(room=a_room(name=" "), track=a_track(name=""))).fields
    assert (fields["location"], fields["track"]) == ("", "")


@pytest.mark.rule("R4")
@pytest.mark.parametrize(("description", "sent"), [(None, None), ("", ""), ("<p>x</p>", "<p>x</p>")])
def test_a_description_is_left_alone_when_unknown_and_cleared_when_empty(
    description: str | None, sent: str | None
) -> None:
    """None is not known, the empty text is known to be empty."""
    assert session_fields(a_session(description=description)).fields.get("description") == sent


@pytest.mark.rule("S1")
def test_a_text_that_loses_an_embedded_page_says_so() -> None:
    """An issue for each field; the text itself is sent without it."""
    text = "<p>Watch</p><iframe src='https://video.example/1'></iframe>"
    lost = "an embedded page"
    session = session_fields(a_session(description=text))
    assert session.issues == (Issue(session_key(), Code.CONTENT_REMOVED, field="description", detail=lost),)
    assert session.fields["description"] == text
    speaker = desired_speaker("c1", a_profile(bio=text), 1, LIMITS)
    assert speaker.issues == (Issue(speaker_key("c1"), Code.CONTENT_REMOVED, field="bio", detail=lost),)


@pytest.mark.rule("S3")
def test_a_session_over_several_dates_says_so() -> None:
    """An issue, and the session is synced all the same."""
    wanted = session_fields(a_session(ends_at=START + DAY))
    assert wanted.issues == (Issue(session_key(), Code.MULTI_DAY_CLAMPED),)
    assert wanted.fields["end_time"] == "23:59:00"


@pytest.mark.rule("S3")
def test_a_session_while_clocks_are_set_back_says_so() -> None:
    """An issue of its own, with the end that Swoogo shows."""
    begins = at("2026-10-25 01:30", "Europe/London")
    wanted = session_fields(a_session(starts_at=begins, ends_at=begins + HOUR))
    assert wanted.issues == (Issue(session_key(), Code.CLOCKS_SET_BACK, field="ends_at", detail="02:30"),)
    assert wanted.fields["end_time"] == "02:30:00"


@pytest.mark.rule("S9")
@pytest.mark.parametrize(
    ("own", "of_the_room", "sent"),
    [(50, 120, "50"), (0, 120, "0"), (None, 120, "120"), (None, 0, "0"), (None, None, ""), (50, None, "50")],
)
def test_capacity_is_the_sessions_else_the_rooms(own: int | None, of_the_room: int | None, sent: str) -> None:
    """Only where capacity is mapped; zero seats is a number, not a gap."""
    session = a_session(capacity=own, room=a_room(capacity=of_the_room))
    assert session_fields(session, capacity=True).fields["capacity"] == sent
    assert "capacity" not in session_fields(session).fields


@pytest.mark.rule("S9", "R4")
def test_capacity_without_a_room_is_cleared() -> None:
    assert session_fields(a_session(), capacity=True).fields["capacity"] == ""


@pytest.mark.rule("S1")
def test_a_title_of_300_characters_is_cut_and_people_are_told() -> None:
    """Swoogo takes 255; the cut shows, and an admin is told."""
    wanted = session_fields(a_session(title="t" * 300))
    assert wanted.fields["name"] == "t" * 254 + "…"
    assert wanted.issues == (Issue(session_key(), Code.NAME_SHORTENED, field="name", detail="255 characters"),)
    assert wanted.natural.startswith("t" * 254 + "…|")


def test_a_title_of_exactly_the_limit_is_sent_as_it_is() -> None:
    wanted = session_fields(a_session(title="  " + "t" * 255))
    assert wanted.fields["name"] == "t" * 255
    assert wanted.issues == ()


def test_a_cut_does_not_end_in_a_blank() -> None:
    issues: list[Issue] = []
    assert fitted_name("ab cdef", TextLimits(name=4), "location/r1", issues) == "ab…"
    assert [issue.code for issue in issues] == [Code.NAME_SHORTENED]


@pytest.mark.rule("E6", "S1")
def test_a_description_that_is_too_long_is_left_out_with_an_issue() -> None:
    """Cut HTML would be broken HTML; the rest of the session goes through."""
    wanted = session_fields(a_session(description="d" * 60_001))
    assert "description" not in wanted.fields
    assert wanted.fields["name"] == "Title of s1"
    assert wanted.issues == (
        Issue(session_key(), Code.TEXT_TOO_LONG, field="description", detail="60001 characters, at most 60000"),
    )


@pytest.mark.rule("P1", "P2")
def test_a_speaker_with_everything() -> None:
    """Trimmed; the e-mail keeps its case but is compared without it."""
    profile = a_profile(
        first_name=" Ada ", last_name="L ", email=" Ada@Example.org ", job_title="CTO", company="Co", bio="<p>b</p> "
    )
    assert desired_speaker("c1", profile, 5, LIMITS) == Desired(
        Kind.SPEAKER,
        speaker_key(),
        {
            "first_name": "Ada",
            "last_name": "L",
            "email": "Ada@Example.org",
            "job_title": "CTO",
            "company": "Co",
            "bio": "<p>b</p> ",
        },
        natural="ada@example.org",
        version=5,
    )


@pytest.mark.rule("P5", "R4")
@pytest.mark.parametrize("empty", ["", "  "])
def test_a_cleared_field_is_empty_and_one_not_carried_is_left_out(empty: str) -> None:
    """The empty text clears, None leaves alone."""
    cleared = desired_speaker("c1", a_profile(job_title=empty, company=empty, bio=""), 1, LIMITS).fields
    assert (cleared["job_title"], cleared["company"], cleared["bio"]) == ("", "", "")
    unknown = desired_speaker("c1", a_profile(), 1, LIMITS).fields
    assert set(unknown) == {"first_name", "last_name", "email"}


@pytest.mark.rule("E6", "P1")
def test_a_biography_of_a_megabyte_is_left_out_with_an_issue() -> None:
    """The speaker syncs without it."""
    wanted = desired_speaker("c1", a_profile(bio="b" * 1_000_000), 1, LIMITS)
    assert "bio" not in wanted.fields
    assert wanted.issues == (
        Issue(speaker_key(), Code.TEXT_TOO_LONG, field="bio", detail="1000000 characters, at most 60000"),
    )


@pytest.mark.rule("P1")
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (ProfileFields(first_name="n" * 300), "first_name"),
        (ProfileFields(last_name="n" * 300), "last_name"),
        (ProfileFields(job_title="n" * 300), "job_title"),
        (ProfileFields(company="n" * 300), "company"),
    ],
)
def test_long_name_of_a_person_is_cut_with_an_issue(fields: ProfileFields, field: str) -> None:
    """Nothing is dropped unseen."""
    wanted = desired_speaker("c1", a_profile(**fields), 1, LIMITS)
    assert wanted.fields[field] == "n" * 254 + "…"
    assert wanted.issues == (Issue(speaker_key(), Code.NAME_SHORTENED, field=field, detail="255 characters"),)


@pytest.mark.rule("P2")
def test_an_email_is_never_cut() -> None:
    """A shortened address would be another one; Swoogo is to refuse it as it is."""
    email = "a" * 300 + "@example.org"
    wanted = desired_speaker("c1", a_profile(email=email), 1, LIMITS)
    assert wanted.fields["email"] == email
    assert wanted.issues == ()


NASTY = "Part\x0b1\x00\x07 \x7fof\ud800 2 "


@pytest.mark.rule("G2")
def test_text_is_cleaned_before_fields_and_natural_key() -> None:
    """What is looked for is what was sent; a line break of PowerPoint does not join two words."""
    wanted = session_fields(a_session(title=NASTY, description=f"<p>{NASTY}\n</p>"))
    assert wanted.fields["name"] == "Part 1 of 2"
    assert wanted.natural == "part 1 of 2|2026-07-01|09:00:00"
    assert wanted.fields["description"] == "<p>Part 1 of 2 \n</p>"
    sponsor = desired_sponsor(Sponsor("p1", name=NASTY, website=" https://a.org\x00", tier=NASTY), LIMITS)
    assert dict(sponsor.fields) == {"name": "Part 1 of 2", "website": "https://a.org", "level": "part 1 of 2"}
    speaker = desired_speaker("c1", a_profile(first_name=NASTY, email="a\u200b@b.org\x07"), 1, LIMITS)
    assert (speaker.fields["first_name"], speaker.fields["email"]) == ("Part 1 of 2", "a@b.org")


@pytest.mark.rule("R2", "R3")
@pytest.mark.parametrize("title", [NASTY, NASTY * 30, "x" * 300 + "\x0b"])
def test_what_an_earlier_build_pushed_uncleaned_is_no_news(title: str) -> None:
    """It would overwrite what people edited in Swoogo, for nothing that changed in Sessionboard."""
    wanted = session_fields(a_session(title=title, description=title))
    former = title.strip() if len(title.strip()) <= 255 else title.strip()[:254].rstrip() + "…"
    pushed = {**wanted.fields, "name": former, "description": title}
    assert wanted.news(wanted.fields, {name: digest(value) for name, value in pushed.items()}) == {}
    changes = {**pushed, "name": "Before", "date": "2020-01-01"}
    news = wanted.news(wanted.fields, {name: digest(value) for name, value in changes.items()})
    assert news == {"name": wanted.fields["name"], "date": "2026-07-01"}


@pytest.mark.rule("S5")
@pytest.mark.parametrize("name", ["\u200b", "\x0b", "\u00ad \u3164"])
def test_a_room_whose_name_cannot_be_seen_is_no_room(name: str) -> None:
    fields = session_fields(a_session(room=a_room(name=name), track=a_track(name=name))).fields
    assert (fields["location"], fields["track"]) == ("", "")
