"""A value of Sessionboard as a field of Swoogo takes it: a table of source type x target type (F3).

Pure. Guarantees: a value that does not fit is left out with an issue, never cut where a part of it means another thing
(an address, a number) and never cleared; what cannot be converted at all is known from the two types alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from consumer.domain.fields.definitions import FieldDefinition
from consumer.domain.issues.issue import Code
from consumer.domain.records.field_values import FieldType, FieldValue
from consumer.domain.records.identity import Kind
from consumer.domain.records.text import clean_email, clean_name, clean_text, natural_name, without_markup

NEW_CHOICE: Final = "+"
"""Stands before the name of a choice that is to be added first; choices that are there are written by their ids."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a value goes.

    Attributes:
        zone: of the event; moments become its wall clock.
        limit: characters, where the definition names no limit of its own.
        values: name in Sessionboard, in the form names are compared in -> name in Swoogo.
        add_choices: a name without a choice is to be added.
    """

    definition: FieldDefinition
    zone: ZoneInfo
    limit: int
    values: Mapping[str, str] = field(default_factory=dict)
    add_choices: bool = False

    @property
    def adds(self) -> bool:
        """Whether values may need choices to be added."""
        return self.add_choices and self.definition.has_choices

    @property
    def longest(self) -> int:
        return self.definition.max_length or self.limit


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a value is left out, or what became of it."""

    code: Code
    detail: str = ""


Converted = tuple[str | None, Problem | None]
"""The text to send ("" clears; None: left alone), and what there is to say about it."""

Converter = Callable[[tuple[str, ...], Target], Converted]


def convert(value: FieldValue, target: Target) -> Converted:
    """The value in the form of its target. A type that cannot be converted is one that does not fit."""
    kind, texts = value
    if kind == FieldType.UNKNOWN:
        return None, Problem(Code.UNREADABLE_FIELD)
    if not texts:
        return "", None
    if (converter := CONVERTERS.get((FieldType(kind), target.definition.type))) is None:
        return None, Problem(Code.FIELD_MAP_INVALID)
    if target.values:
        texts = tuple(target.values.get(natural_name(text), text) for text in texts)
    return converter(texts, target)


def convertible(source: FieldType, target: FieldType) -> bool:
    return (source, target) in CONVERTERS


def _misfit(what: str) -> Converted:
    return None, Problem(Code.VALUE_NOT_FITTING, what)


def _line(texts: tuple[str, ...], target: Target) -> Converted:
    text = clean_name(" ".join(", ".join(texts).split()))
    if len(text) <= target.longest:
        return text, None
    cut = text[: target.longest - 1].rstrip() + "…"
    return cut, Problem(Code.NAME_SHORTENED, f"{target.longest} characters")


def _whole(text: str, target: Target) -> Converted:
    if len(text) > target.longest:
        return None, Problem(Code.TEXT_TOO_LONG, f"{len(text)} characters, at most {target.longest}")
    return text, None


def _lines(texts: tuple[str, ...], target: Target) -> Converted:
    return _whole(clean_text("\n".join(texts)).strip(), target)


def _plain_line(texts: tuple[str, ...], target: Target) -> Converted:
    return _line(tuple(without_markup(_BREAK.sub(" ", text)) for text in texts), target)


def _plain_lines(texts: tuple[str, ...], target: Target) -> Converted:
    return _lines(tuple(without_markup(_BREAK.sub("\n", text)).strip() for text in texts), target)


def _html(texts: tuple[str, ...], target: Target) -> Converted:
    return _whole(clean_text("\n".join(texts)), target)


def _escaped(texts: tuple[str, ...], target: Target) -> Converted:
    return _whole("<br>".join(escape(clean_text("\n".join(texts)).strip(), quote=False).splitlines()), target)


def _yes_no(texts: tuple[str, ...], target: Target) -> Converted:
    held = _boolean(texts)
    return _misfit("neither yes nor no") if held is None else _line(("Yes" if held else "No",), target)


def _number(texts: tuple[str, ...], target: Target) -> Converted:
    found = _NUMBER.fullmatch(texts[0].strip()) if len(texts) == 1 else None
    if found is None:
        return _misfit("not a number")
    plain = f"{Decimal(found[1].replace(',', '')):f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return _whole("0" if plain == "-0" else plain, target)


def _moment(texts: tuple[str, ...], target: Target) -> datetime | None:
    """A date, or a date and time; one with an offset by the wall clock of the event."""
    try:
        moment = datetime.fromisoformat(texts[0].strip()) if len(texts) == 1 else None
        return moment.astimezone(target.zone) if moment and moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


def _date(texts: tuple[str, ...], target: Target) -> Converted:
    moment = _moment(texts, target)
    return (moment.date().isoformat(), None) if moment else _misfit("not a date")


def _datetime(texts: tuple[str, ...], target: Target) -> Converted:
    moment = _moment(texts, target)
    return (moment.strftime("%Y-%m-%d %H:%M:%S"), None) if moment else _misfit("not a date and time")


def _time(texts: tuple[str, ...], target: Target) -> Converted:
    try:
        return (time.fromisoformat(texts[0].strip()).strftime("%H:%M:%S"), None) if len(texts) == 1 else _misfit("many")
    except ValueError:
        moment = None if _is_date(texts[0]) else _moment(texts, target)
        return (moment.strftime("%H:%M:%S"), None) if moment else _misfit("not a time")


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text.strip()))
    except ValueError:
        return False


def _checkbox(texts: tuple[str, ...], _: Target) -> Converted:
    held = _boolean(texts)
    return _misfit("neither yes nor no") if held is None else ("1" if held else "0", None)


def _boolean(texts: tuple[str, ...]) -> bool | None:
    return _BOOLEANS.get(texts[0].strip().lower()) if len(texts) == 1 else None


def _email(texts: tuple[str, ...], target: Target) -> Converted:
    text = clean_email(texts[0])
    fits = len(texts) == 1 and text.count("@") == 1 and not text.startswith("@") and " " not in text
    return _whole(text, target) if fits and not text.endswith("@") else _misfit("not an e-mail address")


def _phone(texts: tuple[str, ...], target: Target) -> Converted:
    text = clean_name(texts[0])
    return _whole(text, target) if len(texts) == 1 and _PHONE.fullmatch(text) else _misfit("not a phone number")


def _url(texts: tuple[str, ...], target: Target) -> Converted:
    text = clean_text(texts[0]).strip()
    fits = len(texts) == 1 and _URL.fullmatch(text)
    return _whole(text if "://" in text else f"https://{text}", target) if fits else _misfit("not an address")


def _one_line(texts: tuple[str, ...], target: Target) -> Converted:
    return _line(texts, target) if len(texts) == 1 else _misfit("more than one value")


def _choice(texts: tuple[str, ...], target: Target) -> Converted:
    chosen, problem = _chosen(texts, target)
    return (next(iter(chosen), None), problem) if len(chosen) < 2 else _misfit("more than one value")


def _checked(texts: tuple[str, ...], target: Target) -> Converted:
    """A checkbox as the choice `Yes` or `No`, where `values` names no other."""
    held = _boolean(texts)
    return _choices(texts if held is None else ("Yes" if held else "No",), target)


def _choices(texts: tuple[str, ...], target: Target) -> Converted:
    """What has a choice is sent without what has none (F3)."""
    chosen, problem = _chosen(texts, target)
    known = sorted((each for each in chosen if not each.startswith(NEW_CHOICE)), key=int)
    return (",".join([*known, *sorted(each for each in chosen if each not in known)]) or None), problem


def _chosen(texts: tuple[str, ...], target: Target) -> tuple[list[str], Problem | None]:
    """Ids of choices, or names to be added; names are matched whole before they are taken apart at commas."""
    chosen: dict[str, None] = {}
    missing: list[str] = []
    for text in texts:
        whole = target.definition.choice(text)
        # A single text may hold several values, as the public API carries them (its values are text).
        split = [] if whole or target.definition.type is FieldType.CHOICE else re.split(r"[,;\n]", text)
        for part in [each for each in split if each.strip()] or [text]:
            found = whole or target.definition.choice(target.values.get(natural_name(part), part))
            name = clean_name(part)
            if found:
                chosen[str(found.id)] = None
            elif target.add_choices and name and "," not in name and len(name) <= target.limit:
                chosen[NEW_CHOICE + name] = None
            else:
                missing.append(name)
    if not missing:
        return list(chosen), None
    # What a person chose is theirs: issues hold no personal data.
    named = ", ".join(f'"{name}"' for name in missing) if target.definition.kind is not Kind.SPEAKER else "its value"
    return list(chosen), Problem(Code.UNKNOWN_CHOICE, named[:_LONGEST_DETAIL])


_LONGEST_DETAIL: Final = 200
_BREAK: Final = re.compile(r"<br\s*/?>|</(?:p|div|li|h[1-6])\s*>", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[$€£]?\s*([-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,25})(?:\.[0-9]{1,25})?)")
_PHONE: Final = re.compile(r"(?=(?:\D*\d){3})[-+\d\s().\/x,;#*extEXT]{3,60}")
_URL: Final = re.compile(r"(?:https?://)?[^\s/:@.]+(?:\.[^\s/:@.]+)+(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "1", "on", "y", "checked"), True),
    **dict.fromkeys(("false", "no", "0", "off", "n", "unchecked"), False),
}

_SHORT: Final = (
    *(FieldType.TEXT, FieldType.NUMBER, FieldType.DATE, FieldType.TIME, FieldType.EMAIL, FieldType.PHONE),
    *(FieldType.URL, FieldType.COUNTRY, FieldType.LANGUAGE, FieldType.CHOICE, FieldType.CHOICES, FieldType.FILE),
)
_CHOSEN: Final = (FieldType.CHOICE, FieldType.CHOICES)
_NAMES: Final = (FieldType.TEXT, FieldType.COUNTRY, FieldType.LANGUAGE, FieldType.CHOICE)
_LISTED: Final = (*_NAMES, FieldType.CHOICES, FieldType.NUMBER, FieldType.EMAIL)


def _from(target: FieldType, converter: Converter, *sources: FieldType) -> dict[tuple[FieldType, FieldType], Converter]:
    return {(source, target): converter for source in sources}


CONVERTERS: Final[Mapping[tuple[FieldType, FieldType], Converter]] = {
    **_from(FieldType.TEXT, _line, *_SHORT, FieldType.LONG_TEXT),
    **_from(FieldType.TEXT, _plain_line, FieldType.HTML),
    **_from(FieldType.TEXT, _datetime, FieldType.DATETIME),
    **_from(FieldType.TEXT, _yes_no, FieldType.CHECKBOX),
    **_from(FieldType.LONG_TEXT, _lines, *_SHORT, FieldType.LONG_TEXT),
    **_from(FieldType.LONG_TEXT, _plain_lines, FieldType.HTML),
    **_from(FieldType.LONG_TEXT, _datetime, FieldType.DATETIME),
    **_from(FieldType.LONG_TEXT, _yes_no, FieldType.CHECKBOX),
    **_from(FieldType.HTML, _escaped, *_SHORT, FieldType.LONG_TEXT),
    **_from(FieldType.HTML, _html, FieldType.HTML),
    **_from(FieldType.HTML, _datetime, FieldType.DATETIME),
    **_from(FieldType.HTML, _yes_no, FieldType.CHECKBOX),
    **_from(FieldType.NUMBER, _number, FieldType.NUMBER, FieldType.TEXT, *_CHOSEN),
    **_from(FieldType.DATE, _date, FieldType.DATE, FieldType.DATETIME, FieldType.TEXT),
    **_from(FieldType.TIME, _time, FieldType.TIME, FieldType.DATETIME, FieldType.TEXT),
    **_from(FieldType.DATETIME, _datetime, FieldType.DATE, FieldType.DATETIME, FieldType.TEXT),
    **_from(FieldType.CHECKBOX, _checkbox, FieldType.CHECKBOX, FieldType.TEXT, *_CHOSEN, FieldType.NUMBER),
    **_from(FieldType.EMAIL, _email, FieldType.EMAIL, FieldType.TEXT),
    **_from(FieldType.PHONE, _phone, FieldType.PHONE, FieldType.TEXT, FieldType.NUMBER),
    **_from(FieldType.URL, _url, FieldType.URL, FieldType.TEXT, FieldType.FILE),
    **_from(FieldType.COUNTRY, _one_line, *_NAMES, FieldType.CHOICES),
    **_from(FieldType.LANGUAGE, _one_line, *_NAMES, FieldType.CHOICES),
    **_from(FieldType.CHOICE, _choice, *_LISTED),
    **_from(FieldType.CHOICE, _checked, FieldType.CHECKBOX),
    **_from(FieldType.CHOICES, _choices, *_LISTED),
    **_from(FieldType.CHOICES, _checked, FieldType.CHECKBOX),
}
"""(source type, target type) -> how. No API takes files or values of unknown fields, so nothing converts to these."""
