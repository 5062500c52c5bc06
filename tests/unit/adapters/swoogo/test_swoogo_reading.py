"""Values as Swoogo answers them, compared with what was sent (R5)."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.adapters.swoogo.html import same_html
from consumer.adapters.swoogo.wire import Shape, normal, read_fields, record_id, written
from consumer.domain.records.identity import digest
from tests.unit.adapters.swoogo.forms import SESSION, SPEAKER


@pytest.mark.rule("R5")
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("<p>A &amp; B</p>", "<p>A & B</p>", True),
        ("<p>a</p>\r\n<p>b</p>", "<p>a</p>\n <p>b</p>", True),
        ("a&nbsp;b", "a b", True),
        ("<br>", "<br />", True),
        ("caf&eacute;", "café", True),
        ("<p>a</p>", "a", False),
        ("<p>a</p>", "<p>b</p>", False),
        ("<b>a</b>", "", False),
    ],
)
def test_html_is_compared_by_meaning(one: str, other: str, same: bool) -> None:
    assert same_html(one, other) is same


@pytest.mark.parametrize(
    ("shape", "value", "text"),
    [
        (Shape.TEXT, None, ""),
        (Shape.TEXT, "a", "a"),
        (Shape.TEXT, 7, "7"),
        (Shape.TEXT, True, "1"),
        (Shape.TEXT, [], ""),
        (Shape.TEXT, {"id": 1}, None),
        (Shape.NUMBER, 20, "20"),
        (Shape.NUMBER, "20", "20"),
        (Shape.NUMBER, "20.00", "20"),
        (Shape.NUMBER, 20.0, "20"),
        (Shape.NUMBER, None, ""),
        (Shape.TIME, "10:30", "10:30:00"),
        (Shape.TIME, "9:05:07", "09:05:07"),
        (Shape.TIME, "noon", "noon"),
        (Shape.DATE, "2025-08-08 00:00:00", "2025-08-08"),
        (Shape.DATE, "0000-00-00", ""),
        (Shape.REFERENCE, 5, "5"),
        (Shape.REFERENCE, "5", "5"),
        (Shape.REFERENCE, 0, ""),
        (Shape.REFERENCE, None, ""),
        (Shape.REFERENCE, {"id": 5, "name": "Hall"}, "5"),
        (Shape.REFERENCE, "Hall", None),
        (Shape.CHOICE, {"id": 2, "value": "Gold"}, "2"),
        (Shape.CHOICE, {"id": "2", "value": "Gold"}, "2"),
        (Shape.CHOICE, {"id": None, "value": None}, ""),
        (Shape.CHOICE, {"id": "", "value": None}, ""),
        (Shape.CHOICE, "Gold", None),
    ],
)
def test_the_same_value_reads_the_same_however_it_is_spelt(shape: Shape, value: Any, text: str | None) -> None:
    """swoogo-api.md 2.8: numbers as text, choices as objects, nulls; None is what cannot be judged."""
    assert normal(shape, value) == text


@pytest.mark.parametrize(
    ("value", "identifier"),
    [
        (7, 7),
        ("7", 7),
        (True, None),
        (0, None),
        (-1, None),
        ("", None),
        ("7x", None),
        ("²", None),
        (7.0, None),
        ("9" * 40, None),
        (None, None),
    ],
)
def test_ids_come_as_numbers_or_digits(value: Any, identifier: int | None) -> None:
    assert record_id(value) == identifier


SENT = {
    "name": "Opening",
    "date": "2025-08-08",
    "start_time": "10:00:00",
    "capacity": "20",
    "location": "5",
    "track": "",
    "description": "<p>A &amp; B</p>",
}


ANSWERED: dict[str, Any] = {
    "id": "9",
    "event_id": 12,
    "name": " Opening ",
    "date": "2025-08-08",
    "start_time": "10:00",
    "end_time": "11:00:00",
    "capacity": 20,
    "location": {"id": 5, "name": "Hall"},
    "location_id": 5,
    "track_id": None,
    "description": "<p>A & B</p>\r\n",
    "use_event_timezone": 1,
    "custom_fields": [],
}


@pytest.mark.rule("R5")
def test_spelling_is_no_difference() -> None:
    """The answer is compared after both were brought to one form (swoogo-api.md 2.8, 7.3)."""
    result = written(SESSION, ANSWERED, 9, SENT)
    assert result.not_applied == ()
    assert result.seen == {
        "name": " Opening ",
        "date": "2025-08-08",
        "start_time": "10:00:00",
        "end_time": "11:00:00",
        "capacity": "20",
        "location": "5",
        "track": "",
        "description": "<p>A & B</p>\r\n",
    }


@pytest.mark.rule("R5")
@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({"name": "Other"}, ("name",)),
        ({"start_time": "10:01:00", "capacity": None}, ("start_time", "capacity")),
        ({"location_id": 6}, ("location",)),
        ({"track_id": 6}, ("track",)),
        ({"description": "A B"}, ("description",)),
    ],
)
def test_a_field_that_did_not_take_is_named(changed: dict[str, Any], missed: tuple[str, ...]) -> None:
    assert written(SESSION, ANSWERED | changed, 9, SENT).not_applied == missed


@pytest.mark.rule("R5")
def test_a_field_that_the_answer_does_not_show_is_not_judged() -> None:
    result = written(SESSION, {"id": 9}, 9, SENT)
    assert (result.not_applied, result.seen) == ((), {})
    assert written(SESSION, {"location": "Hall", "track": None}, 9, SENT).not_applied == ()


@pytest.mark.rule("M7")
@pytest.mark.parametrize(
    ("row", "zone"),
    [
        ({"timezone": "Asia/Tokyo", "use_event_timezone": False}, "Asia/Tokyo"),
        ({"timezone": "Asia/Tokyo", "use_event_timezone": "0"}, "Asia/Tokyo"),
        ({"timezone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"timezone": "Asia/Tokyo", "use_event_timezone": True}, ""),
        ({"timezone": "Asia/Tokyo", "use_event_timezone": 1}, ""),
        ({"timezone": None, "use_event_timezone": False}, ""),
    ],
)
def test_the_zone_of_the_event_is_no_zone_of_the_session(row: dict[str, Any], zone: str) -> None:
    """swoogo-api.md 7.1: both show as `timezone`."""
    assert read_fields(SESSION, row) == {"timezone": zone}


@pytest.mark.rule("R5")
def test_emails_differ_by_more_than_case() -> None:
    assert written(SPEAKER, {"email": "ANN@example.com"}, 1, {"email": "ann@Example.com"}).not_applied == ()
    assert written(SPEAKER, {"email": "bob@example.com"}, 1, {"email": "ann@example.com"}).not_applied == ("email",)


def test_long_values_are_seen_as_digests_and_the_contact_is_told() -> None:
    result = written(SPEAKER, {"bio": "x" * 100, "contact_id": "77"}, 1, {"bio": "x" * 100})
    assert result.seen == {"bio": digest("x" * 100)}
    assert result.contact_id == 77


@pytest.mark.rule("R2")
def test_a_list_row_and_a_write_answer_give_the_same_digests() -> None:
    """swoogo-api.md 7.1: lists give numbers, get-one and creates give text; that must be no drift."""
    listed = read_fields(SESSION, {"name": "A", "capacity": 20, "start_time": "10:00:00", "location_id": None})
    created = read_fields(
        SESSION, {"name": "A", "capacity": "20", "start_time": "10:00", "location": None, "location_id": ""}
    )
    assert listed == created
