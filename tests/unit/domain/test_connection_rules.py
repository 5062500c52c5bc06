"""Whether a requested pair is accepted, as far as no call is needed to tell."""

from __future__ import annotations

import pytest

from consumer.domain.connection import (
    Connection,
    IntegrationRequest,
    Pairs,
    RejectionCode,
    Verdict,
    check_mapping,
)
from tests.support.builders import a_connection, a_mapping_request

PAIRS = Pairs(swoogo_of={"ev": 4711, "other": 4712}, event_of={4711: "ev", 4712: "other"})


@pytest.mark.parametrize("pairs", [Pairs(), PAIRS])
def test_a_pair_that_is_new_or_the_same_again_is_accepted(pairs: Pairs) -> None:
    """M1, M3: the same pair may come back after it was removed."""
    assert check_mapping(a_mapping_request(), a_connection(), pairs) == Verdict()


def test_a_second_partner_for_an_event_is_refused_with_the_first_one_named() -> None:
    """M2: strict one-to-one, for ever."""
    verdict = check_mapping(a_mapping_request("ev", 9999), a_connection(), PAIRS)
    assert verdict.code is RejectionCode.EVENT_ALREADY_MAPPED
    assert verdict.sentence == "Sessionboard event ev belongs to Swoogo event 4711 and can have no other."


def test_a_second_partner_for_a_swoogo_event_is_refused_with_the_first_one_named() -> None:
    """M2: the other way round."""
    verdict = check_mapping(a_mapping_request("third", 4711), a_connection(), PAIRS)
    assert verdict.code is RejectionCode.SWOOGO_EVENT_ALREADY_MAPPED
    assert verdict.sentence == "Swoogo event 4711 belongs to Sessionboard event ev and can have no other."


def test_of_two_partners_taken_the_events_own_is_named() -> None:
    """M2: both have another partner; one clear answer is enough."""
    verdict = check_mapping(a_mapping_request("ev", 4712), a_connection(), PAIRS)
    assert verdict.code is RejectionCode.EVENT_ALREADY_MAPPED
    assert "4711" in verdict.sentence


@pytest.mark.parametrize("name", ["", "Mars/Base", "EST5EDT4", "Europe/Lndon"])
def test_an_unknown_timezone_is_refused_with_an_example(name: str) -> None:
    """M7: nothing could be placed."""
    verdict = check_mapping(a_mapping_request(timezone=name), a_connection(), Pairs())
    assert verdict.code is RejectionCode.UNKNOWN_TIMEZONE
    assert verdict.sentence.startswith(repr(name))
    assert "America/New_York" in verdict.sentence


@pytest.mark.parametrize("name", ["US/Eastern", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_a_known_timezone_is_accepted_under_any_of_its_names(name: str) -> None:
    """M7."""
    assert check_mapping(a_mapping_request(timezone=name), a_connection(), Pairs()).code is None


def test_a_pair_of_an_organization_that_is_not_connected_is_refused() -> None:
    """C1, M1: whatever else is wrong with it."""
    verdict = check_mapping(a_mapping_request(timezone="Mars/Base"), None, PAIRS)
    assert verdict.code is RejectionCode.NOT_CONNECTED
    assert "integration.connected" in verdict.sentence


def test_every_rejection_has_a_code_in_snake_case() -> None:
    """M2, C3: codes are for machines and never change."""
    assert all(code.value == code.name.lower() for code in RejectionCode)


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
    """C1, C3: the same ones need no new token; continuous sync is not part of them."""
    connection: Connection = a_connection()
    assert connection.uses(request_) is same
