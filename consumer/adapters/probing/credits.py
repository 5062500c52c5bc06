"""Questions about credits and tokens, answered by the rate headers (`swoogo-api.md 1, 3`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consumer.adapters.probing.findings import UNKNOWN, Finding, finding
from consumer.adapters.probing.scratch import Reply, Scratch

_TIMES: Final = 4
"""Calls of a kind that are counted together, so that one call of somebody else does not decide."""
_REFILL: Final = 4
"""Credits that a refilling allowance gains in the pause."""
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class _Rate:
    """How an allowance refills: credits a second, 0 for a window."""

    a_second: float


async def of_credits(scratch: Scratch, window: float) -> list[Finding]:
    """What costs a credit. `window`: its length, seconds."""
    reply = await _look(scratch)
    if reply.remaining is None or not reply.limit:
        unseen = "no rate headers come"
        return [
            finding("rate_headers", "never", "no answer has X-Rate-Limit-Remaining and -Limit"),
            *(finding(name, UNKNOWN, unseen) for name in ("limiter", "token_costs_credit", "refused_costs_credit")),
            await _revocation(scratch),
        ]
    a_second = reply.limit / window
    gained = [await _gained(scratch, _REFILL / a_second) for _ in range(2)]
    refills = all(gain > 0 for gain in gained)
    rate = _Rate(a_second if refills else 0.0)
    return [
        finding("rate_headers", "always", "answers say what is left"),
        finding(
            "limiter",
            "leaky_bucket" if refills else "fixed_window",
            f"credits after a pause of {_REFILL / a_second:.1f} s",
        ),
        await _cost(scratch, rate, "token_costs_credit"),
        await _cost(scratch, rate, "refused_costs_credit"),
        await _revocation(scratch),
    ]


async def _look(scratch: Scratch) -> Reply:
    return await scratch.get(f"/events/{scratch.event_id}?fields=id")


async def _gained(scratch: Scratch, pause: float) -> int:
    """Credits gained while nothing was called; the look itself costs one."""
    before = (await _look(scratch)).remaining or 0
    await scratch.clock.sleep(pause)
    return ((await _look(scratch)).remaining or 0) + 1 - before


async def _cost(scratch: Scratch, rate: _Rate, name: str) -> Finding:
    before, began = await _look(scratch), scratch.clock.now()
    for _ in range(_TIMES):
        if name == "token_costs_credit":
            await scratch.new_token()
        else:
            await scratch.form("POST", "/sessions/create", {"event_id": scratch.event_id})
    after = await _look(scratch)
    refilled = rate.a_second * (scratch.clock.now() - began) / 1000
    spent = (before.remaining or 0) - (after.remaining or 0) - 1 + refilled
    what = "token calls" if name == "token_costs_credit" else "refused creates"
    return finding(name, spent >= _TIMES / 2, f"{_TIMES} {what} cost {max(round(spent), 0)} credits")


async def _revocation(scratch: Scratch) -> Finding:
    await scratch.new_token()
    before = await scratch.new_token()
    reply = await scratch.get(f"/events/{scratch.event_id}?fields=id", token=before)
    ended = reply.status == _UNAUTHORIZED
    return finding("new_token_revokes_old", ended, f"a call with the token before the newest: {reply.status}")
