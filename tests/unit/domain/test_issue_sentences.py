"""What holds for every issue, as an event admin reads it and as an operator does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.issues.issue import OPERATORS_ONLY, Code, Effect, Issue, effect_of
from consumer.domain.issues.labels import Labels
from consumer.domain.issues.sentence_templates import SENTENCES
from consumer.domain.issues.sentences import for_admin, for_operator
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Contact, Place, Profile, Snapshot, Sponsor
from tests.support.builders import a_mapping, a_session

TITLE: Final = '"Opening keynote" (Hall A, 12 Oct)'
UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
OPERATORS_WORDS: Final = re.compile(r"`|swoogo-sync|--\w|SWOOGO_SYNC|\b[45]\d\d\b|Kafka|Redis|EVENT")


def session(code: Code, **fields: Any) -> Issue:
    return replace(Issue("session/s1", code, **fields), label=TITLE)


@pytest.mark.rule("N2")
@pytest.mark.parametrize("label", ["", TITLE])
@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_whole_sentence_for_both_readers(code: Code, label: str) -> None:
    """For both readers."""
    issue = replace(Issue("session/s1", code, field="title", detail="Detail.", other="session/s2"), label=label)
    for sentence in (for_admin(issue), for_operator(issue, "e1")):
        assert not re.search(r"[{}]|  |\n|\(\)", sentence)
        assert sentence.endswith(".")
        assert sentence[0].isupper() or sentence[0] == '"'
    assert "s1" not in for_admin(issue)
    assert "session/s1" in for_operator(issue, "e1")
    assert label in for_admin(issue)
    assert label in for_operator(issue, "e1")


@pytest.mark.rule("N2")
@pytest.mark.parametrize("code", list(Code))
def test_what_only_operators_can_use_stands_only_in_their_sentence(code: Code) -> None:
    """For both readers."""
    issue = session(code, field="title", detail="Detail.", hint="Swoogo answered 422 to the update of a session.")
    assert not OPERATORS_WORDS.search(for_admin(issue))


@pytest.mark.rule("N2")
@pytest.mark.parametrize("code", list(Code))
def test_a_sentence_says_all_that_is_known(code: Code) -> None:
    """A field or a detail that it has a place for is told; a field by the name that its reader knows."""
    issue = session(code, field="ends_at", detail="DETAIL")
    assert ("end time" in for_admin(issue)) is ("{field}" in SENTENCES[code].admin)
    assert ("DETAIL" in for_admin(issue)) is ("{detail}" in SENTENCES[code].admin)
    assert ("DETAIL" in for_operator(issue, "e1")) is ("{detail}" in SENTENCES[code].operator)


@pytest.mark.rule("N2")
def test_braces_in_a_detail_are_only_text() -> None:
    """Swoogo's words can hold anything."""
    issue = session(Code.REFUSED, detail="{record} {0}", other="session/s2")
    assert "{record} {0}" in for_admin(issue)
    assert "{record} {0}" in for_operator(issue, "e1")


@pytest.mark.rule("N2")
@pytest.mark.parametrize("code", list(Code))
def test_a_record_that_is_left_out_is_not_said_to_be_in_swoogo(code: Code) -> None:
    """For both readers."""
    left_out = effect_of(code) is Effect.LEFT_OUT
    assert ("{out}" in SENTENCES[code].admin) <= left_out
    assert (" is in Swoogo" in SENTENCES[code].admin) <= (not left_out)
    assert (code in OPERATORS_ONLY) <= left_out


ids = st.uuids(version=4).map(str)
titles = st.text(st.characters(codec="utf-8", categories=["L", "Zs", "P"]), max_size=100).filter(
    lambda text: not OPERATORS_WORDS.search(text)
)


@st.composite
def dressed_issues(draw: st.DrawFn) -> tuple[Issue, set[str]]:
    """An issue of a record of a snapshot, as a push stores it, and the ids and names that admins must not read."""
    session_id, contact_id, other_id, sponsor_id, room_id = (draw(ids) for _ in range(5))
    person = Profile("Ada", "Lovelace", "ada@example.org")
    snapshot = Snapshot(
        {session_id: a_session(session_id, people=[contact_id], title=draw(titles), room=Place(room_id, draw(titles)))},
        {contact_id: Contact(contact_id, profile=person), other_id: Contact(other_id)},
        {sponsor_id: Sponsor(sponsor_id, name=draw(titles))},
    )
    event_id = draw(ids)
    keys = {
        Kind.SESSION: session_id,
        Kind.SPEAKER: draw(st.sampled_from([contact_id, other_id])),
        Kind.SPONSOR: sponsor_id,
        Kind.LOCATION: room_id,
        "event": event_id,
    }
    kind = draw(st.sampled_from(sorted(keys)))
    issue = Issue(
        f"{kind}/{keys[kind]}{draw(st.sampled_from(['', '#sessions', '#image', '#removal']))}",
        draw(st.sampled_from(sorted(Code))),
        field="email",
        detail="Ada Lovelace (ada@example.org) cannot be taken.",
        other=f"speaker/{draw(st.sampled_from([contact_id, other_id]))}",
        hint="Swoogo answered 422 to the update of a session.",
    )
    [dressed] = Labels(snapshot, {}, a_mapping(event_id=event_id)).dressed_all([issue])
    private = {"Lovelace", "ada@"} if keys[kind] == contact_id else {"ada@"}
    return dressed, {session_id, contact_id, other_id, sponsor_id, room_id, event_id} | private


@pytest.mark.rule("N2")
@given(dressed_issues())
def test_sentences_for_admins_name_no_technical_detail(made: tuple[Issue, set[str]]) -> None:
    """For both readers."""
    issue, unspeakable = made
    sentence = for_admin(issue)
    assert not {each for each in unspeakable if each in sentence}
    assert not UUID_TEXT.search(sentence)
    assert not OPERATORS_WORDS.search(sentence)


def test_the_property_would_see_an_id() -> None:
    """The pattern that it looks for matches what ids look like."""
    assert UUID_TEXT.search(str(UUID(int=5)))
