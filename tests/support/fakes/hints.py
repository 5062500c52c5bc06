"""Hints, and webhooks as they are registered, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from consumer.domain.connections.webhooks import Registered, Webhook
from consumer.domain.errors import SwoogoSyncError
from consumer.domain.push.claim import Lease, event_subject
from consumer.domain.push.hints import Hint, Hints
from consumer.domain.surveys.survey import Depth
from consumer.ports import Work
from consumer.ports.webhooks import HintStore, Kept, SwoogoWebhooks, WebhookStore
from tests.support.fakes.connections import InMemoryConnections
from tests.support.fakes.inbox import InMemoryInbox

_MOST = 200
_SOON_MS = 250


class InMemoryHints(HintStore):
    """See `ports.webhooks.HintStore`."""

    def __init__(self, inbox: InMemoryInbox, connections: InMemoryConnections) -> None:
        self._inbox, self._connections = inbox, connections
        self.held: dict[str, dict[str, Hint]] = {}
        self.everything: set[str] = set()

    async def put(self, event_id: str, hint: Hint | None) -> Kept:
        """See `ports.webhooks.HintStore`."""
        if await self._connections.mapping(event_id) is None:
            return Kept.UNMAPPED
        held, outcome = self.held.setdefault(event_id, {}), Kept.ACCEPTED
        if hint is None or (hint.key not in held and len(held) >= _MOST):
            self.everything.add(event_id)
        elif kept := merged(held.get(hint.key), hint):
            held[hint.key] = kept
        else:
            outcome = Kept.KNOWN
        state = self._inbox.timed(event_subject(event_id))
        now = self._inbox.clock.now()
        soon = now + _SOON_MS
        late = state.survey is not None and state.survey > soon and not state.attempt
        if state.survey is None or late or state.survey == state.surveying:
            state.survey = soon
            if state.depth is Depth.SHALLOW:
                state.depth = Depth.HINTED
        return outcome

    async def load(self, event_id: str) -> Hints:
        """See `ports.webhooks.HintStore`."""
        known = sorted(self.held.get(event_id, {}).values(), key=lambda each: each.key)
        return Hints(tuple(known), event_id in self.everything)

    async def drop(self, lease: Lease, hints: Hints) -> None:
        """See `ports.webhooks.HintStore`."""
        event_id = lease.subject.id
        if hints.everything:
            self.everything.discard(event_id)
        held = self.held.get(event_id, {})
        for each in hints.known:
            if held.get(each.key) == each:
                del held[each.key]


class InMemoryWebhooks(WebhookStore):
    """See `ports.webhooks.WebhookStore`."""

    def __init__(self, inbox: InMemoryInbox) -> None:
        self._inbox = inbox
        self.known: dict[str, dict[str, Registered]] = {}

    async def load(self, event_id: str) -> Mapping[str, Registered]:
        """See `ports.webhooks.WebhookStore`."""
        return dict(self.known.get(event_id, {}))

    async def put(self, lease: Lease, known: Mapping[str, Registered | None]) -> None:
        """See `ports.webhooks.WebhookStore`."""
        self._inbox.fence(lease)
        held = self.known.setdefault(lease.subject.id, {})
        for name, each in known.items():
            if each is None:
                held.pop(name, None)
            else:
                held[name] = each


@dataclass
class FakeWebhooks(SwoogoWebhooks):
    """See `ports.webhooks.SwoogoWebhooks`. `trouble`: what the next calls raise; `calls`: what was called."""

    hooks: dict[int, Webhook] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    trouble: list[SwoogoSyncError | None] = field(default_factory=list)

    async def list(self, work: Work) -> list[Webhook]:
        """See `ports.webhooks.SwoogoWebhooks`."""
        self._call("list")
        return [*self.hooks.values()]

    async def get(self, work: Work, webhook_id: int) -> Webhook | None:
        """See `ports.webhooks.SwoogoWebhooks`."""
        self._call("get")
        return self.hooks.get(webhook_id)

    async def create(self, work: Work, wanted: Webhook) -> int:
        """See `ports.webhooks.SwoogoWebhooks`."""
        self._call("create")
        identifier = max(self.hooks, default=0) + 1
        self.hooks[identifier] = replace(wanted, id=identifier)
        return identifier

    async def update(self, work: Work, webhook_id: int, wanted: Webhook) -> None:
        """See `ports.webhooks.SwoogoWebhooks`."""
        self._call("update")
        self.hooks[webhook_id] = replace(wanted, id=webhook_id)

    async def delete(self, work: Work, webhook_id: int) -> None:
        """See `ports.webhooks.SwoogoWebhooks`."""
        self._call("delete")
        self.hooks.pop(webhook_id, None)

    def _call(self, what: str) -> None:
        self.calls.append(what)
        error = self.trouble.pop(0) if self.trouble else None
        if error:
            raise error


def merged(held: Hint | None, hint: Hint) -> Hint | None:
    """The hint that is kept of two for one record; None when the new one says nothing new."""
    if held is None:
        return hint
    if held.digest == hint.digest or held.deleted or (not hint.deleted and hint.stamp < held.stamp):
        return None
    # Two states of one second: which is the later one, only Swoogo knows.
    return replace(hint, row=None) if hint.stamp == held.stamp and not hint.deleted else hint
