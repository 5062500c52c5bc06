"""Mapped fields through the real client against the sandbox: changed definitions, lost answers, edits by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.connections.mapping import FieldMap, FieldMaps, MappingSettings, Policy
from consumer.domain.issues.issue import Code
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.snapshot import Session
from tests.support.builders import ZONE, a_session
from tests.unit.trouble.site import Site, a_site

FIELDS: list[dict[str, Any]] = [
    {"resource": "sessions", "name": "Format", "type": "dropDownList", "choices": ["Talk"]},
    {"resource": "sessions", "name": "Language"},
    {"resource": "sessions", "name": "Minutes", "type": "number"},
]


def talk(number: int = 1, form: str = "Talk", spoken: str = "Deutsch", minutes: str = "5") -> Session:
    extra = {
        "format": (FieldType.CHOICE.value, (form,)),
        "spoken": (FieldType.TEXT.value, (spoken,)),
        "minutes": (FieldType.NUMBER.value, (minutes,)),
    }
    return replace(a_session(f"s{number}", title=f"Talk {number}"), extra=extra)


async def a_mapped_event(policy: Policy = Policy.UNTIL_EDITED, **switches: Any) -> tuple[Site, dict[str, str]]:
    """Two sessions with three mapped fields, synced and compared once; the site, and label -> attribute."""
    site = a_site()
    site.sandbox.configure(switches=switches)
    seeded = site.sandbox.seed({"events": [{"name": "Conference", "timezone": ZONE}], "fields": FIELDS})
    names = {str(each["name"]): f"c_{number}" for each, number in zip(FIELDS, seeded["fields"], strict=True)}
    await site.map("ev", seeded["events"][0], "key")
    maps = (
        FieldMap("format", "Format", add_choices=True),
        FieldMap("spoken", names["Language"], policy),
        FieldMap("minutes", names["Minutes"]),
    )
    await publish(site, maps)
    await site.say("ev", talk(1), talk(2))
    await site.settle()
    await site.reconcile()
    return site, names


async def publish(site: Site, maps: tuple[FieldMap, ...]) -> None:
    """The mapping is published with these maps."""
    mapping = await site.connections.mapping("ev")
    assert mapping is not None
    settings = MappingSettings(field_maps=FieldMaps(sessions=maps))
    await site.connections.put_mapping(mapping.org_id, "ev", replace(mapping, settings=settings))


def held(site: Site, names: dict[str, str], number: int = 1) -> tuple[Any, ...]:
    """Format, language and minutes of a session as the sandbox holds them."""
    [row] = [each for each in site.sandbox.state()["sessions"] if each["name"] == f"Talk {number}"]
    form = row.get(names["Format"])
    return form and form["value"], row.get(names["Language"]), row.get(names["Minutes"])


def choices(site: Site, names: dict[str, str]) -> list[str]:
    return [each["name"] for each in site.sandbox.fields("sessions")[names["Format"]]["choices"]]


@pytest.mark.rule("F2", "F3", "F6")
@pytest.mark.parametrize("switches", [{}, {"fields_choices": "absent"}, {"expand_custom": False}])
async def test_mapped_fields_arrive_change_and_then_cost_nothing(switches: dict[str, Any]) -> None:
    """Every guess about lists and expansions ends in the same records."""
    site, names = await a_mapped_event(**switches)
    assert held(site, names) == ("Talk", "Deutsch", "5")
    await site.say("ev", talk(1, form="Panel", spoken="", minutes="10"))
    await site.settle()
    assert held(site, names) == ("Panel", "", "10")
    assert choices(site, names) == ["Talk", "Panel"]
    before = len(site.calls())
    await site.say("ev", talk(1, form="Panel", spoken="", minutes="10"))
    await site.settle()
    assert len(site.calls()) == before


@pytest.mark.rule("F3", "G2")
@pytest.mark.parametrize(
    "fault",
    [{"drop": "after"}, {"drop": "before"}, {"status": 503, "effect": True}, {"hang": True}, {"half_json": True}],
    ids=str,
)
async def test_a_choice_whose_answer_was_lost_is_there_once_in_the_end(fault: dict[str, Any]) -> None:
    """Two records want it; what was lost is looked for, and nobody waits for ever."""
    site, names = await a_mapped_event()
    site.sandbox.add_faults([{"match": {"method": "PUT", "path": "sessions/field"}, "do": fault}])
    await site.say("ev", talk(1, form="Panel"), talk(2, form="panel"))
    await site.settle()
    assert choices(site, names) == ["Talk", "Panel"]
    assert [held(site, names, number)[0] for number in (1, 2)] == ["Panel", "Panel"]


@pytest.mark.rule("F5")
@pytest.mark.parametrize(
    "change",
    [{"remove": True}, {"name": "Tongue"}, {"type": "upload"}, {"type": "date"}],
    ids=["removed", "renamed", "retyped to a file", "retyped to a date"],
)
async def test_field_that_changes_meanwhile_is_an_issue_and_the_rest_syncs(change: dict[str, Any]) -> None:
    """Nothing is lost: what was there stays, other fields change, and the field is taken up when it is back."""
    site, names = await a_mapped_event()
    site.sandbox.alter_field("sessions", names["Language"], **change)
    await site.reconcile()
    assert Code.FIELD_CHANGED in await site.codes()
    await site.say("ev", talk(1, spoken="Italiano", minutes="15"))
    await site.settle()
    assert held(site, names) == ("Talk", None if change.get("remove") else "Deutsch", "15")
    if not change.get("remove"):
        site.sandbox.alter_field("sessions", names["Language"], name="Language", type="textInput")
        await site.reconcile()
        assert Code.FIELD_CHANGED not in await site.codes()
        assert held(site, names) == ("Talk", "Italiano", "15")


@pytest.mark.rule("F3", "F5")
async def test_a_choice_that_was_removed_is_added_again_when_a_record_wants_it() -> None:
    """It has another id then; the records are right again after the next comparison."""
    site, names = await a_mapped_event()
    site.sandbox.alter_field("sessions", names["Format"], remove_choices=["Talk"])
    await site.reconcile()
    await site.say("ev", talk(3))
    await site.settle()
    assert choices(site, names) == ["Talk"]
    assert held(site, names, 3) == ("Talk", "Deutsch", "5")


@pytest.mark.rule("F4", "R2")
@pytest.mark.parametrize("expanded", [True, False])
@pytest.mark.parametrize(
    ("policy", "after"), [(Policy.UNTIL_EDITED, "by hand"), (Policy.ALWAYS, "Deutsch"), (Policy.ONCE, "by hand")]
)
async def test_an_edit_by_hand_of_a_mapped_field_is_seen_and_the_policy_decides(
    policy: Policy, after: str, expanded: bool
) -> None:
    """Also where a record that comes with its event has no custom fields."""
    site, names = await a_mapped_event(policy, expand_custom=expanded)
    [row] = [each for each in site.sandbox.state()["sessions"] if each["name"] == "Talk 1"]
    site.clock.ms += 5_000
    site.sandbox.edit("sessions", row["id"], {names["Language"]: "by hand"})
    await site.reconcile(deep=False)
    await site.settle()
    assert held(site, names) == ("Talk", after, "5")
    expected = Code.OVERWRITTEN_IN_SWOOGO if policy is Policy.ALWAYS else Code.EDITED_IN_SWOOGO
    assert expected in await site.codes()


@pytest.mark.rule("F5")
async def test_where_no_definition_may_be_read_the_standard_fields_sync() -> None:
    """The pairs are off with an issue."""
    site = a_site()
    [swoogo_id] = site.sandbox.seed({"events": [{"name": "Conference", "timezone": ZONE}]})["events"]
    refusal = {"status": 403, "body": {"message": "Not for this credential."}}
    site.sandbox.add_faults([{"match": {"path": "/fields"}, "times": None, "do": refusal}])
    await site.map("ev", swoogo_id, "key")
    await publish(site, (FieldMap("spoken", "c_1"),))
    await site.say("ev", talk())
    await site.settle()
    assert [row["name"] for row in site.sandbox.state()["sessions"]] == ["Talk 1"]
    assert Code.FIELD_MAP_INVALID in await site.codes()
