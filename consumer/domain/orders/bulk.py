"""Many parked changes or dead letters at once: which are meant, and what a retry of each would do now (U5).

Pure: a dry run is this and nothing else, so it cannot change anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.sentences import field_label, reason_words
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, Plan, SetImage, Update

_AGE: Final = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_FIELDS_NAMED: Final = 3


def seconds_of(age: str) -> int:
    """Seconds of an age such as `90s`, `30m`, `12h`, `2d`. Raises ValueError."""
    found = _AGE.fullmatch(age.strip())
    if found is None:
        raise ValueError(f"{age!r} is no age; write 90s, 30m, 12h or 2d.")
    return int(found[1]) * _SECONDS[found[2]]


@dataclass(frozen=True, slots=True)
class BulkFilter:
    """Which parked changes or dead letters are meant; "" and 0 take all.

    Attributes:
        code: of the issue of a parked change; the reason of a dead letter.
        older_than: seconds since it was parked, or came to be a letter; where that is not known it is old enough.
    """

    code: str = ""
    org_id: str = ""
    event_id: str = ""
    older_than: int = 0

    def takes(self, code: str, org_id: str, event_id: str, at: int, now: int) -> bool:
        """Whether one of this code, organization and event, there since `at`, is meant at `now` (both ms)."""
        return (
            self.code in {"", code}
            and self.org_id in {"", org_id}
            and self.event_id in {"", event_id}
            and now - at >= self.older_than * 1_000
        )


@dataclass(frozen=True, slots=True)
class ParkedCode:
    """What is parked of one event under one code. `oldest`: ms since when the first is; 0: not known."""

    count: int = 0
    oldest: int = 0

    def __add__(self, other: ParkedCode) -> ParkedCode:
        known = [each.oldest for each in (self, other) if each.count]
        return ParkedCode(self.count + other.count, min(known, default=0))


ASKING: Final = frozenset({Code.TOO_MANY_REMOVALS, Code.MANY_MISSING, Code.AMBIGUOUS_MATCH})
"""Issues that end when an operator decides."""


@dataclass(frozen=True, slots=True)
class EventTrouble:
    """What is wrong with one event. `codes`: what is parked; `asks`: of `ASKING`; `failed`: its last push."""

    org_id: str = ""
    codes: Mapping[str, ParkedCode] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    failed: bool = False

    @property
    def any(self) -> bool:
        return bool(self.codes or self.asks or self.failed)

    def may_have(self, choice: BulkFilter, event_id: str, now: int) -> bool:
        """Whether the event may have some of what is meant; its issues say which."""
        return any(choice.takes(code, self.org_id, event_id, each.oldest, now) for code, each in self.codes.items())


def trouble_of(org_id: str, issues: Iterable[Issue], *, failed: bool = False) -> EventTrouble:
    codes: dict[str, ParkedCode] = {}
    asks = set[str]()
    for issue in issues:
        if issue.parked:
            codes[issue.code.value] = codes.get(issue.code.value, ParkedCode()) + ParkedCode(1, issue.at)
        if issue.code in ASKING:
            asks.add(issue.code.value)
    return EventTrouble(org_id, codes, tuple(sorted(asks)), failed)


class Outcome(StrEnum):
    """What a retry would do now: `send` and `read` do something, `fail` fails again, all others do nothing."""

    SEND = "send"
    READ = "read"
    FAIL = "fail"
    EXHAUSTED = "exhausted"
    ASKED = "asked"
    NEWER = "newer"
    NOTHING = "nothing"
    LOST = "lost"


ORDERED: Final = frozenset({Outcome.SEND, Outcome.READ, Outcome.FAIL})
"""What an order to retry would be given for."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a retry of one would do. `words`: in words, without a full stop; `credits`: what it would cost."""

    outcome: Outcome
    words: str
    credits: int = 0

    @property
    def ordered(self) -> bool:
        return self.outcome in ORDERED


def exhausted(rounds: int, limit: int) -> Foreseen | None:
    """What was retried as often as it may be is left alone."""
    if rounds < limit:
        return None
    return Foreseen(Outcome.EXHAUSTED, f"Nothing, it failed {rounds} {'time' if rounds == 1 else 'times'}")


def foresee(
    issues: Sequence[Issue], plan: Plan, asked: Iterable[str], limit: int, *, approved: bool = False
) -> tuple[Foreseen, ...]:
    """What a retry of each of these parked changes of one event would do now.

    Args:
        issues: parked ones.
        plan: of the event, as if a retry of all of them had been asked for.
        asked: keys that were asked to be retried before, and wait.
        limit: rounds after which one is left alone.
        approved: plans of the event are approved before they are sent (U2).
    """
    then = ", once a plan with it is approved" if approved else ""
    frozen = {each.issue_key for each in plan.frozen}
    operations = {each.issue_key: each for each in plan.operations}
    skips = {each.key: each.label for each in plan.skips}
    waiting = frozenset(asked)
    found = []
    for issue in issues:
        operation = operations.get(issue.key)
        if issue.key in waiting:
            known = Foreseen(Outcome.ASKED, "Nothing more, a retry was asked for and waits")
        elif issue.key in frozen:
            known = Foreseen(Outcome.NOTHING, "Nothing now, it is frozen")
        elif operation is None:
            known = Foreseen(Outcome.NOTHING, _idle(skips.get(issue.record, "")))
        elif operation.fingerprint != issue.parked:
            known = Foreseen(Outcome.NEWER, "Nothing, a newer change took its place")
        else:
            cost = operation.credits
            known = exhausted(issue.rounds, limit) or Foreseen(
                Outcome.SEND, f"{_does(operation)}, {cost} {'credit' if cost == 1 else 'credits'}{then}", cost
            )
        found.append(known)
    return tuple(found)


def _idle(reason: str) -> str:
    return f"Nothing, the record is left out: {reason_words(reason)}" if reason else "Nothing, it is no longer needed"


def _does(operation: Operation) -> str:
    match operation:
        case Create():
            return "Create the record again"
        case Adopt():
            return "Take the record that Swoogo has, and send what differs"
        case Update():
            return f"Send {_fields(list(operation.before) or list(operation.fields))} again"
        case Link():
            parts = (("associate with", operation.add), ("take off", operation.remove))
            said = [f"{verb} {len(ids)} {'session' if len(ids) == 1 else 'sessions'}" for verb, ids in parts if ids]
            return f"{' and '.join(said).capitalize()} again"
        case SetImage():
            return "Send the image again"
        case Delete():
            return "Delete the record again"


def _fields(names: list[str]) -> str:
    if len(names) > _FIELDS_NAMED:
        return f"{len(names)} fields"
    labels = [f"the {field_label(name)}" for name in names]
    return " and ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)
