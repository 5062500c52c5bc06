"""Keys, version stamps, digests and fingerprints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.records.digests import PLAIN
from consumer.domain.records.identity import Kind, Source, digest, fingerprint, id_of, key_of, kind_of, readable, stamp

VALUES = st.one_of(st.text(max_size=80), st.text("#0123456789:ab", max_size=60), st.text(min_size=49, max_size=60))


@given(kind=st.sampled_from(Kind), identifier=st.text(min_size=1, max_size=40))
def test_a_key_gives_back_its_kind_and_id(kind: Kind, identifier: str) -> None:
    """Whatever is in the id, slashes included (a level's id is its name)."""
    key = key_of(kind, identifier)
    assert (kind_of(key), id_of(key)) == (kind, identifier)


def test_keys_are_spelt_as_they_travel() -> None:
    assert [key_of(Kind.SESSION, "s1"), key_of(Source.CONTACT, "c1")] == ["session/s1", "contact/c1"]


NUMBERS = st.integers(0, 10**15 - 1)
TRIPLES = st.tuples(NUMBERS, NUMBERS, NUMBERS)


@pytest.mark.rule("G3")
@given(a=TRIPLES, b=TRIPLES)
def test_stamps_sort_by_version_then_publication_then_offset(a: tuple[int, int, int], b: tuple[int, int, int]) -> None:
    """As text, and equal only for the same change."""
    assert (stamp(*a) < stamp(*b)) is (a < b)
    assert (stamp(*a) == stamp(*b)) is (a == b)


@pytest.mark.rule("G3")
@pytest.mark.parametrize("odd", [-1, 10**15, 2**63 - 1])
def test_a_stamp_has_one_length_whatever_the_numbers(odd: int) -> None:
    """An absurd clock cannot break the order of texts."""
    assert len(stamp(odd, odd, odd)) == len(stamp(0, 0, 0)) == 47


@pytest.mark.rule("R2")
@given(VALUES, VALUES)
def test_two_values_have_one_digest_only_when_they_are_equal(a: str, b: str) -> None:
    """Also values that look like digests."""
    assert (digest(a) == digest(b)) is (a == b)


@pytest.mark.rule("N3")
@pytest.mark.parametrize("value", ["", "10:00:00", "x" * 48, " spaces ", "é" * 48])
def test_a_short_value_is_its_own_digest(value: str) -> None:
    """So that a plan can say what a field was."""
    assert digest(value) == value
    assert readable(digest(value)) == value


@pytest.mark.rule("N3")
@pytest.mark.parametrize("value", ["x" * 49, "#", "#5:abc", "x" * 100_000])
def test_a_long_value_is_known_by_length_and_hash(value: str) -> None:
    """Readable as its length; no more than 48 characters are kept of anybody's text."""
    known = digest(value)
    assert known.startswith(f"#{len(value)}:")
    assert len(known) < 40
    assert readable(known) == f"({len(value)} characters)"


@pytest.mark.rule("G1")
def test_a_lone_surrogate_has_a_digest() -> None:
    """Text from the outside never stops a plan."""
    assert digest("\ud800" * 60).startswith("#60:")
    assert fingerprint({"a": "\ud800"})


FIELDS = st.dictionaries(st.sampled_from(["name", "date", "bio", "email"]), VALUES)


@pytest.mark.rule("P2", "R2", "R4")
@given(fields=FIELDS, before=FIELDS)
def test_changed_fields_are_those_whose_digest_differs(fields: dict[str, str], before: dict[str, str]) -> None:
    """A field never pushed counts as empty."""
    pushed = {name: digest(value) for name, value in before.items()}
    expected = {name: value for name, value in fields.items() if before.get(name, "") != value}
    assert PLAIN.changed(fields, pushed) == expected


@pytest.mark.rule("R3")
@given(fields=FIELDS)
def test_what_was_just_pushed_has_not_changed(fields: dict[str, str]) -> None:
    assert PLAIN.changed(fields, {name: digest(value) for name, value in fields.items()}) == {}


@pytest.mark.rule("R5")
@given(a=FIELDS, b=FIELDS)
def test_a_fingerprint_tells_whether_fields_are_the_refused_ones(a: dict[str, str], b: dict[str, str]) -> None:
    """Whatever order they come in."""
    assert (fingerprint(a) == fingerprint(b)) is (a == b)
    assert fingerprint(dict(reversed(a.items()))) == fingerprint(a)
