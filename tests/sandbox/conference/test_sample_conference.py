"""The invented conference: its size, its awkward records, its later revisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.conference.diff import compare
from sandbox.conference.expected import NOTHING, Expected, Resources, fold
from sandbox.conference.model import Conference
from sandbox.conference.sample import (
    EXPECTED_AFTER_RENAMES,
    EXPECTED_LEFT_OUT,
    RENAMED_ROOM,
    RENAMED_TRACK,
    burst,
    deletions,
    renames,
    sample,
)
from sandbox.conference.sample_cases import UNSAFE_HTML, sample_id
from sandbox.conference.sessionboard import Event

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def conference() -> Conference:
    return sample(NOW)


def synced(previous: Expected, conference: Conference, *, moderators: bool = False) -> Expected:
    event = Event.of(conference, event_id=1, org_id="o")
    return fold(previous, Resources.of(conference, event, at=NOW), NOW, moderators=moderators)


def test_it_has_the_size_of_a_regional_conference(conference: Conference) -> None:
    assert 145 <= len(conference.talks) <= 155
    assert 105 <= len(conference.people) <= 115
    assert (len(conference.rooms), len(conference.tracks)) == (8, 7)
    days = {talk.starts_at.date() for talk in conference.talks.values() if talk.starts_at}
    assert len({day for day in days if day > NOW.date()}) == 4
    titles = [talk.title for talk in conference.talks.values()]
    assert len(set(titles)) == len(titles)
    emails = [person.email.strip().lower() for person in conference.people.values() if person.email]
    assert len(emails) - len(set(emails)) == 1


def test_conference_depends_on_its_moment_and_keeps_its_ids(conference: Conference) -> None:
    assert sample(NOW) == conference
    later = sample(NOW + timedelta(days=200))
    assert later.talks.keys() == conference.talks.keys()
    assert later != conference


@pytest.mark.parametrize("now", [NOW, datetime(2026, 7, 4, 3, 30, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)])
def test_exactly_the_awkward_records_are_held_back(now: datetime) -> None:
    conference = sample(now)
    event = Event.of(conference, event_id=1, org_id="o")
    result = fold(NOTHING, Resources.of(conference, event, at=now), now)
    table = {(each.kind, each.id): (each.code, each.field) for each in EXPECTED_LEFT_OUT if not each.synced}
    assert dict(result.left_out) == table
    assert result.issues == {(each.code, each.id) for each in EXPECTED_LEFT_OUT if each.synced}
    assert len(result.sessions) + len([key for key in table if key[0] == "session"]) == len(conference.talks)
    assert len(result.speakers) + len([key for key in table if key[0] == "speaker"]) == len(conference.people)
    assert len(result.sponsors) + len([key for key in table if key[0] == "sponsor"]) == len(conference.sponsors)


@pytest.mark.rule("E5")
def test_the_sponsor_of_the_table_is_the_one_without_a_name(conference: Conference) -> None:
    """A sponsor needs a name."""
    listed = {each.id for each in EXPECTED_LEFT_OUT if each.kind == "sponsor"}
    assert listed == {sponsor.id for sponsor in conference.sponsors.values() if not sponsor.name}


@pytest.mark.rule("E6")
def test_a_session_goes_through_without_its_faulty_speakers(conference: Conference) -> None:
    """A session goes through without its faulty speaker."""
    panel = conference.talks[sample_id("talk", "faulty-speakers")]
    assert len(panel.speaker_ids) == 3
    assert len(synced(NOTHING, conference).sessions[panel.id].speakers) == 1


def test_the_sessions_made_to_hurt_are_in_it(conference: Conference) -> None:
    talks = {key: conference.talks[sample_id("talk", key)] for key in ("unsafe-html", "long-title", "homeless", "bare")}
    assert talks["unsafe-html"].description == UNSAFE_HTML
    for danger in ("<script", "onclick=", "javascript:", "onerror="):
        assert danger in UNSAFE_HTML
    assert len(talks["long-title"].title) == 300
    assert (talks["homeless"].room_id, talks["homeless"].track_id) == (None, None)
    assert (talks["bare"].description, talks["bare"].speaker_ids) == ("", ())


@pytest.mark.rule("E7")
def test_the_moderator_syncs_when_moderators_are_asked_for(conference: Conference) -> None:
    """Moderators sync as speakers when their toggle is on."""
    moderator = sample_id("person", "moderator")
    assert moderator not in synced(NOTHING, conference).speakers
    with_moderators = synced(NOTHING, conference, moderators=True)
    assert with_moderators.speakers[moderator].email == "mo.ravensworth@example.com"
    assert moderator in with_moderators.sessions[sample_id("talk", "moderated")].speaker_ids


def test_pictures_are_named_only_when_somebody_serves_them(conference: Conference) -> None:
    assert not any(person.photo_url for person in conference.people.values())
    with_media = sample(NOW, media_base="http://127.0.0.1:9/media")
    photos = [person.photo_url for person in with_media.people.values() if person.photo_url]
    assert len(photos) > 70
    assert all(photo.startswith("http://127.0.0.1:9/media/people/") for photo in photos)


def test_the_burst_is_sixty_single_edits_over_twenty_sessions(conference: Conference) -> None:
    revisions = burst(conference)
    assert len(revisions) == 60
    touched: dict[str, int] = {}
    before = conference
    for after in revisions:
        changed = compare(before, after)
        assert len(changed) == 1
        [talk] = changed.talks.edited
        touched[talk] = touched.get(talk, 0) + 1
        before = after
    assert sorted(touched.values()) == [3] * 20
    assert burst(conference) == revisions


def test_deletions_delete_six_sessions_and_a_person_and_decline_two(conference: Conference) -> None:
    after = deletions(conference)
    changed = compare(conference, after)
    assert (len(changed.talks.removed), len(changed.talks.edited), len(changed.people.removed)) == (6, 2, 1)
    assert {after.talks[each].status for each in changed.talks.edited} == {"declined"}


@pytest.mark.rule("E3", "E4", "D1")
def test_after_the_deletions_swoogo_holds_what_it_held(conference: Conference) -> None:
    """Nothing is deleted or unlinked in Swoogo because it was deleted or declined in Sessionboard."""
    before = synced(NOTHING, conference)
    after = synced(before, deletions(conference))
    assert (after.sessions, after.speakers) == (before.sessions, before.speakers)


@pytest.mark.rule("S6")
def test_renaming_a_room_and_a_track_changes_nothing_but_a_new_room_does(conference: Conference) -> None:
    """A room's or track's name is frozen once synced; a new room with a new name is synced."""
    before = synced(NOTHING, conference)
    after = synced(before, renames(conference))
    assert after.tracks.names == before.tracks.names
    assert after.locations.names - before.locations.names == {"Skyline Loft"}
    moved = [each for each in after.sessions if after.sessions[each] != before.sessions[each]]
    assert [(before.sessions[each].location, after.sessions[each].location) for each in moved] == [
        ("Lakeview A", "Skyline Loft")
    ]
    renamed = {each for each in after.issues if each[0] == "renamed_after_sync"}
    assert renamed == {(each.code, each.id) for each in EXPECTED_AFTER_RENAMES}
    assert {each[1] for each in renamed} == {RENAMED_ROOM, RENAMED_TRACK}
