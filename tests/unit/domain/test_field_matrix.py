"""Every source type into every target type, against an oracle that is written from F1-F8 alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from consumer.domain.fields.conversion import Target, convert, convertible
from consumer.domain.fields.definitions import Choice, FieldDefinition
from consumer.domain.issues.issue import Code
from consumer.domain.records.field_values import FieldType, field_value
from consumer.domain.records.identity import Kind

pytestmark = [pytest.mark.rule("F3"), pytest.mark.rule("F1", "F2", "F4", "F5", "F6", "F7", "F8")]

T = FieldType
NAMES: Final = (
    *("Blue", "Green", "Yes", "No", "12.5", "7", "Norway", "Chile", "German", "Welsh"),
    *("a@example.org", "b@x.org"),
)
IDS: Final = {name: str(number) for number, name in enumerate(NAMES, 1)}

NATIVE: Final = {T.LONG_TEXT: "text area", T.HTML: "WYSIWYG", T.CHOICE: "dropdown", T.CHOICES: "multi_select"}

# As JSON carries it: what is set first, and what it changes to.
SAMPLES: Final[dict[FieldType, tuple[Any, Any]]] = {
    T.TEXT: ("Blue", "  Green "),
    T.LONG_TEXT: ("One\ntwo", "Three\nfour"),
    T.HTML: ("<p>One <b>two</b></p>", "<p>Three &amp; four</p>"),
    T.NUMBER: (12.5, 7),
    T.DATE: ("2026-07-01", "2026-07-02"),
    T.TIME: ("09:30", "10:45"),
    T.DATETIME: ("2026-07-01T10:00:00Z", "2026-07-01T23:30:00.000+00:00"),
    T.CHECKBOX: (True, False),
    T.EMAIL: ("a@example.org", "b@x.org"),
    T.PHONE: ("+44 20 7946 0000", "020 7946 0001"),
    T.URL: ("https://example.org/a", "https://example.org/b"),
    T.COUNTRY: ("Norway", "Chile"),
    T.LANGUAGE: ("German", "Welsh"),
    T.CHOICE: ("Blue", "green"),
    T.CHOICES: (["Blue"], "green"),
    T.FILE: ({"url": "https://example.org/a.pdf"}, "https://example.org/b.pdf"),
}
# Texts that mean something to a target that is no text.
TYPED: Final[dict[FieldType, tuple[str, str]]] = {
    T.NUMBER: ("12.50", "007"),
    T.DATE: ("2026-07-01", "2026-07-02T10:00"),
    T.TIME: ("09:30", "10:45:00"),
    T.DATETIME: ("2026-07-01 11:00", "2026-07-02"),
    T.CHECKBOX: ("yes", "FALSE"),
    T.EMAIL: ("a@example.org", "b@x.org"),
    T.PHONE: ("+44 20 7946 0000", "(020) 7946 0001"),
    T.URL: ("https://example.org/a", "http://example.org"),
}
OF_TYPED: Final[dict[FieldType, tuple[str, str]]] = {
    **TYPED,
    T.NUMBER: ("12.5", "7"),
    T.DATE: ("2026-07-01", "2026-07-02"),
    T.TIME: ("09:30:00", "10:45:00"),
    T.DATETIME: ("2026-07-01 11:00:00", "2026-07-02 00:00:00"),
    T.CHECKBOX: ("1", "0"),
}
WALL_CLOCK: Final = {T.DATE: ("2026-07-01", "2026-07-02"), T.TIME: ("11:00:00", "00:30:00")}
MOMENTS: Final = ("2026-07-01 11:00:00", "2026-07-02 00:30:00")


def sample(source: FieldType, target: FieldType, which: int) -> Any:
    if source in {T.TEXT, T.CHOICE, T.CHOICES} and target in TYPED:
        return TYPED[target][which]
    if source is T.NUMBER and target is T.PHONE:
        return (442079460000, 442079460001)[which]
    if source is T.NUMBER and target is T.CHECKBOX:
        return (1, 0)[which]
    return SAMPLES[source][which]


def oracle(source: FieldType, target: FieldType, which: int) -> str:
    """What Swoogo is to get of a sample."""
    if source in {T.TEXT, T.CHOICE, T.CHOICES} and target in TYPED:
        return OF_TYPED[target][which]
    if target in {T.CHOICE, T.CHOICES}:
        shown = {T.CHECKBOX: ("Yes", "No"), T.NUMBER: ("12.5", "7")}.get(source) or SAMPLES[source]
        name = shown[which][0] if isinstance(shown[which], list) else shown[which].strip()
        return next(IDS[each] for each in NAMES if each.lower() == name.lower())
    if source is T.DATETIME:
        return WALL_CLOCK[target][which] if target in WALL_CLOCK else MOMENTS[which]
    if source is T.DATE:
        return f"{SAMPLES[source][which]} 00:00:00" if target is T.DATETIME else SAMPLES[source][which]
    if source is T.TIME:
        return f"{SAMPLES[source][which]}:00" if target is T.TIME else SAMPLES[source][which]
    if source is T.CHECKBOX:
        return ("1", "0")[which] if target is T.CHECKBOX else ("Yes", "No")[which]
    if source is T.NUMBER:
        return str(sample(source, target, which))
    if source is T.HTML and target is not T.HTML:
        return ("One two", "Three & four")[which]
    if source is T.LONG_TEXT and target is T.TEXT:
        return ("One two", "Three four")[which]
    if source is T.LONG_TEXT and target is T.HTML:
        return ("One<br>two", "Three<br>four")[which]
    value = SAMPLES[source][which]
    text = value["url"] if isinstance(value, dict) else value[0] if isinstance(value, list) else value
    assert isinstance(text, str)
    return text if source in {T.HTML, T.LONG_TEXT} else text.strip()


def target_of(kind: FieldType, **changed: Any) -> Target:
    choices = tuple(Choice(int(number), name) for name, number in IDS.items())
    definition = FieldDefinition(Kind.SESSION, "c_1", "Field", kind, field_id=1, choices=choices)
    return replace(Target(definition, ZoneInfo("Europe/London"), 255), **changed)


def value_of(source: FieldType, value: Any) -> tuple[str, tuple[str, ...]]:
    """Through JSON, as records come."""
    return field_value(NATIVE.get(source, source.value), json.loads(json.dumps(value)))


SOURCES: Final = [each for each in T if each is not T.UNKNOWN]
FITTING: Final = [(source, target) for source in SOURCES for target in T if convertible(source, target)]


@pytest.mark.rule("F5")
def test_types_that_fit_are_known_before_any_record() -> None:
    """Text and what people read takes nearly everything, nothing takes a file or an unknown field."""
    assert not any(convertible(source, target) for source in T for target in (T.FILE, T.UNKNOWN))
    assert not any(convertible(T.UNKNOWN, target) for target in T)
    assert all(convertible(source, T.TEXT) and convertible(source, T.LONG_TEXT) for source in SOURCES)
    assert not convertible(T.HTML, T.CHOICE)
    assert not convertible(T.FILE, T.NUMBER)
    assert not convertible(T.CHOICES, T.DATE)


@pytest.mark.parametrize(("source", "target"), FITTING, ids=lambda each: each.value)
def test_set_and_changed_values_arrive_as_the_target_takes_them(source: FieldType, target: FieldType) -> None:
    for which in (0, 1):
        found = convert(value_of(source, sample(source, target, which)), target_of(target))
        assert found == (oracle(source, target, which), None), sample(source, target, which)


@pytest.mark.rule("R4")
@pytest.mark.parametrize(("source", "target"), FITTING, ids=lambda each: each.value)
@pytest.mark.parametrize("unset", ["", "  ", {}, None, []], ids=repr)
def test_value_that_is_not_set_clears(source: FieldType, target: FieldType, unset: Any) -> None:
    assert convert(value_of(source, unset), target_of(target)) == ("", None)


@pytest.mark.parametrize(("source", "target"), FITTING, ids=lambda each: each.value)
def test_several_values_go_where_several_fit(source: FieldType, target: FieldType) -> None:
    """Into text and multiple choices; elsewhere all of them are left out."""
    several = [sample(source, target, 0), sample(source, target, 1)]
    flat = [part for each in several for part in (each if isinstance(each, list) else [each])]
    text, problem = convert(value_of(source, flat), target_of(target))
    if target is T.CHOICES and source is not T.CHECKBOX:
        ids = sorted({oracle(source, target, which) for which in (0, 1)}, key=int)
        assert (text, problem) == (",".join(ids), None)
    elif target in {T.TEXT, T.LONG_TEXT, T.HTML} and source not in {T.CHECKBOX, T.DATETIME}:
        assert text
        assert problem is None
    else:
        assert text is None
        assert problem is not None
        assert problem.code in {Code.VALUE_NOT_FITTING, Code.UNKNOWN_CHOICE}


@pytest.mark.parametrize(("source", "target"), FITTING, ids=lambda each: each.value)
def test_value_that_is_too_long_is_cut_only_where_the_rest_means_the_same(source: FieldType, target: FieldType) -> None:
    """One line is cut, as names are; a text, an address or a number is left out."""
    definition = replace(target_of(target).definition, max_length=3)
    text, problem = convert(value_of(source, sample(source, target, 0)), target_of(target, definition=definition))
    if target in {T.CHOICE, T.CHOICES, T.DATE, T.TIME, T.DATETIME, T.CHECKBOX} or source is T.DATETIME:
        assert (text, problem) == (oracle(source, target, 0), None)
    elif len(oracle(source, target, 0)) <= 3:
        assert text == oracle(source, target, 0)
    elif target in {T.TEXT, T.COUNTRY, T.LANGUAGE}:
        assert text == oracle(source, target, 0)[:2].rstrip() + "…"
        assert problem is not None
        assert problem.code is Code.NAME_SHORTENED
    else:
        assert text is None
        assert problem is not None
        assert problem.code is Code.TEXT_TOO_LONG


@pytest.mark.parametrize(
    ("target", "value", "text", "code"),
    [
        pytest.param(T.CHOICE, "Purple", None, Code.UNKNOWN_CHOICE, id="a name without a choice"),
        pytest.param(T.CHOICES, ["Blue", "Purple"], "1", Code.UNKNOWN_CHOICE, id="the others are sent"),
        pytest.param(T.CHOICES, "Green; Blue", "1,2", None, id="several in one text"),
        pytest.param(T.CHOICES, ["Blue", "blue "], "1", None, id="one choice named twice"),
        pytest.param(T.CHOICE, "Azure", "1", None, id="named by values"),
        pytest.param(T.CHOICES, "Azure,Green", "1,2", None, id="named by values, in one text"),
        pytest.param(T.NUMBER, "many", None, Code.VALUE_NOT_FITTING, id="not a number"),
        pytest.param(T.NUMBER, "$1,250.00", "1250", None, id="a currency"),
        pytest.param(T.NUMBER, "-0", "0", None, id="zero"),
        pytest.param(T.DATE, "soon", None, Code.VALUE_NOT_FITTING, id="not a date"),
        pytest.param(T.TIME, "2026-07-01", None, Code.VALUE_NOT_FITTING, id="a date is no time"),
        pytest.param(T.EMAIL, "ada@", None, Code.VALUE_NOT_FITTING, id="not an address"),
        pytest.param(T.PHONE, "call me", None, Code.VALUE_NOT_FITTING, id="not a phone number"),
        pytest.param(T.URL, "javascript:alert(1)", None, Code.VALUE_NOT_FITTING, id="not the address of a page"),
        pytest.param(T.URL, "example.org/a", "https://example.org/a", None, id="an address without its protocol"),
        pytest.param(T.CHECKBOX, "perhaps", None, Code.VALUE_NOT_FITTING, id="neither yes nor no"),
        pytest.param(T.TEXT, {"deep": {}}, None, Code.UNREADABLE_FIELD, id="an object that names nothing"),
    ],
)
def test_odd_value_is_left_out_and_named(target: FieldType, value: Any, text: str | None, code: Code | None) -> None:
    native = "dropdown" if target in {T.CHOICE, T.CHOICES} else "text"
    found, problem = convert(field_value(native, value), target_of(target, values={"azure": "Blue"}))
    assert found == text
    assert (problem and problem.code) == code


def test_choice_to_be_added_is_named_until_it_has_an_id() -> None:
    """Once for each name; a name that cannot be one is left out."""
    adding = target_of(T.CHOICES, add_choices=True)
    assert convert(field_value("tags", ["Purple", "Blue", "purple"]), adding) == ("1,+Purple,+purple", None)
    assert convert(field_value("dropdown", "Purple"), target_of(T.CHOICE, add_choices=True)) == ("+Purple", None)


def test_what_a_person_chose_is_in_no_issue() -> None:
    definition = replace(target_of(T.CHOICE).definition, kind=Kind.SPEAKER)
    _, problem = convert(field_value("dropdown", "Secret"), target_of(T.CHOICE, definition=definition))
    assert problem is not None
    assert "Secret" not in problem.detail
