"""Addresses that look alike are different people; those that Swoogo may spell otherwise are the same one.

The form they are compared in is written here a second time, character by character.
"""

from __future__ import annotations

from typing import Final
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.planning.plan import Adopt, Create
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Remote
from consumer.domain.records.text import natural_email
from tests.support.builders import a_contact, a_directory, a_plan_input, a_session

pytestmark = pytest.mark.rule("P2")

NASTY: Final = (*"kKsSiIoO", "\u212a", "ß", "ẞ", "ſ", "ı", "İ", "\u200b", "\u00ad", "\ufeff", "\u2060", "ｋ", "о", "ﬀ")
"""Letters, and what passes for them or for nothing: Kelvin sign, sharp and long s, dotless i, zero-width and soft
hyphen, full-width, Cyrillic, a ligature."""
ADDRESSES: Final = st.text(st.sampled_from(NASTY), min_size=1, max_size=4).map(lambda name: f"x{name}@example.org")


def compared(address: str) -> str:
    """Format characters away, ASCII letters small, nothing else."""
    seen = (char for char in address.strip() if category(char) != "Cf")
    return "".join(chr(ord(char) + 32) if "A" <= char <= "Z" else char for char in seen)


@given(st.lists(ADDRESSES, max_size=5), st.lists(ADDRESSES, max_size=5))
def test_only_the_same_address_is_adopted_and_none_is_made_twice(wanted: list[str], there: list[str]) -> None:
    """Whatever is in Swoogo, and however many contacts share an address. An adopted speaker keeps its own."""
    contacts = [a_contact(f"c{number}", email=email) for number, email in enumerate(wanted)]
    rows = [Remote(100 + number, natural_email(email), {"email": email}) for number, email in enumerate(there)]
    session = a_session(people=[each.id for each in contacts])
    plan = make_plan(a_plan_input(session, *contacts, directories={Kind.SPEAKER: a_directory(*rows)}))
    made = [each.fields["email"] for each in plan.operations if isinstance(each, Create) and each.kind is Kind.SPEAKER]
    adopted = [each for each in plan.operations if isinstance(each, Adopt)]
    held = {compared(each) for each in there}
    assert len({compared(each) for each in made}) == len(made)
    assert held.isdisjoint(map(compared, made))
    for each in adopted:
        assert compared(each.fields["email"]) == compared(each.remote.fields["email"])
        assert "email" not in each.differing
    assert {compared(each) for each in wanted} == {
        compared(each) for each in (*made, *(adopt.fields["email"] for adopt in adopted))
    }
