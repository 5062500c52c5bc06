"""What happens between two organizations in a run, step by step (M2-M4, X1, X2).

What one of them does to its own pair waits until that event is through, where the order decides what Swoogo holds; the
other one goes on meanwhile. `History.expected` stands still while no pair of its event is in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from sandbox.conference.records import Writer
from tests.chaos.conference import ORG_ID
from tests.chaos.second import OTHER_ORG, RIVALS, STRANGER, empty

if TYPE_CHECKING:
    from tests.chaos.orgs import Orgs


async def disconnect(orgs: Orgs) -> None:
    """X1, X2: one organization is disconnected; the other goes on."""
    org_id = orgs.org(connected=True)
    if org_id:
        await _disconnect(orgs, org_id)
        await orgs.idle()


async def reconnect(orgs: Orgs) -> None:
    """X1: with the same or the other credentials; what is connected gets others while it works (C1)."""
    org_id = orgs.org(connected=False) or orgs.org(connected=True)
    if orgs.connected[org_id]:
        orgs.rotate(org_id)
        orgs.busy_elsewhere(org_id)
    else:
        await _reconnect(orgs, org_id)


async def on_and_off(orgs: Orgs) -> None:
    """X1, X2: disconnected and connected again before anybody may have noticed."""
    org_id = orgs.org(connected=True)
    if org_id:
        await _disconnect(orgs, org_id)
        await asyncio.sleep(orgs.chance.choice((0.0, 0.0, 3.0, 30.0)))
        await _reconnect(orgs, org_id)


async def hand_over(orgs: Orgs) -> None:
    """M2, M3: one organization removes its pair, the other maps the same two events."""
    history = orgs.chance.choice(orgs.histories)
    new = orgs.org(connected=True, but=history.event.org_id)
    if not new:
        return
    if orgs.chance.random() < 0.3:
        await orgs.idle()
    orgs.unsettled(history)
    if history.mapped:
        history.send([history.writer.mapping_removed(at=history.at())])
        await asyncio.sleep(orgs.chance.choice((0.0, 0.0, 3.0, 30.0)))
        orgs.perhaps_edit(history)
    history.event, history.key = replace(history.event, org_id=new), orgs.keys[new]
    was, history.mapped = history.mapped, True
    # M8: its records name the organization it is now of, before that one maps it.
    history.publish_all()
    await orgs.through()
    orgs.map(history)
    if not was:
        history.pushed()
    orgs.perhaps_edit(history)
    await orgs.through()
    if await orgs.holder(history.event.id) is None:
        # It was asked for while the other one still had it.
        orgs.expect(history.event.id, new, "event_already_mapped")
        orgs.map(history)
    await orgs.idle()
    orgs.see(history.event.id, await orgs.holder(history.event.id), (new, history.swoogo_event_id))


async def ask_in_vain(orgs: Orgs) -> None:
    """M2: partners are partners for life; M8: and an event is its own organization's alone."""
    history = orgs.chance.choice(orgs.histories)
    other = orgs.histories[1 - orgs.histories.index(history)]
    org_id = orgs.org(connected=True)
    if not org_id:
        return
    own = history.event.org_id == org_id
    theirs = "event_already_mapped" if own else "event_of_other_organization"
    event, swoogo_event_id, code = orgs.chance.choice(
        (
            (history.event, other.swoogo_event_id, theirs),
            (history.event, orgs.free[1], theirs),
            (history.event, history.swoogo_event_id, "" if own else theirs),
            (empty(STRANGER), history.swoogo_event_id, "swoogo_event_already_mapped"),
        )
    )
    if not code:
        return
    await orgs.idle()
    orgs.perhaps_edit(history)
    writer = Writer(event=replace(event, org_id=org_id))
    history.send([writer.mapping_added(swoogo_event_id, at=history.at())])
    orgs.perhaps_edit(history)
    orgs.perhaps_edit(other)
    await orgs.idle()
    orgs.expect(event.id, org_id, code)
    if not (own and event is history.event):
        # Else it would be tried again with the next credentials, and might be right by then.
        history.send([writer.mapping_removed(at=history.at())])


async def contest(orgs: Orgs) -> None:
    """M2: both ask for the same Swoogo event, or for the same event, at once; one of them gets it."""
    if orgs.contested or not all(orgs.connected.values()):
        return
    orgs.contested = True
    asked = orgs.chance.choice(((0, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1), (0, 1, 0, 0)))
    wanted = list(zip((ORG_ID, OTHER_ORG), asked[:2], asked[2:], strict=True))
    orgs.chance.shuffle(wanted)
    asker = orgs.histories[0]
    for org_id, event, swoogo_event in wanted:
        writer = Writer(event=empty(RIVALS[event], org_id))
        asker.send([writer.mapping_added(orgs.free[swoogo_event], at=asker.at())])
        await asyncio.sleep(orgs.chance.choice((0.0, 0.0, 0.0, 0.3)))
    await orgs.idle()
    held = {event: await orgs.holder(event) for event in RIVALS}
    winners = {event: each for event, each in held.items() if each}
    possible = {(RIVALS[event], org_id, orgs.free[swoogo_event]) for org_id, event, swoogo_event in wanted}
    if len(winners) != 1 or not {(event, *each) for event, each in winners.items()} <= possible:
        orgs.wrong.append(f"both asked for one partner, and in force are {winners}")
    orgs.others |= winners
    for org_id, event, _ in wanted:
        if (RIVALS[event], org_id) not in {(won, each[0]) for won, each in winners.items()}:
            asker.send([Writer(event=empty(RIVALS[event], org_id)).mapping_removed(at=asker.at())])


async def _disconnect(orgs: Orgs, org_id: str) -> None:
    await orgs.idle()
    orgs.busy_elsewhere(org_id)
    mine = [history for history in orgs.histories if history.event.org_id == org_id]
    for history in mine:
        orgs.unsettled(history)
    writer = orgs.writer(org_id)
    orgs.histories[0].send([writer.integration_disconnected(at=orgs.histories[0].at())])
    for history in mine:
        history.sealed |= history.expected.sessions.keys()
        history.mapped = False
    orgs.others = {event: pair for event, pair in orgs.others.items() if pair[0] != org_id}
    orgs.connected[org_id] = False
    orgs.busy_elsewhere(org_id)


async def _reconnect(orgs: Orgs, org_id: str) -> None:
    """Waits until it is through: what is published before would be sealed, or not."""
    mine = [history for history in orgs.histories if history.event.org_id == org_id]
    acts: list[Callable[[], None]] = [lambda: orgs.rotate(org_id)]
    for history in mine:
        orgs.unsettled(history)
        acts.append(partial(orgs.map, history))
    orgs.chance.shuffle(acts)
    for act in acts:
        act()
        await asyncio.sleep(orgs.chance.choice((0.0, 0.0, 3.0)))
    orgs.connected[org_id] = True
    orgs.busy_elsewhere(org_id)
    for history in mine:
        history.mapped = True
        history.pushed()
    await orgs.idle()


STEPS: Final[tuple[Callable[[Orgs], Awaitable[None]], ...]] = (
    disconnect,
    reconnect,
    reconnect,
    on_and_off,
    hand_over,
    hand_over,
    ask_in_vain,
    contest,
)
