"""Two pieces of HTML that were cleaned, compared as trees."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_Token = tuple[str, ...]

_WHITE: Final = re.compile(r"\s+")

_LOOK: Final = frozenset({"class", "style", "id", "role", "target", "rel", "lang", "dir", "align", "valign", "loading"})
"""Attributes that editors rewrite and people cannot read."""


class _Reader(HTMLParser):
    """Tags with what matters of their attributes, and the text between them; cleaned HTML has no loose ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tokens: list[_Token] = []
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kept = sorted(
            (name, value or "") for name, value in attrs if name not in _LOOK and not name.startswith("aria-")
        )
        self._end_text()
        self.tokens.append(("<", tag, *(part for pair in kept for part in pair)))

    def handle_endtag(self, tag: str) -> None:
        self._end_text()
        self.tokens.append((">", tag))

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def close(self) -> None:
        super().close()
        self._end_text()

    def _end_text(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        if text:
            self.tokens.append(("text", _WHITE.sub(" ", text)))


def same_tree(one: str, other: str) -> bool:
    """Whether two cleaned pieces hold the same elements, links and text, white space folded."""
    return one == other or _tokens(one) == _tokens(other)


def _tokens(html: str) -> list[_Token]:
    reader = _Reader()
    reader.feed(html.strip())
    reader.close()
    return reader.tokens
