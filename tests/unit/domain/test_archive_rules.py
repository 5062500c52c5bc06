"""What stays of an event that is over, and that a change after that plans what it would have planned without (Y4)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from consumer.domain.records.archive import ended_at, stays
from consumer.domain.records.snapshot import Contact, Snapshot
from tests.support.builders import HOUR, NOW, a_session
from tests.unit.domain.conference_life import SESSIONS, ConferenceLife, DoubtfulError

pytestmark = pytest.mark.rule("Y4")


def test_an_event_ends_with_its_last_session() -> None:
    sessions = (
        a_session("s1", starts_at=NOW, ends_at=NOW + HOUR),
        a_session("s2", starts_at=NOW + 2 * HOUR, ends_at=None),
        a_session("s3", starts_at=None, ends_at=None),
    )
    assert ended_at(Snapshot({each.id: each for each in sessions})) == NOW + 2 * HOUR
    assert ended_at(Snapshot({"s3": sessions[2]})) is None


def test_only_deletions_stay() -> None:
    gone = replace(a_session("s2"), deleted=True)
    contact = Contact("c1", deleted=True)
    held = Snapshot({"s1": a_session("s1"), "s2": gone}, {"c1": contact, "c2": Contact("c2")})
    assert stays(held) == {"session/s2", "contact/c1"}


@pytest.mark.rule("G2")
@settings(max_examples=60, deadline=None)
@given(chance=st.randoms(use_true_random=True))
def test_a_change_of_an_archived_event_sends_what_it_would_have_sent(chance: Random) -> None:
    """Without the rows that went, with the ledger that stayed: nothing twice, nothing removed, nothing forgotten."""
    event = ConferenceLife(chance)
    try:
        event.sync(troubles=0)
        event.edit()
        event.sync(troubles=0)
    except DoubtfulError:
        reject()
    changed = {chance.choice(SESSIONS) for _ in range(chance.randint(1, 2))}
    for each in changed:
        event.put_session(each)
    whole = event.plan_input(event.resources())
    kept = {key: session for key, session in whole.snapshot.sessions.items() if key in changed}
    always, archived = deepcopy(event), deepcopy(event)
    always.push_until_done(whole)
    archived.push_until_done(replace(whole, snapshot=Snapshot(kept)))
    assert archived.model.records == always.model.records
    assert archived.model.links == always.model.links
    assert {key: (each.state, each.swoogo_id) for key, each in archived.model.ledger.items()} == {
        key: (each.state, each.swoogo_id) for key, each in always.model.ledger.items()
    }
