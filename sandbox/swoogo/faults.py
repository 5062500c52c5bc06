"""Faults that can be asked for: which calls they hit and what happens to those.

A rule is `{"match": {"method"?, "path"?, "nth"?, "credential"?, "share"?, "seed"?}, "times"?, "do": {...}}`. `path` is
a regular expression searched in the path without prefix and suffix. `nth` counts the matching calls from 1; the rule
starts there and hits `times` calls (1; null is all), or of those only a `share` (0..1), drawn from `seed` (0), so that
the same numbers are hit every time. `do` holds one of

- `status` with optional `body` and `headers`: answered so, nothing else happens;
- `delay_ms`: the call takes that much longer, also together with any other;
- `drop` `"before"` | `"after"`: the connection is closed without an answer, before or after the effect;
- `hang`: the effect is left out and no answer ever comes; the client has to give up;
- `html`: an HTML page with status 502, or the `status` given, and no effect;
- `empty`, `half_json`: the effect happens and the answer has no body, or half of it;
- `deep_json`: the effect happens and the answer is JSON of a hundred thousand levels;
- `slow_drip`: the effect happens and the body comes in pieces, that many milliseconds apart;
- `drop_field`: that field of the body is lost before the write, as an unwritable field is (2.2).

`effect` true or false beside status, html, drop and hang overrides whether the effect happens. `costs` true beside one
without effect charges its credits all the same, as a server does that counts first and fails later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, get_args

from sandbox.swoogo.answers import ControlError

Action = Literal[
    "status", "delay_ms", "drop", "hang", "html", "empty", "half_json", "deep_json", "slow_drip", "drop_field"
]
_WITH_EFFECT: frozenset[Action] = frozenset({"delay_ms", "empty", "half_json", "deep_json", "slow_drip", "drop_field"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call; `name` is what the journal says."""

    action: Action
    name: str
    effect: bool
    delay_seconds: float = 0.0
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drip_seconds: float = 0.0
    field_name: str | None = None
    costs: bool = False


@dataclass(slots=True)
class _Rule:
    source: Mapping[str, Any]
    method: str | None
    path: re.Pattern[str] | None
    credential: str | None
    nth: int
    times: int | None
    fault: Fault
    share: float
    chance: Random
    seen: int = 0
    hits: int = 0

    def hit_by(self, method: str, path: str, credential: str | None) -> bool:
        if self.method not in {None, method} or self.credential not in {None, credential}:
            return False
        if self.path is not None and self.path.search(path) is None:
            return False
        self.seen += 1
        drawn = self.share >= 1 or self.chance.random() < self.share
        return drawn and self.seen >= self.nth and (self.times is None or self.hits < self.times)


class Faults:
    """The rules in force, in the order they were asked for; the first that hits a call counts."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def add(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """Add rules. Raises ControlError for one that cannot be understood, and then adds none."""
        self._rules.extend([_read_rule(rule) for rule in rules])

    def clear(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def listed(self) -> list[dict[str, Any]]:
        """The rules with the matching calls seen and the calls hit."""
        return [{**rule.source, "seen": rule.seen, "hits": rule.hits} for rule in self._rules]

    def take(self, method: str, path: str, credential: str | None) -> Fault | None:
        """The fault for a call that arrives now; every rule counts it, one at most hits it."""
        taken: Fault | None = None
        for rule in self._rules:
            if rule.hit_by(method, path, credential) and taken is None:
                rule.hits += 1
                taken = rule.fault
        return taken


def _read_rule(rule: Mapping[str, Any]) -> _Rule:
    match, times = rule.get("match") or {}, rule.get("times", 1)
    unknown = (set(rule) - {"match", "times", "do"}) | (
        set(match) - {"method", "path", "nth", "credential", "share", "seed"}
    )
    if unknown:
        raise ControlError(f"a fault has no {', '.join(sorted(unknown))}")
    if times is not None and (not isinstance(times, int) or times < 1):
        raise ControlError("times is a number from 1, or null for every call")
    share = float(match.get("share", 1))
    if not 0 <= share <= 1:
        raise ControlError("share is a number from 0 to 1")
    try:
        path = re.compile(match["path"]) if "path" in match else None
    except re.error as error:
        raise ControlError(f"path is no regular expression: {error}") from error
    method = match.get("method")
    return _Rule(
        source=dict(rule),
        method=None if method is None else str(method).upper(),
        path=path,
        credential=match.get("credential"),
        nth=int(match.get("nth", 1)),
        times=times,
        fault=_read_fault(rule.get("do") or {}),
        share=share,
        chance=Random(int(match.get("seed", 0))),
    )


def _read_fault(do: Mapping[str, Any]) -> Fault:
    action = _action(do)
    allowed = {action, "delay_ms", "effect", "costs"}
    if action in {"status", "html"}:
        allowed |= {"status", "body", "headers"}
    if unknown := set(do) - allowed:
        raise ControlError(f"{action} does not go with {', '.join(sorted(unknown))}")
    name: str = action
    if action == "drop":
        if do["drop"] not in {"before", "after"}:
            raise ControlError('drop is "before" or "after"')
        name = f"drop {do['drop']}"
    elif action == "status":
        name = f"status {do['status']}"
    effect = action in _WITH_EFFECT or do.get("drop") == "after"
    if action in _WITH_EFFECT and do.get("effect") is False:
        raise ControlError(f"{action} needs the answer, and so the effect")
    return Fault(
        action=action,
        name=name,
        effect=bool(do.get("effect", effect)),
        delay_seconds=float(do.get("delay_ms", 0)) / 1000,
        status=int(do["status"]) if "status" in do else 502 if action == "html" else None,
        body=do.get("body"),
        headers={str(key): str(value) for key, value in (do.get("headers") or {}).items()},
        drip_seconds=float(do.get("slow_drip", 0)) / 1000,
        field_name=do.get("drop_field"),
        costs=bool(do.get("costs", False)),
    )


def _action(do: Mapping[str, Any]) -> Action:
    named: list[Action] = [action for action in get_args(Action) if action in do]
    beside = {"delay_ms"} | ({"status"} if "html" in named else set())
    chosen = [action for action in named if action not in beside] or named
    if len(chosen) != 1:
        raise ControlError(f"do holds one of {', '.join(get_args(Action))}")
    return chosen[0]
