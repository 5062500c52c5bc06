"""K1: what counts as stuck, since when, and what there is to type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from consumer.adapters.redis.budget import CreditBalance
from consumer.adapters.redis.credential_overview import CredentialStats
from consumer.adapters.redis.event_stats import EventStats
from consumer.domain.orders.bulk import EventTrouble, ParkedCode
from consumer.domain.pacing.circuit import Circuit
from consumer.entrypoints.documents.operations import Freshness, freshness, parked_codes
from consumer.entrypoints.documents.running import ReplicaRow, TopicRow
from consumer.entrypoints.documents.stuck import ReasonRow, stuck_things
from consumer.ports.rebuild import RebuildProgress
from tests.support.builders import NOW

pytestmark = pytest.mark.rule("K1")

REPLICA: Final = ReplicaRow("r", "1.0.0", "all", True, None, None, NOW)
CREDENTIAL: Final = CredentialStats("o1", "c", False, 2, CreditBalance(), Circuit())
TOPIC: Final = TopicRow("sessions", 1, 0, None, 0)
RIGHT: Final[dict[str, Any]] = {
    "complete": True,
    "rebuild": None,
    "credentials": [CREDENTIAL],
    "trouble": {},
    "stats": {},
    "names": {"e1": "Summit"},
    "letters": (),
    "replicas": [REPLICA],
    "topics": [TOPIC],
}
FAILED: Final = {"trouble": {"e1": EventTrouble("o1", failed=True)}, "stats": {"e1": EventStats(failures=2, oldest=5)}}


@pytest.mark.parametrize(
    ("facts", "kinds"),
    [
        ({}, []),
        ({"letters": None}, []),
        ({"complete": False}, ["redis"]),
        ({"rebuild": RebuildProgress("ledger", 1, 2, NOW)}, ["redis"]),
        ({"replicas": []}, ["replicas"]),
        ({"replicas": [replace(REPLICA, role="console")]}, ["replicas"]),
        ({"topics": [replace(TOPIC, behind=5, oldest_ms=NOW - 1_000)]}, []),
        ({"topics": [replace(TOPIC, behind=5, oldest_ms=NOW - 400_000)]}, ["kafka"]),
        ({"topics": [replace(TOPIC, behind=5, members=0)]}, ["kafka"]),
        ({"silent": "Kafka did not answer."}, ["kafka"]),
        ({"credentials": [replace(CREDENTIAL, refused=True)]}, ["credential"]),
        ({"credentials": [replace(CREDENTIAL, circuit=Circuit(since=1, until=NOW))]}, ["circuit"]),
        (FAILED, ["failing"]),
        ({**FAILED, "credentials": [replace(CREDENTIAL, refused=True)]}, ["credential"]),
        ({"trouble": {"e1": EventTrouble(asks=("many_missing",))}}, ["asking"]),
        ({"letters": (ReasonRow("not_json", 2, 7, ("sessions",)),)}, ["letters"]),
        ({"trouble": {"e1": EventTrouble(codes={"refused": ParkedCode(2, 9)})}}, ["parked"]),
    ],
    ids=str,
)
def test_what_is_stuck(facts: dict[str, Any], kinds: list[str]) -> None:
    found = stuck_things(NOW, **{**RIGHT, **facts})
    assert [each.kind for each in found] == kinds
    assert all((each.what and each.why.endswith(".") and each.runbook) or each.command for each in found)


def test_numbers_and_moments_are_those_of_all_events() -> None:
    trouble = {
        "e1": EventTrouble(codes={"refused": ParkedCode(2, 9)}, asks=("many_missing",)),
        "e2": EventTrouble(
            codes={"refused": ParkedCode(1, 4), "no_permission": ParkedCode(1, 6)}, asks=("many_missing",)
        ),
    }
    asking, parked = stuck_things(NOW, **{**RIGHT, "trouble": trouble})
    assert (asking.what, asking.event_id) == ("2 events ask an operator", "")
    assert (parked.what, parked.since_ms) == ("4 parked changes", 4)
    assert [(each.code, each.count, each.oldest_ms, each.events) for each in parked_codes(trouble)] == [
        ("refused", 3, 4, 2),
        ("no_permission", 1, 6, 1),
    ]


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        ([], Freshness()),
        ([5.0], Freshness(1, 5.0, 5.0)),
        ([float(each) for each in range(101)], Freshness(101, 50.0, 95.0)),
    ],
)
def test_freshness_is_the_middle_and_what_95_of_100_keep_to(seconds: list[float], found: Freshness) -> None:
    assert freshness(seconds) == found
