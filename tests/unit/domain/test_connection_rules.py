"""Whether a requested pair is accepted, as far as no call is needed to tell."""

from __future__ import annotations

import pytest

from consumer.domain.connections.connection import (
    Connection,
    IntegrationRequest,
    RejectionCode,
    Verdict,
    check_mapping,
    held_back,
)
from consumer.domain.connections.pair import Pair, PairEnd, Partners
from consumer.domain.records.identity import stamp
from tests.support.builders import NOW, ORG, a_connection, a_mapping_request

EV = Pair("ev", 4711, ORG, mapped_at=NOW)
OTHER = Pair("other", 4712, ORG, mapped_at=NOW)
SOMEBODY_S = Pair("ev", 4711, "somebody else", mapped_at=NOW)


@pytest.mark.rule("M1", "M3")
@pytest.mark.parametrize(
    "partners",
    [
        Partners(),
        Partners(EV, EV),
        Partners(EV.ended(PairEnd.REMOVED, NOW, 2), EV.ended(PairEnd.REMOVED, NOW, 2)),
        Partners(SOMEBODY_S.ended(PairEnd.REMOVED, NOW, 2), SOMEBODY_S.ended(PairEnd.REMOVED, NOW, 2)),
    ],
    ids=["new", "active", "removed", "removed by another organization"],
)
def test_a_pair_that_is_new_or_the_same_again_is_accepted(partners: Partners) -> None:
    """The same pair may come back after it was removed."""
    assert check_mapping(a_mapping_request(), a_connection(), partners) == Verdict()


@pytest.mark.rule("M1", "M2")
def test_a_pair_that_another_organization_has_active_is_refused() -> None:
    """An event is written with one credential at a time."""
    verdict = check_mapping(a_mapping_request(), a_connection(), Partners(SOMEBODY_S, SOMEBODY_S))
    assert (verdict.code, verdict.partner) == (RejectionCode.EVENT_ALREADY_MAPPED, "4711")
    assert "another organization" in verdict.sentence


@pytest.mark.rule("M2")
def test_a_second_partner_for_an_event_is_refused_with_the_first_one_named() -> None:
    """Strict one-to-one, for ever."""
    verdict = check_mapping(a_mapping_request("ev", 9999), a_connection(), Partners(EV, None))
    assert verdict.code is RejectionCode.EVENT_ALREADY_MAPPED
    assert verdict.sentence == "Sessionboard event ev belongs to Swoogo event 4711 and can have no other."
    assert verdict.partner == "4711"


@pytest.mark.rule("M2")
def test_second_partner_is_refused_and_the_first_is_named() -> None:
    """The other way round."""
    verdict = check_mapping(a_mapping_request("third", 4711), a_connection(), Partners(None, EV))
    assert verdict.code is RejectionCode.SWOOGO_EVENT_ALREADY_MAPPED
    assert verdict.sentence == "Swoogo event 4711 belongs to Sessionboard event ev and can have no other."
    assert verdict.partner == "ev"


@pytest.mark.rule("M2")
def test_of_two_partners_taken_the_events_own_is_named() -> None:
    """Both have another partner; one clear answer is enough."""
    verdict = check_mapping(a_mapping_request("ev", 4712), a_connection(), Partners(EV, OTHER))
    assert verdict.code is RejectionCode.EVENT_ALREADY_MAPPED
    assert "4711" in verdict.sentence


@pytest.mark.rule("M7")
@pytest.mark.parametrize("name", ["", "Mars/Base", "EST5EDT4", "Europe/Lndon"])
def test_an_unknown_timezone_is_refused_with_an_example(name: str) -> None:
    """Nothing could be placed."""
    verdict = check_mapping(a_mapping_request(timezone=name), a_connection(), Partners())
    assert verdict.code is RejectionCode.UNKNOWN_TIMEZONE
    assert verdict.sentence.startswith(repr(name))
    assert "America/New_York" in verdict.sentence


@pytest.mark.rule("M7")
@pytest.mark.parametrize("name", ["US/Eastern", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_a_known_timezone_is_accepted_under_any_of_its_names(name: str) -> None:
    assert check_mapping(a_mapping_request(timezone=name), a_connection(), Partners()).code is None


@pytest.mark.rule("C1", "M1")
def test_a_pair_of_an_organization_that_is_not_connected_is_refused() -> None:
    """Whatever else is wrong with it."""
    verdict = check_mapping(a_mapping_request(timezone="Mars/Base"), None, Partners(EV, EV))
    assert verdict.code is RejectionCode.NOT_CONNECTED
    assert "integration.connected" in verdict.sentence


@pytest.mark.rule("C3", "M2")
def test_every_rejection_has_a_code_in_snake_case() -> None:
    """Codes are for machines and never change."""
    assert all(code.value == code.name.lower() for code in RejectionCode)


@pytest.mark.rule("C1", "C3")
@pytest.mark.parametrize(
    ("request_", "same"),
    [
        (IntegrationRequest("org", connected=True, sealed="c2VhbGVk"), True),
        (IntegrationRequest("org", connected=True, sealed="c2VhbGVk", continuous=False), True),
        (IntegrationRequest("org", connected=True, sealed="b3RoZXI="), False),
        (IntegrationRequest("org", connected=True, secret_name="c2VhbGVk"), False),
    ],
)
def test_credentials_in_use_are_recognised(request_: IntegrationRequest, same: bool) -> None:
    """The same ones need no new token; continuous sync is not part of them."""
    connection: Connection = a_connection()
    assert connection.uses(request_) is same


@pytest.mark.rule("C3", "X1", "G3")
@pytest.mark.parametrize(
    ("moment", "shown"),
    [(NOW, ""), (NOW + 1_000, "2026-06-01T08:00:01Z"), (10**15, "9999-12-31T23:59:59Z")],
)
def test_only_a_moment_in_the_future_is_told_to_hold_a_request_back(moment: int, shown: str) -> None:
    """An earlier one is the order of things; any moment can be shown."""
    sentence = held_back("a disconnect", stamp(moment, 0, 0), NOW)
    assert shown in sentence
    assert bool(sentence) is bool(shown)
    assert held_back("a disconnect", "", NOW) == ""
