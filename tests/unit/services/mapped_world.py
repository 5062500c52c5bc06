"""A world whose mapping feeds one custom field under each policy."""

from __future__ import annotations

from dataclasses import replace

from consumer.domain.connections.mapping import FieldMap, FieldMaps, Policy
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Session
from tests.support.builders import a_mapping, a_session
from tests.support.service_world import World, a_world
from tests.unit.services.reconciled import SETTINGS

FIELDS = {policy: f"c_{number}" for number, policy in enumerate(Policy, 1)}
MAPS = FieldMaps(
    sessions=tuple(FieldMap("word", name, policy) for policy, name in FIELDS.items()),
    speakers=tuple(FieldMap("word", name, policy) for policy, name in FIELDS.items()),
)


def talk(word: str) -> Session:
    return replace(a_session(), extra={"word": (FieldType.TEXT.value, (word,) if word else ())})


async def a_mapped_world() -> World:
    world = await a_world(SETTINGS)
    for kind in (Kind.SESSION, Kind.SPEAKER):
        for name in FIELDS.values():
            world.swoogo.define(kind, name, FieldType.TEXT)
    world.mapping = replace(a_mapping(), settings=replace(a_mapping().settings, field_maps=MAPS))
    return world
