"""LEDGER, one entry over many writes: what was pushed and seen, held against a plain list of the writes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.domain.records.digests import PLAIN
from consumer.domain.records.identity import digest
from consumer.domain.records.ledger import Entry, State, orphaned_intents
from tests.support.builders import an_intent

pytestmark = pytest.mark.rule("R2")

NAMES = st.sampled_from(["name", "bio", "date"])
VALUES = st.sampled_from(["", "a", "b", "#7", "x" * 60, "y" * 60])
WRITES = st.lists(
    st.tuples(
        st.dictionaries(NAMES, VALUES, min_size=1),
        st.dictionaries(NAMES, VALUES),
        st.integers(0, 9),
    ),
    max_size=8,
)


def digests(fields: dict[str, str]) -> dict[str, str]:
    return {name: digest(value) for name, value in fields.items()}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(writes=WRITES)
def test_entry_holds_the_last_sent_and_the_first_seen_values(
    writes: list[tuple[dict[str, str], dict[str, str], int]],
) -> None:
    """A field that was not sent keeps what was seen before, so that what a person typed stays drift."""
    entry, sent, seen = Entry(State.INTENT, besides=(1,), unanswered=True), dict[str, str](), dict[str, str]()
    for fields, shown, version in writes:
        entry = entry.sent(digests(fields), digests(shown), natural="", version=version)
        sent |= fields
        kept = {name: value for name, value in seen.items() if name not in fields}
        seen = {**digests(shown), **kept}
    assert entry.pushed == digests(sent)
    assert entry.seen == seen
    assert entry.version == max((version for *_, version in writes), default=0)
    assert PLAIN.changed(sent, entry.pushed) == {}, "R3: what was sent is not sent again"
    if writes:
        assert (entry.live, entry.besides, entry.unanswered) == (True, (), False)


@pytest.mark.rule("P2", "R4")
@settings(max_examples=300, deadline=None, derandomize=True)
@given(pushed=st.dictionaries(NAMES, VALUES), wanted=st.dictionaries(NAMES, VALUES))
def test_what_differs_is_sent_and_nothing_else(pushed: dict[str, str], wanted: dict[str, str]) -> None:
    """A field never pushed counts as empty."""
    expected = {name: value for name, value in wanted.items() if pushed.get(name, "") != value}
    assert PLAIN.changed(wanted, digests(pushed)) == expected


@pytest.mark.rule("G2")
@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    ages=st.lists(st.tuples(st.sampled_from(list(State)), st.booleans(), st.integers(0, 100)), max_size=6),
    now=st.integers(100, 200),
)
def test_intents_are_given_up_once(ages: list[tuple[State, bool, int]], now: int) -> None:
    """A second worker that takes over does not make a create settle again."""
    ledger = {
        f"session/{number}": Entry(state, unanswered=unanswered and state is State.INTENT, at=at)
        for number, (state, unanswered, at) in enumerate(ages)
    }
    first = orphaned_intents(ledger, now)
    assert all(entry == ledger[key].mark_unanswered(now) for key, entry in first.items())
    assert orphaned_intents({**ledger, **first}, now + 50) == {}
    assert an_intent("x", started=now).settled_at(7) == now + 7
