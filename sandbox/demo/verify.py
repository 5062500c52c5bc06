"""Does the sandbox hold exactly what the rules say? Every difference and every duplicate, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from consumer.adapters.swoogo.html import same_html
from consumer.domain.planning.desired import NAME_LIMIT
from sandbox.conference.expected import Expected, ExpectedSession
from sandbox.conference.expected_names import compared
from sandbox.conference.expected_speakers import ExpectedSpeaker, address
from sandbox.conference.expected_sponsors import ExpectedSponsor

Json = Mapping[str, Any]


def differences(
    state: Json, expected: Expected, *, hand_made: frozenset[int] = frozenset(), edited: Mapping[str, str] | None = None
) -> list[str]:
    """Where the sandbox's state of one event is not what it must be; empty when all is right.

    Args:
        state: `/_control/state` of the event.
        expected: the oracle's word.
        hand_made: Swoogo ids of records that people made there, which must be left alone.
        edited: session name -> description that somebody typed in Swoogo and that must have stayed.
    """
    found: list[str] = []
    locations = {row["id"]: row["name"] for row in state["locations"]}
    tracks = {row["id"]: row["name"] for row in state["tracks"]}
    emails = {row["id"]: address(row["email"]) for row in state["speakers"]}
    linked: dict[int, set[str]] = {}
    for link in state["links"]:
        linked.setdefault(link["session_id"], set()).add(emails[link["speaker_id"]])
    found += _compare("location", locations.values(), expected.locations.names)
    found += _compare("track", tracks.values(), expected.tracks.names)

    actual = [
        ExpectedSession(
            name=row["name"],
            description=row["description"] or "",
            date=row["date"],
            start_time=row["start_time"],
            end_time=row["end_time"],
            location=locations.get(row["location_id"]),
            track=tracks.get(row["track_id"]),
            speakers=frozenset(linked.get(row["id"], ())),
            speaker_ids=frozenset(),
        )
        for row in state["sessions"]
        if row["id"] not in hand_made
    ]
    found += _compare("session", map(_identity, actual), [_identity(_cut(each)) for each in expected.sessions.values()])
    wanted = {_identity(_cut(each)): each for each in expected.sessions.values()}
    for session in actual:
        promise = wanted.get(_identity(session))
        text = (edited or {}).get(session.name, promise.description if promise else "")
        if promise and not same_html(session.description, text):
            found.append(f"session {session.name!r}: its description is another")

    speakers = [
        ExpectedSpeaker(
            email=address(row["email"]),
            **{name: row[name] or "" for name in ("first_name", "last_name", "job_title", "company", "bio")},
        )
        for row in state["speakers"]
        if row["id"] not in hand_made
    ]
    promised = {each.email: each for each in expected.speakers.values()}
    found += _compare("speaker", (each.email for each in speakers), promised.keys())
    found += [
        f"speaker {promised[each.email].first_name!r}: a field is another"
        for each in speakers
        if each.email in promised and not _same_person(each, promised[each.email])
    ]
    return found + _sponsor_differences(state, expected, hand_made)


def _sponsor_differences(state: Json, expected: Expected, hand_made: frozenset[int]) -> list[str]:
    """Levels belong to the account: there may be more of them than this event needs."""
    levels = {compared(name) for names in _levels(state) for name in names}
    found = [f"level missing in Swoogo: {name}" for key, name in expected.levels.items() if key not in levels]
    actual = [
        ExpectedSponsor(
            name=row["name"],
            description=row["description"] or "",
            website=row["website"] or "",
            level=(row["level"] or {}).get("value") or "",
        )
        for row in state["sponsors"]
        if row["id"] not in hand_made
    ]
    wanted = {_sponsor_identity(each): each for each in expected.sponsors.values()}
    found += _compare("sponsor", map(_sponsor_identity, actual), map(_sponsor_identity, expected.sponsors.values()))
    found += [
        f"sponsor {each.name!r}: its description is another"
        for each in actual
        if _sponsor_identity(each) in wanted
        and not same_html(each.description, wanted[_sponsor_identity(each)].description)
    ]
    return found


def _sponsor_identity(sponsor: ExpectedSponsor) -> tuple[str, str, str]:
    return sponsor.name, sponsor.website, compared(sponsor.level)


def _levels(state: Json) -> list[list[str]]:
    """Names of levels, by account."""
    return [[str(level["name"]) for level in levels] for levels in state["levels"].values()]


def duplicates(state: Json) -> int:
    """Records beyond the first of one kind that mean the same: name, or e-mail, or name with date, start and room."""
    count = 0
    for levels in _levels(state):
        count += len(levels) - len({compared(name) for name in levels})
    for kind, identity in (
        ("sponsors", lambda row: compared(row["name"])),
        ("locations", lambda row: compared(row["name"])),
        ("tracks", lambda row: compared(row["name"])),
        ("speakers", lambda row: address(row["email"])),
        ("sessions", lambda row: (row["name"], row["date"], row["start_time"], row["location_id"])),
    ):
        count += sum(number - 1 for number in Counter(identity(row) for row in state[kind]).values())
    return count


def _compare(kind: str, actual: Iterable[Any], expected: Iterable[Any]) -> list[str]:
    have, want = Counter(actual), Counter(expected)
    return [
        *(f"{kind} missing in Swoogo: {each}" for each in (want - have)),
        *(f"{kind} too many in Swoogo: {each}" for each in (have - want)),
    ]


def _identity(session: ExpectedSession) -> tuple[Any, ...]:
    return (
        session.name,
        session.date,
        session.start_time,
        session.end_time,
        session.location,
        session.track,
        tuple(sorted(session.speakers)),
    )


def _cut(session: ExpectedSession) -> ExpectedSession:
    """With its name as Swoogo takes it."""
    if len(session.name) <= NAME_LIMIT:
        return session
    return replace(session, name=session.name[: NAME_LIMIT - 1].rstrip() + "…")


def _same_person(one: ExpectedSpeaker, other: ExpectedSpeaker) -> bool:
    return (one.first_name, one.last_name, one.job_title.strip(), one.company.strip()) == (
        other.first_name,
        other.last_name,
        other.job_title.strip(),
        other.company.strip(),
    ) and same_html(one.bio, other.bio)
