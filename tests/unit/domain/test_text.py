"""Text as it is sent and compared."""

from __future__ import annotations

from unicodedata import category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.records.text import clean_email, clean_name, clean_text, masked_phone, natural_email, natural_name

pytestmark = pytest.mark.rule("E6", "S5", "P2")

NASTY = (
    "aA eé\u0301ßſKk\u212a\u0130ΣσςÅ\u00a0\u2003\t\n\x0b\x0c\x00\x07\x7f\x85\x9f"
    "\u200b\u200d\u00ad\ufeff\ufe0f\U0001f600<b>&;|\ud800"
)
TEXTS = st.one_of(st.text(max_size=30), st.text(NASTY, max_size=30))


@pytest.mark.rule("G2")
@given(TEXTS)
def test_every_form_of_a_text_is_final(text: str) -> None:
    """A form of a form is that form, so that it does not matter how often a text was cleaned."""
    for form in (clean_text, clean_name, clean_email, natural_name, natural_email):
        assert form(form(text)) == form(text)


@pytest.mark.rule("G2")
@given(TEXTS)
def test_what_is_sent_is_found_by_what_is_looked_for(text: str) -> None:
    """The natural key of what is sent is the one of what Sessionboard says."""
    assert natural_name(clean_text(text)) == natural_name(text)
    assert natural_email(clean_email(text)) == natural_email(text)


@pytest.mark.rule("G2")
@given(TEXTS)
def test_a_stored_form_of_a_name_is_the_same_name(text: str) -> None:
    """What databases do to text without a word."""
    name = natural_name(text)
    assert natural_name(normalize("NFC", clean_text(text))) == name
    assert natural_name(normalize("NFD", clean_text(text))) == name
    assert natural_name(" ".join(clean_text(text).split())) == name
    assert natural_name("".join(char for char in clean_text(text) if category(char) != "Cf")) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hall 1", " hall 1 "),
        ("É", "é"),
        ("Café", "Cafe\u0301"),
        ("Hall\u00a01", "Hall  1"),
        ("Hall\x0b1", "Hall 1"),
        ("Ha\u00adll\u200b 1\ufeff", "Hall 1"),
        ("\u2764\ufe0f", "\u2764"),
        ("\x00Hall\x7f", "Hall"),
    ],
)
def test_names_of_one_look_are_one_name(one: str, other: str) -> None:
    assert natural_name(one) == natural_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Saal Maße", "Saal Masse"), ("Hall 1", "Hall1"), ("ſ", "s"), ("A&B", "AB")]
)
def test_names_of_another_look_are_two_names(one: str, other: str) -> None:
    assert natural_name(one) != natural_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("A@B.ORG", "a@b.org"), (" a@b.org\t", "a@b.org"), ("a\u200b@b.o\u00adrg", "a@b.org"), ("a\x00@b.org", "a@b.org")],
)
def test_addresses_are_compared_without_ascii_case_and_format(one: str, other: str) -> None:
    assert natural_email(one) == natural_email(other)


@pytest.mark.parametrize(
    ("one", "other"), [("mi\u212ae@b.org", "mike@b.org"), ("straße@b.org", "strasse@b.org"), ("É@b.org", "é@b.org")]
)
def test_a_look_alike_address_is_another_one(one: str, other: str) -> None:
    assert natural_email(one) != natural_email(other)


@pytest.mark.parametrize(
    "text", ["", " \t", "\u200b", "\u00ad\u200d \ufeff", "\x00\x07", "\u3164", "\u2800\u2800", "\ufe0f"]
)
def test_a_name_of_which_nothing_can_be_seen_is_none(text: str) -> None:
    assert clean_name(text) == ""


@pytest.mark.rule("S1")
@pytest.mark.parametrize("text", ["a", "\u200ba", "☎\ufe0f", "می\u200cخواهم", "\U0001f468\u200d\U0001f469", "\u0301"])
def test_a_name_is_sent_with_its_joiners(text: str) -> None:
    """Emoji and Persian want them."""
    assert clean_name(text) == text


@pytest.mark.rule("S1")
def test_a_break_of_powerpoint_does_not_join_words() -> None:
    """Line breaks inside of descriptions stay."""
    assert clean_text("One\x0bTwo\x0cThree\nFour\r\n\tFive") == "One Two Three\nFour\r\n\tFive"


@pytest.mark.rule("K4")
@pytest.mark.parametrize(("number", "shown"), [("+44 20 7946 0958", "+•• •• •••• ••58"), ("12", "12"), ("", "")])
def test_a_phone_number_is_shown_by_its_last_digits(number: str, shown: str) -> None:
    assert masked_phone(number) == shown
