"""Names that break things, and what a Swoogo may store of them: for property tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Final

from hypothesis import strategies as st

from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Resource, Sponsor
from sandbox.swoogo import Switches
from sandbox.swoogo.stored import stored_text
from tests.support.builders import a_contact, a_room, a_session, a_track

ALPHABETS: Final = {
    "controls": "ab \x0b\x0c\x00\x07\x7f\x85\x1f",
    "decomposed": "ae\u0301o\u0308 ",
    "spaces": "ab \u00a0\u2003\t",
    "invisible": "ab\u200b\u200d\u00ad\u2060\ufeff",
    "case": "aAßſ\u0130\u212aΣς s",
    "emoji": "a \U0001f600\u2764\ufe0f\U0001f468\u200d\U0001f469",
    "markup": "ab<>/&;#",
}
STORED: Final = {
    "as it is": Switches(),
    **{
        f"{switch.name[5:]} {value}": Switches(**{switch.name: value})  # type: ignore[arg-type]
        for switch, value in zip(
            [each for each in fields(Switches) if each.name.startswith("text_")],
            ["nfc", "folded", "stripped", "escaped", "dropped", "dropped", "cut"],
            strict=True,
        )
    },
}
"""Each single change of a text that the sandbox knows, by the switches that make it."""

WHOLE: Final = ("Q&A", "R&amp;D <b>live</b>", "Saal Maße", "Café", "Cafe\u0301", "\u200b", "\U0001f600", "a < b > c")
names: Final = st.one_of(
    st.sampled_from(WHOLE),
    *(st.text(alphabet, min_size=1, max_size=12) for alphabet in ALPHABETS.values()),
    st.text("".join(ALPHABETS.values()), min_size=1, max_size=30),
    st.builds(lambda text: (text * 300)[:300], st.text("".join(ALPHABETS.values()), min_size=1, max_size=20)),
)


def changing(switches: Switches) -> Callable[[str], str]:
    """What these switches make of a text."""
    return lambda text: stored_text(switches, text)


def resources_named(kind: Kind, name: str) -> list[Resource]:
    """A record of the kind that has this name; a speaker has it in the address as well."""
    session = a_session("s1", title=name if kind is Kind.SESSION else "Talk")
    match kind:
        case Kind.SPEAKER:
            return [a_session("s1", people=["c1"]), a_contact("c1", first_name=name, email=f"a{name}b@example.org")]
        case Kind.LOCATION:
            return [a_session("s1", room=a_room(name=name))]
        case Kind.TRACK:
            return [a_session("s1", track=a_track(name=name))]
        case Kind.SPONSOR:
            return [Sponsor("p1", version=1, name=name)]
        case Kind.LEVEL:
            return [Sponsor("p1", version=1, name="Acme", tier=name)]
    return [session]
