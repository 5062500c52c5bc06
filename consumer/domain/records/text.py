"""Text as it is sent to Swoogo and as it is compared: cleaned once, before fields, natural keys and digests.

Guarantees: every function here is idempotent; a comparing form is the same for the text as it was sent and as Swoogo
may have stored it in NFC, with white space folded, or without invisible characters (S5, P2).
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final
from unicodedata import category, normalize

# Line feeds, tabs and returns stay. Lone surrogates cannot be encoded, NUL ends strings in databases.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
# PowerPoint breaks lines by a vertical tab. Removed, they would join two words.
_BREAKS: Final = re.compile(r"[\x0b\x0c\x85]")

_IGNORABLE: Final = frozenset(
    map(chr, [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, 0xFFA0])
) | frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
"""Invisible characters beside those of category Cf: fillers and variation selectors (Unicode's `Default_Ignorable`)."""
_BLANK_BRAILLE: Final = "\u2800"

_DIGIT_BEFORE_TWO: Final = re.compile(r"\d(?=(?:\D*\d){2})")
_NOT_IN_EMAIL: Final = r"\s@<>\"'(),;:\[\]"
_EMAIL: Final = re.compile(rf"([^{_NOT_IN_EMAIL}])[^{_NOT_IN_EMAIL}]{{0,200}}@([^{_NOT_IN_EMAIL}]+)")

_ASTRAL: Final = 0x10000
_TAG: Final = re.compile(r"<[^>]*>")
_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def clean_text(text: str) -> str:
    """The text without control characters and lone surrogates; a vertical tab or form feed becomes a blank."""
    # Every control character is unprintable, and most texts have not even a line feed.
    return text if text.isprintable() else _CONTROLS.sub("", _BREAKS.sub(" ", text))


def clean_name(text: str) -> str:
    """A name as it is sent: clean, trimmed, and "" when nothing of it can be seen (E6)."""
    name = clean_text(text).strip()
    return name if name.isascii() or not _invisible(name) else ""


def clean_email(text: str) -> str:
    """An e-mail address as it is sent: without control and format characters, trimmed (P2)."""
    text = clean_text(text)
    return (text if text.isascii() else _without_format(text)).strip()


def natural_name(text: str) -> str:
    """The form in which names are compared (S5): NFC, no format characters, white space folded, lower case.

    Case is not folded further: `Saal Maße` and `Saal Masse` are two rooms.
    """
    text = folded(text).lower()
    return text if text.isascii() else normalize("NFC", text)


def folded(text: str) -> str:
    """One line as people see it: clean, NFC, no format characters, white space folded; case counts."""
    text = clean_text(text)
    if not text.isascii():
        text = normalize("NFC", _without_format(text))
    return " ".join(text.split())


def natural_email(text: str) -> str:
    """The form in which e-mail addresses are compared (P2): clean, ASCII letters lower-cased and nothing else.

    Any other folding makes one address of two: a Kelvin sign would pass for a `k`.
    """
    return clean_email(text).translate(_ASCII_LOWER)


def masked(text: str) -> str:
    """A text with every e-mail address as `a***@example.org`."""
    return _EMAIL.sub(r"\1***@\2", text)


def masked_phone(text: str) -> str:
    """A phone number with its last two digits only."""
    return _DIGIT_BEFORE_TWO.sub("•", text)


def without_markup(text: str) -> str:
    """The text as a system stores it that strips tags, or as one shows it that stores ampersands escaped."""
    return unescape(_TAG.sub("", text))


def former_natural(text: str) -> str:
    """The form in which releases up to 0.1 compared names and e-mail addresses; ledgers hold keys of it."""
    return text.strip().casefold()


def resembles(sent: str, held: str) -> bool:
    """Whether `held` may be what a system made of `sent`: letters and digits left out, or added, but in the same order.

    So it is for texts that were cut, lost tags or emoji, or had characters escaped or transcribed.
    """
    one, other = _letters(sent), _letters(held)
    return _within(one, other) or _within(other, one) or _within(_letters(without_markup(sent)), other)


def _letters(text: str) -> str:
    folded = normalize("NFKD", text).casefold()
    return "".join(char for char in folded if char.isalnum() and ord(char) < _ASTRAL)


def _within(few: str, many: str) -> bool:
    rest = iter(many)
    return all(char in rest for char in few)


def _without_format(text: str) -> str:
    return "".join(char for char in text if not _is_format(char))


def _is_format(char: str) -> bool:
    return category(char) == "Cf" or char in _IGNORABLE


def _invisible(text: str) -> bool:
    return all(char.isspace() or char == _BLANK_BRAILLE or _is_format(char) for char in text)


URL_SCHEMES: Final = frozenset(
    {
        *("http", "https", "mailto", "tel", "sms", "smsto", "ftp", "ftps", "ssh", "geo", "webcal", "url", "magnet"),
        *("news", "nntp", "irc", "ircs", "im", "sip", "xmpp", "mms", "mx", "wtai", "bitcoin", "openpgp4fpr"),
    }
)
"""Protocols that a link or a picture may name (those that nh3 lets through)."""

_ELEMENTS: Final = {
    **dict.fromkeys(("iframe", "frame", "frameset", "portal"), "an embedded page"),
    **dict.fromkeys(("object", "embed", "applet"), "an embedded object"),
    **dict.fromkeys(("input", "select", "textarea", "button"), "a form field"),
    "svg": "a drawing (svg)",
    "math": "a formula (math)",
    "canvas": "a drawing (canvas)",
    "template": "a template",
}
_SCRIPTS: Final = frozenset({"javascript", "vbscript", "livescript"})
# One that is never closed reaches to the end, for parsers as well.
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ELEMENT: Final = re.compile(rf"<({'|'.join(_ELEMENTS)})(?=[\s/>])", re.IGNORECASE)
_HTML_TAG: Final = re.compile(r"<[a-z][^<>]*", re.IGNORECASE)
# Possessive, as blanks without end could belong to either side of a quote that is not there.
_ADDRESS: Final = re.compile(r"\s(?:src|href|poster)\s*+=\s*+[\"']?+\s*+([a-z][a-z0-9+.-]*+):", re.IGNORECASE)


def lost_content(html: str) -> tuple[str, ...]:
    """What is left out when this text is cleaned, in words, each once; scripts and styles are no content."""
    if "<" not in html:
        return ()
    text = _COMMENT.sub("", html) if "<!--" in html else html
    found = [_ELEMENTS[name.lower()] for name in _ELEMENT.findall(text)]
    schemes = (scheme.lower() for tag in _HTML_TAG.findall(text) if ":" in tag for scheme in _ADDRESS.findall(tag))
    found += [f"an address with {scheme}:" for scheme in schemes if scheme not in URL_SCHEMES | _SCRIPTS]
    return tuple(dict.fromkeys(found))
