"""Text as it may go to Swoogo: HTML without scripts and event handlers (S1), and no unprintable characters.

Guarantees: what was cleaned once is not changed by cleaning it again; text without tags is left as it is.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

import nh3

_BLOCKS: Final = {"p", "div", "br", "hr", "blockquote", "pre", "ul", "ol", "li", "dl", "dt", "dd"}
_HEADINGS: Final = {"h1", "h2", "h3", "h4", "h5", "h6"}
_INLINE: Final = {"a", "b", "strong", "i", "em", "u", "s", "del", "ins", "sub", "sup", "small", "code", "span", "img"}
_TABLES: Final = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}

_CLEANER: Final = nh3.Cleaner(
    tags=_BLOCKS | _HEADINGS | _INLINE | _TABLES,
    clean_content_tags={"script", "style"},
    attributes={
        "a": {"href", "title"},
        "img": {"src", "alt", "title", "width", "height"},
        "th": {"colspan", "rowspan"},
        "td": {"colspan", "rowspan"},
        "ol": {"start"},
    },
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel=None,
)

# A parser walks up all open elements for many a tag, so 60,000 characters of "<ul><li>" hold a processor for seconds.
_OPEN_MOST: Final = 1_000
# As many attributes in one tag: each is compared with all before it.
_CROWD_MOST: Final = 5_000
_SEPARATOR: Final = re.compile(r"[\s/\"']")
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_ANY_TAG: Final = re.compile(r"<[^>]*>?")
_VOID: Final = {"br", "hr", "img", "input", "link", "meta", "wbr", "col", "area", "embed", "source", "track", "base"}

# Line feeds, tabs and returns stay. Lone surrogates cannot be encoded, NUL ends strings in databases.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def printable(text: str) -> str:
    """The text without control characters and lone surrogates."""
    return _UNPRINTABLE.sub("", text) if _UNPRINTABLE.search(text) else text


def clean_html(html: str) -> str:
    """The HTML with nothing in it that runs: an allow-list of tags, attributes and link schemes.

    HTML with more than a thousand elements left open, or thousands of attributes in one tag, keeps its text only.
    """
    text = printable(html)
    if "<" not in text:
        return text
    return _cleaned(text)


def _cleaned(text: str) -> str:
    return _ANY_TAG.sub(" ", text) if _slow(text) else _CLEANER.clean(text)


def _slow(text: str) -> bool:
    """Whether a parser would need seconds; found out in one pass."""
    if len(text) <= _OPEN_MOST:
        return False
    opened: dict[str, int] = {}
    for closing, name in _TAG.findall(text):
        if name.lower() not in _VOID:
            opened[name.lower()] = opened.get(name.lower(), 0) + (-1 if closing else 1)
    if sum(left for left in opened.values() if left > 0) > _OPEN_MOST:
        return True
    long = (tag for tag in _ANY_TAG.findall(text) if len(tag) > _CROWD_MOST)
    return any(len(_SEPARATOR.findall(tag)) > _CROWD_MOST for tag in long)


def same_html(one: str, other: str) -> bool:
    """Whether two pieces of HTML mean the same: white space folded, entities and tags spelt alike."""
    return one == other or _folded(one) == _folded(other)


def _folded(html: str) -> str:
    return " ".join(unescape(_cleaned(printable(html))).split())
