"""Webhooks as configured, and what is delivered to them (`swoogo-api.md` 10).

A change of a record becomes a delivery for every webhook that wants it, in the same step; a task of the loop sends it.
Faults match a delivery by the method `HOOK` and the path `/{object}/{action}`: `drop` `"before"` loses it, `"after"`
delivers it and takes the answer for lost, so that it comes twice; `delay_ms` makes it late, and reorders.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlencode

import httpx

from sandbox.swoogo.faults import Faults
from sandbox.swoogo.resources import RESOURCES, Kind
from sandbox.swoogo.store import Action, Record
from sandbox.swoogo.switches import Switches

Origin = Literal["public_user", "admin_user", "api_call"]
ACTIONS: Final[tuple[Action, ...]] = ("insert", "update", "delete")
ORIGINS: Final[tuple[Origin, ...]] = ("public_user", "admin_user", "api_call")
OBJECTS: Final[Mapping[Kind, str]] = {
    kind: RESOURCES[kind].singular for kind in ("events", "contacts", "speakers", "sponsors", "sessions")
}
_PAST: Final[Mapping[str, str]] = {"insert": "created", "update": "updated", "delete": "deleted"}
_KEPT: Final = 10_000
_TIMEOUT: Final = 5.0

Send = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]
"""Address, headers and body -> status; raises httpx.HTTPError when nothing was answered."""


@dataclass(slots=True)
class Webhook:
    """One webhook as the API shows it. `account` is whose it is; `headers` go along with each delivery."""

    id: int
    account: str
    name: str
    url: str
    trigger_object: str
    trigger_on: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    any_event: bool = False
    event_ids: tuple[int, ...] = ()
    all_fields: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "json"
    enabled: bool = True
    notes: str = ""

    def shown(self) -> dict[str, Any]:
        """As the API answers it."""
        return {
            "id": self.id,
            "name": self.name,
            "url": self.url,
            "trigger_object": self.trigger_object,
            **{f"trigger_on_{each}": each in self.trigger_on for each in ACTIONS},
            **{each: each in self.origins for each in ORIGINS},
            "any_event": self.any_event,
            "event_ids": list(self.event_ids),
            "all_fields": self.all_fields,
            "headers": [{"key": key, "value": value} for key, value in self.headers.items()],
            "content_type": self.content_type,
            "enabled": self.enabled,
            "notes": self.notes,
        }

    def wants(self, record: Record, action: Action, origin: Origin, *, echo: bool) -> bool:
        """Whether a change is delivered to it; `echo`: calls of the API always are."""
        event_id = record.id if record.kind == "events" else record.event_id
        return (
            self.enabled
            and self.account == record.account
            and self.trigger_object == OBJECTS.get(record.kind)
            and action in self.trigger_on
            and (origin in self.origins or (echo and origin == "api_call"))
            and (self.any_event or event_id in self.event_ids)
        )


@dataclass(slots=True)
class Delivery:
    """One delivery and what became of it: `pending`, `lost`, or the last status that was answered (0: none)."""

    webhook_id: int
    object: str
    action: str
    record_id: int
    outcome: str = "pending"
    attempts: int = 0


class Webhooks:
    """All webhooks of all accounts. `spacing`: seconds before the first retry; it doubles."""

    def __init__(self, faults: Faults, send: Send | None = None, *, spacing: float = 0.2) -> None:
        self._faults, self.send, self._spacing = faults, send or _post, spacing
        self.hooks: dict[int, Webhook] = {}
        self.log: deque[Delivery] = deque(maxlen=_KEPT)
        self.origin: Origin = "admin_user"
        self._next_id = 800_001
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[int, asyncio.Task[None]] = {}

    def clear(self) -> None:
        """Forget every webhook; what is on its way is lost."""
        for task in self._tasks:
            task.cancel()
        self.hooks, self._last = {}, {}
        self.log.clear()

    def add(self, account: str, values: Mapping[str, Any]) -> Webhook:
        """A new webhook."""
        hook = Webhook(self._next_id, account, **values)
        self._next_id += 1
        self.hooks[hook.id] = hook
        return hook

    @contextmanager
    def acting(self, origin: Origin) -> Iterator[None]:
        """Changes in the block are made by this origin."""
        before, self.origin = self.origin, origin
        try:
            yield
        finally:
            self.origin = before

    def changed(self, record: Record, action: Action, shown: Mapping[str, Any], now: str, switches: Switches) -> None:
        """A record was added, changed or is about to be removed; `shown` is all of it."""
        for hook in self.hooks.values():
            if not hook.wants(record, action, self.origin, echo=switches.webhook_echo):
                continue
            body = _body(hook, record, action, shown, switches)
            payload = {"action": _word(action, switches), "object": hook.trigger_object, "datetime": now}
            payload |= body | {"initiated_by": self.origin}
            delivery = Delivery(hook.id, hook.trigger_object, action, record.id)
            self.log.append(delivery)
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                delivery.outcome = "lost"  # no process runs that could send it
                continue
            after = self._last.get(hook.id) if switches.webhook_order == "kept" else None
            task = loop.create_task(self._deliver(hook, delivery, payload, switches, after))
            self._last[hook.id] = task
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @property
    def under_way(self) -> int:
        """How many deliveries are not over."""
        return len(self._tasks)

    async def settled(self) -> None:
        """Return when nothing is on its way any more."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def state(self) -> dict[str, Any]:
        """Webhooks and deliveries; the secrets in the headers are not shown."""
        hooks = [
            hook.shown() | {"headers": sorted(hook.headers), "account": hook.account} for hook in self.hooks.values()
        ]
        return {"webhooks": hooks, "deliveries": [asdict(each) for each in self.log]}

    async def _deliver(
        self,
        hook: Webhook,
        delivery: Delivery,
        payload: Mapping[str, Any],
        switches: Switches,
        after: asyncio.Task[None] | None,
    ) -> None:
        if after is not None:
            await asyncio.wait({after})
        kind, content = (
            ("application/json", json.dumps(payload, ensure_ascii=False).encode())
            if hook.content_type == "json"
            else ("application/x-www-form-urlencoded", urlencode(_flat(payload)).encode())
        )
        headers = {"content-type": kind, **hook.headers}
        if switches.webhook_signature == "sha256":
            headers["x-swoogo-signature"] = hmac.new(b"unknown", content, hashlib.sha256).hexdigest()
        pause = self._spacing
        for _ in range(1 + switches.webhook_retries):
            fault = self._faults.take("HOOK", f"/{delivery.object}/{delivery.action}", None)
            if fault and fault.delay_seconds:
                await asyncio.sleep(fault.delay_seconds)
            if fault and fault.action == "drop" and not fault.effect:
                delivery.outcome = "lost"
                return
            delivery.attempts += 1
            try:
                status = await self.send(hook.url, headers, content)
            except httpx.HTTPError:
                status = 0
            delivery.outcome = str(status)
            if 200 <= status < 300 and not (fault and fault.action == "drop"):
                return
            await asyncio.sleep(pause)
            pause *= 2


def _word(action: Action, switches: Switches) -> str:
    return action if switches.webhook_words == "plain" else _PAST[action]


def _body(
    hook: Webhook, record: Record, action: Action, shown: Mapping[str, Any], switches: Switches
) -> dict[str, Any]:
    if action == "delete" and switches.webhook_delete_payload != "full":
        flat = switches.webhook_delete_payload == "flat"
        return {"id": record.id} if flat else {hook.trigger_object: {"id": record.id}}
    whole = hook.all_fields and switches.webhook_payload == "full"
    return {hook.trigger_object: dict(shown) if whole else {"id": record.id}}


def _flat(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in payload.items():
        if isinstance(value, Mapping):
            pairs += [(f"{name}[{inner}]", "" if each is None else str(each)) for inner, each in value.items()]
        else:
            pairs.append((name, str(value)))
    return pairs


async def _post(url: str, headers: Mapping[str, str], content: bytes) -> int:
    async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
        return (await client.post(url, headers=dict(headers), content=content)).status_code
