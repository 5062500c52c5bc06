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

# Line feeds, tabs and returns stay. Lone surrogates cannot be encoded, NUL ends strings in databases.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def printable(text: str) -> str:
    """The text without control characters and lone surrogates."""
    return _UNPRINTABLE.sub("", text) if _UNPRINTABLE.search(text) else text


def clean_html(html: str) -> str:
    """The HTML with nothing in it that runs: an allow-list of tags, attributes and link schemes."""
    text = printable(html)
    if "<" not in text:
        return text
    return _CLEANER.clean(text)


def same_html(one: str, other: str) -> bool:
    """Whether two pieces of HTML mean the same: white space folded, entities and tags spelt alike."""
    return one == other or _folded(one) == _folded(other)


def _folded(html: str) -> str:
    return " ".join(unescape(_CLEANER.clean(printable(html))).split())
