"""What an operator asks to be done to the ledger of an event (D3, G2).

Only the holder of the event's lease writes its ledger, so a command waits for the next claim of the event. Pure:
`apply_commands` says what commands change. Each is judged again when it is carried out: much may have happened since it
was asked for, and a command that is no longer needed changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.plan import NAMED_ONLY
from consumer.domain.records.identity import Kind, digest, id_of, key_of, kind_of
from consumer.domain.records.ledger import Directory, Entry, Ledger, Remote, State, entries_of


class Action(StrEnum):
    """`adopt`: this Swoogo record is ours. `forget`: what an unanswered create may have made is none of those there.
    `lift`: what was deleted in Swoogo may be synced again. `retry`: what Swoogo refused is tried once more; its key is
    that of the issue, and it changes no ledger entry. One for a removal that names the Swoogo record confirms it: it is
    done although many go at once (D4). A version without confirmations takes it for a retry, and asks again.
    `void`: the event's pair with this Swoogo event never synced anything, and is taken back (M8).
    """

    ADOPT = "adopt"
    FORGET = "forget"
    LIFT = "lift"
    RETRY = "retry"
    VOID = "void"


@dataclass(frozen=True, slots=True, order=True)
class LedgerCommand:
    """One act on one ledger key; `swoogo_id` goes with `adopt` and with confirmed removals. `reason`: one line."""

    act: Action
    key: str
    swoogo_id: int = 0
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.act.value} {self.swoogo_id} {self.key}" + (f"\t{self.reason}" if self.reason else "")


def read_command(text: str) -> LedgerCommand:
    act, swoogo_id, rest = text.split(" ", 2)
    key, _, reason = rest.partition("\t")
    return LedgerCommand(Action(act), key, int(swoogo_id), reason)


def voiding(event_id: str, swoogo_event_id: int, reason: str) -> LedgerCommand:
    """The command by which an operator takes a pair back (M8)."""
    return LedgerCommand(Action.VOID, f"pair/{event_id}", swoogo_event_id, " ".join(reason.split()))


def confirmed_removals(commands: Iterable[LedgerCommand]) -> dict[str, int]:
    """Removal key -> Swoogo id of what operators confirmed."""
    return {command.key: command.swoogo_id for command in commands if command.act is Action.RETRY and command.swoogo_id}


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What commands come to.

    Attributes:
        changes: of the ledger; None forgets an entry.
        done: commands that are over, whether they changed anything or not.
        issues: what could not be done.
        wait_until: ms when a command can be carried out that cannot be yet.
    """

    changes: Mapping[str, Entry | None]
    done: frozenset[LedgerCommand]
    issues: tuple[Issue, ...] = ()
    wait_until: int | None = None


def kinds_to_look_at(commands: Iterable[LedgerCommand]) -> frozenset[Kind]:
    """Kinds whose Swoogo records must be known to carry the commands out."""
    return frozenset(kind_of(command.key) for command in commands if command.act is Action.ADOPT)


def apply_commands(
    commands: AbstractSet[LedgerCommand],
    ledger: Ledger,
    directories: Mapping[Kind, Directory],
    *,
    now: int,
    settle_time: int,
    era: int,
) -> CommandOutcome:
    """What the commands change.

    Args:
        commands: in any order; an adoption comes before a forgetting of the same record.
        ledger: of the event, as it is.
        directories: a complete list of each kind to look at.
        now: ms.
        settle_time: how long an unanswered create may still take effect, ms.
        era: of the pair.
    """
    changes: dict[str, Entry | None] = {}
    done: set[LedgerCommand] = set()
    issues: list[Issue] = []
    waits: list[int] = []
    held = dict(ledger)
    for command in sorted(commands):
        entry = held.get(command.key)
        news: dict[str, Entry | None] = {}
        match command.act:
            case Action.ADOPT:
                remote = directories[kind_of(command.key)].rows.get(command.swoogo_id)
                refusal = not_adoptable(command, held) or _not_there(command, remote)
                if remote and not refusal and not (entry and entry.live):
                    # What was associated with a session that is gone is gone with it.
                    news = {**lifted(held, {command.key}), command.key: _adopted(command, entry, remote, now, era)}
                elif refusal:
                    issues.append(Issue(command.key, Code.NOT_ADOPTED, detail=refusal))
            case Action.FORGET:
                if entry and entry.state is State.INTENT:
                    if now < entry.settled_at(settle_time):
                        # It may still come into being; forgotten now, it would be made twice (G2).
                        waits.append(entry.settled_at(settle_time))
                        continue
                    news = {command.key: None}
            case Action.LIFT:
                news = lifted(held, {command.key})
            case Action.RETRY:
                continue  # over when a push has tried it
            case Action.VOID:
                pass  # the event is mapped, so it is over, and changes nothing
        changes |= news
        held = {key: each for key, each in {**held, **news}.items() if each is not None}
        done.add(command)
    return CommandOutcome(changes, frozenset(done), tuple(issues), min(waits, default=None))


def not_adoptable(command: LedgerCommand, ledger: Ledger) -> str:
    """Why the ledger does not allow an adoption, as a sentence; "" when it does."""
    entry = ledger.get(command.key)
    if entry is not None and entry.live and entry.swoogo_id != command.swoogo_id:
        return f"it is {entry.swoogo_id} in Swoogo already."
    kind = kind_of(command.key)
    if kind in NAMED_ONLY:
        return ""  # rooms of one name share a location
    for key, other in entries_of(ledger, kind):
        if key != command.key and other.live and other.swoogo_id == command.swoogo_id:
            return f"{command.swoogo_id} in Swoogo is {kind.value} {id_of(key)}."
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


def _not_there(command: LedgerCommand, remote: Remote | None) -> str:
    return "" if remote else f"the event in Swoogo has no {kind_of(command.key).value} {command.swoogo_id}."


def _adopted(command: LedgerCommand, before: Entry | None, remote: Remote, now: int, era: int) -> Entry:
    """Nothing is known of its fields, so the plan that follows sends those that Sessionboard has."""
    name = remote.fields.get("name", remote.natural)
    return Entry(
        State.APPLIED,
        swoogo_id=remote.id,
        natural=remote.natural,
        pushed={"name": digest(name)} if kind_of(command.key) in NAMED_ONLY else {},
        contact_id=remote.contact_id,
        # What an unanswered create of ours made is ours; what people made is never deleted (D4).
        op_id=before.op_id if before and before.state is State.INTENT else "",
        at=now,
        era=era,
    )
