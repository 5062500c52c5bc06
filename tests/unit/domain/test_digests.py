"""What stands in the ledger for people's data, and what a new key changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from consumer.domain.planning.desired import TextLimits
from consumer.domain.planning.rekeying import rekeyed
from consumer.domain.records.digests import PLAIN, SEALED, Digests, is_keyed, key_ids
from consumer.domain.records.identity import Kind, digest, readable
from consumer.domain.records.ledger import Directory, Entry, Remote, State
from consumer.domain.records.snapshot import Snapshot
from tests.support.builders import a_contact

pytestmark = pytest.mark.rule("Y3")

OLD, NEW, OTHER = (letter * 32 for letter in (b"o", b"n", b"x"))
BEFORE, DURING, AFTER = Digests((OLD,)), Digests((NEW, OLD)), Digests((NEW,))
BIO: Final = "<p>Wrote the first program.</p>" * 5
VALUES: Final = {"first_name": "Ada", "email": "c1@example.org", "bio": BIO, "job_title": "", "company": "#1:engines"}


def in_clear() -> Entry:
    """As earlier builds wrote a speaker."""
    digests = {name: digest(value) for name, value in VALUES.items()}
    image = {"url": "https://people.example/ada.png?" + "x" * 60, "sha256": "ab"}
    return Entry(State.APPLIED, 7, pushed=digests, seen=digests, natural="c1@example.org", image=image)


def test_a_sealed_entry_holds_no_value_of_a_person() -> None:
    sealed = BEFORE.sealed("speaker/c1", in_clear())
    held = repr(sealed)
    clear = {*VALUES.values(), "people.example", digest(BIO)} - {""}
    assert not [value for value in clear if value in held]
    assert sealed.format == SEALED
    assert sealed.pushed["job_title"] == ""  # nobody is told by what is not there
    assert (sealed.image["sha256"], sealed.swoogo_id) == ("ab", 7)
    assert BEFORE.sealed("speaker/c1", sealed) is sealed
    assert readable(sealed.pushed["email"]) == "(kept as a digest)"


def test_titles_and_rooms_stay_readable() -> None:
    entry = Entry(State.APPLIED, 7, pushed={"name": "Keynote"}, natural="keynote")
    assert BEFORE.sealed("session/s1", entry) is entry


@pytest.mark.rule("R3")
@pytest.mark.parametrize("digests", [PLAIN, BEFORE, DURING, AFTER])
@pytest.mark.parametrize(("name", "value"), [*VALUES.items(), ("company", ""), ("company", "#2:x"), ("bio", "x")])
def test_a_digest_tells_what_changed_and_nothing_else(digests: Digests, name: str, value: str) -> None:
    """Entries in clear, sealed with this key and with the one before compare alike: no key costs a call."""
    writers = {PLAIN, digests, *([BEFORE] if digests is DURING else [])}
    for writer in writers:
        pushed = writer.sealed("speaker/c1", in_clear()).pushed
        expected = {} if VALUES[name] == value else {name: value}
        assert digests.changed({name: value}, pushed) == expected, writer


def test_what_looks_like_a_digest_is_none_when_it_comes_from_sessionboard() -> None:
    forged = BEFORE.of("Ada")
    assert is_keyed(forged)
    assert BEFORE.changed({"first_name": forged}, {"first_name": BEFORE.of("Ada")}) == {"first_name": forged}


def rotated(entry: Entry, snapshot: Snapshot, directory: Directory) -> tuple[Entry, Directory]:
    """Entry and directory after a plan with both keys."""
    ledger, known = {"speaker/c1": entry}, {Kind.SPEAKER: directory}
    changes, directories = rekeyed(ledger, known, snapshot, TextLimits(), DURING)
    return {**ledger, **changes}["speaker/c1"], directories[Kind.SPEAKER]


def test_a_new_key_takes_over_what_sessionboard_or_swoogo_shows() -> None:
    entry = BEFORE.sealed("speaker/c1", in_clear())
    person = a_contact("c1", company="#1:engines", bio=BIO, photo_url=in_clear().image["url"])
    snapshot = Snapshot(contacts={"c1": person})
    listed = Directory({7: Remote(7, BEFORE.of("c1@example.org"))}, at=5)
    after, directory = rotated(entry, snapshot, listed)
    assert key_ids(after) == key_ids(AFTER.sealed("speaker/c1", in_clear()))
    assert AFTER.changed({"bio": BIO, "email": "c1@example.org"}, after.pushed) == {}
    assert directory.matching(AFTER.natural("c1@example.org"))
    assert directory.at == 5  # not listed again: that would cost ten credits


def test_what_no_one_shows_stays_under_the_older_key_and_is_understood() -> None:
    entry = BEFORE.sealed("speaker/c1", in_clear())
    after, _ = rotated(entry, Snapshot(), Directory())
    assert after == entry
    assert DURING.unknown({"speaker/c1": after}) == frozenset()
    assert AFTER.unknown({"speaker/c1": after}) == key_ids(entry)
    assert AFTER.unknown({"speaker/c1": replace(after, state=State.GONE)}) == frozenset()


def test_swoogo_shows_what_sessionboard_no_longer_has() -> None:
    entry = BEFORE.sealed("speaker/c1", in_clear())
    row = Remote(7, BEFORE.of("c1@example.org"), {"email": "c1@example.org", "first_name": "Ada"})
    after, _ = rotated(entry, Snapshot(), Directory({7: row}, fresh=True))
    assert after.natural == AFTER.natural("c1@example.org")
    assert after.seen["first_name"] == AFTER.of("Ada")
