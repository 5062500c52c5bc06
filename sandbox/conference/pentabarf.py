"""Reading `schedule.xml`, the format in which Pentabarf, frab and pretalx publish a schedule.

Plain, `.xz` or `.gz`. Missing parts become None or empty, never an error; only a file that is no XML
is one. Ids are UUIDs made from the event's guid, the person's id, the room's and the track's name, so
revisions of one conference agree on them. Everything is accepted: a schedule holds no other talks.
"""

from __future__ import annotations

import gzip
import lzma
import re
import unicodedata
import uuid
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.conference.model import Conference, Person, Room, Talk, Track

_NAMESPACE = uuid.UUID("3c2f0a52-6f3e-5f0b-9d55-5a1f2f6c1d10")
_WEEK = 7


def read_schedule(path: Path, *, shift_days: int = 0) -> Conference:
    """The conference in the file, every date moved by `shift_days`; local wall-clock times stay.

    Raises OSError, `lzma.LZMAError` or `xml.etree.ElementTree.ParseError` for a file that cannot be read.
    """
    return _Reader(_root(path), shift_days).conference()


def first_day(path: Path) -> date | None:
    """The conference's first day as the file has it; None when it names none."""
    root = _root(path)
    named = _text(root.find("conference"), "start") or next((day.get("date") for day in root.iter("day")), None)
    return date.fromisoformat(named[:10]) if named else None


def days_to_shift(day: date, now: datetime, *, lead_days: int = 30) -> int:
    """By how many days to move a conference so that `day` lies at least `lead_days` after `now`.

    Whole weeks, so that a Saturday stays one; 0 for a conference far enough ahead. Computed once, from
    one revision, it serves all revisions: they must move together.
    """
    missing = lead_days - (day - now.astimezone(UTC).date()).days
    # A day more: at the other end of the world `now` is a day further.
    return max(0, -(-(missing + 1) // _WEEK) * _WEEK)


def split_name(name: str) -> tuple[str, str]:
    """First name, and everything after it as the last name.

    A single word becomes the first name with `-` as the last: receivers require one, and repeating the
    word would print it twice.
    """
    first, _, last = " ".join(name.split()).partition(" ")
    return first, last or "-"


def made_up_email(first_name: str, last_name: str, person_id: str) -> str:
    """`first.last.id@example.org`, in ASCII; unique because the id is."""
    parts = [_ascii(part) for part in (first_name, last_name, person_id)]
    # 64 characters are the most that may stand before the @; the id must survive the cut.
    return ".".join(part for part in (*(part[:20] for part in parts[:2]), parts[2]) if part) + "@example.org"


class _Reader:
    def __init__(self, root: ET.Element, shift_days: int) -> None:
        self._root = root
        self._shift = timedelta(days=shift_days)
        about = root.find("conference")
        self._name = _text(about, "title") or "Conference"
        self._acronym = _text(about, "acronym") or self._name
        self._timezone = _text(about, "time_zone_name") or "UTC"
        self._zone = ZoneInfo(self._timezone)
        self._rooms: dict[str, Room] = {}
        self._tracks: dict[str, Track] = {}
        self._people: dict[str, Person] = {}
        self._talks: dict[str, Talk] = {}

    def conference(self) -> Conference:
        for element in self._root.iter("event"):
            talk = self._talk(element)
            self._talks[talk.id] = talk
        return Conference(
            name=self._name,
            timezone=self._timezone,
            rooms=self._rooms,
            tracks=self._tracks,
            people=self._people,
            talks=self._talks,
        )

    def _talk(self, element: ET.Element) -> Talk:
        title = _text(element, "title")
        starts_at = self._time(_text(element, "date"))
        # A schedule without guids is old frab; its numeric id is as stable.
        own_id = element.get("guid") or element.get("id") or f"{title}/{_text(element, 'date')}"
        length = _duration(_text(element, "duration"))
        return Talk(
            id=self._id("talk", own_id),
            title=title,
            description="\n".join(part for part in (_text(element, "abstract"), _text(element, "description")) if part),
            starts_at=starts_at,
            ends_at=_later(starts_at, length),
            room_id=self._room(_text(element, "room")),
            track_id=self._track(_text(element, "track")),
            speaker_ids=tuple(dict.fromkeys(self._person(each) for each in element.iterfind("persons/person"))),
        )

    def _time(self, text: str) -> datetime | None:
        if not text:
            return None
        time = datetime.fromisoformat(text)
        local = time.astimezone(self._zone) if time.tzinfo else time.replace(tzinfo=self._zone)
        # Arithmetic on a local time is arithmetic on the wall clock: 10:00 stays 10:00 over a change of offset.
        return local + self._shift

    def _room(self, name: str) -> str | None:
        if not name:
            return None
        room = Room(id=self._id("room", name), name=name)
        return self._rooms.setdefault(room.id, room).id

    def _track(self, name: str) -> str | None:
        if not name:
            return None
        track = Track(id=self._id("track", name), name=name)
        return self._tracks.setdefault(track.id, track).id

    def _person(self, element: ET.Element) -> str:
        name = " ".join("".join(element.itertext()).split())
        own_id = element.get("id") or element.get("guid") or name
        # Some give their e-mail address for a name; a sandbox passes no address on.
        first, last = split_name(re.sub(r"@\S+", "", name))
        person = Person(
            id=self._id("person", own_id),
            first_name=first,
            last_name=last,
            email=element.get("email") or made_up_email(first, last, own_id),
        )
        if name or person.id not in self._people:
            self._people[person.id] = person
        return person.id

    def _id(self, kind: str, own_id: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self._acronym}/{kind}/{own_id}"))


def _root(path: Path) -> ET.Element:
    content = path.read_bytes()
    if path.suffix == ".xz":
        content = lzma.decompress(content)
    elif path.suffix == ".gz":
        content = gzip.decompress(content)
    # Expat refuses entity bombs by itself since 2.4.1, and the file is one that the user chose.
    return ET.fromstring(content)  # noqa: S314


def _text(parent: ET.Element | None, name: str) -> str:
    return (parent.findtext(name) or "").strip() if parent is not None else ""


def _duration(text: str) -> timedelta | None:
    match = re.fullmatch(r"(?:(\d+):)?(\d+):(\d{2})", text)
    if match is None:
        return None
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def _later(start: datetime | None, length: timedelta | None) -> datetime | None:
    if start is None or length is None:
        return None
    # A length is elapsed time, so it is added in UTC; only then does it hold over a change of offset.
    return (start.astimezone(UTC) + length).astimezone(start.tzinfo)


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "", plain)
