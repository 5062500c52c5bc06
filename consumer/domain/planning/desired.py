"""What a record should look like in Swoogo, in Swoogo's own field names (rules S, P, O)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from consumer.domain.connections.mapping import Policy
from consumer.domain.fields.conversion import Problem
from consumer.domain.fields.fitting import DEFAULT, PLAIN_TYPES, FittedMap, Pair
from consumer.domain.fields.sources import IMAGE, REFERENCES, source_value
from consumer.domain.issues.issue import Code, Issue, unreadable_fields
from consumer.domain.planning.natural_key import natural_key
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Fields, Kind, key_of
from consumer.domain.records.schedule import place
from consumer.domain.records.snapshot import Place, Profile, Session, Sponsor
from consumer.domain.records.text import clean_email, clean_name, clean_text, lost_content, natural_name

NAME_LIMIT: Final = 255
"""Characters of a name. Stated for locations (`swoogo-api.md 7.6`), assumed for the rest."""


@dataclass(frozen=True, slots=True)
class TextLimits:
    """Longest texts sent, in characters. Swoogo's own limits are not public (`swoogo-api.md 11.3`, 10)."""

    name: int = NAME_LIMIT
    text: int = 60_000


@dataclass(frozen=True, slots=True)
class Desired:
    """A record as Swoogo should hold it.

    Attributes:
        fields: every field we own that is known; empty means cleared. `location` and `track` hold the
            Sessionboard id of the room or track, resolved to Swoogo's id when sent.
        natural: how to recognise the record in Swoogo when its id is unknown.
        issues: what to report although it is synced.
        uncleaned: field -> the value as Sessionboard has it, where cleaning changed it; earlier builds pushed that.
        image: address of its headshot or logo; None when not known, "" when there is none.
        places: field -> the room, the track or the level that it names.
        policies: of fields that have another one than the default (F4).
    """

    kind: Kind
    key: str
    fields: Fields
    natural: str
    version: int
    issues: tuple[Issue, ...] = ()
    image: str | None = None
    uncleaned: Fields = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)

    def news(self, fields: Fields, pushed: Fields, digests: Digests = PLAIN) -> dict[str, str]:
        """Those of `fields` that changed in Sessionboard since they were pushed (digests), however they were cleaned.

        Only that may overwrite what people edited in Swoogo (R2).
        """
        found = digests.changed(fields, pushed)
        former = {name: value for name, value in self.uncleaned.items() if name in found}
        kept = former.keys() - digests.changed(former, pushed).keys()
        return {name: value for name, value in found.items() if name not in kept} if kept else found


@dataclass(slots=True)
class _Text:
    """The text fields of one record, each cleaned once (S1)."""

    key: str
    limits: TextLimits
    fields: dict[str, str] = field(default_factory=dict)
    uncleaned: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    @classmethod
    def of(cls, key: str, limits: TextLimits, unreadable: tuple[str, ...]) -> _Text:
        """Those of one record, of which `unreadable` is to be reported (E6)."""
        return cls(key, limits, issues=unreadable_fields(key, unreadable))

    def name(self, name: str, value: str) -> None:
        """One line, cut when it is too long."""
        self._set(
            name, fitted_name(value, self.limits, self.key, self.issues, field=name), _cut(value.strip(), self.limits)
        )

    def email(self, value: str) -> None:
        """Never cut: a shorter address is another person's, or none. Swoogo is to refuse it as it is."""
        self._set("email", clean_email(value), value.strip())

    def url(self, name: str, value: str) -> None:
        self._set(name, clean_text(value).strip(), value.strip())

    def long(self, name: str, value: str | None) -> None:
        """HTML. Cutting it would break it or drop half a sentence unseen; a long one is left as it is instead."""
        text = clean_text(value) if value is not None else ""
        if len(text) > self.limits.text:
            detail = f"{len(text)} characters, at most {self.limits.text}"
            self.issues.append(Issue(self.key, Code.TEXT_TOO_LONG, field=name, detail=detail))
        elif value is not None:
            self._set(name, text, value)
            if lost := lost_content(text):
                self.issues.append(Issue(self.key, Code.CONTENT_REMOVED, field=name, detail=", ".join(lost)))

    def place(self, name: str, place: Place | None) -> None:
        """A room or a track, by its id; one whose name cannot be seen is none."""
        if place and clean_name(place.name):
            self.fields[name], self.places[name] = place.id, place
        else:
            self.fields[name] = ""

    def named_place(self, name: str, called: str) -> None:
        """A room, a track or a level of which no more is known than its name, which is its id."""
        identifier = natural_name(clean_name(called))
        self.place(name, Place(identifier, called) if identifier else None)

    def mapped(self, record: Session | Profile | Sponsor, fields: FittedMap) -> None:
        """F1-F3: what pairs say that are converted. A value that does not fit leaves Swoogo's alone."""
        extra, sent, rest = record.extra, self.fields, list[Pair]()
        get = extra.get
        for source, name, ready, pair in fields.converted:
            if line := ready.get(get(source)):
                sent[name] = line
            else:
                rest.append(pair)
        # Most values are short lines: they are not looked up, converted and kept for other records.
        for source, name, longest, pair in fields.plain:
            try:
                kind, (line,) = extra[source]
            except (KeyError, ValueError):
                rest.append(pair)
                continue
            if len(line) <= longest and kind in PLAIN_TYPES:
                sent[name] = line
            else:
                rest.append(pair)
        for pair in rest:
            value = extra.get(pair.source) or source_value(record, pair.source)
            if value is None:
                continue
            text, problem = pair.done.get(value) or pair.convert(value)
            if problem:
                self._note(pair, problem)
            if text is None or (pair.required and not text):
                continue
            if pair.field in REFERENCES:
                self.named_place(pair.field, text)
            else:
                sent[pair.field] = text

    def _note(self, pair: Pair, problem: Problem) -> None:
        # Types that do not fit are an issue of the event: `FittedMap.issues`.
        if problem.code is not Code.FIELD_MAP_INVALID:
            self.issues.append(Issue(self.key, problem.code, field=pair.source, detail=problem.detail))

    def _set(self, name: str, text: str, former: str) -> None:
        self.fields[name] = text
        if text != former:
            self.uncleaned[name] = former


def desired_session(
    session: Session,
    timezone: ZoneInfo,
    limits: TextLimits,
    fields: FittedMap = DEFAULT[Kind.SESSION],
    *,
    own_zone: str | None = None,
) -> Desired:
    """S1-S5, S9, F1: an eligible session as Swoogo fields.

    `own_zone` is the zone it is to carry itself (M7), "" for the event's again, None when it never carried one.
    """
    if session.starts_at is None or session.ends_at is None:
        raise ValueError(f"session {session.id} has no times, so it is not eligible")
    text = _Text.of(key_of(Kind.SESSION, session.id), limits, session.unreadable)
    on = fields.standard
    placement = place(session.starts_at, session.ends_at, timezone)
    if placement.clamped:
        text.issues.append(Issue(text.key, Code.MULTI_DAY_CLAMPED))
    if placement.stretched:
        text.issues.append(Issue(text.key, Code.CLOCKS_SET_BACK, field="ends_at", detail=placement.end_time[:5]))
    text.name("name", session.title)
    placed = {"date": placement.date, "start_time": placement.start_time, "end_time": placement.end_time}
    text.fields |= placed if on >= placed.keys() else {name: placed[name] for name in placed.keys() & on}
    if "location" in on:
        text.place("location", session.room)
    if "track" in on:
        text.place("track", session.track)
    if own_zone is not None:
        text.fields["timezone"] = own_zone
    if "description" in on:
        text.long("description", session.description)
    if "capacity" in on:
        seats = session.capacity if session.capacity is not None else session.room and session.room.capacity
        text.fields["capacity"] = "" if seats is None else str(seats)
    text.mapped(session, fields)
    return _desired(Kind.SESSION, text, session.version, fields)


def desired_speaker(
    identifier: str,
    profile: Profile,
    version: int,
    limits: TextLimits,
    fields: FittedMap = DEFAULT[Kind.SPEAKER],
    digests: Digests = PLAIN,
) -> Desired:
    """P1, F1, without the headshot: a person as Swoogo fields; fields that are not known are left alone."""
    text = _Text.of(key_of(Kind.SPEAKER, identifier), limits, profile.unreadable)
    for name, value in (
        ("first_name", profile.first_name),
        ("last_name", profile.last_name),
        ("email", profile.email),
        ("job_title", profile.job_title),
        ("company", profile.company),
    ):
        if value is None or name not in fields.standard:
            continue
        if name == "email":
            text.email(value)
        else:
            text.name(name, value)
    if "bio" in fields.standard:
        text.long("bio", profile.bio)
    text.mapped(profile, fields)
    return _desired(Kind.SPEAKER, text, version, fields, profile.photo_url, digests)


def desired_sponsor(sponsor: Sponsor, limits: TextLimits, fields: FittedMap = DEFAULT[Kind.SPONSOR]) -> Desired:
    """O1, F1, without the logo: a sponsor as Swoogo fields. `level` holds the tier as names are compared."""
    text = _Text.of(key_of(Kind.SPONSOR, sponsor.id), limits, sponsor.unreadable)
    text.name("name", sponsor.name)
    if sponsor.website is not None and "website" in fields.standard:
        text.url("website", sponsor.website)
    if sponsor.tier is not None and "level" in fields.standard:
        text.named_place("level", sponsor.tier)
    if "description" in fields.standard:
        text.long("description", sponsor.description)
    text.mapped(sponsor, fields)
    return _desired(Kind.SPONSOR, text, sponsor.version, fields, sponsor.logo_url)


def fitted_name(name: str, limits: TextLimits, key: str, issues: list[Issue], field: str = "name") -> str:
    """The name, cleaned, and cut with an ellipsis when Swoogo could not take it (an issue says so)."""
    cleaned = clean_name(name)
    fitting = _cut(cleaned, limits)
    if fitting != cleaned:
        issues.append(Issue(key, Code.NAME_SHORTENED, field=field, detail=f"{limits.name} characters"))
    return fitting


def _cut(name: str, limits: TextLimits) -> str:
    return name if len(name) <= limits.name else name[: limits.name - 1].rstrip() + "…"


def _desired(
    kind: Kind, text: _Text, version: int, fields: FittedMap, image: str | None = None, digests: Digests = PLAIN
) -> Desired:
    # What a mapped pair says of the image takes the place of what the record says.
    image = text.fields.pop(IMAGE, None if IMAGE not in fields.standard else image)
    natural = natural_key(kind, text.fields)
    return Desired(
        kind,
        text.key,
        text.fields,
        digests.natural(natural) if digests.keys else natural,
        version,
        tuple(text.issues),
        image and image.strip(),
        text.uncleaned,
        text.places,
        fields.policies,
    )
