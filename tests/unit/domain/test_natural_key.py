"""How records are recognised in Swoogo, and keys of earlier builds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.planning.natural_key import natural_key, with_current_key
from consumer.domain.records.identity import Kind, digest, key_of
from consumer.domain.records.text import former_natural
from tests.support.builders import an_entry, an_intent

pytestmark = pytest.mark.rule("S5", "P2", "G2")

WHEN = {"date": "2026-07-01", "start_time": "09:00:00"}


@pytest.mark.parametrize(
    ("kind", "fields", "key"),
    [
        (Kind.SESSION, {"name": " A  Talk", **WHEN}, "a talk|2026-07-01|09:00:00"),
        (Kind.SPEAKER, {"email": "Ada@Example.org", "name": "x"}, "ada@example.org"),
        (Kind.SPONSOR, {"name": "ACME"}, "acme"),
        (Kind.LOCATION, {"name": "Saal Maße"}, "saal maße"),
        (Kind.LEVEL, {}, ""),
    ],
)
def test_a_record_is_recognised_by(kind: Kind, fields: dict[str, str], key: str) -> None:
    assert natural_key(kind, fields) == key


NAMES = st.text("aß Sſ\u0130é\u0301\u00a0\u200b|K\u212a", min_size=1, max_size=40)


@pytest.mark.rule("R3")
@given(kind=st.sampled_from(Kind), name=NAMES)
def test_keys_of_earlier_builds_are_read_as_todays(kind: Kind, name: str) -> None:
    """An entry that was pushed shows the difference that case folding lost."""
    field = "email" if kind is Kind.SPEAKER else "name"
    former = former_natural(name)
    if kind is Kind.SESSION:
        former = "|".join([former, *WHEN.values()])
    entry = an_entry(7, pushed={field: name}, natural=former)
    current = with_current_key(key_of(kind, "x"), entry)
    assert current.natural == natural_key(kind, {field: name, **WHEN})
    assert with_current_key(key_of(kind, "x"), current) == current


@pytest.mark.parametrize("name", ["Cafe\u0301 " + "x" * 60, "Hall\u00a0 1 " + "x" * 60])
def test_of_a_long_name_the_former_key_tells(name: str) -> None:
    """Its value is known by length and hash only."""
    entry = an_entry(7, pushed={"name": name}, natural=former_natural(name))
    assert entry.pushed["name"] == digest(name) != name
    assert with_current_key("location/r1", entry).natural == natural_key(Kind.LOCATION, {"name": name})


def test_of_an_intent_the_former_key_tells() -> None:
    entry = an_intent("cafe\u0301  noir|2026-07-01|09:00:00")
    assert with_current_key("session/s1", entry).natural == "café noir|2026-07-01|09:00:00"


@pytest.mark.rule("R3")
def test_a_plain_entry_is_read_as_it_is() -> None:
    entry = an_entry(7, pushed={"name": "Hall 1"}, natural="hall 1")
    assert with_current_key("location/r1", entry) is entry
