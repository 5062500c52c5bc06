"""What an answer of Swoogo means for the call it answers: a table, and the sentence inside a refusal.

Guarantees: an unknown status is never taken for success, and for a create never for certain failure
unless Swoogo says that it did nothing (G2); no sentence carries an e-mail address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """What the caller does about an answer."""

    APPLIED = "applied"
    REFUSED = "refused"
    NO_PERMISSION = "no_permission"
    MISSING = "missing"
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"
    UNAVAILABLE = "unavailable"
    UNANSWERED = "unanswered"


ACTIONS: Final[Mapping[int, Action]] = {
    400: Action.REFUSED,  # bad parameters or a business rule
    401: Action.UNAUTHORIZED,
    403: Action.NO_PERMISSION,
    404: Action.MISSING,  # missing or not accessible
    405: Action.REFUSED,
    409: Action.REFUSED,  # not documented; whatever it conflicts with, nothing was done
    415: Action.REFUSED,
    418: Action.REFUSED,
    422: Action.REFUSED,
    429: Action.THROTTLED,
}
"""The documented statuses (`swoogo-api.md 4`) and 409; all of them say that nothing was done."""

BY_RULE: Final = frozenset({400, 409, 422})
"""Refusals of what a call asks for, not of the call: a business rule or a validation (`swoogo-api.md 4`)."""

_REQUEST_TIMEOUT: Final = 408
SENTENCE_LIMIT: Final = 300
"""Characters of Swoogo's words that an issue repeats."""

_FIELD_LIMIT: Final = 60
_PROBLEMS_TOLD: Final = 3
# A body may be any size; what lies beyond this would be cut from the sentence anyway.
_READ_LIMIT: Final = 2_000
_EMAIL: Final = re.compile(r"[^\s@<>\"'(),;:\[\]]{1,200}(?:@|%40)[^\s@<>\"'(),;:\[\]]{1,200}")
# Controls, line separators, marks that turn the reading direction, lone surrogates.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]+")


def classify(status: int, *, create: bool) -> Action:
    """What to do about an answer with this status.

    `create`: whether the call creates a record, so that doing it again would make a second one (G2).
    """
    if 200 <= status < 300:
        return Action.APPLIED
    known = ACTIONS.get(status)
    if known is not None:
        return known
    if create and not _nothing_done(status):
        return Action.UNANSWERED
    return Action.UNAVAILABLE


def _nothing_done(status: int) -> bool:
    # 408 comes from a proxy in between, after an unknown part of the work.
    return 400 <= status < 500 and status != _REQUEST_TIMEOUT


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Swoogo said no. `field` is in Swoogo's spelling; both are empty when it gave no reason."""

    sentence: str = ""
    field: str = ""


def refusal(body: object) -> Refusal:
    """The reason inside the decoded body of a 4xx.

    A 422 is a bare array of `{field, message}`, everything else an object with `message`
    (`swoogo-api.md 4`); either shape is read whatever the status.
    """
    if isinstance(body, Mapping):
        return Refusal(plain_sentence(body.get("message")), _field_name(body.get("field")))
    if not isinstance(body, list):
        return Refusal()
    problems = [problem for problem in body if isinstance(problem, Mapping)][:_PROBLEMS_TOLD]
    messages = dict.fromkeys(text for problem in problems if (text := plain_sentence(problem.get("message"))))
    fields = [name for problem in problems if (name := _field_name(problem.get("field")))]
    return Refusal(_bounded(" ".join(messages)), fields[0] if fields else "")


def plain_sentence(text: object) -> str:
    """Swoogo's words as an issue may carry them: one bounded line without e-mail addresses."""
    if not isinstance(text, str):
        return ""
    one_line = _CONTROL.sub(" ", text[:_READ_LIMIT])
    return _bounded(" ".join(_EMAIL.sub("(an e-mail address)", one_line).split()))


def _bounded(text: str) -> str:
    if text and text[-1] not in ".!?…":
        text += "."
    return text if len(text) <= SENTENCE_LIMIT else text[: SENTENCE_LIMIT - 1].rstrip() + "…"


def _field_name(name: object) -> str:
    return _NOT_IN_A_NAME.sub("", name)[:_FIELD_LIMIT] if isinstance(name, str) else ""
