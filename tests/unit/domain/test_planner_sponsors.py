"""Sponsors and their levels, as the plan has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from consumer.domain.issues.issue import Code
from consumer.domain.planning.desired import TextLimits, desired_sponsor
from consumer.domain.planning.eligibility import Reason
from consumer.domain.planning.plan import Adopt, Create, Link, Operation, Plan, Update
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind, fingerprint
from consumer.domain.records.ledger import Directory, Entry, State
from consumer.domain.records.snapshot import Sponsor
from tests.support.builders import NOW, a_directory, a_plan_input, a_remote, a_session, an_entry, an_intent

pytestmark = pytest.mark.rule("E5", "O1", "O2", "D1", "D2")

ACME = Sponsor("p1", version=3, name="Acme", description="<p>Anvils</p>", website="https://acme.example", tier="Gold")
FIELDS = {"name": "Acme", "description": "<p>Anvils</p>", "website": "https://acme.example", "level": "gold"}
GOLD = an_entry(7, pushed={"name": "Gold"}, natural="gold")
HELD = an_entry(70, pushed=FIELDS, natural="acme")


def the_plan(
    *sponsors: Sponsor,
    ledger: Mapping[str, Entry] | None = None,
    levels: Directory | None = None,
    parked: Mapping[str, str] | None = None,
) -> Plan:
    given = a_plan_input(*sponsors, ledger=ledger or {}, parked=parked or {})
    directories = {**given.directories, **({Kind.LEVEL: levels} if levels else {})}
    return make_plan(replace(given, directories=directories))


def of_kind(plan: Plan, kind: Kind) -> list[Operation]:
    return [each for each in plan.operations if each.kind is kind]


def test_a_new_sponsor_is_created_after_its_level() -> None:
    """Name, description, website and level; the level in an earlier phase."""
    plan = the_plan(ACME)
    [[level], [sponsor]] = [phase for phase in plan.phases if phase]
    assert isinstance(level, Create)
    assert isinstance(sponsor, Create)
    assert (level.key, level.fields) == ("level/gold", {"name": "Gold"})
    assert (sponsor.key, sponsor.fields, sponsor.natural, sponsor.version) == ("sponsor/p1", FIELDS, "acme", 3)


@pytest.mark.rule("R4")
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"description": None}, {"name": "Acme", "website": "https://acme.example", "level": "gold"}),
        ({"website": " https://a.example "}, {**FIELDS, "website": "https://a.example"}),
        ({"tier": None}, {"name": "Acme", "description": "<p>Anvils</p>", "website": "https://acme.example"}),
        ({"tier": " GOLD "}, FIELDS),
        ({"tier": "", "website": ""}, {**FIELDS, "level": "", "website": ""}),
        ({"name": "  Acme "}, FIELDS),
    ],
)
def test_fields_as_swoogo_should_hold_them(changes: dict[str, str | None], fields: dict[str, str]) -> None:
    """What a record does not carry is left alone, what it carries empty is cleared."""
    assert desired_sponsor(replace(ACME, **changes), TextLimits()).fields == fields  # type: ignore[arg-type]


@pytest.mark.rule("R3")
def test_an_unchanged_sponsor_needs_nothing() -> None:
    """No call and no list, also for its level."""
    given = replace(a_plan_input(ACME, ledger={"sponsor/p1": HELD, "level/gold": GOLD}), directories={})
    plan = make_plan(given)
    assert (plan.empty, plan.unchanged) == (True, {Kind.SPONSOR: 1, Kind.LEVEL: 1})


@pytest.mark.rule("R1", "R2")
def test_only_what_changed_is_sent_with_the_name() -> None:
    [update] = the_plan(
        replace(ACME, website="https://new.example"), ledger={"sponsor/p1": HELD, "level/gold": GOLD}
    ).operations
    assert isinstance(update, Update)
    assert (update.fields, update.name) == ({"website": "https://new.example"}, "Acme")


def test_a_level_is_made_once_for_all_who_use_it() -> None:
    """However it is written; the first spelling in the order of ids is made."""
    plan = the_plan(replace(ACME, id="p2", tier="GOLD "), ACME, replace(ACME, id="p3", tier="gold"))
    [level] = of_kind(plan, Kind.LEVEL)
    assert isinstance(level, Create)
    assert level.fields == {"name": "Gold"}


@pytest.mark.parametrize("there", ["Gold", "gold", " GOLD"])
def test_a_level_that_is_there_is_adopted(there: str) -> None:
    """Matched trimmed and case-insensitively, for no credit."""
    plan = the_plan(ACME, levels=a_directory(a_remote(9, there), a_remote(8, "Silver")))
    [level] = of_kind(plan, Kind.LEVEL)
    assert isinstance(level, Adopt)
    assert (level.remote.id, level.credits) == (9, 0)


def test_of_several_equal_levels_the_oldest_is_adopted() -> None:
    """swoogo-api.md 9.2: duplicate names exist."""
    [level] = of_kind(the_plan(ACME, levels=a_directory(a_remote(30, "gold"), a_remote(9, "Gold"))), Kind.LEVEL)
    assert isinstance(level, Adopt)
    assert level.remote.id == 9


def test_levels_are_looked_at_before_one_is_added() -> None:
    """Never from an old listing."""
    assert Kind.LEVEL in the_plan(ACME, levels=Directory()).looks
    assert Kind.LEVEL not in the_plan(ACME, ledger={"level/gold": GOLD}, levels=Directory()).looks


@pytest.mark.rule("E6")
def test_a_sponsor_goes_through_without_a_level_that_swoogo_refused() -> None:
    plan = the_plan(ACME, parked={"level/gold": fingerprint({"name": "Gold"})})
    [sponsor] = plan.operations
    assert isinstance(sponsor, Create)
    assert "level" not in sponsor.fields


@pytest.mark.rule("G2")
def test_a_level_that_may_exist_is_waited_for() -> None:
    """The sponsor goes first, the level follows when it is known."""
    plan = the_plan(ACME, ledger={"level/gold": an_intent("gold")})
    assert (of_kind(plan, Kind.LEVEL), plan.wait_until) == ([], NOW + 120_000)
    [sponsor] = of_kind(plan, Kind.SPONSOR)
    assert isinstance(sponsor, Create)
    assert "level" not in sponsor.fields


def test_sponsors_are_connected_to_no_session() -> None:
    assert not any(isinstance(each, Link) for each in make_plan(a_plan_input(a_session("s1"), ACME)).operations)


@pytest.mark.rule("E6")
@pytest.mark.parametrize("name", ["", "  "])
def test_a_sponsor_without_a_name_is_left_out(name: str) -> None:
    """With an issue that names the field; its level is not made, and the others sync."""
    plan = the_plan(replace(ACME, name=name, tier="Tin"), replace(ACME, id="p2"))
    assert [(issue.key, issue.code, issue.field) for issue in plan.issues] == [
        ("sponsor/p1", Code.MISSING_FIELD, "name")
    ]
    assert [each.key for each in plan.operations] == ["level/gold", "sponsor/p2"]


@pytest.mark.rule("R4")
def test_the_name_of_a_synced_sponsor_is_never_cleared() -> None:
    plan = the_plan(replace(ACME, name=""), ledger={"sponsor/p1": HELD, "level/gold": GOLD})
    assert plan.operations == ()


@pytest.mark.parametrize(
    ("sponsor", "entry", "reason", "codes"),
    [
        (replace(ACME, deleted=True), HELD, Reason.DELETED, []),
        (
            replace(ACME, name="New"),
            replace(HELD, state=State.GONE),
            Reason.GONE,
            [("sponsor/p1", Code.GONE_IN_SWOOGO)],
        ),
    ],
)
def test_a_sponsor_deleted_on_either_side_is_left_alone(
    sponsor: Sponsor, entry: Entry, reason: Reason, codes: list[tuple[str, Code]]
) -> None:
    plan = the_plan(sponsor, ledger={"sponsor/p1": entry, "level/gold": GOLD})
    assert plan.operations == ()
    assert [(skip.key, skip.reason) for skip in plan.skips] == [("sponsor/p1", reason)]
    assert [(issue.key, issue.code) for issue in plan.issues] == codes


def test_two_sponsors_of_one_name_are_two() -> None:
    """Made by hand or by us, a name alone does not make them one."""
    plan = the_plan(ACME, replace(ACME, id="p2"))
    assert [each.key for each in of_kind(plan, Kind.SPONSOR)] == ["sponsor/p1", "sponsor/p2"]
