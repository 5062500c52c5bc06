"""Domain fields as forms, answers as domain fields, and HTML in between (swoogo-api.md 2.2, 2.8, 7, 8, 9.1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.swoogo.forms import Spelling, encode, outgoing
from consumer.adapters.swoogo.html import clean_html, same_html
from consumer.adapters.swoogo.wire import RESOURCES
from consumer.domain.records.identity import Fields, Kind
from tests.unit.adapters.swoogo.forms import SESSION


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
