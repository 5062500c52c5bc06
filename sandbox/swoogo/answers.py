"""What a handler gives back or raises, in Swoogo's shapes.

Errors are objects of `{name, message, code, status}`, except validation, which is a bare JSON array of
`{field, message}` (`swoogo-api.md` 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON value of the body; None is an empty body."""

    status: int
    body: Any = None


class ApiError(Exception):
    """The call is answered with an error and changes nothing."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"answered with {answer.status}")
        self.answer = answer


class ControlError(Exception):
    """A control request that cannot be carried out; the text says why."""


class ConnectionDropped(httpx.RemoteProtocolError):
    """A fault closed the connection without an answer.

    Raised only where there is no socket to close, in process; it is httpx's own error for this, so that a
    client under test sees what it would see on a network.
    """


def refusal(status: int, message: str) -> ApiError:
    """An error object; the four keys follow the documented 401 (`swoogo-api.md` 4)."""
    name = "Bad Request" if status == HTTPStatus.BAD_REQUEST else HTTPStatus(status).phrase
    return ApiError(Answer(status, {"name": name, "message": message, "code": 0, "status": status}))


def invalid(*problems: tuple[str, str]) -> ApiError:
    """A 422 for (field, message) pairs: a bare array (`swoogo-api.md` 4)."""
    return ApiError(Answer(422, [{"field": field, "message": message} for field, message in problems]))


def unauthorized() -> ApiError:
    """The documented 401 of every call but the token call (`swoogo-api.md` 4)."""
    return refusal(401, "Your request was made with invalid credentials.")


def bad_credentials() -> ApiError:
    """The measured 401 of the token call, which has one key only (`swoogo-api.md` 1)."""
    return ApiError(Answer(401, {"message": "You have provided invalid API details."}))
