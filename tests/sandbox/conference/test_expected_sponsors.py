"""The oracle's sponsors: read from the specification alone."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.conference.expected import NOTHING, Expected, Resources, fold
from sandbox.conference.expected_sponsors import ExpectedSponsor
from sandbox.demo.ideal import least
from tests.sandbox.conference.expecting import NOW


def a_sponsor(own_id: str = "p1", **fields: Any) -> dict[str, Any]:
    return {"id": own_id, "name": f"Name of {own_id}", "custom_fields": [], **fields}


def after(*sponsors: dict[str, Any], before: Expected = NOTHING) -> Expected:
    return fold(before, Resources(timezone="UTC", sponsors=sponsors), NOW)


@pytest.mark.rule("O1")
def test_a_sponsor_has_name_description_website_and_level() -> None:
    """Trimmed; an absent field is an empty one."""
    state = after(a_sponsor(name=" Acme ", description="<p>A</p>", website_url="https://a.example", tier=" Gold "))
    assert state.sponsors["p1"] == ExpectedSponsor(
        name="Acme", description="<p>A</p>", website="https://a.example", level="Gold"
    )
    assert state.levels == {"gold": "Gold"}
    assert after(a_sponsor()).sponsors["p1"] == ExpectedSponsor(name="Name of p1", description="", website="", level="")


@pytest.mark.rule("O5")
@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"tier": "Gold"}, "Gold"),
        ({"custom_fields": [{"internal_name": "tier", "value": "Silver"}]}, "Silver"),
        ({"tier": "Gold", "custom_fields": [{"internal_name": "tier", "value": "Silver"}]}, "Gold"),
        ({"custom_fields": [{"internal_name": "booth", "value": "7"}]}, ""),
    ],
)
def test_the_tier_is_a_field_else_a_custom_field(fields: dict[str, Any], level: str) -> None:
    assert after(a_sponsor(**fields)).sponsors["p1"].level == level


@pytest.mark.rule("E5", "E6")
def test_a_sponsor_without_a_name_is_left_out_with_its_level() -> None:
    state = after(a_sponsor(name=" ", tier="Tin"), a_sponsor("p2"))
    assert (sorted(state.sponsors), state.levels) == (["p2"], {})
    assert state.left_out == {("sponsor", "p1"): ("missing_field", "name")}


@pytest.mark.rule("O1", "D1")
def test_a_level_exists_once_however_it_is_written_and_stays() -> None:
    """The spelling of the smallest id is made; a deleted sponsor stays, and so does its level."""
    state = after(a_sponsor("p2", tier="GOLD"), a_sponsor("p1", tier="Gold"))
    assert (state.levels, state.sponsors["p2"].level) == ({"gold": "Gold"}, "Gold")
    later = after(a_sponsor("p1", tier="Tin"), before=state)
    assert (sorted(later.sponsors), later.levels) == (["p1", "p2"], {"gold": "Gold", "tin": "Tin"})


@pytest.mark.rule("R3")
def test_what_sponsors_cost_at_least() -> None:
    """The level field is found once (10), read when one may be missing (1), and again before each is added (1)."""
    first = after(a_sponsor("p1", tier="Gold"), a_sponsor("p2", tier="Tin"), a_sponsor("p3"))
    cost = least(NOTHING, first)
    assert (cost.looks, cost.levels, cost.sponsors_created, cost.total) == (1 + 10 + 1 + 2, 2, 3, 19)
    second = after(a_sponsor("p1", tier="Tin"), a_sponsor("p2", tier="Tin"), a_sponsor("p3"), before=first)
    assert least(first, second).total == least(first, second).sponsors_updated == 1
    third = after(a_sponsor("p3", tier="Lead"), before=second)
    assert least(second, third).total == 1 + 1 + 1 + 1
    assert least(third, third).total == 0
