"""The sandbox as one object: state, settings, faults, journal, and the ASGI application over them.

In process: `SandboxSwoogo()` and `httpx.ASGITransport(app=create_app(sandbox))`. Everything `/_control` offers
over HTTP is a method here. All of it belongs to one event loop; nothing is thread-safe.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sandbox.swoogo import people
from sandbox.swoogo.accounts import DEFAULT_ACCOUNT, Accounts, Credential
from sandbox.swoogo.answers import ControlError
from sandbox.swoogo.api import Api
from sandbox.swoogo.backend import Backend, Settings
from sandbox.swoogo.faults import Faults
from sandbox.swoogo.hook_store import OBJECTS, Send, Webhooks
from sandbox.swoogo.journal import Journal
from sandbox.swoogo.rendering import all_names, render, standard
from sandbox.swoogo.resources import RESOURCES
from sandbox.swoogo.store import Action, Record
from sandbox.swoogo.switches import Switches


class SandboxSwoogo:
    """A Swoogo to try things on.

    `limit` credits per `window` seconds and credential; `latency_ms` on every call; `token_lifetime` seconds;
    `clock` gives seconds since the epoch; `deliver` sends webhooks, over HTTP unless given. `api` is the ASGI
    application of the vendor's routes.
    """

    def __init__(
        self,
        *,
        switches: Switches | None = None,
        limit: int = 2_000,
        window: float = 600.0,
        latency_ms: float = 0.0,
        token_lifetime: float = 1_800.0,
        credentials: Iterable[Credential] = (),
        clock: Callable[[], float] = time.time,
        deliver: Send | None = None,
    ) -> None:
        self._initial = Settings(
            switches=switches or Switches(),
            limit=limit,
            window=window,
            latency_ms=latency_ms,
            token_lifetime=token_lifetime,
        )
        self._credentials = tuple(credentials)
        self._backend = Backend(clock, self._initial)
        self._faults = Faults()
        self._backend.webhooks = Webhooks(self._faults, deliver)
        self._backend.store.on_change = self._changed
        self._journal = Journal()
        self.api = Api(self._backend, self._faults, self._journal)
        self._admit()

    @property
    def settings(self) -> Settings:
        """Switches and sizes in force."""
        return self._backend.settings

    def configure(self, *, switches: Mapping[str, object] | None = None, **sizes: Any) -> Settings:
        """Change switches (by name) and `limit`, `window`, `latency_ms`, `token_lifetime` at run time.

        Raises ControlError for a name or value there is not, and then changes nothing.
        """
        settings = self.settings
        unknown = set(sizes) - {"limit", "window", "latency_ms", "token_lifetime"}
        if unknown:
            raise ControlError(f"there is no setting {', '.join(sorted(unknown))}")
        for name, value in sizes.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or value < 0 or (value == 0 and name != "latency_ms"):
                raise ControlError(f"{name} is a positive number, not {value!r}")
        try:
            changed = settings.switches.with_values(switches or {})
        except ValueError as error:
            raise ControlError(str(error)) from error
        self._backend.settings = dataclasses.replace(settings, switches=changed, **sizes)
        return self.settings

    @property
    def accounts(self) -> Accounts:
        """Credentials, their credits and tokens."""
        return self._backend.accounts

    def reset(self) -> None:
        """Back to how it was made: settings and credentials as given then, everything else gone."""
        self._backend.clear()
        self._backend.settings = self._initial
        self._faults.clear()
        self._journal.clear()
        self._admit()

    def seed(self, content: Mapping[str, Any]) -> dict[str, list[int]]:
        """Put credentials, fields, records and links there (`people.seed`); returns the ids made, by kind."""
        return people.seed(self._backend, content)

    def create(self, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Create a record as a person would; returns it as `state` shows it."""
        return self._shown(people.create(self._backend, people.kind_of(kind), values))

    def edit(self, kind: str, record_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
        """Edit a record as a person would: `updated_at` moves. Returns it as `state` shows it."""
        return self._shown(people.edit(self._backend, people.kind_of(kind), record_id, values))

    def delete(self, kind: str, record_id: int) -> None:
        """Delete a record as a person would; not a session that has registrants."""
        people.delete(self._backend, people.kind_of(kind), record_id)

    def link(self, speaker_id: int, session_ids: Iterable[int]) -> None:
        """Put a speaker on sessions as a person would."""
        people.link(self._backend, speaker_id, list(session_ids))

    def unlink(self, speaker_id: int, session_ids: Iterable[int]) -> None:
        """Take a speaker off sessions as a person would."""
        people.unlink(self._backend, speaker_id, list(session_ids))

    def alter_field(self, resource: str, attribute: str, **changes: Any) -> None:
        """Change, rename, retype or remove a field as a person would (`people.alter_field`)."""
        people.alter_field(self._backend, {"resource": resource, "attribute": attribute, **changes})

    def fields(self, kind: str, account: str = DEFAULT_ACCOUNT) -> dict[str, dict[str, Any]]:
        """Attribute -> definition with its choices, as get-one shows it."""
        definitions = self._backend.definitions.of(account, people.kind_of(kind))
        return {attribute: definition.as_one() for attribute, definition in definitions.items()}

    def register(self, session_id: int, count: int = 1) -> list[int]:
        """Put new registrants on a session; returns their ids."""
        return people.register(self._backend, session_id, count)

    def expire_tokens(self) -> None:
        """End every token at once."""
        self._backend.accounts.expire_tokens()

    def add_faults(self, rules: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add fault rules (shape in `faults`); returns all rules in force."""
        self._faults.add(rules)
        return self._faults.listed()

    def faults(self) -> list[dict[str, Any]]:
        """The fault rules in force with their counts."""
        return self._faults.listed()

    def clear_faults(self) -> None:
        """Forget every fault rule."""
        self._faults.clear()

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        """Calls with a number above `since`, oldest first."""
        return self._journal.since(since)

    def stats(self) -> dict[str, Any]:
        """Calls and credits by route, statuses, creates by kind, and the most credits in any window."""
        return self._journal.stats(self._backend.accounts)

    def state(self, event_id: int | None = None) -> dict[str, Any]:
        """Everything there is, or everything of one event (with the contacts of its speakers).

        Records are in list shape with all attributes and `event_id`; speakers carry `session_ids`, sessions
        `registrant_ids`.
        """
        backend, store = self._backend, self._backend.store
        answer: dict[str, Any] = {}
        for kind in RESOURCES:
            if event_id is None:
                records = list(store.all(kind).values())
            elif kind == "events":
                records = [record for record in [store.get(kind, event_id)] if record is not None]
            elif kind == "contacts":
                wanted = {s.values["contact_id"] for s in store.of_event(event_id, "speakers").values()}
                records = [record for record in store.all(kind).values() if record.id in wanted]
            else:
                records = list(store.of_event(event_id, kind).values())
            answer[kind] = [self._shown(record) for record in sorted(records, key=lambda record: record.id)]
        answer["links"] = [
            {"speaker_id": speaker["id"], "session_id": session_id}
            for speaker in answer["speakers"]
            for session_id in speaker["session_ids"]
        ]
        answer["images"] = [asdict(image) | {"url": image.url} for image in backend.images.all()]
        accounts = {credential.account for credential in backend.accounts.credentials.values()}
        accounts |= {record.account for record in store.all("events").values()}
        answer["levels"] = {
            account: backend.definitions.of(account, "sponsors")["level"].as_choices() for account in sorted(accounts)
        }
        answer["credentials"] = [
            {"key": c.key, "account": c.account, "events": None if c.events is None else sorted(c.events)}
            for c in backend.accounts.credentials.values()
        ]
        return answer

    @property
    def webhooks(self) -> Webhooks:
        """Webhooks and their deliveries."""
        return self._backend.webhooks

    def _changed(self, record: Record, action: Action) -> None:
        if record.kind in OBJECTS and self.webhooks.hooks:
            backend = self._backend
            shown = standard(backend, record) | {"event_id": record.event_id}
            self.webhooks.changed(record, action, shown, backend.stamp(), backend.switches)

    def _admit(self) -> None:
        for credential in self._credentials:
            self._backend.accounts.admit(credential)

    def _shown(self, record: Record) -> dict[str, Any]:
        shown = {"event_id": record.event_id} | render(self._backend, record, all_names(self._backend, record))
        if record.kind == "speakers":
            shown["session_ids"] = self._backend.store.sessions_of(record.id)
        elif record.kind == "sessions":
            shown["registrant_ids"] = self._backend.store.registrants_of(record.id)
        elif record.kind in {"events", "contacts"}:
            shown["account"] = record.account
            del shown["event_id"]
        return shown
