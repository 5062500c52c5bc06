"""Reading schedules: real ones when they are at hand, small ones always."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sandbox.conference.diff import compare
from sandbox.conference.model import Conference
from sandbox.conference.pentabarf import days_to_shift, first_day, made_up_email, read_schedule, split_name

# Schedules of a real conference, beside the project and not part of it.
REVISIONS = sorted((Path(__file__).parents[3] / "../shared/data/fosdem-2025").glob("*.xml.xz"))

BRUSSELS = ZoneInfo("Europe/Brussels")

SCHEDULE = """<?xml version="1.0" encoding="UTF-8"?>
<schedule>
  <conference>
    <acronym>mini</acronym><title>MiniConf</title><start>2025-03-29</start>
    <time_zone_name>Europe/Brussels</time_zone_name>
  </conference>
  <day index="1" date="2025-03-29"><room name="Janson">
    <event guid="g-1" id="1">
      <date>2025-03-29T23:30:00+01:00</date><start>23:30</start><duration>04:00</duration>
      <room>Janson</room><title> Night shift </title><track>Main</track>
      <abstract>&lt;p&gt;One&lt;/p&gt;</abstract><description>&lt;p&gt;Two&lt;/p&gt;</description>
      <persons>
        <person id="7">Ludwig van Beethoven</person><person id="7">Ludwig van Beethoven</person>
        <person id="8">Zoë</person>
        <person id="9" email="given@example.org">Given Address</person>
        <person id="10">jane@somewhere.example</person>
      </persons>
    </event>
    <event id="2"><title>No guid, no time, no place</title></event>
    <event/>
  </room></day>
</schedule>
"""


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    path = tmp_path / "schedule.xml"
    path.write_text(SCHEDULE, encoding="utf-8")
    return path


def test_a_talk_has_its_title_both_texts_place_and_people_once(schedule: Path) -> None:
    conference = read_schedule(schedule)
    talk = next(iter(conference.talks.values()))
    assert (conference.name, conference.timezone) == ("MiniConf", "Europe/Brussels")
    assert (talk.title, talk.description, talk.status) == ("Night shift", "<p>One</p>\n<p>Two</p>", "accepted")
    assert conference.rooms[talk.room_id or ""].name == "Janson"
    assert conference.tracks[talk.track_id or ""].name == "Main"
    names = [(conference.people[each].first_name, conference.people[each].last_name) for each in talk.speaker_ids]
    assert names == [("Ludwig", "van Beethoven"), ("Zoë", "-"), ("Given", "Address"), ("jane", "-")]


def test_a_person_without_an_address_gets_one_and_a_given_one_is_kept(schedule: Path) -> None:
    emails = [person.email for person in read_schedule(schedule).people.values()]
    assert emails == [
        "ludwig.vanbeethoven.7@example.org",
        "zoe.8@example.org",
        "given@example.org",
        "jane.10@example.org",
    ]


def test_missing_parts_are_missing_in_the_talk_and_no_error(schedule: Path) -> None:
    talks = list(read_schedule(schedule).talks.values())
    assert [talk.title for talk in talks[1:]] == ["No guid, no time, no place", ""]
    for talk in talks[1:]:
        assert (talk.starts_at, talk.ends_at, talk.room_id, talk.track_id, talk.speaker_ids) == (
            None,
            None,
            None,
            None,
            (),
        )


def test_a_length_is_elapsed_time_even_over_the_change_to_summer_time(schedule: Path) -> None:
    talk = next(iter(read_schedule(schedule).talks.values()))
    assert talk.starts_at == datetime(2025, 3, 29, 23, 30, tzinfo=BRUSSELS)
    assert talk.ends_at is not None
    assert talk.ends_at.isoformat() == "2025-03-30T04:30:00+02:00"


def test_shifting_keeps_wall_clock_times_over_an_offset_change(schedule: Path) -> None:
    talk = next(iter(read_schedule(schedule, shift_days=7).talks.values()))
    assert talk.starts_at is not None
    assert talk.starts_at.isoformat() == "2025-04-05T23:30:00+02:00"


@pytest.mark.parametrize(("suffix", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_packed_schedules_are_the_same_schedules(
    tmp_path: Path, schedule: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = tmp_path / f"schedule.xml{suffix}"
    packed.write_bytes(pack(SCHEDULE.encode()))
    assert read_schedule(packed) == read_schedule(schedule)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada Lovelace", ("Ada", "Lovelace")),
        ("  Jean   Luc  Picard ", ("Jean", "Luc Picard")),
        ("fukami", ("fukami", "-")),
        ("", ("", "-")),
    ],
)
def test_names_are_split_after_the_first_word_and_single_words_get_a_dash(name: str, expected: tuple[str, str]) -> None:
    assert split_name(name) == expected


@pytest.mark.parametrize(
    ("first", "last", "own_id", "expected"),
    [
        ("Günther", "Deschner", "5041", "gunther.deschner.5041@example.org"),
        ("李", "-", "12", "12@example.org"),
        ("A.J.", "O'Neil", "x-1", "aj.oneil.x1@example.org"),
        ("a" * 60, "b" * 60, "7", f"{'a' * 20}.{'b' * 20}.7@example.org"),
    ],
)
def test_made_up_addresses_are_ascii_and_carry_the_id(first: str, last: str, own_id: str, expected: str) -> None:
    assert made_up_email(first, last, own_id) == expected


@pytest.mark.parametrize("now", [datetime(2025, 11, day, 23, 59, tzinfo=UTC) for day in range(1, 15)])
def test_the_shift_is_whole_weeks_and_gives_at_least_the_lead(now: datetime) -> None:
    day = date(2025, 2, 1)
    shift = days_to_shift(day, now)
    lead = (day - now.date()).days + shift
    assert shift % 7 == 0
    assert 30 <= lead < 30 + 8


def test_a_conference_far_enough_ahead_is_not_moved() -> None:
    assert days_to_shift(date(2026, 2, 1), datetime(2025, 11, 1, tzinfo=UTC)) == 0


def test_the_first_day_is_read_from_the_file(schedule: Path, tmp_path: Path) -> None:
    assert first_day(schedule) == date(2025, 3, 29)
    bare = tmp_path / "bare.xml"
    bare.write_text("<schedule/>")
    assert first_day(bare) is None
    assert read_schedule(bare) == Conference(name="Conference", timezone="UTC")


needs_revisions = pytest.mark.skipif(not REVISIONS, reason="the real schedules are not beside the project")


@needs_revisions
def test_last_revision_of_a_large_conference_has_its_known_size() -> None:
    conference = read_schedule(REVISIONS[-1])
    sizes = (len(conference.talks), len(conference.people), len(conference.rooms), len(conference.tracks))
    assert sizes == (1105, 1193, 35, 78)
    emails = [person.email for person in conference.people.values()]
    assert len(set(emails)) == len(emails)
    assert all(email.isascii() and email.count("@") == 1 for email in emails)
    assert all(person.first_name and person.last_name for person in conference.people.values())


@needs_revisions
def test_ids_hold_over_the_revisions_of_a_large_conference() -> None:
    before, after = (read_schedule(path, shift_days=350) for path in REVISIONS[:2])
    changed = compare(before, after)
    assert (len(changed.talks.created), len(changed.talks.removed)) == (197, 16)
    assert len(changed.talks.edited) < len(before.talks) / 2
