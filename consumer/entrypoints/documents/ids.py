"""Ids as people read and type them: short where a terminal is narrow, and taken by any prefix that fits one only.

Short ids such as 4001 are shown and typed whole: a number that happens to begin another one must not name it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from consumer.domain.errors import SwoogoSyncError
from consumer.domain.records.identity import Kind, id_of, key_of, record_key
from consumer.domain.records.ledger import Ledger
from consumer.domain.records.snapshot import Snapshot
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import plain

_WHOLE: Final = 12
"""Ids of up to so many characters are never shortened."""
_SHOWN: Final = 8
"""Characters of a longer one that are shown, or as many more as tell it from the others."""
_TYPED: Final = 4
"""Characters that have to be typed at least."""


class AmbiguousIdError(SwoogoSyncError):
    """What was typed fits several ids."""

    def __init__(self, given: str, found: Collection[str], what: str) -> None:
        first = ", ".join(plain(each) for each in sorted(found)[:2])
        more = " and others" if len(found) > 2 else ""
        super().__init__(f"{plain(given)} fits {len(found)} {what}s ({first}{more}); type more of the id.")


class UnknownRecordError(SwoogoSyncError):
    """Nothing is known of the record that was asked for."""


def short_ids(known: Iterable[str]) -> Mapping[str, str]:
    """Each id -> the prefix of it that none of the others begins with."""
    ordered = sorted(set(known))
    shown: dict[str, str] = {}
    for place, each in enumerate(ordered):
        if len(each) <= _WHOLE:
            shown[each] = each
            continue
        beside = ordered[max(place - 1, 0) : place] + ordered[place + 1 : place + 2]
        length = max([_SHOWN, *(_alike(each, other) + 1 for other in beside)])
        shown[each] = each[: length + 1 if each[length - 1 : length] == "-" else length]
    return shown


def _alike(one: str, other: str) -> int:
    """With how many characters both begin."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def chosen(given: str, known: Iterable[str], what: str) -> str:
    """The one id that is meant: `given` where it is one of them or fits none, else the only one it begins.

    `known`: all there are. `what`: their name in a sentence, such as "event".

    Raises:
        AmbiguousIdError: it fits several.
    """
    found = beginning(given, known)
    if len(found) > 1:
        raise AmbiguousIdError(given, found, what)
    return next(iter(found), given)


def beginning(given: str, known: Iterable[str]) -> frozenset[str]:
    """The id that was typed whole, or those that a prefix may mean."""
    there = frozenset(known)
    if given in there:
        return frozenset({given})
    if len(given) < _TYPED:
        return frozenset()
    return frozenset(each for each in there if len(each) > _WHOLE and each.startswith(given))


def chosen_keys(given: str, known: Iterable[str]) -> frozenset[str]:
    """The ledger keys that a key (`session/ID`), an id, or the beginning of either names.

    Raises:
        AmbiguousIdError: a beginning fits several.
    """
    keys = frozenset(known)
    whole = frozenset(key for key in keys if given in {key, id_of(key)})
    if whole:
        return whole
    kind, slash, identifier = given.rpartition("/")
    among = {id_of(key): key for key in keys if not slash or key.startswith(f"{kind}/")}
    found = beginning(identifier, among)
    if len(found) > 1:
        raise AmbiguousIdError(given, [among[each] for each in found], "record")
    return frozenset(key for key in keys if id_of(key) in found and (not slash or key.startswith(f"{kind}/")))


def whole_record(given: str, event_id: str, snapshot: Snapshot, ledger: Ledger) -> str:
    """The ledger key of the record that a key, a Sessionboard id, the beginning of either, or a Swoogo id names.

    Raises:
        UnknownRecordError: nothing is known of it.
        AmbiguousIdError: several are meant.
    """
    people = (person.contact_id for each in snapshot.sessions.values() for person in each.people)
    known = {
        *ledger,
        *(key_of(Kind.SESSION, each) for each in snapshot.sessions),
        *(key_of(Kind.SPEAKER, each) for each in (*snapshot.contacts, *people)),
        *(key_of(Kind.SPONSOR, each) for each in snapshot.sponsors),
    }
    key = record_key(given)
    of_swoogo = {name for name, each in ledger.items() if key == str(each.swoogo_id or "-")}
    found = {key} & known or of_swoogo or chosen_keys(key, known)
    if not found:
        raise UnknownRecordError(f"Nothing is known of a record {plain(given)} of event {plain(event_id)}.")
    if len(found) > 1:
        raise AmbiguousIdError(given, found, "record")
    return next(iter(found))


async def known_events(stores: StoreSession) -> tuple[str, ...]:
    """Every event that was ever recorded or mapped. Raises UnavailableError."""
    recorded, pairs = await asyncio.gather(stores.inbox.events(), stores.pairs.events())
    return tuple(sorted({*recorded, *pairs}))


async def whole_event(stores: StoreSession, given: str) -> str:
    """The id of the event that is meant.

    Raises:
        AmbiguousIdError: a beginning fits several.
        UnavailableError: Redis does not answer, or a beginning may fit events that a rebuild has not read yet.
    """
    known = await known_events(stores)
    event_id = chosen(given, known, "event")
    if event_id != given:
        await require_complete(stores)
    return event_id
