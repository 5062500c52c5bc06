"""What an operator asks to be done to the ledger of an event (D3, G2).

Only the holder of the event's lease writes its ledger, so an order waits for whoever claims the event next. Pure:
`carried_out` says what orders change. Each is judged anew when it is carried out: much may have happened since it was
asked for, and an order that is no longer needed changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum

from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Directory, Entry, Ledger, Remote, State, entries_of
from consumer.domain.plan import NAMED_ONLY, Delete
from consumer.domain.record import Kind, digest, id_of, key_of, kind_of
from consumer.domain.removals import removal_key


class Act(StrEnum):
    """`adopt`: this Swoogo record is ours. `forget`: what an unanswered create may have made is none of those there.
    `lift`: what was deleted in Swoogo may be synced again. `retry`: what Swoogo refused is tried once more; its key is
    that of the issue, and it changes no ledger entry. One for a removal that names the Swoogo record confirms it: it is
    done although many go at once (D4). A version without confirmations takes it for a retry, and asks again.
    """

    ADOPT = "adopt"
    FORGET = "forget"
    LIFT = "lift"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, order=True)
class Order:
    """One act on one ledger key; `swoogo_id` goes with `adopt` and with confirmed removals. `reason`: one line."""

    act: Act
    key: str
    swoogo_id: int = 0
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.act.value} {self.swoogo_id} {self.key}" + (f"\t{self.reason}" if self.reason else "")


def read_order(text: str) -> Order:
    """The order that was written as this text."""
    act, swoogo_id, rest = text.split(" ", 2)
    key, _, reason = rest.partition("\t")
    return Order(Act(act), key, int(swoogo_id), reason)


def confirmation(removal: Delete, reason: str) -> Order:
    """The order by which an operator confirms one of many removals (D4)."""
    return Order(Act.RETRY, removal_key(removal.key), removal.swoogo_id, " ".join(reason.split()))


def confirmed_removals(orders: Iterable[Order]) -> dict[str, int]:
    """Removal key -> Swoogo id of what operators confirmed."""
    return {order.key: order.swoogo_id for order in orders if order.act is Act.RETRY and order.swoogo_id}


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What orders come to.

    Attributes:
        changes: of the ledger; None forgets an entry.
        done: orders that are over, whether they changed anything or not.
        issues: what could not be done.
        wait_until: ms when an order can be carried out that cannot be yet.
    """

    changes: Mapping[str, Entry | None]
    done: frozenset[Order]
    issues: tuple[Issue, ...] = ()
    wait_until: int | None = None


def kinds_to_look_at(orders: Iterable[Order]) -> frozenset[Kind]:
    """Kinds whose Swoogo records must be known to carry the orders out."""
    return frozenset(kind_of(order.key) for order in orders if order.act is Act.ADOPT)


def carried_out(
    orders: AbstractSet[Order],
    ledger: Ledger,
    directories: Mapping[Kind, Directory],
    *,
    now: int,
    settle: int,
    era: int,
) -> CarriedOut:
    """What the orders change.

    Args:
        orders: in any order; an adoption comes before a forgetting of the same record.
        ledger: of the event, as it is.
        directories: a complete list of each kind to look at.
        now: ms.
        settle: how long an unanswered create may still take effect, ms.
        era: of the pair.
    """
    changes: dict[str, Entry | None] = {}
    done: set[Order] = set()
    issues: list[Issue] = []
    waits: list[int] = []
    held = dict(ledger)
    for order in sorted(orders):
        entry = held.get(order.key)
        news: dict[str, Entry | None] = {}
        match order.act:
            case Act.ADOPT:
                remote = directories[kind_of(order.key)].rows.get(order.swoogo_id)
                refusal = not_adoptable(order, held) or _not_there(order, remote)
                if remote and not refusal and not (entry and entry.live):
                    # What was associated with a session that is gone is gone with it.
                    news = {**lifted(held, {order.key}), order.key: _adopted(order, entry, remote, now, era)}
                elif refusal:
                    issues.append(Issue(order.key, Code.NOT_ADOPTED, detail=refusal))
            case Act.FORGET:
                if entry and entry.state is State.INTENT:
                    if now < entry.settles(settle):
                        # It may still come into being; forgotten now, it would be made twice (G2).
                        waits.append(entry.settles(settle))
                        continue
                    news = {order.key: None}
            case Act.LIFT:
                news = lifted(held, {order.key})
            case Act.RETRY:
                continue  # over when a push has tried it
        changes |= news
        held = {key: each for key, each in {**held, **news}.items() if each is not None}
        done.add(order)
    return CarriedOut(changes, frozenset(done), tuple(issues), min(waits, default=None))


def not_adoptable(order: Order, ledger: Ledger) -> str:
    """Why the ledger does not allow an adoption, as a sentence; "" when it does."""
    entry = ledger.get(order.key)
    if entry is not None and entry.live and entry.swoogo_id != order.swoogo_id:
        return f"it is {entry.swoogo_id} in Swoogo already."
    kind = kind_of(order.key)
    if kind in NAMED_ONLY:
        return ""  # rooms of one name share a location
    for key, other in entries_of(ledger, kind):
        if key != order.key and other.live and other.swoogo_id == order.swoogo_id:
            return f"{order.swoogo_id} in Swoogo is {kind.value} {id_of(key)}."
    return ""


def lifted(ledger: Ledger, keys: AbstractSet[str]) -> dict[str, Entry | None]:
    """D3: what lifting tombstones changes in the ledger: the entry is forgotten, and so are associations with it.

    A key whose entry is no tombstone is left alone: the lift was done before, or there was nothing to lift.
    """
    lifts = {key for key in keys if (entry := ledger.get(key)) and entry.state is State.GONE}
    sessions = {key.partition("/")[2] for key in lifts if key.startswith(key_of(Kind.SESSION, ""))}
    changes: dict[str, Entry | None] = dict.fromkeys(sorted(lifts))
    if sessions:
        for key, entry in entries_of(ledger, Kind.SPEAKER):
            if key not in lifts and not sessions.isdisjoint(entry.links):
                changes[key] = replace(entry, links=tuple(link for link in entry.links if link not in sessions))
    return changes


def _not_there(order: Order, remote: Remote | None) -> str:
    return "" if remote else f"the event in Swoogo has no {kind_of(order.key).value} {order.swoogo_id}."


def _adopted(order: Order, before: Entry | None, remote: Remote, now: int, era: int) -> Entry:
    """Nothing is known of its fields, so the plan that follows sends those that Sessionboard has."""
    name = remote.fields.get("name", remote.natural)
    return Entry(
        State.APPLIED,
        swoogo_id=remote.id,
        natural=remote.natural,
        pushed={"name": digest(name)} if kind_of(order.key) in NAMED_ONLY else {},
        contact_id=remote.contact_id,
        # What an unanswered create of ours made is ours; what people made is never deleted (D4).
        op_id=before.op_id if before and before.state is State.INTENT else "",
        at=now,
        era=era,
    )
