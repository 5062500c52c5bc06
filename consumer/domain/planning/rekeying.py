"""From one key of digests to the next (Y3): what is known in clear is digested once more, and nothing is pushed.

Digests of values that neither side shows any more stay under their older key, which the installation keeps for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from consumer.domain.planning.desired import TextLimits, desired_speaker
from consumer.domain.records.digests import Digests, translated
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Entry, Ledger
from consumer.domain.records.snapshot import Profile, Snapshot
from consumer.domain.records.text import natural_email

Directories = Mapping[Kind, Directory]


def rekeyed(
    ledger: Ledger, directories: Directories, snapshot: Snapshot, limits: TextLimits, digests: Digests
) -> tuple[dict[str, Entry], Directories]:
    """Entries that can be digested with the current key, and the directories so far as they can.

    Every address that a plan may look for is in the snapshot, so that nothing it compares stays under an older key.
    """
    directory = directories.get(Kind.SPEAKER, Directory())
    if not digests.outdated(ledger, directory):
        return {}, directories
    known = digests.translation(_values(snapshot, directory, limits))
    changes = {key: news for key, entry in ledger.items() if (news := translated(entry, known)) is not entry}
    rows = {each: replace(row, natural=known.get(row.natural, row.natural)) for each, row in directory.rows.items()}
    return changes, {**directories, Kind.SPEAKER: replace(directory, rows=rows)}


def revealed(ledger: Ledger, snapshot: Snapshot, limits: TextLimits, digests: Digests) -> dict[str, Entry]:
    """The ledger for people: with the values that Sessionboard still has in place of their digests."""
    known = digests.revealing(_values(snapshot, Directory(), limits))
    return {key: translated(entry, known) for key, entry in ledger.items()}


def _values(snapshot: Snapshot, directory: Directory, limits: TextLimits) -> Iterator[str]:
    """Every value of a person that Sessionboard, or a list that was just read from Swoogo, shows."""
    for profile in _profiles(snapshot):
        person = desired_speaker("", profile, 0, limits)
        yield from person.fields.values()
        yield from person.uncleaned.values()
        yield person.natural
        yield person.image or ""
    for row in directory.rows.values():
        yield from row.fields.values()
        yield natural_email(row.fields.get("email", ""))


def _profiles(snapshot: Snapshot) -> Iterator[Profile]:
    yield from (contact.profile for contact in snapshot.contacts.values())
    for session in snapshot.sessions.values():
        yield from (person.profile for person in session.people)
