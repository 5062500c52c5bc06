"""What may become of a text before Swoogo stores it; each a switch, since no document says.

Applied to names, e-mail addresses, other one-line texts and the names of choices; HTML has a switch of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Final
from unicodedata import category, normalize

from sandbox.swoogo.switches import Switches

_TAG: Final = re.compile(r"<[^>]*>")
CUT_AT: Final = 100
"""Characters of which a text is cut where `text_length` says so; shorter than any document says."""


def stored_text(switches: Switches, text: str) -> str:
    """The text as it is stored and answered."""
    for name, change in _CHANGES.items():
        if getattr(switches, name) != "kept":
            text = change(text)
    return text


def _without_format(text: str) -> str:
    return "".join(char for char in text if category(char) != "Cf")


def _without_astral(text: str) -> str:
    """MySQL's three-byte `utf8`, in a mode that is not strict."""
    return "".join(char for char in text if ord(char) < 0x10000)


# Tags before ampersands: what is escaped has no tags left.
_CHANGES: Final[Mapping[str, Callable[[str], str]]] = {
    "text_tags": lambda text: _TAG.sub("", text),
    "text_ampersand": lambda text: escape(text, quote=False),
    "text_unicode": lambda text: normalize("NFC", text),
    "text_format": _without_format,
    "text_astral": _without_astral,
    "text_spaces": lambda text: " ".join(text.split()),
    "text_length": lambda text: text[:CUT_AT],
}
