"""Domain fields as forms, answers as domain fields, and HTML in between (swoogo-api.md 2.2, 2.8, 7, 8, 9.1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.swoogo.forms import Spelling, encode, outgoing
from consumer.adapters.swoogo.html import clean_html, same_html
from consumer.adapters.swoogo.wire import RESOURCES, Shape, normal, read_fields, record_id, written
from consumer.domain.identity import Fields, Kind, digest

SESSION, SPEAKER = RESOURCES[Kind.SESSION], RESOURCES[Kind.SPEAKER]


def form_of(kind: Kind, fields: Fields, *, create: bool = False, clear_with: Any = "empty") -> list[tuple[str, str]]:
    resource = RESOURCES[kind]
    sent = outgoing(resource, fields, create=create)
    body = encode(resource, 12, sent, Spelling(clear_with), create=create)
    return parse_qsl(body.decode(), keep_blank_values=True)


@pytest.mark.parametrize(
    ("kind", "fields", "form"),
    [
        (
            Kind.SESSION,
            {
                "name": "Opening",
                "date": "2025-08-08",
                "start_time": "10:00:00",
                "end_time": "11:00:00",
                "location": "5",
                "track": "6",
                "capacity": "20",
                "description": "<p>Hi</p>",
            },
            {
                "name": "Opening",
                "date": "2025-08-08",
                "start_time": "10:00:00",
                "end_time": "11:00:00",
                "location_id": "5",
                "track_id": "6",
                "capacity": "20",
                "description": "<p>Hi</p>",
            },
        ),
        (
            Kind.SESSION,
            {"name": "A", "timezone": "Asia/Tokyo"},
            {"name": "A", "timezone": "Asia/Tokyo", "use_event_timezone": "0"},
        ),
        (
            Kind.SPEAKER,
            {"first_name": "Ann", "last_name": "Ö & Co", "email": "ann+1@example.com", "bio": "x"},
            {"first_name": "Ann", "last_name": "Ö & Co", "email": "ann+1@example.com", "bio": "x"},
        ),
        (Kind.LOCATION, {"name": "Hall"}, {"name": "Hall", "use_event_address": "1"}),
        (Kind.TRACK, {"name": "Main"}, {"name": "Main"}),
        (
            Kind.SPONSOR,
            {"name": "Acme", "website": "https://acme.example/?a=1&b=2", "level": "47"},
            {"name": "Acme", "website": "https://acme.example/?a=1&b=2", "level": "47"},
        ),
    ],
    ids=["session", "session-with-zone", "speaker", "location", "track", "sponsor"],
)
def test_a_create_is_spelt_as_swoogo_spells_it(kind: Kind, fields: Fields, form: Fields) -> None:
    """swoogo-api.md 7.3, 7.6, 8.1, 9.1; use_event_address takes 0 or 1 only."""
    assert dict(form_of(kind, fields, create=True)) == {"event_id": "12", **form}


def test_a_create_says_nothing_about_empty_fields() -> None:
    fields = {"name": "A", "description": "<script>x</script>", "location": "", "capacity": "", "timezone": ""}
    assert form_of(Kind.SESSION, fields, create=True) == [("event_id", "12"), ("name", "A")]


@pytest.mark.rule("R4")
@pytest.mark.parametrize(("clear_with", "cleared"), [("empty", ""), ("null", "null")])
def test_an_optional_field_is_cleared_as_the_setting_says(clear_with: str, cleared: str) -> None:
    """R4; what clears a field in a form is a guess (swoogo-api.md 2.2)."""
    fields = {"name": "A", "location": "", "description": ""}
    assert form_of(Kind.SESSION, fields, clear_with=clear_with) == [
        ("event_id", "12"),
        ("name", "A"),
        ("location_id", cleared),
        ("description", cleared),
    ]


@pytest.mark.rule("R4")
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((Kind.SESSION, name) for name in ("name", "date", "start_time", "end_time")),
        *((Kind.SPEAKER, name) for name in ("first_name", "last_name", "email")),
        *((kind, "name") for kind in (Kind.LOCATION, Kind.TRACK, Kind.SPONSOR)),
    ],
)
def test_a_required_field_is_never_cleared(kind: Kind, name: str) -> None:
    assert form_of(kind, {name: ""}) == [("event_id", "12")]


def test_an_update_of_a_place_leaves_its_address_alone() -> None:
    assert form_of(Kind.LOCATION, {"name": "Hall"}) == [("event_id", "12"), ("name", "Hall")]


@pytest.mark.rule("M7")
def test_a_cleared_zone_gives_the_session_the_events_again() -> None:
    """An own zone counts only with use_event_timezone=0 (swoogo-api.md 7.3)."""
    assert dict(form_of(Kind.SESSION, {"timezone": ""})) == {
        "event_id": "12",
        "timezone": "",
        "use_event_timezone": "1",
    }


def test_a_field_the_kind_does_not_have_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no field 'email'"):
        outgoing(SESSION, {"email": "x"}, create=False)


def test_what_no_form_can_carry_is_left_out() -> None:
    assert dict(form_of(Kind.TRACK, {"name": "a\x00b\ud800c\nd"})) == {"event_id": "12", "name": "abc\nd"}
    assert dict(form_of(Kind.SPEAKER, {"bio": "<p>a\x00\ud800</p>"})) == {"event_id": "12", "bio": "<p>a</p>"}


@pytest.mark.rule("S1")
@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<p>Hi <b>there</b></p>", "<p>Hi <b>there</b></p>"),
        ("<p onclick='x()' style='color:red' class='c'>a</p>", '<p style="color:red" class="c">a</p>'),
        ("a<script>alert(1)</script>b", "ab"),
        ("<style>p{}</style><p>a</p>", "<p>a</p>"),
        ('<a href="javascript:alert(1)" title="t">a</a>', '<a title="t">a</a>'),
        ('<a href="java&#10;script:alert(1)">a</a>', "<a>a</a>"),
        ('<a href="data:text/html,x">a</a>', "<a>a</a>"),
        ('<a href="https://a.example/?a=1&amp;b=2">a</a>', '<a href="https://a.example/?a=1&amp;b=2">a</a>'),
        ('<a href="mailto:a@b.example">a</a>', '<a href="mailto:a@b.example">a</a>'),
        ('<img src="data:image/png;base64,x" alt="a" onerror="x()">', '<img alt="a">'),
        ('<iframe src="https://a.example"></iframe><form><input></form>b', "b"),
        ("<svg><script>x</script></svg>a", "a"),
        ("<!-- comment -->a<b>b", "a<b>b</b>"),
        ("R&D at 5 > 4", "R&D at 5 > 4"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("", ""),
    ],
)
def test_html_is_kept_without_anything_that_runs(html: str, clean: str) -> None:
    """Scripts, event handlers, frames and links that run code are gone."""
    assert clean_html(html) == clean


HTML = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<b",
            ">",
            "<script>",
            "</script>",
            "&amp;",
            "&",
            "<",
            "<a href='",
            "javascript:",
            "'",
            " onx=1",
        ]
    )
    | st.text(max_size=8)
).map("".join)


@pytest.mark.rule("R3")
@given(HTML)
def test_cleaning_twice_is_cleaning_once(html: str) -> None:
    """An unchanged description must stay unchanged on the way out, or it would be sent for ever."""
    once = clean_html(html)
    assert clean_html(once) == once
    assert "<script" not in once.lower()
    assert same_html(html, once)


@pytest.mark.rule("S1")
@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ('<p style="background:url(javascript:x())">a</p>', "<p>a</p>"),
        ("<style>p{background:url(https://a.example)}</style>a", "a"),
        ('<a href="java\tscript:x()">a</a><a href="&#106;avascript:x()">b</a>', "<a>a</a><a>b</a>"),
        ("<p>\u202eevil\u202c \u200fשלום</p>", "<p>\u202eevil\u202c \u200fשלום</p>"),
        ("<p>a\x00\x1b[31mb</p>", "<p>a[31mb</p>"),
    ],
    ids=["style attribute", "style element", "a hidden scheme", "reading direction", "control characters"],
)
def test_styles_go_hidden_schemes_go_and_writing_stays(html: str, clean: str) -> None:
    """Row content of the fault matrix: what loads or hides a scheme goes; marks of direction are text."""
    assert clean_html(html) == clean
    assert clean_html(clean) == clean


@pytest.mark.parametrize(
    "html",
    [
        "<ul><li>" * 125_000,
        "<div>" * 200_000,
        "<b></p>" * 70_000,
        "<p " + " ".join(f"x{number}=1" for number in range(110_000)) + ">",
        "<" * 100_000,
        "<p>" + "biography " * 100_000 + "</p>",
    ],
    ids=["lists", "divisions", "endings", "attributes", "brackets", "a long biography"],
)
def test_html_made_to_be_slow_is_not(html: str) -> None:
    """A megabyte from somebody who writes their own biography must not hold the process: seconds, not minutes."""
    once = clean_html(html)
    assert clean_html(once) == once
    assert same_html(once, html)


def test_html_with_everything_left_open_keeps_its_text() -> None:
    assert clean_html("<ul><li>" * 2_000 + "a &amp; b").split() == ["a", "&amp;", "b"]
    assert clean_html("<ul>" + "<li>a" * 900 + "</ul>").count("<li>") == 900
    assert "<img" in clean_html(f'<img src="https://a.example/a.png" alt="{"a" * 9_000}">')


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
