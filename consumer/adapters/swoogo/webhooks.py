"""WEBHOOKS at Swoogo (`swoogo-api.md 10`): only the create is documented, the rest is spelt as for other resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from consumer.adapters.swoogo.calls import Call, Caller
from consumer.adapters.swoogo.listing import items_of
from consumer.adapters.swoogo.transport import FORM
from consumer.adapters.swoogo.watched import watched
from consumer.adapters.swoogo.wire import record_id, text
from consumer.domain.connections.webhooks import HEADER, Webhook
from consumer.domain.errors import MissingError, UnansweredError, UnavailableError
from consumer.domain.planning.plan import LIST_CREDITS
from consumer.ports import Work
from consumer.ports.swoogo import CallWatch
from consumer.ports.webhooks import SwoogoWebhooks

_ON: Final = ("trigger_on_insert", "trigger_on_update", "trigger_on_delete", "public_user", "admin_user", "all_fields")
_OFF: Final = ("api_call", "any_event")
_TRUE: Final = frozenset({"1", "true"})
_PAGES: Final = 50


class Webhooks(SwoogoWebhooks):
    def __init__(self, caller: Caller, watch: CallWatch, delete_path: str, page_size: int) -> None:
        """Keep these; nothing is sent."""
        self.watch = watch
        self._caller, self._page_size = caller, page_size
        self._delete = "/webhooks/delete" if delete_path == "action" else "/webhooks"

    @watched("list", "webhook")
    async def list(self, work: Work) -> list[Webhook]:
        """Every page of the account's webhooks."""
        found: dict[int, Webhook] = {}
        for number in range(1, _PAGES):
            path = f"/webhooks?fields=*&per-page={self._page_size}&page={number}"
            body = await self._caller.call(work, Call("the list of webhooks", "GET", path, cost=LIST_CREDITS))
            items = items_of(body.get("items")) if isinstance(body, Mapping) else None
            if items is None:
                raise UnavailableError("Swoogo answered the list of webhooks with something that is no list.")
            news = {each.id: each for each in map(_read, items) if each and each.id and each.id not in found}
            found |= news
            if not news or len(items) < self._page_size:
                break
        return [*found.values()]

    @watched("look", "webhook")
    async def get(self, work: Work, webhook_id: int) -> Webhook | None:
        try:
            return _read(await self._caller.call(work, Call("a webhook", "GET", f"/webhooks/{webhook_id}")))
        except MissingError:
            return None

    @watched("create", "webhook")
    async def create(self, work: Work, wanted: Webhook) -> int:
        call = Call("the creation of a webhook", "POST", "/webhooks/create", _form(wanted), FORM, create=True)
        body = await self._caller.call(work, call)
        identifier = record_id(body.get("id")) if isinstance(body, Mapping) else None
        if identifier is None:
            raise UnansweredError("Swoogo answered the creation of a webhook without an id.")
        return identifier

    @watched("update", "webhook")
    async def update(self, work: Work, webhook_id: int, wanted: Webhook) -> None:
        """Send all of it."""
        path = f"/webhooks/update/{webhook_id}"
        await self._caller.call(work, Call("the update of a webhook", "PUT", path, _form(wanted), FORM))

    @watched("delete", "webhook")
    async def delete(self, work: Work, webhook_id: int) -> None:
        """Remove one; a 404 is fine."""
        try:
            await self._caller.call(work, Call("the deletion of a webhook", "DELETE", f"{self._delete}/{webhook_id}"))
        except MissingError:
            return


def _form(wanted: Webhook) -> bytes:
    pairs = [("name", wanted.name), ("url", wanted.url), ("trigger_object", wanted.trigger_object)]
    pairs += [(name, "1") for name in _ON] + [(name, "0") for name in _OFF]
    pairs += [("event_ids[]", str(wanted.event_id)), ("content_type", "json"), ("enabled", "1")]
    pairs += [("headers[0][key]", HEADER), ("headers[0][value]", wanted.secret)]
    return urlencode(pairs).encode()


def _read(row: Any) -> Webhook | None:
    """A webhook as Swoogo shows it; None when it is none. What it does not show is taken for right."""
    identifier = record_id(row.get("id")) if isinstance(row, Mapping) else None
    if identifier is None:
        return None
    right = all(text(row[name]) in _TRUE for name in (*_ON, "enabled") if name in row)
    right = right and not any(text(row[name]) in _TRUE for name in _OFF if name in row)
    events = row.get("event_ids")
    ids = [record_id(each) for each in events] if isinstance(events, list) else []
    event_id = ids[0] if len(ids) == 1 and ids[0] else 0
    return Webhook(
        text(row.get("name")),
        text(row.get("url")),
        text(row.get("trigger_object")),
        event_id,
        right=right,
        id=identifier,
    )
