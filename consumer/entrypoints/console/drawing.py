"""Templates become pages: escaped, strict about what is undefined, with the icons that were used and no others."""

from __future__ import annotations

import re
from functools import partial
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from consumer.entrypoints.console import times
from consumer.entrypoints.console.page import Ask, Shown
from consumer.entrypoints.console.routes import ROUTES, path_of
from consumer.entrypoints.documents.words import counted, lasting, plain
from consumer.version import installed_version

_ICONS: Final = {
    "ok": '<circle cx="8" cy="8" r="6.2"/><path d="m5.3 8.2 1.9 1.9 3.5-4"/>',
    "wait": '<circle cx="8" cy="8" r="6.2"/><path d="M8 4.6V8l2.3 1.5"/>',
    "push": '<circle cx="8" cy="8" r="6.2"/><path d="M8 11V5.2M5.5 7.4 8 4.9l2.5 2.5"/>',
    "held": '<circle cx="8" cy="8" r="6.2"/><path d="M6.4 5.8v4.4M9.6 5.8v4.4"/>',
    "hand": '<path d="M8 1.9 14.6 13.6H1.4z"/><path d="M8 6.3v3.2M8 11.6v.1"/>',
    "off": '<circle cx="8" cy="8" r="6.2"/><path d="m3.7 12.3 8.6-8.6"/>',
    "edit": '<path d="m3 13 .7-3 7.2-7.2a1.4 1.4 0 0 1 2 2L5.8 12.2z"/>',
    "gone": '<circle cx="8" cy="8" r="6.2"/><path d="m5.8 5.8 4.4 4.4M10.2 5.8l-4.4 4.4"/>',
    "look": '<circle cx="7" cy="7" r="4.6"/><path d="m10.5 10.5 3.4 3.4"/>',
    "person": '<circle cx="8" cy="5.2" r="2.9"/><path d="M2.6 14c.6-3 2.7-4.4 5.4-4.4s4.8 1.4 5.4 4.4"/>',
    "out": '<path d="M6 3h7v7M13 3 3.5 12.5"/>',
}


_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def _seen(value: Any) -> Any:
    """What a template puts in, without what turns or hides the text around it; so no template can forget to."""
    return _UNSEEN.sub(" ", value) if type(value) is str else value


class _Icons:
    """The sprite of one page: `icon("hand")` draws one, and `sprite()` holds those that were drawn."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def use(self, name: str) -> str:
        """The reference of an icon, for drawings that place it themselves."""
        self._used.add(name)
        return f"#i-{name}"

    def __call__(self, name: str) -> Markup:
        return Markup('<svg class="i" aria-hidden="true"><use href="{}"/></svg>').format(self.use(name))

    def sprite(self) -> Markup:
        """To be drawn last."""
        drawn = "".join(
            f'<symbol id="i-{name}" viewBox="0 0 16 16">{_ICONS[name]}</symbol>' for name in sorted(self._used)
        )
        return Markup(f'<svg class="sprite" width="0" height="0" aria-hidden="true">{drawn}</svg>')  # noqa: S704 - ours


class Drawing:
    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("consumer.entrypoints.console"),
            autoescape=True,
            finalize=_seen,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals |= {
            "path": path_of,
            "pages": frozenset(page.name for page in ROUTES),
            "counted": counted,
            "version": installed_version(),
        }
        self._templates.filters |= {"number": "{:,}".format, "plain": plain, "lasting": lasting}

    def draw(self, shown: Shown, ask: Ask, *, etag: str, moment: int, stale: bool = False) -> str:
        """The page as HTML. `moment`: when its facts were read, ms; `stale`: they could not be read again."""
        timezone, icons = times.zone_of(shown.timezone), _Icons()
        live = shown.live and ask.query.get("live") != "off"
        context: dict[str, Any] = {
            "shown": shown,
            "facts": shown.facts,
            "viewer": ask.viewer,
            "orders": ask.may_order,
            "token": ask.token,
            "icon": icons,
            "etag": etag,
            "stale": stale,
            "live": live,
            "seconds": ask.settings.refresh,
            "paused": _with(ask, "off"),
            "resumed": _with(ask, ""),
            "as_of": times.at(moment, timezone),
            "clocks": times.offset(timezone, moment),
            "when": partial(times.when, now=moment, timezone=timezone),
        }
        return self._templates.get_template(shown.template).render(context)


def _with(ask: Ask, live: str) -> str:
    """The same page with or without refreshing."""
    query = {name: value for name, value in ask.query.items() if name != "live"} | ({"live": live} if live else {})
    return f"?{urlencode(query)}" if query else ask.request.url.path


def etag_of(shown: Shown, ask: Ask) -> str:
    """Tells whether the page would be the same, but for the moment on it."""
    said = msgspec.json.encode((shown.template, shown.title, shown.facts, ask.viewer.actor, ask.query.get("live")))
    return f'"{blake2b(said, digest_size=12).hexdigest()}"'
