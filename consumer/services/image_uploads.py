"""PUSH, its last phase: images that have arrived are uploaded, the others come later (P3, P4, G1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from consumer.domain.planning.images import image_waiting
from consumer.domain.planning.plan import Operation
from consumer.services.execution import Execution

_LONGEST_NS: Final = 10_000_000_000
"""How long a push goes on uploading images as they arrive; what changes meanwhile waits for so long at most."""


_SOON: Final = 1.0


_LATER: Final = 5.0
"""Seconds until the event comes again for images on their way, after a push that got some of them, or none."""


async def upload_images(
    execution: Execution, perform: Callable[[Sequence[Operation]], Awaitable[None]], stopping: asyncio.Event
) -> None:
    """Upload what has arrived, while more arrives; the rest is fetched on without the lease.

    Raises what `perform` raises.
    """
    event_id, images, clock = execution.work.mapping.event_id, execution.images, execution.clock
    until, came = clock.ticks() + _LONGEST_NS, False
    while not execution.hopeless and not stopping.is_set() and clock.ticks() < until:
        ready = await images.arrived(event_id)
        if not ready:
            break
        came = True
        await perform(ready)
    if images.busy(event_id):
        execution.images_in = _SOON if came else _LATER
        execution.issues += [image_waiting(each.key) for each in images.outstanding(event_id)]
