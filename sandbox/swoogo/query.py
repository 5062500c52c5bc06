"""The query of a list or a get-one call, read from the raw string.

Conditions of `search` are joined by a bare `&`, so ordinary parsing would take the second one for a
parameter of its own (`swoogo-api.md` 2.7). Unknown parameters are ignored (2.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_plus

from sandbox.swoogo.answers import refusal

PARAMETERS = frozenset({"event_id", "fields", "expand", "search", "searchCondition", "page", "per-page", "sort", "ids"})
DEFAULT_PER_PAGE = 20
EXPANDED_CAP = 200
MOST_IDS = 100


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query.

    `fields` None means the default of the call. `conditions` are the texts of `search`. `others` are the
    raw parts but page and per-page, for links.
    """

    event_id: str | None
    fields: tuple[str, ...] | None
    expand: tuple[str, ...]
    conditions: tuple[str, ...]
    join: Literal["and", "or"]
    page: int
    per_page: int
    sort: tuple[str, ...]
    ids: frozenset[int] | None
    others: tuple[str, ...]


def parse_query(raw: str, *, encoded_ampersand: bool, cap: int) -> Query:
    """Read a raw query string. Raises a 400 for `ids` that are not at most 100 positive integers."""
    parameters: dict[str, str] = {}
    conditions: list[str] = []
    others: list[str] = []
    for part in raw.split("&") if raw else ():
        name, _, value = part.partition("=")
        name = unquote_plus(name)
        if name in PARAMETERS:
            if name == "search":
                text = unquote_plus(value)
                conditions.extend(text.split("&") if encoded_ampersand else [text])
            parameters[name] = unquote_plus(value)
        elif "search" in parameters:
            conditions.append(unquote_plus(part))
        if name not in {"page", "per-page"}:
            others.append(part)
    fields, expand = _names(parameters.get("fields")), _names(parameters.get("expand"))
    return Query(
        event_id=parameters.get("event_id") or None,
        fields=fields or None,
        expand=expand,
        conditions=tuple(condition for condition in conditions if condition),
        join="or" if parameters.get("searchCondition", "").lower() == "or" else "and",
        page=max(1, _number(parameters.get("page"), 1)),
        per_page=_per_page(parameters.get("per-page"), min(cap, EXPANDED_CAP) if expand else cap),
        sort=_names(parameters.get("sort")),
        ids=_ids(parameters.get("ids")),
        others=tuple(others),
    )


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _number(text: str | None, default: int) -> int:
    try:
        return int(text or default)
    except ValueError:
        return default


def _per_page(text: str | None, cap: int) -> int:
    number = _number(text, DEFAULT_PER_PAGE)
    return min(number if number > 0 else DEFAULT_PER_PAGE, cap)


def _ids(text: str | None) -> frozenset[int] | None:
    if not text:
        return None
    names = text.split(",")
    if len(names) > MOST_IDS or not all(name.strip().isascii() and name.strip().isdigit() for name in names):
        raise refusal(400, f"ids must be at most {MOST_IDS} positive integers.")
    numbers = frozenset(int(name) for name in names)
    if 0 in numbers:
        raise refusal(400, "ids must be positive integers.")
    return numbers
