"""The fewest credits a revision can cost, counted from the oracle's before and after, not from what was done.

least = looks + creates + updates + associations + removals
looks         10 for each kind in which something may have to be adopted (locations, tracks, speakers), once;
              levels: 10 to find their field, once, 1 to read it when one may be missing, 1 more before each is added
images         1 for each headshot and logo that is there, can be used and was not uploaded yet
creates        1 for each location, track, level, session, speaker and sponsor that was not there
updates        1 for each session, speaker and sponsor of which a field we own changed
associations   1 for each speaker who got further sessions (all in one call)
removals       1 for each association that is no longer so
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from sandbox.conference.expected import Expected, ExpectedSession

_LIST_CREDITS = 10
FORMULA = "1 for the event + 10 a list + creates + updates + associations (one call a speaker) + removals"


@dataclass(slots=True)
class Credits:
    """Credits by what they are for."""

    looks: int = 0
    locations: int = 0
    tracks: int = 0
    levels: int = 0
    sessions_created: int = 0
    sessions_updated: int = 0
    speakers_created: int = 0
    speakers_updated: int = 0
    sponsors_created: int = 0
    sponsors_updated: int = 0
    associations: int = 0
    removals: int = 0
    images: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """All together."""
        return sum(getattr(self, each.name) for each in fields(self))

    def __add__(self, other: Credits) -> Credits:
        return Credits(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


def least(before: Expected, after: Expected) -> Credits:
    """What getting from one state to the other costs at least."""
    counted = Credits()
    if (after.sessions or after.sponsors) and not (before.sessions or before.sponsors):
        counted.looks += 1
    for kind in ("locations", "tracks"):
        old, new = getattr(before, kind).held, getattr(after, kind).held
        setattr(counted, kind, len(new.keys() - old.keys()))
        if new and not old:
            counted.looks += _LIST_CREDITS
    if after.speakers and not before.speakers:
        counted.looks += _LIST_CREDITS
    counted.sessions_created = len(after.sessions.keys() - before.sessions.keys())
    counted.sessions_updated = sum(
        1 for key, session in before.sessions.items() if _record(after.sessions[key]) != _record(session)
    )
    counted.speakers_created = len(after.speakers.keys() - before.speakers.keys())
    counted.speakers_updated = sum(1 for key, speaker in before.speakers.items() if after.speakers[key] != speaker)
    counted.sponsors_created = len(after.sponsors.keys() - before.sponsors.keys())
    counted.sponsors_updated = sum(1 for key, sponsor in before.sponsors.items() if after.sponsors[key] != sponsor)
    counted.levels = len(after.levels.keys() - before.levels.keys())
    if counted.levels:
        counted.looks += (0 if before.levels else _LIST_CREDITS) + 1 + counted.levels
    old_links, new_links = _links(before), _links(after)
    counted.associations = len({speaker for speaker, _ in new_links - old_links})
    counted.removals = len(old_links - new_links)
    return counted


def spent(stats: dict[str, dict[str, int]]) -> Credits:
    """What the sandbox counted, by route."""
    counted = Credits()
    for route, numbers in stats.items():
        name = _FIELD_OF_ROUTE.get(route, "looks" if route.startswith("GET /") else "other")
        setattr(counted, name, getattr(counted, name) + numbers["credits"])
    return counted


_FIELD_OF_ROUTE = {
    "POST /locations/create": "locations",
    "POST /tracks/create": "tracks",
    "POST /sessions/create": "sessions_created",
    "PUT /sessions/update/{id}": "sessions_updated",
    "POST /speakers/create": "speakers_created",
    "PUT /speakers/update/{id}": "speakers_updated",
    "POST /sponsors/create": "sponsors_created",
    "PUT /sponsors/update/{id}": "sponsors_updated",
    "PUT /sponsors/field/{id}": "levels",
    "PUT /image/{type}/{id}/{field}": "images",
    "POST /speakers/{id}/session": "associations",
    "DELETE /speakers/{id}/session/{id}": "removals",
    "DELETE /speakers/{id}/session": "removals",
}


def _record(session: ExpectedSession) -> tuple[str | None, ...]:
    return (
        session.name,
        session.description,
        session.date,
        session.start_time,
        session.end_time,
        session.location,
        session.track,
    )


def _links(state: Expected) -> set[tuple[str, str]]:
    return {(speaker, key) for key, session in state.sessions.items() for speaker in session.speaker_ids}
