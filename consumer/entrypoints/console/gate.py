"""Who comes in: known, not too often, of the right role, where orders are on, with a form of ours (K3, K4)."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_of
from secrets import token_bytes
from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from consumer.domain.errors import UnavailableError
from consumer.entrypoints.console.routes import Page
from consumer.entrypoints.console.viewer import Identify, Viewer
from consumer.ports import Clock
from consumer.settings import ConsoleSettings

TOKEN: Final = "token"  # noqa: S105 - the name of a field
FORM_SECONDS: Final = 12 * 3600
_FIELDS: Final = 2_000
_BURST: Final = 10
_ORDER_COSTS: Final = 10
_PEOPLE: Final = 10_000


class CsrfTokens:
    """Tokens that prove that a form was drawn for who sends it, not long ago, by a console of this secret."""

    def __init__(self, secret: str, clock: Clock) -> None:
        """Without a secret, one of this process."""
        self._key = sha256(b"swoogo-sync console forms\0" + (secret.encode() or token_bytes(32))).digest()
        self._clock = clock

    def token(self, viewer: Viewer) -> str:
        return self._signed(viewer, str(self._clock.now() // 1000))

    def holds(self, viewer: Viewer, token: str) -> bool:
        """Whether a token is one of this viewer's, and of the last hours."""
        moment, _, _ = token.partition(".")
        if not (moment.isascii() and moment.isdigit() and len(moment) < 12):
            return False
        fresh = -60 <= self._clock.now() // 1000 - int(moment) <= FORM_SECONDS
        return compare_digest(token.encode(), self._signed(viewer, moment).encode()) and fresh

    def _signed(self, viewer: Viewer, moment: str) -> str:
        said = f"{moment}\0{viewer.actor}\0{viewer.role.name}"
        return f"{moment}.{hmac_of(self._key, said.encode(), 'sha256').hex()}"


class RateLimiter:
    """How often each person may ask: so many a second, ten times as many at once; an order counts ten times."""

    def __init__(self, rate: int, clock: Clock) -> None:
        self._rate, self._clock = float(rate), clock
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, actor: str, *, order: bool) -> bool:
        """Whether this request is within the rate; it counts if it is."""
        now, most = self._clock.ticks(), self._rate * _BURST
        left, since = self._left.pop(actor, (most, now))
        left = min(left + (now - since) / 1e9 * self._rate, most)
        cost = _ORDER_COSTS if order else 1
        within = left >= cost
        self._left[actor] = (left - cost if within else left, now)
        if len(self._left) > _PEOPLE:
            self._left.popitem(last=False)
        return within


class Gate:
    """Lets a request in, or says why not. Whose event it is about is asked next, by the application."""

    def __init__(self, settings: ConsoleSettings, identify: Identify, clock: Clock) -> None:
        self._settings, self._identify = settings, identify
        self.forms = CsrfTokens(settings.secret.get_secret_value(), clock)
        self._rates = RateLimiter(settings.rate, clock)

    async def admit(self, request: Request, page: Page) -> tuple[Viewer, dict[str, str]]:
        """Who asks, and the fields of the form. Raises HTTPException."""
        state = request.state
        state.route = page.name
        try:
            viewer = await self._identify(request)
        except HTTPException as stranger:
            state.reason = getattr(stranger, "reason", "")
            raise
        except UnavailableError:
            raise HTTPException(503, "Who asks is not known now: the keys of the sign-in are away.") from None
        if viewer is None:
            raise HTTPException(401)
        state.viewer, state.actor = viewer, viewer.actor
        posted = request.method == "POST"
        if not self._rates.take(viewer.actor, order=posted):
            raise HTTPException(429, "These are more requests than one person makes. Wait a few seconds.")
        if viewer.role < page.least:
            raise HTTPException(403)
        if (page.order or posted) and self._settings.orders == "off":
            raise HTTPException(403, "Orders are off on this console.")
        form = fields(await request.body()) if posted else {}
        if posted and not self.forms.holds(viewer, form.get(TOKEN, "")):
            raise HTTPException(403, "This form is too old, or not yours. Open its page again.")
        return viewer, form


def fields(body: bytes) -> dict[str, str]:
    """The fields of a form; of those that are there twice, all on a line each. Raises HTTPException."""
    try:
        listed = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:
        listed = [("", "\0")]
    if any("\0" in part for pair in listed for part in pair):
        raise HTTPException(400, "This form cannot be read.")
    found: dict[str, str] = {}
    for name, value in listed:
        found[name] = f"{found[name]}\n{value}" if name in found else value
    return found
