"""`/webhooks`: list, get, create, update and delete (`swoogo-api.md` 10).

Only the create is documented; the rest is spelt as for the other resources.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.swoogo.answers import Answer, invalid, refusal
from sandbox.swoogo.backend import Backend, Call
from sandbox.swoogo.forms import FORM
from sandbox.swoogo.hook_store import ACTIONS, OBJECTS, ORIGINS, Webhook
from sandbox.swoogo.query import parse_query
from sandbox.swoogo.reads import paged
from sandbox.swoogo.writes import deleted

_HEADER = re.compile(r"headers\[(\d+)\]\[(key|value)\]")
_TRUE = {"1", "true", "on", "yes"}


def list_webhooks(backend: Backend, call: Call) -> Answer:
    """`GET /webhooks`: those of the account."""
    hooks = [hook for hook in backend.webhooks.hooks.values() if hook.account == call.reader.account]
    switches = backend.switches
    query = parse_query(call.raw_query, encoded_ampersand=switches.encoded_ampersand, cap=switches.per_page_cap)
    rows, envelope = paged(hooks, query, call, overflow=switches.page_overflow)
    return Answer(200, {"items": [hook.shown() for hook in rows]} | envelope)


def get_webhook(backend: Backend, call: Call) -> Answer:
    """`GET /webhooks/{id}`."""
    return Answer(200, _found(backend, call).shown())


def create_webhook(backend: Backend, call: Call) -> Answer:
    """`POST /webhooks/create`."""
    values = _read(call)
    missing = [name for name in ("name", "url", "trigger_object") if not values.get(name)]
    if missing:
        raise invalid(*((name, f"{name.replace('_', ' ').capitalize()} cannot be blank.") for name in missing))
    _check(values)
    return Answer(backend.switches.create_status, backend.webhooks.add(call.reader.account, values).shown())


def update_webhook(backend: Backend, call: Call) -> Answer:
    """`PUT /webhooks/update/{id}`: partial."""
    hook, values = _found(backend, call), _read(call)
    _check(values)
    for name, value in values.items():
        setattr(hook, name, value)
    return Answer(200, hook.shown())


def delete_webhook(backend: Backend, call: Call) -> Answer:
    """A deletion; its path is a switch, as for the other resources."""
    del backend.webhooks.hooks[_found(backend, call).id]
    return deleted(backend)


def _found(backend: Backend, call: Call) -> Webhook:
    hook = backend.webhooks.hooks.get(call.numbers[0])
    if hook is None or hook.account != call.reader.account:
        raise refusal(404, f"Webhook not found: {call.numbers[0]}")
    return hook


def _check(values: dict[str, Any]) -> None:
    if "trigger_object" in values and values["trigger_object"] not in OBJECTS.values():
        raise invalid(("trigger_object", "Trigger object is invalid."))
    if "url" in values and not values["url"].startswith(("http://", "https://")):
        raise invalid(("url", "Url is not a valid URL."))


def _read(call: Call) -> dict[str, Any]:
    """What the form sets; the sets of triggers and origins are whole when one of them is named."""
    if call.content_type != FORM:
        raise refusal(415, f"Send the body as {FORM}.")
    form: dict[str, str] = {}
    events: list[int] = []
    headers: dict[str, dict[str, str]] = {}
    for name, text in parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True):
        header = _HEADER.fullmatch(name)
        if header:
            headers.setdefault(header[1], {})[header[2]] = text
        elif name in {"event_ids", "event_ids[]"}:
            if not text.isdigit():
                raise invalid(("event_ids", "Event ids must be integers."))
            events.append(int(text))
        else:
            form[name] = text
    values: dict[str, Any] = {name: form[name] for name in ("name", "url", "trigger_object", "notes") if name in form}
    values |= {name: form[name] in _TRUE for name in ("any_event", "all_fields", "enabled") if name in form}
    if "content_type" in form:
        values["content_type"] = form["content_type"] if form["content_type"] in {"json", "post"} else "json"
    if any(f"trigger_on_{each}" in form for each in ACTIONS):
        values["trigger_on"] = frozenset(each for each in ACTIONS if form.get(f"trigger_on_{each}") in _TRUE)
    if any(each in form for each in ORIGINS):
        values["origins"] = frozenset(each for each in ORIGINS if form.get(each) in _TRUE)
    if events:
        values["event_ids"] = tuple(events)
    if headers:
        values["headers"] = {each["key"]: each["value"] for each in headers.values() if {"key", "value"} <= each.keys()}
    return values
