"""What of an HTML text cannot go to Swoogo although people would miss it (S1)."""

from __future__ import annotations

import re
from typing import Final

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
_TAG: Final = re.compile(r"<[a-z][^<>]*", re.IGNORECASE)
# Possessive, as blanks without end could belong to either side of a quote that is not there.
_ADDRESS: Final = re.compile(r"\s(?:src|href|poster)\s*+=\s*+[\"']?+\s*+([a-z][a-z0-9+.-]*+):", re.IGNORECASE)


def lost_content(html: str) -> tuple[str, ...]:
    """What is left out when this text is cleaned, in words, each once; scripts and styles are no content."""
    if "<" not in html:
        return ()
    text = _COMMENT.sub("", html) if "<!--" in html else html
    found = [_ELEMENTS[name.lower()] for name in _ELEMENT.findall(text)]
    schemes = (scheme.lower() for tag in _TAG.findall(text) if ":" in tag for scheme in _ADDRESS.findall(tag))
    found += [f"an address with {scheme}:" for scheme in schemes if scheme not in URL_SCHEMES | _SCRIPTS]
    return tuple(dict.fromkeys(found))
