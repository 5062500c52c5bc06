"""Names in every form: what people paste into titles, rooms, tracks, tiers, names and addresses.

A history goes on with plain names ("Room 3"); what is published of it is written in one of these forms, the same one
for the same name of a run. What Swoogo holds is compared by its plain name again, whatever it stored of the form.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final, get_args, get_type_hints
from unicodedata import normalize
from zlib import crc32

from consumer.domain.records.text import clean_email
from sandbox.conference.model import Conference
from sandbox.swoogo.switches import Switches

_TAIL: Final = "Tail"

FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "plain": lambda name: name,
    "control characters": lambda name: f"{name.replace(' ', chr(0x0B), 1)}\x00\x07\x7f",
    "form feed at the end": lambda name: f"{name}\x0c",
    "NFD": lambda name: f"{name} {normalize('NFD', 'Café Ångström')}",
    "NFC": lambda name: f"{name} {normalize('NFC', 'Café Ångström')}",
    "no-break and double spaces": lambda name: f"\u00a0{name.replace(' ', chr(0xA0), 1)}  {_TAIL}",
    "zero width": lambda name: f"\u200b{name[:2]}\u200d{name[2:]}\ufeff",
    "soft hyphen": lambda name: f"{name[:3]}\u00ad{name[3:]}",
    "emoji": lambda name: f"{name} \U0001f469\u200d\U0001f4bb \U0001f389",
    "markup": lambda name: f"{name} <b>{_TAIL}</b> <i",
    "ampersand": lambda name: f"{name} & {_TAIL} &amp; &lt;",
    "right to left": lambda name: f"{name} \u202e{_TAIL}\u202c",
    "dotted capital": lambda name: f"{name} \u0130stanbul Straße \u212a",
    "too long": lambda name: f"{name} {'x' * 300}",
}
"""How a name may be written. None of them changes which name it is."""

_PLAIN: Final = re.compile(r"(Talk|Room|Track|Sponsor|Company|First|Last|Gold|Silver)\W*(\d*)", re.ASCII)
_EDITED: Final = re.compile(r", (edited|after all) (\d+)", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Forms:
    """The forms of one run. `tiers`: whether tiers have some too; `used`: how often each was written."""

    seed: int
    tiers: bool = True
    used: dict[str, int] = dataclasses.field(default_factory=dict)

    def written(self, conference: Conference) -> Conference:
        """The conference as it is published."""
        write, replace = self._write, dataclasses.replace
        return replace(
            conference,
            rooms={key: replace(each, name=write(each.name)) for key, each in conference.rooms.items()},
            tracks={key: replace(each, name=write(each.name)) for key, each in conference.tracks.items()},
            talks={key: replace(each, title=write(each.title)) for key, each in conference.talks.items()},
            people={
                key: replace(
                    each,
                    first_name=write(each.first_name),
                    last_name=write(each.last_name),
                    email=self._address(each.email),
                )
                for key, each in conference.people.items()
            },
            sponsors={
                key: replace(each, name=write(each.name), tier=write(each.tier) if self.tiers else each.tier)
                for key, each in conference.sponsors.items()
            },
        )

    def _write(self, name: str) -> str:
        form = sorted(FORMS)[crc32(f"{self.seed} {name}".encode()) % len(FORMS)]
        self.used[form] = self.used.get(form, 0) + 1
        return FORMS[form](name)

    def _address(self, email: str) -> str:
        draw = crc32(f"{self.seed} {email}".encode()) % 4
        return (email, f"\u200b{email}", email.replace("@", "\u00ad@"), email.capitalize())[draw]


def plain(name: str) -> str:
    """The name that was written in one of the forms, as far as anything is left of it."""
    words = re.sub(r"[^\x20-\x7e]", "", name)
    found = _PLAIN.search(words)
    if found is None:
        return name
    word, number = found.groups()
    spaced = f"{word} {number}" if word in {"Talk", "Room", "Track", "Sponsor", "Company"} else f"{word}{number}"
    edits = "".join(f", {how} {count}" for how, count in _EDITED.findall(words))
    return spaced + edits


def plain_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """What the sandbox holds, by plain names."""
    answer = dict(state)
    for kind in ("locations", "tracks", "sessions", "sponsors"):
        answer[kind] = [{**row, "name": plain(row["name"])} for row in state[kind]]
    answer["sponsors"] = [
        {**row, "level": {**row["level"], "value": plain(row["level"]["value"])} if row["level"] else row["level"]}
        for row in answer["sponsors"]
    ]
    answer["levels"] = {
        key: [{**level, "name": plain(str(level["name"]))} for level in levels]
        for key, levels in state["levels"].items()
    }
    names = ("first_name", "last_name")
    answer["speakers"] = [
        {**row, **{each: plain(row[each] or "") for each in names}, "email": clean_email(row["email"]).lower()}
        for row in state["speakers"]
    ]
    contacts = state.get("contacts", ())
    answer["contacts"] = [{**row, "email": clean_email(row["email"] or "").lower()} for row in contacts]
    return answer


def lossy(switches: Switches) -> bool:
    """Whether a name may be stored so that only a person can tell which one it is."""
    stored = (switches.text_tags, switches.text_ampersand, switches.text_astral, switches.text_length)
    return any(each != "kept" for each in stored)


def storing(chance: Random) -> Switches:
    """A Swoogo that stores text in forms of its own, and shows its records with the event as it pleases."""
    hints = get_type_hints(Switches)
    drawn: dict[str, object] = {
        name: chance.choice(get_args(hint))
        for name, hint in hints.items()
        if name.startswith("text_") and chance.random() < 0.5
    }
    drawn["event_expand"] = chance.choice(("complete", "complete", "truncated", "absent"))
    drawn["page_overflow"] = chance.choice(("last_page", "empty"))
    drawn["create_answer"] = chance.choice(("full", "full", "id_only"))
    return Switches().with_values(drawn)
