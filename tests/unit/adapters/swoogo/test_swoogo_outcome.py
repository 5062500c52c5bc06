"""The outcome table and the sentence inside a refusal (swoogo-api.md 4)."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.http_outcome import SENTENCE_LIMIT, Action, classify, plain_sentence, refusal


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (200, Action.APPLIED),
        (201, Action.APPLIED),
        (204, Action.APPLIED),
        (299, Action.APPLIED),
        (400, Action.REFUSED),
        (401, Action.UNAUTHORIZED),
        (403, Action.NO_PERMISSION),
        (404, Action.MISSING),
        (405, Action.REFUSED),
        (415, Action.REFUSED),
        (418, Action.REFUSED),
        (422, Action.REFUSED),
        (429, Action.THROTTLED),
    ],
)
@pytest.mark.parametrize("create", [False, True])
def test_documented_statuses_mean_the_same_for_creates_and_other_calls(
    status: int, action: Action, create: bool
) -> None:
    assert classify(status, create=create) is action


@pytest.mark.rule("G2")
@pytest.mark.parametrize("status", [100, 301, 302, 303, 408, 500, 502, 503, 504, 599, 600])
def test_a_create_whose_effect_the_status_does_not_tell_is_unanswered(status: int) -> None:
    """Such a create is looked for before it is sent again; any other call is simply repeated later."""
    assert classify(status, create=True) is Action.UNANSWERED
    assert classify(status, create=False) is Action.UNAVAILABLE


@pytest.mark.parametrize("status", [402, 410, 413, 451, 499])
def test_an_unknown_refusal_is_worth_another_try(status: int) -> None:
    assert classify(status, create=True) is Action.UNAVAILABLE
    assert classify(status, create=False) is Action.UNAVAILABLE


@pytest.mark.parametrize(
    ("body", "sentence", "field"),
    [
        ([{"field": "email", "message": "Email cannot be blank."}], "Email cannot be blank.", "email"),
        ([{"field": "a", "message": "One."}, {"field": "b", "message": "Two"}], "One. Two.", "a"),
        ([{"field": "a", "message": "Same."}, {"field": "b", "message": "Same."}], "Same.", "a"),
        ([{"message": "Only words"}], "Only words.", ""),
        ([{"field": "date"}], "", "date"),
        ([], "", ""),
        (["no object"], "", ""),
        (
            {"name": "Bad Request", "message": "It has registrants.", "code": 0, "status": 400},
            "It has registrants.",
            "",
        ),
        ({"message": None}, "", ""),
        ({"error": "x"}, "", ""),
        ("text", "", ""),
        (None, "", ""),
    ],
)
def test_the_reason_is_found_in_either_shape(body: Any, sentence: str, field: str) -> None:
    """swoogo-api.md 4: a 422 is a bare array, the rest an object with `message`."""
    found = refusal(body)
    assert (found.sentence, found.field) == (sentence, field)


@pytest.mark.parametrize(
    "text",
    [
        'Email "ann@example.com" has already been taken.',
        "<ann.o'x@example.com> is taken",
        "ann%40example.com is taken",
        "x" * 50 + "@" + "y" * 50,
    ],
)
def test_a_sentence_carries_no_email_address(text: str) -> None:
    sentence = plain_sentence(text)
    assert "@" not in sentence
    assert "example.com" not in sentence
    assert "(an e-mail address)" in sentence


def test_a_sentence_is_one_bounded_line() -> None:
    assert plain_sentence("a\r\nb\x00c\u2028d\x1b[31m") == "a b c d [31m."
    assert len(plain_sentence("word " * 10_000)) == SENTENCE_LIMIT


def test_a_field_name_is_a_name() -> None:
    assert refusal([{"field": "na<me>\n" + "x" * 100, "message": "No."}]).field == "name" + "x" * 56


@given(st.text() | st.builds(lambda a, b: f"{a}@{b}", st.text(), st.text()))
def test_any_text_gives_a_bounded_sentence(text: str) -> None:
    sentence = plain_sentence(text)
    assert len(sentence) <= SENTENCE_LIMIT
    assert not {unicodedata.category(letter) for letter in sentence} & {"Cc", "Cs", "Zl", "Zp"}
