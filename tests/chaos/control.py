"""Freezes and approvals in a run: what people order, and what Swoogo must not hold meanwhile (U1, U2)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.digest_keys import digests_of
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.orders import RedisOrders
from consumer.adapters.redis.status import RedisRuns
from consumer.adapters.redis.stores import Stores
from consumer.domain.orders.order import OrderKind
from consumer.domain.planning.approval import ids_of, plan_id
from consumer.ports import Clock
from consumer.services.orders import Orders
from consumer.services.plan_input import preview, rules_of, upcoming_facts
from consumer.settings import Settings
from tests.chaos import steps

if TYPE_CHECKING:
    from tests.chaos.history import History

_SHARE: Final = 0.4
_LOST_AFTER: Final = 900.0
"""Seconds after which an order that is nowhere was lost with Redis before the service saw it."""
_FREEZES: Final = (("", ""), ("session", ""), ("session", "name"), ("speaker", ""), ("sponsor", ""))
_KINDS: Final = {"": ("sessions", "speakers", "sponsors"), "session": ("sessions",), "speaker": ("speakers",)}


def chance_of(seed: int) -> Random | None:
    """What draws a run with orders; None for the others."""
    chance = Random(f"control {seed}")
    return chance if chance.random() < _SHARE else None


@dataclass(slots=True)
class Controls:
    """People with the commands. `wrong`: what reached Swoogo that should not; `now`: ms of the Redis server's clock."""

    chance: Random
    stores: Stores
    settings: Settings
    clock: Clock
    now: Any
    jumps: bool
    wrong: list[str] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    approving: bool = False

    async def order(self, event_id: str, what: OrderKind, **details: str) -> None:
        """Give an order, and wait until the service has seen to it; once more where Redis lost it before."""
        stores = self.stores
        orders = Orders(
            RedisOrders(stores.redis, stores.keys, stores.scripts), stores.inbox, stores.connections, self.clock
        )
        while True:
            given = orders.order(what, event_id, actor="cli:chaos", reason="chaos", details=details)
            await orders.give(given)
            if await orders.in_force(given, _LOST_AFTER) and await self._held(event_id, given.id, what):
                return

    async def _held(self, event_id: str, order_id: str, kind: OrderKind) -> bool:
        held = (await self.stores.inbox.load(event_id, snapshot=False)).controls
        return kind is OrderKind.THAW or any(each.order == order_id for each in held.held.values())

    async def approve(self, event_id: str) -> bool:
        """Approve what would be sent now; False when that is nothing, or not to be known."""
        stores, settings = self.stores, self.settings
        mapping = await stores.connections.mapping(event_id)
        if mapping is None:
            return False
        on = stores.redis, stores.keys, stores.scripts
        issues = await RedisRuns(stores.redis, stores.keys).issues(event_id)
        waiting = await stores.inbox.waiting(event_id)
        ledger = RedisLedger(*on, _nothing())
        facts = await upcoming_facts(
            stores.inbox, ledger, issues, mapping, attempt=waiting.attempt, request=waiting.request
        )
        rules = rules_of(settings.push, settings.swoogo, digests_of(settings.keys))
        plan, _ = preview(facts, rules, self.clock.now())
        if not plan.operations:
            return False
        operations = "\n".join(ids_of(plan))
        await self.order(event_id, OrderKind.APPROVE, plan=plan_id(plan), operations=operations)
        return True


async def freeze_a_while(history: History) -> None:
    """U1: nothing frozen is sent, whatever happens; what waited is sent in the end."""
    control = _of(history)
    await history.idle()
    event_id, (kind, name) = str(history.event.id), control.chance.choice(_FREEZES)
    lasts = 0 if control.jumps else control.chance.choice((0, 0, 60_000, 300_000))
    until = control.now() + lasts if lasts else 0
    await control.order(event_id, OrderKind.FREEZE, kind=kind, fields=name, until=str(until))
    await _released(history, event_id)
    control.met.append(f"freeze:{kind or 'event'}{name and ' field'}{' until' if until else ''}")
    before = _look(history, kind, name)
    for _ in range(control.chance.randint(1, 4)):
        await _something(history)
        await asyncio.sleep(control.chance.choice((0.0, 5.0, 40.0)))
        if not until or control.now() < until - 1_000:
            after = _look(history, kind, name)
            control.wrong += [
                f"{kind or 'event'} {name} was frozen, and {each} changed" for each in _differs(before, after)
            ]
    if not until:
        await control.order(event_id, OrderKind.THAW, kind=kind)
    await history.idle()


async def approve_a_while(history: History) -> None:
    """U2: nothing is sent but what was approved; a plan that a change overtook is not sent."""
    control = _of(history)
    await history.idle()
    event_id = str(history.event.id)
    await _map(history, approving=True)
    before = _look(history, "", "")
    for _ in range(control.chance.randint(1, 3)):
        await _something(history)
        await asyncio.sleep(control.chance.choice((0.0, 5.0, 40.0)))
    await history.idle()
    control.wrong += [f"nothing was approved, and {each} changed" for each in _differs(before, _look(history, "", ""))]
    if await control.approve(event_id):
        control.met.append("approve")
        if control.chance.random() < 0.3:
            history.lose()
        known = set(history.held.talks)
        await steps.add(history)
        [new] = [each.title for key, each in history.held.talks.items() if key not in known]
        await history.idle()
        if new in {row["name"] for row in history.state()["sessions"]}:
            control.wrong.append(f"{new} was published after the approval, and is in Swoogo")
    await _map(history, approving=False)
    await history.idle()


async def _map(history: History, *, approving: bool) -> None:
    _of(history).approving = approving
    history.send([history.writer.mapping_updated(history.swoogo_event_id, settings=history.settings, at=history.at())])
    await history.idle()


def _of(history: History) -> Controls:
    assert history.control
    return history.control


async def _released(history: History, event_id: str) -> None:
    """Until no push that began before is under way."""
    while (await _of(history).stores.inbox.waiting(event_id)).held:  # noqa: ASYNC110 - Redis sends no word
        await asyncio.sleep(2.0)


def _look(history: History, kind: str, name: str) -> dict[tuple[str, int], Any]:
    """What Swoogo holds of what is frozen, by record."""
    state = history.sandbox.state(history.swoogo_event_id)
    kinds = _KINDS.get(kind, ("sponsors",))
    rows = {(each, row["id"]): row for each in kinds for row in state[each]}
    if name:
        return {key: row[name] for key, row in rows.items()}
    return {key: {what: value for what, value in row.items() if what != "updated_at"} for key, row in rows.items()}


def _differs(before: dict[tuple[str, int], Any], after: dict[tuple[str, int], Any]) -> list[str]:
    """Records that are there and changed, or are new; of a frozen field a new record is none of it."""
    changed = [f"{kind} {number}" for kind, number in before if before[kind, number] != after.get((kind, number))]
    whole = bool(before) and isinstance(next(iter(before.values())), dict)
    return [*changed, *(f"{kind} {number}" for kind, number in after.keys() - before.keys() if whole)]


def _nothing() -> Any:
    return None


async def _something(history: History) -> None:
    """A step that needs nothing of Swoogo, and waits for nothing."""
    step = _of(history).chance.choice(_STEPS)
    history.steps.append(f"{asyncio.get_running_loop().time():9.3f} {step.__name__} meanwhile")
    await step(history)


_STEPS: Final = (
    steps.edit,
    steps.edit,
    steps.add,
    steps.edit_speaker,
    steps.edit_sponsor,
    steps.reconcile,
    steps.sync,
    steps.map_again,
    steps.replay,
    steps.lose_redis,
    steps.lose_redis,
    steps.nonsense,
)
STEPS: Final = (freeze_a_while, approve_a_while)
