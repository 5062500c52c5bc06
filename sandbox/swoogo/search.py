"""The filter of a list: `<attribute><operator><value>` (`swoogo-api.md` 2.7).

What the real API does not support it ignores, and then everything comes back (11.2): an unknown attribute, a
text that is no condition, an order comparison on a custom field. An ISO timestamp with a `T` matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.swoogo.answers import refusal
from sandbox.swoogo.resources import RESOURCES, Kind

_CONDITION = re.compile(r"([A-Za-z]\w*)(!=|>=|<=|=|>|<)(?:\*(contains|beginswith|endswith|in)\*)?(.*)", re.DOTALL)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    ">": lambda a, b: bool(a > b),
    "<": lambda a, b: bool(a < b),
    ">=": lambda a, b: bool(a >= b),
    "<=": lambda a, b: bool(a <= b),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition with its value read for the attribute's type."""

    attribute: str
    operator: str
    wrapper: str | None
    text: str
    type: Literal["number", "timestamp", "text"]

    def holds(self, value: Any) -> bool:
        """Whether a rendered value fulfils the condition. A choice is compared by id or by name."""
        if isinstance(value, dict):
            parts = [part for part in (value.get("id"), value.get("value")) if part is not None]
            return (all if self.operator == "!=" else any)(self.holds(part) for part in parts)
        if isinstance(value, bool):
            value = int(value)
        if self.wrapper is not None:
            return self._wrapped("" if value is None else str(value)) != (self.operator == "!=")
        if self.type == "timestamp" and not _TIMESTAMP.fullmatch(self.text):
            return False
        if value is None:
            return self.operator == ("=" if self.text == "" else "!=")
        if self.type == "number" and not self.text:
            return self.operator == "!="
        if self.type == "number":
            return _COMPARE[self.operator](float(value), float(self.text))
        return _COMPARE[self.operator](str(value).casefold(), self.text.casefold())

    def _wrapped(self, value: str) -> bool:
        value, text = value.casefold(), self.text.casefold()
        if self.wrapper == "in":
            return value in text.split("|")
        if self.wrapper == "beginswith":
            return value.startswith(text)
        if self.wrapper == "endswith":
            return value.endswith(text)
        return text in value


def parse_conditions(texts: Sequence[str], kind: Kind, custom: frozenset[str]) -> list[Condition]:
    """The supported conditions among some texts.

    Raises a 500 for a number compared with something else, as `search=id=5,6` was seen to do.
    """
    conditions: list[Condition] = []
    for text in texts:
        match = _CONDITION.fullmatch(text)
        if match is None:
            continue
        name, operator, wrapper, value = match.groups()
        attribute = RESOURCES[kind].attributes.get(name)
        if (attribute is None and name not in custom) or (wrapper and operator not in {"=", "!="}):
            continue
        if attribute is None and operator not in {"=", "!="}:
            continue
        type_of: Literal["number", "timestamp", "text"] = "text"
        if attribute is not None and attribute.type in {"integer", "reference", "flag", "strict_flag"}:
            type_of = "number"
            for part in value.split("|") if wrapper == "in" else [] if wrapper or not value else [value]:
                if not re.fullmatch(r"-?\d+", part):
                    raise refusal(500, f"Invalid input syntax for type integer: {part!r}")
        elif attribute is not None and attribute.type == "timestamp":
            type_of = "timestamp"
        conditions.append(Condition(name, operator, wrapper, value, type_of))
    return conditions
