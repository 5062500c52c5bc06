"""K1: what a session is shown as is decided once; the first that holds."""

from __future__ import annotations

import pytest

from consumer.domain.explaining.sync_state import Became, Known, became

pytestmark = pytest.mark.rule("K1")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (Known(live=True), "In Swoogo"),
        (Known(live=True, edited=True), "Edited in Swoogo"),
        (Known(live=True, edited=True, changed=True), "Waiting"),
        (Known(changed=True), "Waiting"),
        (Known(changed=True, held=True), "Held on purpose"),
        (Known(held=True), "Held on purpose"),
        (Known(gone=True, changed=True, held=True), "Deleted in Swoogo"),
        (Known(live=True, hands=1, gone=True, changed=True, held=True, edited=True), "Needs a hand"),
        (Known(hands=1), "Needs a hand"),
        (Known(ended=True), "Over before it was synced"),
        (Known(ended=True, live=True), "In Swoogo"),
        (Known(), "Left out"),
    ],
)
def test_the_first_that_holds_is_shown(known: Known, words: str) -> None:
    assert became(known).words == words


def test_every_state_has_its_own_words() -> None:
    assert len({each.words for each in Became}) == len(Became)
