"""What a record should look like in Swoogo, in Swoogo's own field names (spec S, P, O)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from consumer.domain.issue import Code, Issue
from consumer.domain.natural_key import natural_key
from consumer.domain.record import Fields, Kind, key_of
from consumer.domain.schedule import place
from consumer.domain.snapshot import Profile, Session, Sponsor
from consumer.domain.text import clean_email, natural_email, natural_name

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
        issues: what to tell about it although it is synced.
        image: address of its headshot or logo; None when not known, "" when there is none.
    """

    kind: Kind
    key: str
    fields: Fields
    natural: str
    version: int
    issues: tuple[Issue, ...] = ()
    image: str | None = None


def desired_session(
    session: Session, timezone: ZoneInfo, limits: TextLimits, *, capacity: bool, own_zone: str | None = None
) -> Desired:
    """S1-S5, S9: an eligible session as Swoogo fields.

    `own_zone` is the zone it is to carry itself (M7), "" for the event's again, None when it never carried one.
    """
    assert session.starts_at is not None  # noqa: S101 - only eligible sessions come here
    assert session.ends_at is not None  # noqa: S101
    key = key_of(Kind.SESSION, session.id)
    issues: list[Issue] = []
    room, track = session.room, session.track
    placement = place(session.starts_at, session.ends_at, timezone)
    if placement.clamped:
        issues.append(Issue(key, Code.MULTI_DAY_CLAMPED))
    name = fitted_name(session.title, limits, key, issues)
    fields = {
        "name": name,
        "date": placement.date,
        "start_time": placement.start_time,
        "end_time": placement.end_time,
        "location": room.id if room and room.name.strip() else "",
        "track": track.id if track and track.name.strip() else "",
    }
    if own_zone is not None:
        fields["timezone"] = own_zone
    _add_text(fields, "description", session.description, limits, key, issues)
    if capacity:
        seats = session.capacity if session.capacity is not None else room and room.capacity
        fields["capacity"] = "" if seats is None else str(seats)
    return Desired(
        Kind.SESSION,
        key,
        fields,
        natural_key(Kind.SESSION, fields),
        session.version,
        tuple(issues),
    )


def desired_speaker(identifier: str, profile: Profile, version: int, limits: TextLimits) -> Desired:
    """P1 without the headshot: a person as Swoogo fields; fields that are not known are left alone."""
    key = key_of(Kind.SPEAKER, identifier)
    issues: list[Issue] = []
    fields: dict[str, str] = {}
    for name, value in (
        ("first_name", profile.first_name),
        ("last_name", profile.last_name),
        ("email", profile.email),
        ("job_title", profile.job_title),
        ("company", profile.company),
    ):
        if value is not None:
            # A cut e-mail address would be somebody else's, or nobody's: Swoogo is to refuse it as it is.
            fields[name] = (
                clean_email(value) if name == "email" else fitted_name(value, limits, key, issues, field=name)
            )
    _add_text(fields, "bio", profile.bio, limits, key, issues)
    image = profile.photo_url and profile.photo_url.strip()
    return Desired(Kind.SPEAKER, key, fields, natural_email(profile.email or ""), version, tuple(issues), image)


def desired_sponsor(sponsor: Sponsor, limits: TextLimits) -> Desired:
    """O1 without the logo: a sponsor as Swoogo fields. `level` holds the tier in the form names are compared in."""
    key = key_of(Kind.SPONSOR, sponsor.id)
    issues: list[Issue] = []
    fields = {"name": fitted_name(sponsor.name, limits, key, issues)}
    if sponsor.website is not None:
        fields["website"] = sponsor.website.strip()
    if sponsor.tier is not None:
        fields["level"] = natural_name(sponsor.tier)
    _add_text(fields, "description", sponsor.description, limits, key, issues)
    image = sponsor.logo_url and sponsor.logo_url.strip()
    return Desired(Kind.SPONSOR, key, fields, natural_name(fields["name"]), sponsor.version, tuple(issues), image)


def fitted_name(name: str, limits: TextLimits, key: str, issues: list[Issue], field: str = "name") -> str:
    """The name, trimmed, and cut with an ellipsis when Swoogo could not take it (a notice says so)."""
    trimmed = name.strip()
    if len(trimmed) <= limits.name:
        return trimmed
    issues.append(Issue(key, Code.NAME_SHORTENED, field=field, detail=f"{limits.name} characters"))
    return trimmed[: limits.name - 1].rstrip() + "…"


def _add_text(
    fields: dict[str, str], name: str, value: str | None, limits: TextLimits, key: str, issues: list[Issue]
) -> None:
    if value is None:
        return
    if len(value) > limits.text:
        # Cutting HTML would break it or drop half a sentence unseen; the field is left as it is instead.
        detail = f"{len(value)} characters, at most {limits.text}"
        issues.append(Issue(key, Code.TEXT_TOO_LONG, field=name, detail=detail))
        return
    fields[name] = value
