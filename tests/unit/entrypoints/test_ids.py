"""Ids are short where a terminal is narrow, and any beginning that fits one only is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.entrypoints.documents.ids import AmbiguousIdError, chosen, chosen_keys, short_ids

ONE = "497f6eca-6276-4993-bfeb-53cbbbba6f08"
TWIN = "497f6eca-6276-4993-bfeb-53cbbbba6f99"
OTHER = "1143d15b-cb31-5b29-9c88-867be2b7be05"


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ((ONE, OTHER), {ONE: "497f6eca", OTHER: "1143d15b"}),
        ((ONE, TWIN), {ONE: ONE[:35], TWIN: TWIN[:35]}),
        ((ONE, ONE[:20]), {ONE: ONE[:21], ONE[:20]: ONE[:20]}),
        (("4001", "40012"), {"4001": "4001", "40012": "40012"}),
        ((ONE, "497f6eca"), {ONE: "497f6eca-6", "497f6eca": "497f6eca"}),
        ((), {}),
    ],
    ids=["unlike", "twins", "one-begins-the-other", "short", "short-and-long", "none"],
)
def test_an_id_is_as_short_as_it_can_be(known: tuple[str, ...], shown: dict[str, str]) -> None:
    assert short_ids(known) == shown


@given(st.sets(st.text("0123-", min_size=1, max_size=20), max_size=12))
def test_every_short_id_names_its_own(known: set[str]) -> None:
    for whole, short in short_ids(known).items():
        assert chosen(short, known, "event") == whole


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (ONE, ONE),
        ("497f6eca", ONE),
        ("497f", ONE),
        ("497", "497"),
        ("4001", "4001"),
        ("400", "400"),
        ("nope", "nope"),
        ("", ""),
    ],
)
def test_a_beginning_names_one_id_and_a_short_id_is_typed_whole(typed: str, meant: str) -> None:
    """A number that is not there must not be taken for a longer one: `sync 4001` never syncs event 40012."""
    assert chosen(typed, (ONE, OTHER, "40012"), "event") == meant


def test_a_beginning_of_several_ids_is_a_sentence() -> None:
    with pytest.raises(AmbiguousIdError) as error:
        chosen("497f", (ONE, TWIN, OTHER), "event")
    assert str(error.value) == f"497f fits 2 events ({ONE}, {TWIN}); type more of the id."


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (f"session/{ONE}", {f"session/{ONE}"}),
        (ONE, {f"session/{ONE}", f"speaker/{ONE}"}),
        ("session/497f", {f"session/{ONE}"}),
        ("497f", {f"session/{ONE}", f"speaker/{ONE}"}),
        ("sponsor/497f", set()),
        ("level/gold", {"level/gold"}),
        ("level/go", set()),
    ],
)
def test_a_key_is_named_by_key_id_or_the_beginning_of_either(typed: str, meant: set[str]) -> None:
    known = (f"session/{ONE}", f"speaker/{ONE}", f"session/{OTHER}", "level/gold")
    assert chosen_keys(typed, known) == meant
