"""Everything a handler works on, and the call it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.swoogo.accounts import Accounts, Credential
from sandbox.swoogo.answers import ApiError, refusal
from sandbox.swoogo.credits import Allowance
from sandbox.swoogo.definitions import Definitions
from sandbox.swoogo.faults import Faults
from sandbox.swoogo.hook_store import Webhooks
from sandbox.swoogo.images import Images
from sandbox.swoogo.resources import RESOURCES, Kind
from sandbox.swoogo.store import Record, Store
from sandbox.swoogo.switches import Switches


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set from outside: the guesses, and sizes. Times in seconds, latency in milliseconds."""

    switches: Switches = field(default_factory=Switches)
    limit: int = 2_000
    window: float = 600.0
    latency_ms: float = 0.0
    token_lifetime: float = 1_800.0

    @property
    def allowance(self) -> Allowance:
        """The credit rule these settings make."""
        return Allowance(self.limit, self.window, self.switches.limiter)


@dataclass(slots=True)
class Backend:
    """The state of the sandbox; `clock` gives seconds since the epoch."""

    clock: Callable[[], float]
    settings: Settings
    store: Store = field(default_factory=Store)
    accounts: Accounts = field(default_factory=Accounts)
    definitions: Definitions = field(default_factory=Definitions)
    images: Images = field(default_factory=Images)
    webhooks: Webhooks = field(default_factory=lambda: Webhooks(Faults()))

    @property
    def switches(self) -> Switches:
        """The guesses in force."""
        return self.settings.switches

    def clear(self) -> None:
        """Forget everything but clock and settings."""
        watch, self.store.on_change = self.store.on_change, None
        self.store, self.accounts = Store(), Accounts()
        self.store.on_change = watch
        self.webhooks.clear()
        self.definitions, self.images = Definitions(), Images()

    def stamp(self) -> str:
        """Now, as Swoogo writes it: UTC, seconds, no zone (`swoogo-api.md` 2.8)."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, read whole.

    `path` has neither prefix nor suffix: `/api/v1/speakers/7/session.json` is `/speakers/7/session` with
    `dotted_json`. `numbers` are the ids in it. `without` is a field a fault takes out of the body.
    """

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    credential: Credential | None
    dotted_json: bool = False
    kind: Kind = "events"
    numbers: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    without: str | None = None

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def reader(self) -> Credential:
        """The credential of an authorized call."""
        if self.credential is None:
            raise AssertionError("the call was let through without a credential")
        return self.credential


def missing(kind: Kind, number: object) -> ApiError:
    """The 404 for a record that is not there."""
    return refusal(404, f"{RESOURCES[kind].singular.capitalize()} not found: {number}")


def accessible(backend: Backend, call: Call, kind: Kind, number: int) -> Record:
    """The record, if this call's credential may have it.

    Raises 404 for one that is not there, and for one of somebody else what the switch says.
    """
    record = backend.store.get(kind, number)
    if record is None:
        raise missing(kind, number)
    if not call.reader.sees(record):
        if backend.switches.not_found_status == 403:
            raise refusal(403, "You are not allowed to perform this action.")
        raise missing(kind, number)
    return record
