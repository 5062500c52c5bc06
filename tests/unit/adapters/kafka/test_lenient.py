"""One odd value in an optional field costs that field and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.domain.errors import PoisonError
from consumer.domain.records.snapshot import Contact, Session, Sponsor
from consumer.ports import Change, RawRecord
from consumer.settings import Topics
from schemas.session import Participant, Room, SessionResource
from schemas.sponsor import SponsorResource
from tests.support.builders import a_record
from tests.support.examples import InvalidExample, odd_examples, valid_value
from tests.support.odd_values import ODD_VALUES, OPTIONAL, edited

pytestmark = pytest.mark.rule("E6")

DECODER: Final = KafkaDecoder(Topics(), 4 * 1024 * 1024)
PEOPLE: Final = ("speakers", "chairpersons", "moderators", "participants")
ODD: Final = odd_examples()
HOLDS_MORE: Final = {"room", "track", "participant_role", "custom_fields", *PEOPLE}
"""Fields of which a part may be read: what is left out then is the odd part alone."""
ROWS: Final[Mapping[str, Any]] = {"sessions": Session, "speakers": Contact, "sponsors": Sponsor}


def record_of(topic: str, value: Any) -> RawRecord:
    return a_record(json.dumps(value).encode(), topic=f"sessionboard.{topic}")


def row_of(record: RawRecord) -> Any:
    """The row, read back."""
    peeked = DECODER.peek(record)
    assert peeked is not None
    change = DECODER.read(peeked)
    assert isinstance(change, Change)
    return msgspec.json.decode(change.row, type=ROWS[record.topic.partition(".")[2]])


def a_session(**fields: object) -> Session:
    value = valid_value("sessions-scheduled")
    value["data"] |= fields
    session: Session = row_of(record_of("sessions", value))
    return session


@pytest.mark.parametrize("example", ODD, ids=[each.name for each in ODD])
def test_an_odd_optional_value_is_read_past_and_named(example: InvalidExample) -> None:
    row = row_of(example.record)
    named = row.profile.unreadable if isinstance(row, Contact) else row.unreadable
    assert named == example.counts_as_unset


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"capacity": "50"}, ("capacity",)),
        ({"capacity": -1}, ("capacity",)),
        ({"capacity": ""}, ("capacity",)),
        ({"capacity": 1.5}, ("capacity",)),
        ({"ends_at": ""}, ("ends_at",)),
        ({"ends_at": "9999-12-31T23:59:59Z"}, ("ends_at",)),
        ({"room": {"name": "Hall"}}, ("room",)),
        ({"room": {"name": "Hall", "capacity": "x"}}, ("room",)),
        ({"room": {"id": "r1", "name": "Hall", "capacity": "120"}}, ("room.capacity",)),
        ({"track": []}, ("track",)),
        ({"speakers": {}}, ()),
        ({"participants": {}}, ()),
        ({"speakers": [None]}, ("speakers[]",)),
        ({"speakers": "Ada"}, ("speakers",)),
        ({"title": 5}, ("title",)),
        ({"parent_session_id": ""}, ("parent_session_id",)),
        ({"deleted_at": "yesterday"}, ("deleted_at",)),
        ({"capacity": "50", "track": 3, "speakers": [None, {"id": ""}]}, ("capacity", "speakers[]", "track")),
        ({"speakers": [{"id": "c1", "participant_role": {"slug": 5}}]}, ()),
        ({"speakers": [{"id": "c1", "participant_role": {"core_role": 5}}]}, ("speakers.participant_role.core_role",)),
    ],
)
def test_a_session_is_read_without_its_odd_values(fields: dict[str, object], named: tuple[str, ...]) -> None:
    session = a_session(**fields)
    assert session.unreadable == named
    assert (session.status, session.description) == ("accepted", "<p>How we did it.</p>")


def test_a_faulty_person_is_left_out_and_the_others_stay() -> None:
    session = a_session(
        speakers=[
            None,
            {"first_name": "No", "email": 5},
            {"id": 7, "first_name": "Ada", "email": 5, "title": [], "about": "<p>Hi</p>"},
            "Grace",
            {"id": "c8", "first_name": "Grace"},
        ],
        participants=[],
    )
    assert session.unreadable == ("speakers[]",)
    ada, grace = session.people
    assert (ada.contact_id, ada.profile.first_name, ada.profile.email) == ("7", "Ada", None)
    assert ada.profile.bio == "<p>Hi</p>"
    assert ada.profile.unreadable == ("email", "job_title")
    assert (grace.contact_id, grace.profile.unreadable) == ("c8", ())


def test_a_cancellation_arrives_whatever_else_is_odd() -> None:
    session = a_session(status="declined", capacity="50", room={"name": "Hall"}, speakers=[None])
    assert session.status == "declined"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.id", ""),
        ("data.status", 5),
        ("data.updated_at", "yesterday"),
        ("data.updated_at", "9999-12-31T23:59:59Z"),
        ("metadata.version", 2),
        ("metadata.datetime", ""),
        ("metadata.event_id", None),
    ],
)
def test_without_id_status_or_version_it_is_a_dead_letter(path: str, value: object) -> None:
    """The sentence is about what is required, also where an optional field is odd too."""
    record = valid_value("sessions-scheduled")
    part, name = path.split(".")
    record[part][name] = value
    record["data"]["capacity"] = "50"
    with pytest.raises(PoisonError) as refused:
        row_of(record_of("sessions", record))
    assert str(refused.value).startswith(path)


@pytest.mark.rule("O5")
def test_an_odd_tier_as_a_custom_field_clears_no_level() -> None:
    """Unset clears, a number is no tier."""
    value = valid_value("sponsors-tier-as-custom-field")
    (tier,) = [each for each in value["data"]["custom_fields"] if each["internal_name"] == "tier"]
    tier["value"] = 5
    found = row_of(record_of("sponsors", value))
    assert (found.tier, found.unreadable) == (None, ("tier",))
    tier["value"] = {}
    found = row_of(record_of("sponsors", value))
    assert (found.tier, found.unreadable) == ("", ())


def test_a_list_of_nothing_but_faults_costs_no_minute_and_no_gigabyte() -> None:
    started = time.process_time()
    with pytest.raises(PoisonError, match="More than 10000 values"):
        a_session(speakers=[None] * 600_000)
    assert time.process_time() - started < 10


@settings(max_examples=400, deadline=None)
@given(
    where=st.sampled_from(OPTIONAL),
    odd=ODD_VALUES,
    also=st.sampled_from(OPTIONAL),
    further=ODD_VALUES,
)
def test_any_value_in_any_optional_field_leaves_the_rest_as_it_is(
    where: tuple[str, str], odd: object, also: tuple[str, str], further: object
) -> None:
    """Either the value is one the contract has, or the row is that of a record without it, which names it."""
    name, path = where
    others = [(also[1], further)] if also[0] == name and not _related(also[1], path) else []
    topic = name.partition("-")[0]
    row = row_of(record_of(topic, edited(name, [*others, (path, odd)])))
    named = _names(row)
    without = row_of(record_of(topic, edited(name, [*others, (path, ...)])))
    holds_more = path.rpartition(".")[2] in HOLDS_MORE and isinstance(odd, list | dict)
    if len(named) > len(_names(without)) and not holds_more:
        assert _blank(row) == _blank(without)
    for other, value in others:
        alone = row_of(record_of(topic, edited(name, [(other, value)])))
        assert set(_names(alone)) <= set(named)


def _related(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _names(row: Session | Contact | Sponsor) -> list[str]:
    if isinstance(row, Contact):
        return list(row.profile.unreadable)
    people = row.people if isinstance(row, Session) else ()
    return [*row.unreadable, *(f"{each.contact_id}.{name}" for each in people for name in each.profile.unreadable)]


def _blank(row: object) -> Any:
    """The row without the names of what could not be read."""
    plain = deepcopy(msgspec.to_builtins(row))

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            node.pop("unreadable", None)
            for inner in node.values():
                visit(inner)
        elif isinstance(node, list | tuple):
            for inner in node:
                visit(inner)

    visit(plain)
    return plain


def test_the_optional_fields_are_those_of_every_model() -> None:
    """So that a field added to the contract is tried too."""
    names = {path.rpartition(".")[2] for _, path in OPTIONAL}
    models = (SessionResource, Room, Participant, SponsorResource)
    wanted = {name for model in models for name in model.model_fields}
    assert wanted - {"id", "status", "updated_at"} <= names
