"""Records with values that cannot be read, read as if those values were left out (E6).

Guarantees: only the odd value counts as not set; an entry of a list that cannot be read is left out alone; each is
named. Without a readable id, status and version, or as bytes that are no JSON, a record is a dead letter, for the
reason that `schemas` gives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from schemas.contact import Profile
from schemas.dead_letter import Reason
from schemas.envelope import ResourceChange
from schemas.reading import UnreadableError, unreadable
from schemas.wire import UNSET, VALUE

ChangeT = TypeVar("ChangeT", bound=ResourceChange[Any, Any])
_Path = tuple[str | int, ...]

_REQUIRED: Final = frozenset({"id", "status", "updated_at"})
_OPTIONAL_METADATA: Final[_Path] = ("metadata", "org_id")
_PEOPLE: Final = frozenset({"speakers", "chairpersons", "moderators", "participants"})
_PROFILE: Final = Profile.model_fields.keys() - {"id"}
_NOT_USED: Final = frozenset({"slug", "session_participant_id", "org_id"})
"""Fields of the contract that no rule uses: an odd value there changes nothing, so it is no issue."""
# The list of faults takes far more memory than the record: 4 MB of `null,` would take a gigabyte.
_MAX_FAULTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Unread:
    """Names, as on the wire, of what counts as not set; `speakers[]`: an entry of that list is left out.

    `own` is about the resource, `people` about the persons of a session by their contact id.
    """

    own: tuple[str, ...] = ()
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NOTHING: Final = Unread()


def parse(model: type[ChangeT], value: bytes) -> ChangeT:
    """The change in a record. Raises UnreadableError."""
    return read(model, value)[0]


def read(model: type[ChangeT], value: bytes) -> tuple[ChangeT, Unread]:
    """The change in a record, and what of it counts as not set. Raises UnreadableError."""
    try:
        return model.model_validate_json(value), NOTHING
    except ValidationError as error:
        faults = error
    if faults.error_count() > _MAX_FAULTS:
        raise UnreadableError(
            Reason.INVALID_FIELD,
            f"More than {_MAX_FAULTS} values are not of their type: see the JSON Schema of the topic.",
        )
    paths = {_odd_value(path) for path in _faulty(faults) if _may_be_left_out(path)}
    if not paths:
        raise unreadable(faults) from None
    document = from_json(value)
    unread = _unread(document, paths)
    try:
        # What is left at fault now is required, so the sentence is about that.
        return model.model_validate_json(_without(document, paths)), unread
    except ValidationError as error:
        raise unreadable(error) from None


def _faulty(error: ValidationError) -> Iterable[_Path]:
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        # A union reports both its branches; the one for `{}` or null says nothing more.
        if fault["type"] != "json_invalid" and UNSET not in fault["loc"]:
            yield tuple(part for part in fault["loc"] if part != VALUE)


def _may_be_left_out(path: _Path) -> bool:
    if path[:1] != ("data",):
        return path == _OPTIONAL_METADATA
    return len(path) > 1 and not (len(path) == 2 and path[1] in _REQUIRED)


def _odd_value(path: _Path) -> _Path:
    """What is left out: a room, a track or a person without a readable id as a whole."""
    return path[:-1] if len(path) > 2 and path[-1] == "id" else path


def _unread(document: Any, paths: Iterable[_Path]) -> Unread:
    own: dict[str, None] = {}
    people: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for path in sorted(paths, key=str):
        names = [str(part) for part in path[1:] if isinstance(part, str)]
        if path[-1] in _NOT_USED or names[-2:] == ["participant_role", "name"]:
            continue
        if isinstance(path[-1], int):
            own[f"{'.'.join(names)}[]"] = None
        elif names[0] in _PEOPLE and path[-1] in _PROFILE:
            # A person who is left out as a whole has no fields to name.
            if path[:3] not in paths:
                people[str(document["data"][path[1]][path[2]]["id"])][str(path[-1])] = None
        elif not any(path[:end] in paths for end in range(2, len(path))):
            own[".".join(names)] = None
    return Unread(tuple(own), {person: tuple(found) for person, found in people.items()})


def _without(document: Any, paths: Iterable[_Path]) -> bytes:
    # Later entries of a list first, so that the places of the earlier ones stay what they are.
    for path in sorted(paths, key=lambda path: [part if isinstance(part, int) else 0 for part in path], reverse=True):
        node = document
        for part in path[:-1]:
            node = node[part]
        del node[path[-1]]
    return to_json(document, inf_nan_mode="constants")
