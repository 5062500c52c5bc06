"""Keyed digests: what the ledger, its changelog and the directories hold in place of people's data (Y3).

A keyed digest is a MAC (BLAKE2b with a key, RFC 7693) over the plain digest of a value, so that what earlier builds
wrote in clear is sealed without knowing more than the entry. It names its key, so that a digest by an older key is
still compared while the installation has that key: a new key changes nothing that would be pushed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from consumer.domain.records.identity import PLAIN_LIMIT, Fields, Kind, digest, key_of
from consumer.domain.records.ledger import Directory, Entry, Ledger, Remote, State

SEALED: Final = 2
"""Format of an entry that holds keyed digests; an older version leaves it alone."""

_MARK: Final = "#k"
"""Begins a keyed digest. A plain one begins with its value, or with `#` and a number."""
_LENGTH: Final = len("#k01234567:") + 24
_ID: Final = slice(2, 10)
_SPEAKER: Final = key_of(Kind.SPEAKER, "")
_IMAGE_ADDRESS: Final = "url"


@lru_cache(maxsize=131_072)
def _keyed(key: bytes, plain: str) -> str:
    mac = blake2b(plain.encode(errors="replace"), key=key, digest_size=12)
    return f"{_MARK}{key_id(key)}:{mac.hexdigest()}"


@lru_cache(maxsize=64)
def key_id(key: bytes) -> str:
    """What digests name a key by: 8 hex characters that do not tell it."""
    return blake2b(key, digest_size=4, person=b"swoogo-sync/kid").hexdigest()


def is_keyed(text: str) -> bool:
    return text[:2] == _MARK and len(text) == _LENGTH


def key_ids(entry: Entry) -> frozenset[str]:
    """Ids of the keys that an entry's digests were made with."""
    held = (entry.natural, *entry.pushed.values(), *entry.seen.values(), *entry.image.values())
    return frozenset(each[_ID] for each in held if is_keyed(each))


@dataclass(frozen=True, slots=True)
class Digests:
    """Makes and compares digests. `keys`: 32 bytes each, the current one first; none: values stay as they are."""

    keys: tuple[bytes, ...] = field(default=(), repr=False)

    def of(self, value: str) -> str:
        """The digest of a value in clear; an empty one stays empty."""
        return _keyed(self.keys[0], digest(value)) if self.keys and value else digest(value)

    def natural(self, natural: str) -> str:
        """A natural key of a person, or an address, in clear or digested before, as a digest."""
        return natural if not self.keys or not natural or is_keyed(natural) else self.of(natural)

    def same(self, known: str, value: str) -> bool:
        """Whether `known`, as the ledger has it, is the digest of a value in clear."""
        plain = digest(value)
        if known[:2] != _MARK:
            return known == plain or (known == value and value[:1] != "#")
        return any(_keyed(key, plain) == known for key in self.keys)

    def changed(self, fields: Fields, pushed: Fields) -> dict[str, str]:
        """The fields whose value is not the one that `pushed` holds the digest of.

        A field that was never pushed counts as empty: there is nothing to clear (P2); one that was is cleared (R4).
        """
        # A short value is its own plain digest. One that starts with "#" might only look like the digest of another.
        found: dict[str, str] = {}
        get = pushed.get
        for name, value in fields.items():
            known = get(name, "")
            if known == value and value[:1] != "#":
                continue
            # Most fields of most plans are unchanged short ones: no call but a look into the cache.
            if self.keys and len(value) <= PLAIN_LIMIT and known == _keyed(self.keys[0], value):
                continue
            if (known != value or value[:1] == "#") and not self.same(known, value):
                found[name] = value
        return found

    def sealed(self, key: str, entry: Entry) -> Entry:
        """An entry without people's data: every field of a speaker, its natural key, the address of its picture."""
        if not self.keys or not key.startswith(_SPEAKER):
            return entry
        found = replace(
            entry,
            natural=self.natural(entry.natural),
            pushed=self._sealed(entry.pushed),
            seen=self._sealed(entry.seen),
            image={name: self.natural(each) if name == _IMAGE_ADDRESS else each for name, each in entry.image.items()},
            format=SEALED,
        )
        return entry if found == entry else found

    def sealed_ledger(self, ledger: Ledger) -> dict[str, Entry]:
        """Those entries that earlier builds wrote in clear, sealed."""
        found = ((key, entry, self.sealed(key, entry)) for key, entry in ledger.items() if self.keys)
        return {key: sealed for key, entry, sealed in found if sealed is not entry}

    def rows(self, rows: Mapping[int, Remote]) -> dict[int, Remote]:
        """Speakers as Swoogo lists them, under digests of their natural keys."""
        return {each: replace(row, natural=self.natural(row.natural)) for each, row in rows.items()}

    def directories(self, directories: Mapping[Kind, Directory]) -> Mapping[Kind, Directory]:
        """Directories with those of speakers by digests."""
        held = directories.get(Kind.SPEAKER)
        if not self.keys or held is None or all(not row.natural or is_keyed(row.natural) for row in held.rows.values()):
            return directories
        return {**directories, Kind.SPEAKER: replace(held, rows=self.rows(held.rows))}

    def outdated(self, ledger: Ledger, directory: Directory) -> bool:
        if not self.keys:
            return False
        current = {key_id(self.keys[0])}
        rows = {row.natural[_ID] for row in directory.rows.values() if is_keyed(row.natural)}
        return bool(rows - current) or any(key_ids(entry) - current for _, entry in _speakers(ledger))

    def unknown(self, ledger: Ledger) -> frozenset[str]:
        """Ids of keys that this installation does not have, and whose digests updates are decided by."""
        known = {key_id(key) for key in self.keys}
        live = (entry for _, entry in _speakers(ledger) if entry.state is not State.GONE)
        return frozenset(each for entry in live if entry.format == SEALED for each in key_ids(entry) - known)

    def translation(self, values: Iterable[str]) -> dict[str, str]:
        """Digest by an older key -> by the current one, of values in clear."""
        return {_keyed(old, digest(each)): self.of(each) for each in values if each for old in self.keys[1:]}

    def revealing(self, values: Iterable[str]) -> dict[str, str]:
        """Digest by any key -> the plain one, of values in clear."""
        return {_keyed(key, digest(each)): digest(each) for each in values if each for key in self.keys}

    def _sealed(self, fields: Fields) -> dict[str, str]:
        key = self.keys[0]
        return {name: each if not each or is_keyed(each) else _keyed(key, each) for name, each in fields.items()}


PLAIN: Final = Digests()
"""Values as they are: what the pure functions start from; `wiring` never uses it."""


def translated(entry: Entry, known: Mapping[str, str]) -> Entry:
    """An entry whose digests are replaced where `known` has what they stand for."""

    def new(fields: Fields) -> dict[str, str]:
        return {name: known.get(each, each) for name, each in fields.items()}

    found = replace(
        entry,
        natural=known.get(entry.natural, entry.natural),
        pushed=new(entry.pushed),
        seen=new(entry.seen),
        image=new(entry.image),
    )
    return entry if found == entry else found


def unknown_keys(event_id: str, unknown: frozenset[str]) -> str:
    """What is said of an event that is held because a key is missing."""
    return (
        f"The ledger of event {event_id} is digested with {len(unknown)} key(s) that are not set here "
        f"({', '.join(sorted(unknown))}): nothing is pushed until SWOOGO_SYNC_KEYS__DIGEST or PREVIOUS has them again."
    )


def _speakers(ledger: Ledger) -> Iterator[tuple[str, Entry]]:
    return ((key, entry) for key, entry in ledger.items() if key.startswith(_SPEAKER))
