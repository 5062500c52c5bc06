"""What freezes let through of a plan (U1)."""

from __future__ import annotations

import pytest

from consumer.domain.orders.order import Order, OrderKind, controls_after
from consumer.domain.planning.control import Control, Controls, Freeze
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.freezing import thawed
from consumer.domain.planning.plan import Create, Delete, Link, Operation, Plan, SetImage, Update
from consumer.domain.records.identity import Kind

pytestmark = pytest.mark.rule("U1")

ROOM = Create(Kind.LOCATION, "location/r1", {"name": "Dock"}, "dock")
TALK = Create(Kind.SESSION, "session/s1", {"name": "Talk", "location": "r1", "date": "2026-10-01"}, "talk")
MOVED = Update(Kind.SESSION, "session/s2", 2, {"name": "New", "location": "r1"}, {"name": "Old", "location": "r0"}, "x")
ADA = Create(Kind.SPEAKER, "speaker/c1", {"first_name": "Ada", "email": "a@b.c", "bio": "Long"}, "a@b.c")
ON = Link("speaker/c1", ("s1", "s2"), ())
FACE = SetImage(Kind.SPEAKER, "speaker/c1", "https://x/y.png", {})
GONE = Delete(Kind.SESSION, "session/s3", 3)
PLAN = Plan(((ROOM,), (TALK, MOVED, ADA), (ON,), (GONE,), (FACE,)), looks=frozenset({Kind.LOCATION, Kind.SPEAKER}))


def sent(*freezes: Freeze) -> list[Operation]:
    return list(thawed(PLAN, freezes).operations)


def test_without_a_freeze_the_plan_is_the_same() -> None:
    assert thawed(PLAN, ()) is PLAN


def test_nothing_of_a_frozen_event_is_sent() -> None:
    plan = thawed(PLAN, [Freeze()])
    assert plan.operations == ()
    assert plan.looks == frozenset()
    assert plan.frozen == PLAN.operations
    assert set(plan.skips) == {
        Skip(key, Reason.FROZEN) for key in ("session/s1", "session/s2", "session/s3", "speaker/c1")
    }


def test_frozen_sessions_hold_their_rooms_associations_and_deletions() -> None:
    assert sent(Freeze("session")) == [ADA, FACE]


def test_frozen_speakers_hold_their_images_and_associations() -> None:
    assert sent(Freeze("speaker")) == [ROOM, TALK, MOVED, GONE]


def test_frozen_sponsors_hold_nothing_else() -> None:
    assert sent(Freeze("sponsor")) == list(PLAN.operations)


def test_a_frozen_field_stays_behind_and_the_rest_goes() -> None:
    plan = thawed(PLAN, [Freeze("session", ("location",))])
    talk, moved = plan.phases[1][:2]
    assert isinstance(talk, Create)
    assert talk.fields == {"name": "Talk", "date": "2026-10-01"}
    assert isinstance(moved, Update)
    assert (moved.fields, moved.before) == ({"name": "New"}, {"name": "Old"})
    assert ROOM not in plan.operations, "no session that is sent needs it"
    assert plan.skips == ()
    assert {each.key for each in plan.frozen} == {"session/s1", "session/s2", "location/r1"}


def test_a_record_whose_required_field_is_frozen_is_not_created() -> None:
    """Its associations wait for it; others of the speaker go."""
    plan = thawed(PLAN, [Freeze("session", ("date",))])
    assert TALK not in plan.operations
    assert MOVED in plan.operations
    assert Link("speaker/c1", ("s2",), ()) in plan.operations
    assert Link("speaker/c1", ("s1",), ()) in plan.frozen
    assert plan.skips == (Skip("session/s1", Reason.FROZEN),)


def test_an_update_of_nothing_but_frozen_fields_is_skipped() -> None:
    plan = thawed(PLAN, [Freeze("session", ("name", "location"))])
    assert MOVED in plan.frozen
    assert Skip("session/s2", Reason.FROZEN) in plan.skips


def test_an_image_waits_for_a_speaker_who_is_not_created() -> None:
    plan = thawed(PLAN, [Freeze("speaker", ("email",))])
    assert [each.key for each in plan.frozen] == ["speaker/c1", "speaker/c1", "speaker/c1"]


@pytest.mark.parametrize(("field", "held"), [("image", FACE), ("sessions", ON)])
def test_images_and_associations_are_frozen_by_name(field: str, held: Operation) -> None:
    plan = thawed(PLAN, [Freeze("speaker", (field,))])
    assert plan.frozen == (held,)
    assert plan.skips == ()


def test_a_freeze_ends_at_its_moment() -> None:
    controls = Controls({"freeze::": Control("ev", "freeze::", 1, freeze=Freeze(until=100))})
    assert [len(controls.active(now)) for now in (99, 100)] == [1, 0]
    assert controls.ends_after(99) == 100
    assert controls.ends_after(100) is None


@pytest.mark.parametrize(
    ("details", "left"),
    [
        ({}, []),
        ({"kind": "session"}, ["freeze:speaker:"]),
        ({"kind": "session", "fields": "location"}, ["freeze:session:date,name", "freeze:speaker:"]),
        ({"kind": "sponsor"}, ["freeze:session:date,name", "freeze:session:location", "freeze:speaker:"]),
    ],
    ids=["all", "of a kind", "of exactly these fields", "none of the kind"],
)
def test_a_thaw_lifts_what_it_names(details: dict[str, str], left: list[str]) -> None:
    controls = Controls()
    for number, asked in enumerate(({"kind": "speaker"}, {"kind": "session", "fields": "name,date"}), 1):
        controls = after(controls, Order(f"o{number}", OrderKind.FREEZE, "ev", at=number, details=asked))
    frozen = {"kind": "session", "fields": "location"}
    controls = after(controls, Order("o3", OrderKind.FREEZE, "ev", at=3, details=frozen))
    controls = after(controls, Order("o4", OrderKind.THAW, "ev", at=4, details=details))
    assert [each.name for each in controls.freezes] == left


def test_an_order_that_was_seen_to_changes_nothing_more() -> None:
    """The service may have died before it noted that."""
    order = Order("o1", OrderKind.FREEZE, "ev", at=1)
    assert controls_after(after(Controls(), order), order) == ()


def test_a_later_order_has_a_later_revision_whatever_its_clock_says() -> None:
    controls = after(Controls(), Order("o1", OrderKind.FREEZE, "ev", at=9))
    assert [each.revision for each in controls_after(controls, Order("o2", OrderKind.THAW, "ev", at=1))] == [10]


def after(controls: Controls, order: Order) -> Controls:
    return Controls({**controls.held, **{each.name: each for each in controls_after(controls, order)}})
