"""What an answer of Swoogo means, and what is repeated of its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.http_outcome import ACTIONS, SENTENCE_LIMIT, Action, Refusal, classify, plain_sentence, refusal


@pytest.mark.rule("G1", "G2")
@pytest.mark.parametrize(
    ("status", "update", "create"),
    [
        (200, Action.APPLIED, Action.APPLIED),
        (201, Action.APPLIED, Action.APPLIED),
        (204, Action.APPLIED, Action.APPLIED),
        (302, Action.UNAVAILABLE, Action.UNANSWERED),
        (400, Action.REFUSED, Action.REFUSED),
        (401, Action.UNAUTHORIZED, Action.UNAUTHORIZED),
        (403, Action.NO_PERMISSION, Action.NO_PERMISSION),
        (404, Action.MISSING, Action.MISSING),
        (405, Action.REFUSED, Action.REFUSED),
        (408, Action.UNAVAILABLE, Action.UNANSWERED),
        (409, Action.REFUSED, Action.REFUSED),
        (415, Action.REFUSED, Action.REFUSED),
        (418, Action.REFUSED, Action.REFUSED),
        (422, Action.REFUSED, Action.REFUSED),
        (429, Action.THROTTLED, Action.THROTTLED),
        (451, Action.UNAVAILABLE, Action.UNAVAILABLE),
        (500, Action.UNAVAILABLE, Action.UNANSWERED),
        (502, Action.UNAVAILABLE, Action.UNANSWERED),
        (503, Action.UNAVAILABLE, Action.UNANSWERED),
        (599, Action.UNAVAILABLE, Action.UNANSWERED),
        (100, Action.UNAVAILABLE, Action.UNANSWERED),
        (0, Action.UNAVAILABLE, Action.UNANSWERED),
    ],
)
def test_what_a_status_means(status: int, update: Action, create: Action) -> None:
    """An unknown one is worth another try, and never proof that a create did nothing."""
    assert classify(status, create=False) is update
    assert classify(status, create=True) is create


@pytest.mark.rule("R5")
@given(st.integers(0, 999), st.booleans())
def test_only_a_2xx_is_success(status: int, create: bool) -> None:
    assert (classify(status, create=create) is Action.APPLIED) is (200 <= status < 300)


@pytest.mark.rule("G2")
def test_only_creates_are_ever_unanswered() -> None:
    """Anything else is safe to repeat."""
    assert all(classify(status, create=False) is not Action.UNANSWERED for status in range(1000))
    assert Action.UNANSWERED not in ACTIONS.values()


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"message": "Name is required"}, Refusal("Name is required.")),
        ({"message": "Name is required.", "field": "name"}, Refusal("Name is required.", "name")),
        ([{"field": "email", "message": "Email is taken."}], Refusal("Email is taken.", "email")),
        (
            [{"field": "a", "message": "One."}, {"field": "b", "message": "Two"}, {"field": "b", "message": "One."}],
            Refusal("One. Two.", "a"),
        ),
        ([{"message": "No field"}], Refusal("No field.")),
        ([{"field": "a"}], Refusal("", "a")),
        ([{"field": "c<b>1</b>", "message": "x"}], Refusal("x.", "cb1b")),
        ([{"field": "f" * 99, "message": "x"}], Refusal("x.", "f" * 60)),
        ([1, "x", None], Refusal()),
        ([], Refusal()),
        ({}, Refusal()),
        ({"message": {"deep": 1}, "field": 5}, Refusal()),
        (None, Refusal()),
        ("<html>", Refusal()),
    ],
)
def test_the_reason_inside_a_refusal(body: object, expected: Refusal) -> None:
    """An array of problems or one message, whatever the status; anything else gives no reason."""
    assert refusal(body) == expected


@pytest.mark.rule("N2")
def test_at_most_three_problems_are_told() -> None:
    body = [{"message": f"Problem {number}."} for number in range(9)]
    assert refusal(body).sentence == "Problem 0. Problem 1. Problem 2."


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    "email",
    ["ada@example.org", "Ada.L+x@sub.example.org", "ada%40example.org", "<ada@example.org>", "mailto:ada@example.org"],
)
def test_an_email_address_is_never_repeated(email: str) -> None:
    """Issues are read and logged by many; Swoogo's words may quote what was sent."""
    assert refusal({"message": f"{email} is taken"}).sentence.count("example") == 0
    assert "(an e-mail address)" in plain_sentence(f"{email} is taken")


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("One\nline\tonly", "One line only."),
        ("Bell\x07 and \u202eright to left", "Bell and right to left."),
        ("lone \ud800 surrogate", "lone surrogate."),
        ("Really?", "Really?"),
        ("", ""),
        (" \n ", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_words_become_one_plain_line(text: object, said: str) -> None:
    """Whatever is in them can be printed and logged."""
    assert plain_sentence(text) == said


@pytest.mark.rule("N2")
@given(st.text(max_size=3000))
def test_whatever_swoogo_says_is_one_bounded_printable_line(text: str) -> None:
    said = plain_sentence(text)
    assert len(said) <= SENTENCE_LIMIT
    assert said == " ".join(said.split())
    said.encode()


def test_a_long_reason_is_cut_where_it_shows() -> None:
    said = plain_sentence("w " * 900)
    assert said.endswith("…")
    assert len(said) <= SENTENCE_LIMIT
