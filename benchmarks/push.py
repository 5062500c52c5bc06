"""PUSH: how close the push of a whole conference comes to the time that latency and concurrency leave no way around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from benchmarks import naive_push
from benchmarks.figure import Figure
from benchmarks.programme import ZONE, programme
from benchmarks.servers import Ground
from sandbox.demo.play import play
from sandbox.demo.world import World, world

NAME: Final = "push"
_GOAL: Final = 1.10
_LATENCY_MS: Final = 200.0
_WINDOW: Final = 600.0
_PEER: Final = "httpx, gather and a semaphore, no ledger, no permits"
_PEER_CREDENTIAL: Final = {"key": "bench-peer", "secret": "bench-peer-secret"}


@dataclass(frozen=True, slots=True)
class Timed:
    """A push as the sandbox saw it. `bound`: latency x calls / concurrency, s; `most`: most calls at a time."""

    calls: int
    seconds: float
    bound: float
    most: int

    @property
    def over(self) -> float:
        """How many times the bound it took."""
        return self.seconds / self.bound


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is 500 sessions, 400 speakers and 60 rooms and tracks: about 1,360 credits."""
    conference = programme(
        sessions=max(5, round(500 * scale)),
        speakers=max(4, round(400 * scale)),
        rooms=max(1, round(30 * scale)),
        tracks=max(1, round(30 * scale)),
    )
    quick = {"DEBOUNCE__QUIET_PERIOD": "1", "DEBOUNCE__MAX_WAIT": "60", "LOG__LEVEL": "WARNING"}
    async with world(window=_WINDOW, latency_ms=_LATENCY_MS, settings=quick, servers=ground.named(NAME)) as running:
        concurrency = running.settings.push.concurrency
        running.start_service()
        async with play(running, conference) as playing:
            await playing.connect()
            await playing.watch.until_idle(60)
            before = await _journal(running)
            chapter = await playing.publish([conference], "push")
            ours = _timed((await _journal(running))[len(before) :], concurrency)
        await running.stop_services()
        before = await _journal(running)
        seeded = await running.post(
            "seed", {"credentials": [_PEER_CREDENTIAL], "events": [{"name": "Peer", "timezone": ZONE}]}
        )
        await naive_push.push(
            f"{running.swoogo.url}/api/v1",
            _PEER_CREDENTIAL["key"],
            _PEER_CREDENTIAL["secret"],
            seeded["events"][0],
            conference,
            concurrency,
        )
        peer = _timed((await _journal(running))[len(before) :], concurrency)
        refused = (await running.get("stats"))["refused_429"]
    exact = "Swoogo held exactly what it must" if not chapter.differences else f"NOT exact: {chapter.differences[:3]}"
    return [
        Figure(
            benchmark=NAME,
            what=f"first to last call, in latency x calls / concurrency ({concurrency})",
            value=ours.over,
            unit="x",
            goal=_GOAL,
            peer=peer.over,
            peer_name=_PEER,
            note=(
                f"{ours.calls:,} calls at {_LATENCY_MS:g} ms in {ours.seconds:.1f} s; "
                f"peer {peer.calls:,} calls in {peer.seconds:.1f} s. {exact}.{_flattery(ours, concurrency)}"
            ),
        ),
        Figure(benchmark=NAME, what="most calls at a time", value=ours.most, unit="calls", goal=concurrency),
        Figure(benchmark=NAME, what="calls refused with 429", value=refused, unit="calls", goal=0),
    ]


def _flattery(ours: Timed, concurrency: int) -> str:
    """The bound is for calls that keep to the setting."""
    if ours.most <= concurrency:
        return ""
    return f" With {ours.most} calls at a time: {ours.over * ours.most / concurrency:.2f} x the bound of {ours.most}."


def _timed(journal: list[dict[str, Any]], concurrency: int) -> Timed:
    """From the arrival of the first call to the answer of the last; asking for a token is not counted."""
    latency = _LATENCY_MS / 1000
    effects = sorted(call["at"] for call in journal if not call["path"].startswith("/oauth2/"))
    # A call takes effect half its latency after it arrived, and as long before it is answered.
    seconds = effects[-1] - effects[0] + latency
    most = first = 0
    for last, moment in enumerate(effects):
        while effects[first] <= moment - latency:
            first += 1
        most = max(most, last - first + 1)
    return Timed(len(effects), seconds, latency * len(effects) / concurrency, most)


async def _journal(running: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await running.get("journal?since=0")
    return found
