"""K1: what a session is shown as is decided once; the first that holds."""

from __future__ import annotations

import pytest

from consumer.domain.explaining.sync_state import Became, SessionConditions, became

pytestmark = pytest.mark.rule("K1")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (SessionConditions(live=True), "In Swoogo"),
        (SessionConditions(live=True, edited=True), "Edited in Swoogo"),
        (SessionConditions(live=True, edited=True, changed=True), "Waiting"),
        (SessionConditions(changed=True), "Waiting"),
        (SessionConditions(changed=True, held=True), "Held on purpose"),
        (SessionConditions(held=True), "Held on purpose"),
        (SessionConditions(gone=True, changed=True, held=True), "Deleted in Swoogo"),
        (SessionConditions(live=True, hands=1, gone=True, changed=True, held=True, edited=True), "Needs a hand"),
        (SessionConditions(hands=1), "Needs a hand"),
        (SessionConditions(ended=True), "Over before it was synced"),
        (SessionConditions(ended=True, live=True), "In Swoogo"),
        (SessionConditions(), "Left out"),
    ],
)
def test_the_first_that_holds_is_shown(known: SessionConditions, words: str) -> None:
    assert became(known).words == words


def test_every_state_has_its_own_words() -> None:
    assert len({each.words for each in Became}) == len(Became)
