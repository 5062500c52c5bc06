"""PUSH, its last phase: images that have arrived are uploaded, the others come later (P3, P4, G1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from consumer.domain.pictures import image_waiting, to_ask_again
from consumer.domain.plan import Operation, Plan
from consumer.domain.planner import PlanInput, make_plan
from consumer.services.execute import Execution
from consumer.services.leftovers import hopeless

_LONGEST_NS: Final = 10_000_000_000
"""How long a push goes on uploading images as they arrive; what changes meanwhile waits for so long at most."""
_SOON: Final = 1.0
_LATER: Final = 5.0
"""Seconds until the event comes again for images on their way, after a push that got some of them, or none."""


def recheck_images(execution: Execution, given: PlanInput, plan: Plan) -> None:
    """In a deep reconcile: ask once more for images that the plan would upload if they were others by now (P4)."""
    if execution.survey is None or not execution.survey.deep:
        return
    asked = make_plan(replace(given, changed_images=frozenset(to_ask_again(execution.ledger))))
    due = {each.key for each in plan.images}
    execution.rechecks = [each for each in asked.images if each.key not in due]
    execution.images.recheck(execution.run.event_id, execution.rechecks)


def want_images(execution: Execution, plan: Plan) -> None:
    """Have the images of a plan fetched. Once more before they are uploaded: a push may outlast what was fetched."""
    execution.images.want(execution.run.event_id, plan.images, execution.rechecks)


async def upload_images(
    execution: Execution, perform: Callable[[Sequence[Operation]], Awaitable[None]], stopping: asyncio.Event
) -> None:
    """Upload what has arrived, while more arrives; the rest is fetched on without the lease.

    Raises what `perform` raises.
    """
    event_id, images, clock = execution.run.event_id, execution.images, execution.clock
    until, came = clock.ticks() + _LONGEST_NS, False
    while not hopeless(execution) and not stopping.is_set() and clock.ticks() < until:
        ready = await images.arrived(event_id)
        if not ready:
            break
        came = True
        await perform(ready)
    if images.busy(event_id):
        execution.images_in = _SOON if came else _LATER
        execution.issues += [image_waiting(each.key) for each in images.outstanding(event_id)]
