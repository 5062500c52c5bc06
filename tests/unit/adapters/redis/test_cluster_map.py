"""Which server of a cluster has which slot."""

from __future__ import annotations

import pytest

from consumer.adapters.redis.cluster_map import SLOTS, Ranges, SlotMap, covers, slot_of
from consumer.adapters.redis.cluster_marker import MARKS

ANSWER = [[0, 8191, [b"10.0.0.1", 6379, b"a"]], [8192, SLOTS - 1, [b"", 6380, b"b"], [b"10.0.0.3", 6381, b"c"]]]


@pytest.mark.parametrize(
    ("key", "slot"),
    [("123456789", 12739), ("p:{123456789}:x", 12739), ("{}123", slot_of("{}123")), ("a{b", slot_of(b"a{b"))],
)
def test_a_key_has_the_slot_of_its_tag(key: str, slot: int) -> None:
    """The first figure is the check value of the specification's CRC16 (0x31C3)."""
    assert slot_of(key) == slot


def test_a_server_without_an_address_is_the_one_that_was_asked() -> None:
    read = SlotMap.read(ANSWER, ("asked", 1))
    assert read.primaries == {("10.0.0.1", 6379): ((0, 8191),), ("asked", 6380): ((8192, SLOTS - 1),)}
    assert (read.owner(8191), read.owner(8192), read.is_whole) == (("10.0.0.1", 6379), ("asked", 6380), True)
    assert read.moved(0, ("new", 1)).owner(0) == ("new", 1)
    assert not SlotMap.read(ANSWER[:1], ("asked", 1)).is_whole


@pytest.mark.parametrize(
    ("some", "more", "covered"),
    [
        (((1, 2),), ((0, 5),), True),
        (((1, 2), (8, 9)), ((0, 5), (7, 9)), True),
        (((4, 6),), ((0, 5), (6, 9)), False),
        ((), ((0, 5),), True),
    ],
)
def test_slots_are_covered_range_by_range(some: Ranges, more: Ranges, covered: bool) -> None:
    assert covers(some, more) is covered


def test_the_marks_lie_evenly() -> None:
    """So each server with as many slots as lie between two of them has one."""
    from consumer.adapters.redis.cluster_marker import _TAGS

    slots = [slot_of(f"p:{{shard/{tag}}}:mark") for tag in _TAGS]
    assert [slot * MARKS // SLOTS for slot in slots] == list(range(MARKS))
