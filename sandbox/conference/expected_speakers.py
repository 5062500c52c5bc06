"""The oracle for speakers: who takes part, with what, and whose an e-mail address is (E4, E6, P1, P2, P5, D1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Json = Mapping[str, Any]
Key = tuple[Literal["session", "speaker", "sponsor"], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSpeaker:
    """A speaker in Swoogo; an empty string is an empty field."""

    email: str
    first_name: str
    last_name: str
    job_title: str
    company: str
    bio: str


def fold_speakers(
    previous: Mapping[str, ExpectedSpeaker],
    records: Iterable[Json],
    eligible: Iterable[Json],
    cast: Mapping[str, Mapping[str, Json]],
    left_out: dict[Key, tuple[str, str | None]],
    deleted: frozenset[str],
) -> tuple[dict[str, ExpectedSpeaker], frozenset[str]]:
    """E4, E6, P1, P2, P5: all speakers Swoogo holds afterwards, and the ids of those who are up to date.

    The copy of a deleted contact never serves, and it owns no address: who was synced before may have that, and
    somebody new goes on with the speaker whom Swoogo keeps (D1).
    """
    contacts = {contact["id"]: contact for contact in records}
    copies: dict[str, Json] = {}
    for session in eligible:
        copies.update({each: copy for each, copy in cast[session["id"]].items() if copy or each not in copies})
    claims: dict[str, dict[str, ExpectedSpeaker]] = {}
    for own_id, copy in copies.items():
        if own_id in deleted:
            left_out["speaker", own_id] = ("deleted", None)
            continue
        source = contacts.get(own_id, copy)
        missing = next(
            (each for each in ("first_name", "last_name", "email") if not text_of(source, each).strip()), None
        )
        if missing:
            left_out["speaker", own_id] = ("missing_field", missing)
        else:
            speaker = _speaker(source)
            claims.setdefault(speaker.email, {})[own_id] = speaker

    held = dict(previous)
    current: set[str] = set()
    for email, claimants in claims.items():
        # A person who gives the address up in this very revision leaves it to the others.
        leaving = {each for other, people in claims.items() if other != email for each in people}
        synced = {each: who for each, who in previous.items() if each not in leaving | deleted}
        winner = _owner(email, claimants, synced)
        for own_id, speaker in claimants.items():
            if own_id == winner:
                former = min((each for each in deleted & held.keys() if held[each].email == email), default=None)
                if own_id not in previous and former:
                    del held[former]
                held[own_id] = speaker
                current.add(own_id)
            else:
                left_out["speaker", own_id] = ("duplicate_email", "email")
    for own_id in contacts.keys() - copies.keys():
        left_out["speaker", own_id] = ("no_eligible_session", None)
    return held, frozenset(current)


def _owner(email: str, claimants: Mapping[str, object], synced: Mapping[str, ExpectedSpeaker]) -> str:
    """P2: the person synced with the address, even if they no longer have it; else the smaller id."""
    holders = [each for each, speaker in synced.items() if speaker.email == email]
    if holders:
        return min(holders)
    return min(set(claimants) & synced.keys() or claimants)


def address(text: str) -> str:
    """An e-mail address as compared: no format or control characters, ASCII letters small, the rest as it is."""
    seen = "".join(char for char in text if unicodedata.category(char) not in {"Cf", "Cc"})
    return "".join(char.lower() if char.isascii() else char for char in seen.strip())


def _speaker(source: Json) -> ExpectedSpeaker:
    return ExpectedSpeaker(
        email=address(text_of(source, "email")),
        first_name=text_of(source, "first_name").strip(),
        last_name=text_of(source, "last_name").strip(),
        job_title=text_of(source, "title").strip(),
        company=text_of(source, "company_name").strip(),
        bio=text_of(source, "about"),
    )


def text_of(source: Json, name: str) -> str:
    """A text of a resource; empty when it is none."""
    value = source.get(name)
    return value if isinstance(value, str) else ""
