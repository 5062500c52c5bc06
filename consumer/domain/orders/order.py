"""An order: what a person tells the service to do, with who, why and when (U3).

Pages and commands give the same orders by `services.orders`. What an order names stands in `keys` and `details`, so
that it can be kept, shown and carried out by somebody else than the one who took it:

| kind | keys | details |
| --- | --- | --- |
| sync | records, or none for all | `scope` |
| reconcile | - | `depth` |
| lift, forget | ledger keys | - |
| adopt | one ledger key | `swoogo_id` |
| remove | removal keys | removal key -> Swoogo id |
| retry | issue keys | of those of many events `bulk`, an id they share, `changes` and `events` |
| void | - | `swoogo_event_id` |
| freeze, thaw | - | `kind`, `fields` (by commas), of a freeze `until` (ms) |
| approve | - | `plan`, `operations` (ids on a line each) |
| replay, discard | dead letters as PARTITION:OFFSET; a replayed topic none | `topic` |
| erase | - | - |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from consumer.domain.orders.ledger_commands import Action, LedgerCommand, voiding
from consumer.domain.planning.control import APPROVAL, Approval, Control, Controls, Freeze
from consumer.domain.planning.request import SyncRequest
from consumer.domain.records.identity import Kind, id_of, kind_of
from consumer.domain.records.text import folded, masked

REASON_LENGTH: Final = 200


class OrderKind(StrEnum):
    """What can be ordered; `words` has what each is called and does."""

    SYNC = "sync"
    RECONCILE = "reconcile"
    LIFT = "lift"
    ADOPT = "adopt"
    FORGET = "forget"
    REMOVE = "remove"
    RETRY = "retry"
    FREEZE = "freeze"
    THAW = "thaw"
    APPROVE = "approve"
    REPLAY = "replay"
    DISCARD = "discard"
    VOID = "void"
    ERASE = "erase"

    @property
    def words(self) -> str:
        """What it does, after "to": `sync the event now`."""
        return _WORDS[self]


_WORDS: Final[Mapping[OrderKind, str]] = {
    OrderKind.SYNC: "sync now",
    OrderKind.RECONCILE: "compare with Swoogo now",
    OrderKind.LIFT: "sync again what was deleted in Swoogo",
    OrderKind.ADOPT: "take a record in Swoogo as this one",
    OrderKind.FORGET: "let an unanswered create be sent again",
    OrderKind.REMOVE: "delete many records in Swoogo",
    OrderKind.RETRY: "try once more what Swoogo refused",
    OrderKind.FREEZE: "freeze what reaches Swoogo",
    OrderKind.THAW: "end a freeze",
    OrderKind.APPROVE: "send exactly this plan",
    OrderKind.REPLAY: "read records again",
    OrderKind.DISCARD: "leave dead letters unsynced",
    OrderKind.VOID: "take back a pair",
    OrderKind.ERASE: "erase a person",
}

_ACTIONS: Final[Mapping[OrderKind, Action]] = {
    OrderKind.LIFT: Action.LIFT,
    OrderKind.ADOPT: Action.ADOPT,
    OrderKind.FORGET: Action.FORGET,
    OrderKind.REMOVE: Action.RETRY,
    OrderKind.RETRY: Action.RETRY,
    OrderKind.VOID: Action.VOID,
}


@dataclass(frozen=True, slots=True)
class Order:
    """One order. Two of one `id` are the same order, given twice.

    Attributes:
        event_id: "" where it concerns none, or many.
        actor: who gives it: `cli:LOGIN`, or the subject of an ID token.
        reason: one line, without e-mail addresses.
        at: ms.
        keys: what it names; see the table above.
    """

    id: str
    kind: OrderKind
    event_id: str = ""
    actor: str = ""
    reason: str = ""
    at: int = 0
    keys: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)

    def concerns(self, key: str) -> bool:
        return any(each.partition("#")[0] == key for each in self.keys)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of an order. `at_once`: not only with the next sync; `sentence`: why it was refused, "" otherwise."""

    done: bool = True
    at_once: bool = False
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class GivenOrder:
    """An order as it is kept; without a receipt it is being carried out, or the process that did that died."""

    order: Order
    receipt: Receipt | None = None

    @property
    def for_audit(self) -> GivenOrder:
        """Without what only the running service needs: the operations of a plan may be many."""
        details = {name: value for name, value in self.order.details.items() if name != "operations"}
        return replace(self, order=replace(self.order, details=details))


def one_line(reason: str) -> str:
    """A reason as it is kept: one line, bounded, e-mail addresses masked."""
    return masked(folded(reason))[:REASON_LENGTH]


def commands_of(order: Order) -> tuple[LedgerCommand, ...]:
    """What an order asks the next claim of the event to do to the ledger; () for other orders."""
    action = _ACTIONS.get(order.kind)
    if action is None:
        return ()
    if action is Action.VOID:
        return (voiding(order.event_id, int(order.details["swoogo_event_id"]), order.reason),)
    ids = order.details
    return tuple(
        LedgerCommand(action, key, int(ids.get(key) or ids.get("swoogo_id") or 0), order.reason if key in ids else "")
        for key in order.keys
    )


def request_of(order: Order) -> SyncRequest:
    """The manual sync that an order asks for (R6)."""
    chosen = {kind: tuple(id_of(key) for key in order.keys if kind_of(key) is kind) for kind in Kind}
    scope = order.details.get("scope", "all")
    return SyncRequest(order.id, scope, chosen[Kind.SESSION], chosen[Kind.SPEAKER])


def controls_after(controls: Controls, order: Order) -> tuple[Control, ...]:
    """What an order changes; () when it was seen to before, or there is nothing to change."""
    held = controls.held
    if any(each.order == order.id for each in held.values()):
        return ()
    match order.kind:
        case OrderKind.FREEZE:
            freeze = freeze_of(order)
            return (_next(held.get(freeze.name), freeze.name, order, freeze=freeze),)
        case OrderKind.APPROVE:
            operations = tuple(filter(None, order.details.get("operations", "").split("\n")))
            approval = Approval(order.details["plan"], order.at, order.actor, operations)
            return (_next(held.get(APPROVAL), APPROVAL, order, approval=approval),)
        case OrderKind.THAW:
            asked = freeze_of(order)
            return tuple(
                _next(held[each.name], each.name, order)
                for each in controls.freezes
                if asked.kind in {"", each.kind} and asked.fields in {(), each.fields}
            )
    return ()


def freeze_of(order: Order) -> Freeze:
    fields = tuple(sorted(filter(None, order.details.get("fields", "").split(","))))
    until = int(order.details.get("until") or 0)
    return Freeze(order.details.get("kind", ""), fields, until, order.at, order.actor, order.reason)


def _next(
    before: Control | None,
    name: str,
    order: Order,
    *,
    freeze: Freeze | None = None,
    approval: Approval | None = None,
) -> Control:
    revision = max(order.at, before.revision + 1 if before else 0)
    return Control(order.event_id, name, revision, order.id, freeze, approval)
