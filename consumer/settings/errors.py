"""Settings as people see them: their variables, values without secrets, and one sentence for what is wrong.

Guarantees: no sentence and no shown value carries a secret or the password inside a URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_SHOWN_LIMIT: Final = 80
_USER_INFO: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", re.DOTALL)
_BAD_PORT: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://[^:/?#\[]*:)(?![0-9]{0,5}(?:[/?#]|$))[^/?#]*")
_PASSWORD_OPTION: Final = re.compile(r"(?i)([?&](?:password|username|secret|token)=)[^&#]*")
# What Kubernetes puts into every container for a Service whose name starts with ours.
_SERVICE_LINK: Final = re.compile(
    r"(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)

RENAMED: Final = {
    "PUSH__EVENTS": "PUSH__MAX_EVENTS_PER_CREDENTIAL",
    "PUSH__MOST_EVENTS": "PUSH__MAX_EVENTS",
    "PUSH__DRAIN": "PUSH__SHUTDOWN_GRACE",
    "PUSH__SETTLE": "PUSH__CREATE_SETTLE_TIME",
    "PUSH__RETRY_MOST": "PUSH__RETRY_MAX",
    "RECONCILE__MOST_GONE": "RECONCILE__MAX_MISSING_SHARE",
    "SWOOGO__CIRCUIT_MOST": "SWOOGO__CIRCUIT_MAX",
    "KAFKA__LOST_AFTER": "KAFKA__CONSUMER_LOST_TIMEOUT",
}
"""Settings of former versions, without prefix -> what each is called now."""
FIXED: Final = frozenset(
    {
        *("IMAGES__CONCURRENCY", "IMAGES__FETCH_TIMEOUT", "IMAGES__MAX_DOWNLOAD_BYTES", "IMAGES__MAX_PIXELS"),
        *("IMAGES__WORKER_TIMEOUT", "SWOOGO__CONNECTIONS", "SWOOGO__CONNECT_TIMEOUT", "SWOOGO__READ_TIMEOUT"),
    }
)
"""Settings of former versions whose values are constants now."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting: its environment variable, where it is in the tree, and its field there."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo

    @property
    def secret(self) -> bool:
        """True when its value is never shown."""
        return self.field.annotation is SecretStr

    @property
    def default(self) -> Any:
        return self.field.get_default(call_default_factory=True, validated_data={})

    @property
    def good(self) -> str:
        """A value that works, for people who got it wrong."""
        if self.secret:
            return "one made by `swoogo-sync keys new`" if self.path[0] == "keys" else "what the server's operator gave"
        return as_text(self.default) or next(iter(self.field.examples or ()), "none")


def variables(model: type[BaseModel], prefix: str) -> dict[str, Variable]:
    """Every setting below a model by the name of its variable, in the order of the model."""
    return {variable.name: variable for variable in _walk(model, prefix, ())}


def _walk(model: type[BaseModel], prefix: str, path: tuple[str, ...]) -> Iterator[Variable]:
    for name, field in model.model_fields.items():
        inner = (*path, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _walk(field.annotation, prefix, inner)
        else:
            yield Variable(prefix + "__".join(inner).upper(), inner, field)


def as_text(value: object) -> str:
    """A value as one would write it into the environment; secrets and passwords masked."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return mask_url(str(value))


def mask_url(text: str) -> str:
    """A text without what may be a user and password in front of a host, or behind a question mark."""
    if "@" in text:
        masked = _USER_INFO.sub(lambda match: f"{match[1] or ''}***@", text)
    else:  # a password whose host was forgotten stands where the port would
        masked = _BAD_PORT.sub(r"\1***", text)
    return _PASSWORD_OPTION.sub(r"\1***", masked)


def unknown_variables(names: Iterable[str], known: Mapping[str, Variable], prefix: str) -> Iterator[str]:
    """One sentence about each variable that starts like ours and is none of ours.

    Never shows its value: it may be a secret under a mistyped name. `<prefix>TEST_*` belongs to the tests, and
    Kubernetes' own variables about a Service named like this one are no typing errors.
    """
    for name in sorted(names):
        rest = name.removeprefix(prefix)
        if name in known or rest == name or rest.startswith("TEST_"):
            continue
        if "__" not in rest and _SERVICE_LINK.fullmatch(rest):
            continue
        if rest in RENAMED:
            yield f"{name} is called {prefix}{RENAMED[rest]} now; rename it."
            continue
        if rest in FIXED:
            yield f"{name} is gone, as its value is fixed now; remove it."
            continue
        member = next((each for each in known if each.startswith(f"{name}__")), None)
        if member:
            yield f"{name} is a group of settings; set its members one by one, such as {member}."
            continue
        near = get_close_matches(rest, [each.removeprefix(prefix) for each in known], n=1, cutoff=0.6)
        advice = f"did you mean {prefix}{near[0]}?" if near else ".env.example lists those there are."
        yield f"{name} is no setting of this service; {advice}"


def explain(error: ValidationError, known: Mapping[str, Variable], prefix: str) -> Iterator[str]:
    """One sentence about each wrong setting: the variable, its value's problem, a good value."""
    for each in error.errors(include_url=False):
        yield _sentence(each, known, prefix)


def explain_known(error: ValidationError, known: Mapping[str, Variable], prefix: str) -> Iterator[str]:
    """The same, beside unknown variables: only what is about a single known one, whose value may be shown."""
    paths = {variable.path for variable in known.values()}
    for each in error.errors(include_url=False):
        if tuple(str(part) for part in each["loc"]) in paths:
            yield _sentence(each, known, prefix)


def _sentence(error: ErrorDetails, known: Mapping[str, Variable], prefix: str) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    path = tuple(str(part) for part in error["loc"])
    if not path:
        return message
    variable = next((each for each in known.values() if each.path == path[: len(each.path)]), None)
    if variable is None:
        return f"{prefix}{'__'.join(path).upper()} is no setting of this service; .env.example lists those there are."
    value = "a secret" if variable.secret else repr(_shortened(mask_url(str(error.get("input")))))
    problem = message if message[1:2].isupper() else message[:1].lower() + message[1:]
    return f"{variable.name} is {value}: {problem}; a good value is {variable.good}."


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_LIMIT else text[: _SHOWN_LIMIT - 1] + "…"
