"""HTML as people, editors and attackers write it: fragments drawn from a seed (S1)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

TAGS: Final = (
    *("p", "div", "b", "i", "u", "a", "h1", "h2", "ul", "ol", "li", "dl", "dt", "dd", "pre", "blockquote", "br", "hr"),
    *("table", "tr", "td", "th", "tbody", "thead", "caption", "col", "colgroup", "section", "article", "main"),
    *("details", "summary", "figure", "figcaption", "abbr", "kbd", "mark", "cite", "q", "ruby", "rt", "rp", "video"),
    *("source", "track", "audio", "picture", "img", "span", "font", "center", "nobr", "time", "address", "hgroup"),
    *("menu", "image", "script", "style", "iframe", "svg", "math", "template", "object", "embed", "frameset"),
    *("form", "input", "select", "option", "button", "textarea", "title", "noscript", "xmp", "plaintext", "base"),
    *("body", "html", "head", "link", "meta", "foreignObject", "mi", "mtext", "annotation-xml", "desc", "path"),
    *("marquee", "listing"),
)
ATTRIBUTES: Final = (
    'href="https://a.example/"',
    "href='javascript:alert(1)'",
    'href="java&#10;script:alert(1)"',
    'src="data:text/html,x"',
    'style="color:red;position:fixed"',
    'style="background:url(javascript:x())"',
    "id=x",
    'class="a b"',
    "onclick=alert(1)",
    "ONERROR=x",
    'title="<pre>\n"',
    'title="&#7;"',
    'cite="javascript:x"',
    "lang=de",
    "dir=rtl",
    'srcset="data:x"',
    'poster="vbscript:x"',
    "data-method=post",
    "aria-label=y",
    'formaction="https://a.example"',
)
TEXTS: Final = (
    *(
        "word",
        "two",
        "\n",
        "\n\n",
        " ",
        "&amp;",
        "&lt;",
        "&#7;",
        "&#x0b;",
        "&#150;",
        "&#0;",
        "&#&#7;7;",
        "&nbsp;",
        "&#xd800;",
    ),
    *(
        "<",
        "<<",
        ">",
        '"',
        "é",
        "\u202e",
        "\x07",
        "\x0b",
        "&",
        "--",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?x",
        "</",
        "]",
    ),
)


def fragment(source: random.Random, most: int = 14) -> str:
    """Some tags, attributes and text after each other, well-formed or not."""
    parts = []
    for _ in range(source.randint(1, most)):
        chance = source.random()
        if chance < 0.45:
            attributes = "".join(f" {source.choice(ATTRIBUTES)}" for _ in range(source.choice([0, 0, 1, 2])))
            parts.append(f"<{source.choice(TAGS)}{attributes}{source.choice(['>', '>', '>', '/>', ''])}")
        elif chance < 0.7:
            parts.append(f"</{source.choice(TAGS)}>")
        else:
            parts.append(source.choice(TEXTS))
    return "".join(parts)


def fragments(count: int, seed: int = 0) -> Iterator[str]:
    """The same ones for the same seed."""
    source = random.Random(seed)
    for _ in range(count):
        yield fragment(source)
