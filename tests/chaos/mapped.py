"""Field maps in a run: what is mapped, what people do about it, and what Swoogo must hold (F1-F4)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from consumer.domain.surveys.survey import Depth
from sandbox.conference.details import FIELDS, detailed, reference
from sandbox.conference.expected_speakers import address
from sandbox.swoogo.server import SandboxSwoogo

if TYPE_CHECKING:
    from tests.chaos.history import History

_ALWAYS: Final = "admin_short_name"
_MORE: Final = "badge_name"


@dataclass(slots=True)
class Mapped:
    """The maps of one event.

    Attributes:
        more: whether the format of a talk goes into a second field, too.
        typed: talk -> language that somebody typed in Swoogo, which stays.
    """

    more: bool = False
    typed: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """Of the mapping."""
        sessions: list[dict[str, Any]] = [
            {"source": "format", "target": "Format", "add_choices": True},
            {"source": "language", "target": "Language"},
            {"source": "client_session_id", "target": _ALWAYS, "policy": "always"},
        ]
        sessions += [{"source": "format", "target": _MORE}] if self.more else []
        return {"field_maps": {"sessions": sessions, "speakers": [{"source": "pronouns", "target": "Pronouns"}]}}

    def wrong(self, history: History) -> list[str]:
        """Mapped fields that are not what the maps and people's edits say, and choices that are there twice."""
        sandbox, state, found = history.sandbox, history.state(), []
        language, format_ = _attribute(sandbox, "sessions", "Language"), _attribute(sandbox, "sessions", "Format")
        talks = {each.name: key for key, each in history.expected.sessions.items() if key not in history.deleted}
        for row in state["sessions"]:
            key = talks.get(row["name"])
            if key is None:
                continue
            said = _said("session", key)
            wanted = {
                language: self.typed.get(key, said["language"]["name"]),
                format_: said["format"]["name"],
            }
            if key in history.held.talks:  # one that Sessionboard deleted stays as it is (D1)
                wanted[_ALWAYS] = reference(key)
                wanted |= {_MORE: said["format"]["name"]} if self.more else {}
            found += [f"{name} of {row['name']} is {_held(row[name])}, not {value}"
                      for name, value in wanted.items() if _held(row[name]) != value]  # fmt: skip
        pronouns = _attribute(sandbox, "speakers", "Pronouns")
        possible: dict[str, set[str]] = {}
        for key, person in history.expected.speakers.items():
            possible.setdefault(address(person.email), set()).add(_said("contact", key)["pronouns"])
        found += [
            f"{pronouns} of {row['email']} is {row[pronouns]}"
            for row in state["speakers"]
            if row[pronouns] not in possible.get(address(row["email"]), {row[pronouns]})
        ]
        choices = Counter(each["name"] for each in sandbox.fields("sessions")[format_]["choices"])
        return [*found, *(f"the choice {name} is there {n} times" for name, n in choices.items() if n > 1)]


def seed_of(mapped: Mapped | None) -> dict[str, Any]:
    """The custom fields of the account."""
    return {"fields": [dict(each) for each in FIELDS]} if mapped else {}


async def change_map(history: History) -> None:
    """F1: a source feeds one more field from now on, or one less; what it wrote stays."""
    if history.fields:
        history.fields.more = not history.fields.more
        settings = history.fields.settings
        history.send([history.writer.mapping_updated(history.swoogo_event_id, settings=settings, at=history.at())])


async def edit_mapped(history: History) -> None:
    """F4: somebody edits two mapped fields in Swoogo: one stays as typed, the other is overwritten by a reconcile."""
    await history.idle()
    if not history.fields:
        return
    key = history.chance.choice(sorted(set(history.held.talks) & set(history.expected.sessions) - history.deleted))
    row = history.found(history.expected.sessions[key].name)
    if row is None:
        return
    history.edits += 1
    text = f"Typed {history.edits}"
    language = _attribute(history.sandbox, "sessions", "Language")
    history.sandbox.edit("sessions", row["id"], {language: text, _ALWAYS: text})
    history.fields.typed[key] = text
    if history.chance.random() < 0.5:
        await history.survey(Depth.SHALLOW)


STEPS: Final = (change_map, edit_mapped, edit_mapped)


def _said(kind: str, key: str) -> dict[str, Any]:
    return detailed(kind, {"id": key, "custom_fields": []})


def _held(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) else value


def _attribute(sandbox: SandboxSwoogo, kind: str, label: str) -> str:
    """Of the field that people call so."""
    return next(name for name, each in sandbox.fields(kind).items() if each["name"] == label)
