"""A delivery of Swoogo as a hint (`swoogo-api.md 10`). Its words were seen once or are guesses, so all are optional."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from consumer.adapters.swoogo.wire import RESOURCES, read_fields, record_id, text
from consumer.domain.connections.webhooks import OBJECTS
from consumer.domain.push.hints import Hint

_GONE: Final = frozenset({"delete", "deleted", "remove", "removed", "destroy"})
_OWN: Final = "api_call"
_object: Final = msgspec.json.Decoder(dict[str, Any])


class UnusableDeliveryError(Exception):
    """It is no JSON object."""


def read_delivery(body: bytes, now: int) -> Hint | None:
    """What a delivery says; None when it concerns nothing of ours, or is the echo of a call (W3).

    Args:
        body: as it came.
        now: ms.

    Raises UnusableDeliveryError.
    """
    try:
        said = _object.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableDeliveryError from None
    name = text(said.get("object"))
    kind, record = OBJECTS.get(name), said.get(name)
    held = record if isinstance(record, Mapping) else {}
    swoogo_id = record_id(held.get("id", said.get("id")))
    if kind is None or swoogo_id is None or text(said.get("initiated_by")) == _OWN:
        return None
    resource, stamp = RESOURCES[kind], text(held.get("updated_at"))
    row = read_fields(resource, held) if stamp else {}
    deleted = text(said.get("action")).lower() in _GONE
    whole = not deleted and row.keys() == resource.attributes.keys()
    return Hint(
        kind,
        swoogo_id,
        (stamp if whole else text(said.get("datetime")))[:32],
        blake2b(body, digest_size=12).hexdigest(),
        now,
        deleted,
        row if whole else None,
        record_id(held.get("contact_id")),
    )
