"""WEBHOOKS: registered at Swoogo for each mapped event, kept right, and removed with the mapping (W1).

Done under the lease of the event and with its credits, like every call. A webhook is found again by its name, so that
none is registered twice, whatever was lost. What fails is noted for `doctor`, and no push fails for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.connections.webhooks import Registered, Webhook, wanted_webhooks
from consumer.domain.errors import RefusedError, RetryableError
from consumer.domain.push.claim import Lease
from consumer.domain.push.run import Trigger
from consumer.ports import Clock, Connections, Work
from consumer.ports.webhooks import HintStore, SwoogoWebhooks, WebhookStore
from consumer.settings.webhooks import WebhookSettings

_CHECK_MS: Final = 86_400_000
_RETRY_MS: Final = 900_000

log = structlog.get_logger("webhooks")


@dataclass(slots=True)
class _Listed:
    """The webhooks of an account by name, listed when first needed."""

    names: dict[str, list[Webhook]] | None = None


@dataclass(frozen=True, slots=True)
class Registrar:
    swoogo: SwoogoWebhooks
    store: WebhookStore
    hints: HintStore
    connections: Connections
    clock: Clock
    settings: WebhookSettings

    async def keep(self, work: Work) -> None:
        """Register, repair or remove the webhooks of an event; no call where all is right.

        Register first, then survey: the event is looked at as a whole after a webhook is new. Raises LeaseLostError,
        CredentialError, and UnavailableError of Redis.
        """
        mapping, lease = work.mapping, work.lease
        held = await self.store.load(mapping.event_id)
        if self.settings.enabled == "remove":
            if held:
                await self._remove(work, held)
            return
        wanted = wanted_webhooks(mapping, self.settings.address, self.settings.secret.get_secret_value())
        now, listed, news = self.clock.now(), _Listed(), False
        for name, each in wanted.items():
            known = held.get(name)
            if known and known.stands(each, mapping, now=now, check=_CHECK_MS, retry=_RETRY_MS):
                continue
            fresh = Registered(
                known.id if known and known.credential == mapping.credential else None,
                each.fingerprint,
                mapping.org_id,
                mapping.swoogo_event_id,
                mapping.credential,
                now,
            )
            try:
                changed = not known or known.fingerprint != each.fingerprint
                identifier, is_new = await self._right(work, each, fresh, changed=changed, listed=listed)
                fresh, news = replace(fresh, id=identifier), news or is_new
            except (RefusedError, RetryableError) as error:
                log.warning("webhooks.not_registered", event_id=mapping.event_id, object=name, reason=str(error))
                fresh = replace(fresh, error=str(error))
            await self.store.put(lease, {name: fresh})
        if news:
            await self.hints.put(mapping.event_id, None)

    async def remove(self, lease: Lease) -> None:
        """The event is not mapped any more: its webhooks go. Without its credential they stay, and `doctor` says so.

        Raises LeaseLostError, RetryableError.
        """
        held = await self.store.load(lease.subject.id)
        one = next(iter(held.values()), None)
        if one is None:
            return
        connection = await self.connections.connection(one.org_id)
        if connection is None or connection.credential != one.credential:
            sentence = "The event is not mapped any more and its credential is not connected: remove it in Swoogo."
            if not all(each.error for each in held.values()):
                await self.store.put(lease, {name: replace(each, error=sentence) for name, each in held.items()})
            return
        mapping = EventMapping(lease.subject.id, one.org_id, one.swoogo_event_id, "", one.credential)
        await self._remove(Work(mapping, connection, lease, Trigger.RECONCILE), held)

    async def _remove(self, work: Work, held: Mapping[str, Registered]) -> None:
        for name, each in held.items():
            try:
                if each.id is not None:
                    await self.swoogo.delete(work, each.id)
            except RefusedError as error:
                await self.store.put(work.lease, {name: replace(each, error=str(error))})
                continue
            await self.store.put(work.lease, {name: None})

    async def _right(
        self, work: Work, wanted: Webhook, known: Registered, *, changed: bool, listed: _Listed
    ) -> tuple[int, bool]:
        """Its id, and whether it was not there or not right before."""
        found = await self.swoogo.get(work, known.id) if known.id is not None else None
        if found is None:
            if listed.names is None:
                listed.names = {}
                for each in await self.swoogo.list(work):
                    listed.names.setdefault(each.name, []).append(each)
            named = sorted(listed.names.get(wanted.name, ()), key=lambda each: each.id or 0)
            for double in named[1:]:
                await self.swoogo.delete(work, double.id or 0)
            found = named[0] if named else None
            changed = True  # its secret is not known
        if found is None or found.id is None:
            return await self.swoogo.create(work, wanted), True
        if changed or not found.is_as(wanted):
            await self.swoogo.update(work, found.id, wanted)
            return found.id, True
        return found.id, False
