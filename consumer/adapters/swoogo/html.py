"""HTML as it may go to Swoogo: without scripts, event handlers, frames and unknown protocols (S1).

Guarantees: what was cleaned once is not changed by cleaning it again; text without tags is left as it is, but for
control characters; no text is lost but that of elements which `domain.records.text` names.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Final

import nh3

from consumer.domain.records.text import URL_SCHEMES, clean_text

_TAGS: Final = nh3.ALLOWED_TAGS | {
    *("section", "main", "address", "search", "menu", "tfoot", "big", "font", "meter", "progress"),
    *("picture", "video", "audio", "source", "track"),
}
_ANYWHERE: Final = {"title", "lang", "dir", "id", "class", "style", "role"}
_ATTRIBUTES: Final = {
    "a": {"target", "rel"},
    "img": {"loading"},
    "video": {"src", "poster", "controls", "width", "height", "loop", "muted", "preload"},
    "audio": {"src", "controls", "loop", "muted", "preload"},
    "source": {"src", "type", "media"},
    "track": {"src", "kind", "srclang", "label", "default"},
    "ol": {"type", "reversed"},
    "li": {"value"},
    "details": {"open"},
    "time": {"datetime"},
    "data": {"value"},
    "meter": {"value", "min", "max", "low", "high", "optimum"},
    "progress": {"value", "max"},
    "font": {"color", "face", "size"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "td": {"valign", "width"},
    "th": {"valign", "width"},
}
# None that takes an address, moves an element out of its place, or lays it over others.
_STYLES: Final = {
    *("color", "background-color", "text-align", "text-decoration", "text-indent", "text-transform", "direction"),
    *("font", "font-family", "font-size", "font-style", "font-variant", "font-weight", "line-height", "letter-spacing"),
    *("margin", "margin-top", "margin-right", "margin-bottom", "margin-left", "width", "height", "max-width"),
    *("padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "float", "clear"),
    *("border", "border-top", "border-right", "border-bottom", "border-left", "border-color", "border-style"),
    *("border-width", "border-collapse", "border-radius", "vertical-align", "white-space", "list-style-type"),
}


def _attribute(_tag: str, name: str, value: str) -> str | None:
    """nh3 looks at the addresses of `href`, `src` and `poster`; that of a quotation is none to it."""
    if name != "cite":
        return value
    scheme, colon, _ = value.partition(":")
    return value if not colon or scheme.strip().lower() in URL_SCHEMES else None


_CLEANER: Final = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style", "iframe"},
    attributes={
        "*": _ANYWHERE,
        **{
            tag: _ATTRIBUTES.get(tag, set()) | nh3.ALLOWED_ATTRIBUTES.get(tag, set())
            for tag in {*_ATTRIBUTES, *nh3.ALLOWED_ATTRIBUTES}
        },
    },
    attribute_filter=_attribute,
    generic_attribute_prefixes={"aria-"},
    filter_style_properties=_STYLES,
    url_schemes=set(URL_SCHEMES),
    link_rel=None,
)

# A parser walks up all open elements for many a tag, so 60,000 characters of "<ul><li>" hold a processor for seconds.
_MAX_OPEN: Final = 1_000
# As many attributes in one tag: each is compared with all before it.
_MAX_CROWD: Final = 5_000
# Of 140,000 drawn fragments none took more than three.
_ROUNDS: Final = 8
_SEPARATOR: Final = re.compile(r"[\s/\"']")
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_ANY_TAG: Final = re.compile(r"<[/!?A-Za-z][^>]*>?")
_UNSHOWN: Final = re.compile(r"<(script|style|iframe)\b.*?(?:</\1\b[^>]*>?|$)", re.DOTALL | re.IGNORECASE)
_VOID: Final = {"br", "hr", "img", "input", "link", "meta", "wbr", "col", "area", "embed", "source", "track", "base"}
_PRE: Final = re.compile(r"(<pre(?:\s[^>]*)?>)\n")
_EMPTY_STYLE: Final = ' style=""'
# Written by nh3, no tag holds a `>` in a value.
_EMPTY_STYLED: Final = re.compile(rf"(<[a-z][^<>]*){_EMPTY_STYLE}")
_REFERENCE: Final = re.compile(r"&#(?:0*([0-9]{1,7})(?![0-9])|[xX]0*([0-9A-Fa-f]{1,6})(?![0-9A-Fa-f]));?")
_BREAKS: Final = frozenset({0x0B, 0x0C})


def clean_html(html: str) -> str:
    """The HTML with nothing in it that runs, frames or leads to an unknown protocol; the rest stays.

    HTML with more than a thousand elements left open, or thousands of attributes in one tag, keeps its text only.
    """
    text = clean_text(html)
    for _ in range(_ROUNDS):
        before, text = text, _cleaned(text)
        # A parser may nest what it reads in another way than what it wrote.
        if text == before:
            return text
    return _text_only(text)


def same_html(one: str, other: str) -> bool:
    """Whether people see the same: the trees are compared, white space folded, whatever they are spelt like.

    `<p>` that was escaped is text and no paragraph. What is only about the look (classes, styles) does not count.
    """
    return one == other or same_tree(_parsed(clean_html(one)), _parsed(clean_html(other)))


def _cleaned(text: str) -> str:
    if "&#" in text:
        text = _REFERENCE.sub(_shown, text)
    return _parsed(text) if "<" in text else text


def _parsed(html: str) -> str:
    text = clean_text(html)
    if _slow(text):
        return _text_only(text)
    cleaned = clean_text(_CLEANER.clean(text))
    if _EMPTY_STYLE in cleaned:
        cleaned = _EMPTY_STYLED.sub(r"\1", cleaned)
    # A line feed that opens a `pre` is passed over by readers, but not left out by writers.
    return _PRE.sub(r"\1\n\n", cleaned) if "<pre" in cleaned else cleaned


def _shown(reference: re.Match[str]) -> str:
    """A reference to a control character is that character; others stay as they are spelt."""
    code = int(reference[1] or reference[2], 10 if reference[1] else 16)
    if code in _BREAKS:
        return " "
    # References to 128 to 159 mean what Windows has there.
    named = unescape(f"&#{code};")
    return reference[0] if clean_text(named) == named != "" else clean_text(named)


def _text_only(text: str) -> str:
    return _ANY_TAG.sub(" ", _UNSHOWN.sub(" ", text)).replace("<", "&lt;")


def _slow(text: str) -> bool:
    """Whether a parser would need seconds; found out in one pass."""
    if len(text) <= _MAX_OPEN:
        return False
    opened: dict[str, int] = {}
    for closing, name in _TAG.findall(text):
        if name.lower() not in _VOID:
            opened[name.lower()] = opened.get(name.lower(), 0) + (-1 if closing else 1)
    if sum(left for left in opened.values() if left > 0) > _MAX_OPEN:
        return True
    long = (tag for tag in _ANY_TAG.findall(text) if len(tag) > _MAX_CROWD)
    return any(len(_SEPARATOR.findall(tag)) > _MAX_CROWD for tag in long)


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
