"""Odd values in optional fields of the contract, drawn from the models themselves (E6)."""

from __future__ import annotations

from copy import deepcopy
from types import EllipsisType
from typing import Any, Final

from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.contact import ContactResource
from schemas.fields import CustomField
from schemas.session import Participant, ParticipantRole, Room, SessionResource, SessionSpeaker, Track
from schemas.sponsor import SponsorResource
from tests.support.examples import valid_value


def nested(leaves: st.SearchStrategy[Any], names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Leaves, and lists and objects of them, two deep."""
    flat = leaves | st.lists(leaves, max_size=3) | st.dictionaries(names, leaves, max_size=3)
    return flat | st.lists(flat, max_size=3) | st.dictionaries(names, flat, max_size=3)


_REQUIRED: Final = frozenset({"id", "status", "updated_at"})
_MODELS: Final[tuple[tuple[str, str, type[BaseModel]], ...]] = (
    ("sessions-scheduled", "data", SessionResource),
    ("sessions-scheduled", "data.room", Room),
    ("sessions-scheduled", "data.track", Track),
    ("sessions-scheduled", "data.speakers.0", SessionSpeaker),
    ("sessions-scheduled", "data.speakers.1.participant_role", ParticipantRole),
    ("sessions-scheduled", "data.participants.0", Participant),
    ("speakers-whole", "data", ContactResource),
    ("sponsors-tier-as-custom-field", "data", SponsorResource),
    ("sponsors-tier-as-custom-field", "data.custom_fields.0", CustomField),
)

OPTIONAL: Final = tuple(
    (example, f"{path}.{name}")
    for example, path, model in _MODELS
    for name in model.model_fields
    if name not in _REQUIRED and (path, name) != ("data.custom_fields.0", "value")
)
"""Name of a valid example, and the path of an optional field in it."""

ODD_VALUES: Final[st.SearchStrategy[Any]] = st.one_of(
    st.sampled_from(
        [
            None,
            {},
            [],
            "",
            " ",
            "50",
            -1,
            0,
            1.5,
            2**31,
            2**63,
            10**400,
            float("nan"),
            float("inf"),
            True,
            "2026-03-01",
            "2026-03-01T09:15:00",
            "0000-00-00T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "9999-12-31T23:59:59Z",
            [None],
            [{}],
            {"0": {"id": "c1"}},
            {"name": "Hall"},
            {"id": None},
            {"id": "a/b"},
            [{"id": "c1"}, None, {"id": ""}, "c2", {"id": "c3", "email": 5}],
        ]
    ),
    st.text(max_size=4),
    nested(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4), st.text(max_size=4)),
)


def edited(example: str, edits: list[tuple[str, Any]]) -> dict[str, Any]:
    """A valid example with values put at paths; `...` leaves out what is there."""
    record = valid_value(example)
    for path, value in edits:
        *parents, last = path.split(".")
        node: Any = record
        for part in parents:
            node = node[int(part) if part.isdigit() else part]
        if isinstance(value, EllipsisType):
            node.pop(last, None)
        else:
            node[last] = deepcopy(value)
    return record
