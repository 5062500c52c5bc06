"""PUSH of one image: fetched because its address is new, uploaded only when its bytes are (P3, P4, O1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from consumer.domain.errors import ImageUnusableError, UnavailableError
from consumer.domain.issue import Issue
from consumer.domain.ledger import Entry, Ledger
from consumer.domain.pictures import UNUSABLE, URL, to_ask_again, unusable
from consumer.domain.plan import SetImage
from consumer.ports import Images, Picture, Swoogo, Unchanged, Work

_ASKED_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of an image.

    Attributes:
        record: what the ledger is to keep; None: as before, so that the next push tries again.
        issue: what to tell about it.
        uploaded: whether Swoogo got it.
    """

    record: Mapping[str, str] | None
    issue: Issue | None = None
    uploaded: bool = False


async def changed_images(ledger: Ledger, images: Images) -> frozenset[str]:
    """Keys whose image is another one now behind the same address (P4), as its server says when asked by validator.

    An image that cannot be had now says nothing: the one in Swoogo stays.
    """
    pending = iter(to_ask_again(ledger).items())
    found: set[str] = set()

    async def worker() -> None:
        for key, known in pending:
            with suppress(ImageUnusableError, UnavailableError):
                if isinstance(await images.get(known[URL], known), Picture):
                    found.add(key)

    async with asyncio.TaskGroup() as group:
        for _ in range(_ASKED_AT_ONCE):
            group.create_task(worker())
    return frozenset(found)


async def see_to_image(operation: SetImage, entry: Entry, images: Images, swoogo: Swoogo, work: Work) -> Seen:
    """Fetch an image and upload it when it is news. The record itself is synced whatever comes of it.

    Raises what `Swoogo.upload` raises.
    """
    known = {} if UNUSABLE in entry.image else entry.image
    try:
        found: Picture | Unchanged = await images.get(operation.url, known)
    except ImageUnusableError as error:
        return Seen({URL: operation.url, UNUSABLE: str(error)}, unusable(operation.key, str(error)))
    except UnavailableError as error:
        # Somebody's web server is down: no reason to call the push failed, or to do it all again soon.
        return Seen(None, unusable(operation.key, f"{error} It is tried again."))
    record = {**found.record, URL: operation.url}
    if isinstance(found, Unchanged):
        return Seen(record)
    assert entry.swoogo_id is not None  # noqa: S101 - only live entries come here
    await swoogo.upload(work, operation.kind, entry.swoogo_id, entry.contact_id, found)
    return Seen(record, uploaded=True)
