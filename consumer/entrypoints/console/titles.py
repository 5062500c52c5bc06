"""Titles in pictures: browsers break no text in SVG, so the server does, by how wide letters usually are."""

from __future__ import annotations

from typing import Final

_THIN: Final = frozenset("iIljtfr.,:;'|!()[] ’‘·")
_BROAD: Final = frozenset("mwMW@%—…")
_FEW: Final = 30.0
"""Pixels beside an icon that are no room for a title."""


def width_of(text: str) -> float:
    """Pixels that a text takes at 11 px, a little more than less."""
    return sum(
        3.6
        if letter in _THIN
        else 9.6
        if letter in _BROAD
        else 11.0
        if ord(letter) > 0x1100
        else 7.4
        if letter.isupper()
        else 6.1
        for letter in text
    )


def break_title(title: str, width: float, lines: int, icon: float = 0) -> tuple[str, ...]:
    """A title as at most so many lines; what does not fit ends with an ellipsis.

    Args:
        title: one line.
        width: pixels of a line.
        lines: at least 1.
        icon: pixels at the end of the first line that are taken; where few are left, the title begins below.
    """
    found = [""] if icon and lines > 1 and width - icon < _FEW else []
    words = title.split()
    while words and len(found) < lines:
        space = width - (icon if not found else 0)
        taken = 0
        while taken < len(words) and width_of(" ".join(words[: taken + 1])) <= space:
            taken += 1
        if taken == 0:  # a word longer than a line
            fits = next(n for n in range(len(words[0]), 0, -1) if n == 1 or width_of(words[0][:n]) <= space)
            found.append(words[0][:fits])
            words[0] = words[0][fits:]
            words = words if words[0] else words[1:]
            continue
        found.append(" ".join(words[:taken]))
        words = words[taken:]
    if words and found:
        found[-1] = _ellipsis(found[-1], width - (icon if len(found) == 1 else 0))
    return tuple(found)


def _ellipsis(line: str, width: float) -> str:
    while line and width_of(line + "…") > width:
        line = line[:-1].rstrip()
    return line + "…"
