"""FIELD MAPS: what thirty mapped fields cost in credits and in the CPU of a plan (F6)."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any, Final

from benchmarks.figure import Figure
from benchmarks.planning import cpu_ms, ledger_of, unchanged
from benchmarks.programme import ZONE, programme
from benchmarks.servers import Ground
from consumer.domain.connections.mapping import FieldMap, FieldMaps
from consumer.domain.fields.definitions import Choice, FieldDefinition, FieldDefinitions
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.records.field_values import FieldType, FieldValue
from consumer.domain.records.identity import Kind
from sandbox.demo.play import Play, play
from sandbox.demo.world import World, world

NAME: Final = "field-maps"
_PAIRS: Final = 30
_DEFINITIONS: Final = 20
"""Credits of the definitions of two kinds: one list each."""
_CPU_GOAL: Final = 1.5
_ROUNDS: Final = 7


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is 1,000 sessions and 600 speakers, and plans of 10,000 records."""
    sessions, speakers = max(6, round(1_000 * scale)), max(4, round(600 * scale))
    quick = {"DEBOUNCE__QUIET_PERIOD": "1", "DEBOUNCE__MAX_WAIT": "60", "LOG__LEVEL": "WARNING"}
    async with world(window=60.0, latency_ms=2.0, limit=100_000, settings=quick, servers=ground.named(NAME)) as running:
        running.start_service()
        plain = await _credits(running, sessions, speakers, None)
        maps = _maps("title", "job_title"), _maps("description", "about")
        mapped = await _credits(running, sessions, speakers, maps)
    base, ratio = _cpu(scale)
    records = sessions + speakers
    return [
        Figure(
            benchmark=NAME,
            what=f"credits of a map of {_PAIRS} entries on {records:,} records, beyond those without",
            value=mapped[0] - plain[0],
            unit="credits",
            goal=_DEFINITIONS,
            note=f"{plain[0]:,} without; two lists of definitions with.",
        ),
        Figure(
            benchmark=NAME,
            what=f"credits of one changed field of each of {records:,} records, beyond one update each",
            value=mapped[1] - records,
            unit="credits",
            goal=_DEFINITIONS,
        ),
        Figure(
            benchmark=NAME,
            what=f"plan of unchanged records with {_PAIRS} mapped fields, in CPU of one without",
            value=ratio,
            unit="x",
            goal=_CPU_GOAL,
            note=f"{base:.0f} ms without; best of {_ROUNDS}, two thirds are texts and a third choices.",
        ),
    ]


def _maps(of_sessions: str, of_speakers: str) -> dict[str, Any]:
    """Thirty pairs, of which one of each kind has a source of its own."""
    titles = [{"source": "title", "target": f"Session field {number}"} for number in range(1, 20)]
    names = [{"source": "last_name", "target": f"Speaker field {number}"} for number in range(1, 10)]
    first = {"source": of_sessions, "target": "Session field 0"}, {"source": of_speakers, "target": "Speaker field 0"}
    speakers = {"job_title": "title"}.get(of_speakers, of_speakers)
    return {"sessions": [first[0], *titles], "speakers": [{**first[1], "source": speakers}, *names]}


async def _credits(
    running: World, sessions: int, speakers: int, maps: tuple[dict[str, Any], dict[str, Any]] | None
) -> tuple[int, int]:
    """Credits of the first push, and of the one after the map changed."""
    name = "Mapped" if maps else "Plain"
    conference = programme(sessions=sessions, speakers=speakers, rooms=5, tracks=5, name=name)
    fields = [{"resource": "sessions", "name": f"Session field {number}"} for number in range(20)]
    fields += [{"resource": "speakers", "name": f"Speaker field {number}"} for number in range(10)]
    if maps:
        await running.post("seed", {"events": [{"name": "Fields", "timezone": ZONE}], "fields": fields})
    number = 7_100 + bool(maps)
    async with play(running, conference, event_id=number, org_id=f"org-{name.lower()}") as playing:

        async def connect() -> int:
            await playing.connect(settings={"field_maps": maps[0]} if maps else None)
            return 1

        first = (await playing.chapter("connect", connect)).spent.total
        first += (await playing.publish([conference], "push")).spent.total
        return first, (await _remapped(playing, maps[1])) if maps else 0


async def _remapped(playing: Play, maps: dict[str, Any]) -> int:
    async def act() -> int:
        writer = playing.publisher.writer
        updated = writer.mapping_updated(playing.swoogo_event_id, settings={"field_maps": maps}, at=playing.now())
        await playing.publisher.send([updated])
        return 1

    return (await playing.chapter("another map", act)).spent.total


def _cpu(scale: float) -> tuple[float, float]:
    """Ms of a plan without a map, and how many times as much one with thirty fields takes."""
    plain = unchanged(sessions=max(20, round(4_900 * scale)), places=max(2, round(100 * scale)))
    mapped = _with_fields(plain)
    gc.collect()
    gc.freeze()
    took = [(cpu_ms(plain), cpu_ms(mapped)) for _ in range(_ROUNDS)]
    gc.unfreeze()
    base = min(each for each, _ in took)
    return base, min(each for _, each in took) / base


def _with_fields(plain: PlanInput) -> PlanInput:
    """The same with thirty fields on each session and speaker, all of which are in Swoogo."""
    names = [f"field_{number}" for number in range(_PAIRS)]
    choices = tuple(Choice(number + 1, f"Choice {number}") for number in range(7))
    maps = tuple(FieldMap(name, f"c_{number}") for number, name in enumerate(names))

    def values(number: int) -> dict[str, FieldValue]:
        return {
            name: ("text", (f"{name} of {number}",)) if at % 3 else ("choice", (f"Choice {number % 7}",))
            for at, name in enumerate(names)
        }

    def definitions(kind: Kind) -> dict[str, FieldDefinition]:
        return {
            f"c_{at}": FieldDefinition(
                kind, f"c_{at}", name, FieldType.TEXT if at % 3 else FieldType.CHOICE, field_id=at + 1, choices=choices
            )
            for at, name in enumerate(names)
        }

    snapshot = plain.snapshot
    held = {key: replace(each, extra=values(number)) for number, (key, each) in enumerate(snapshot.sessions.items())}
    contacts = {
        key: replace(each, profile=replace(each.profile, extra=values(number)))
        for number, (key, each) in enumerate(snapshot.contacts.items())
    }
    settings = replace(plain.mapping.settings, field_maps=FieldMaps(sessions=maps, speakers=maps))
    given = replace(
        plain,
        ledger={},
        snapshot=replace(snapshot, sessions=held, contacts=contacts),
        mapping=replace(plain.mapping, settings=settings),
        definitions=FieldDefinitions({kind: definitions(kind) for kind in (Kind.SESSION, Kind.SPEAKER)}, read_at=1),
    )
    return replace(given, ledger=ledger_of(make_plan(given)))
