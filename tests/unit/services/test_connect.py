"""Requested integrations and pairs take effect, or are refused and leave what was in force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.adapters.redis import codecs
from consumer.domain.connection import (
    Announcement,
    IntegrationRequest,
    MappingRequest,
    Request,
    disconnect_key,
    integration_key,
)
from consumer.domain.connection_state import ConnectionStanding
from consumer.domain.errors import CredentialError, LeaseLostError, UnavailableError
from consumer.domain.identity import stamp
from consumer.domain.mapping import MappingSettings
from consumer.domain.pair import PairEnd
from consumer.ports import Change, Lease, event_subject, org_subject
from tests.support.builders import NOW, ORG, a_session
from tests.support.service_world import World, a_world

pytestmark = pytest.mark.rule("X1")

SUBJECT = org_subject(ORG)
A, B = 501, 502


@pytest.fixture
async def world() -> World:
    """An organization that published nothing yet; Swoogo has two events."""
    made = await a_world()
    await made.connections.put_connection(ORG, None)
    await made.connections.put_mapping(ORG, "ev", None)
    await made.inbox.set_continuous("ev", on=False)
    made.swoogo.zones = {A: "Europe/London", B: "Europe/London"}
    return made


def connected(name: str = "first", *, continuous: bool = True) -> IntegrationRequest:
    return IntegrationRequest(ORG, connected=True, continuous=continuous, secret_name=name)


DISCONNECTED = IntegrationRequest(ORG, connected=False)


def pair(event: str = "e1", swoogo: int = A, **changed: object) -> MappingRequest:
    made = MappingRequest(ORG, event, present=True, swoogo_event_id=swoogo, timezone="Europe/London")
    return replace(made, **changed)  # type: ignore[arg-type]


def removed(event: str = "e1") -> MappingRequest:
    return MappingRequest(ORG, event, present=False)


_stamps = iter(range(1, 10_000))


def key_of(request: Request) -> str:
    if isinstance(request, MappingRequest):
        return f"mapping/{request.event_id}"
    return integration_key(request.org_id) if request.connected else disconnect_key(request.org_id)


async def ask(world: World, *requests: Request) -> Lease:
    """Publish requests and claim the organization."""
    changes = [Change(key_of(request), f"{next(_stamps):015d}", codecs.encode(request)) for request in requests]
    await world.inbox.record(SUBJECT, changes)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    return lease


async def settle(world: World, *requests: Request) -> list[Announcement]:
    """Publish requests and have them dealt with; what was announced."""
    world.board.topic.announcements.clear()
    await world.connector.settle(await ask(world, *requests))
    assert world.inbox.state(SUBJECT).marks == {}
    return world.board.topic.announcements


def told(announcements: list[Announcement]) -> list[tuple[str, str]]:
    return [(each.action, each.code) for each in announcements]


@pytest.mark.rule("C1", "C3")
async def test_credentials_are_tried_once_and_then_in_use(world: World) -> None:
    said = await settle(world, connected())
    assert told(said) == [("integration.accepted", "")]
    assert world.credentials.verified == ["first"]
    connection = await world.connections.connection(ORG)
    assert connection is not None
    assert (connection.secret_name, connection.credential, connection.continuous) == ("first", "hash-of-first", True)


@pytest.mark.rule("C2", "C3")
@pytest.mark.parametrize(
    ("trouble", "code"), [("refused", "credentials_refused"), ("unreadable", "credentials_unreadable")]
)
async def test_bad_credentials_leave_the_former_ones_in_force(world: World, trouble: str, code: str) -> None:
    """`unreadable`: sealed to another key."""
    await settle(world, connected(), pair())
    getattr(world.credentials, trouble).add("second")
    before = await world.connections.connection(ORG)
    said = await settle(world, connected("second"))
    assert told(said) == [("integration.rejected", code)]
    assert said[0].sentence
    assert await world.connections.connection(ORG) == before
    assert set(await world.connections.mappings(ORG)) == {"e1"}
    assert world.credentials.verified == ["first", *(["second"] if trouble == "refused" else [])]


@pytest.mark.rule("C3")
async def test_credentials_that_never_worked_connect_nothing(world: World) -> None:
    world.credentials.refused.add("first")
    assert told(await settle(world, connected(), pair())) == [
        ("integration.rejected", "credentials_refused"),
        ("mapping.rejected", "not_connected"),
    ]
    assert await world.connections.connection(ORG) is None
    assert await world.connections.mappings(ORG) == {}


@pytest.mark.rule("C1")
async def test_new_credentials_replace_the_old_ones_for_every_pair(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    await settle(world, connected("second"))
    mappings = await world.connections.mappings(ORG)
    assert {each.credential for each in mappings.values()} == {"hash-of-second"}
    assert len(mappings) == 2


async def test_the_same_credentials_published_again_are_not_tried_again(world: World) -> None:
    await settle(world, connected())
    assert told(await settle(world, connected())) == [("integration.accepted", "")]
    assert world.credentials.verified == ["first"]


@pytest.mark.rule("C4")
async def test_continuous_sync_follows_what_was_published_for_every_pair(world: World) -> None:
    await settle(world, connected(continuous=False), pair("e1", A), pair("e2", B))
    states = [world.inbox.state(event_subject(event)) for event in ("e1", "e2")]
    assert [state.continuous for state in states] == [False, False]
    for wanted in (True, False):
        await settle(world, connected(continuous=wanted))
        assert [state.continuous for state in states] == [wanted, wanted]
        assert {each.continuous for each in (await world.connections.mappings(ORG)).values()} == {wanted}


@pytest.mark.rule("C3")
async def test_silent_swoogo_leaves_the_request_for_later(world: World) -> None:
    world.credentials.unavailable = 1
    lease = await ask(world, connected())
    with pytest.raises(UnavailableError):
        await world.connector.settle(lease)
    assert world.board.topic.announcements == []
    assert world.inbox.state(SUBJECT).marks
    await world.connector.settle(lease)
    assert told(world.board.topic.announcements) == [("integration.accepted", "")]


@pytest.mark.rule("M1")
async def test_an_organization_maps_many_events_with_its_one_credential(world: World) -> None:
    said = await settle(world, connected(), pair("e1", A), pair("e2", B))
    assert told(said) == [("integration.accepted", ""), ("mapping.accepted", ""), ("mapping.accepted", "")]
    mappings = await world.connections.mappings(ORG)
    assert {event: each.swoogo_event_id for event, each in mappings.items()} == {"e1": A, "e2": B}
    assert {each.credential for each in mappings.values()} == {"hash-of-first"}


@pytest.mark.rule("M2")
@pytest.mark.parametrize("ended", [False, True], ids=["while it lasts", "after it was removed"])
@pytest.mark.parametrize(
    ("second", "code", "partner"),
    [(pair("e1", B), "event_already_mapped", str(A)), (pair("e2", A), "swoogo_event_already_mapped", "e1")],
)
async def test_neither_partner_of_a_pair_can_ever_have_another(
    world: World, second: MappingRequest, code: str, partner: str, ended: bool
) -> None:
    await settle(world, connected(), pair("e1", A))
    if ended:
        await settle(world, removed("e1"))
    before = await world.connections.mappings(ORG)
    [said] = await settle(world, second)
    assert (said.action, said.code, said.partner) == ("mapping.rejected", code, partner)
    assert partner in said.sentence
    assert await world.connections.mappings(ORG) == before


@pytest.mark.rule("M2")
async def test_a_partner_taken_while_swoogo_was_asked_is_refused_all_the_same(world: World) -> None:
    """Another replica, for another organization, in between the check and the entry."""
    await settle(world, connected())

    async def take(work: object, call: object) -> None:
        await world.pairs.claim(Lease(org_subject("somebody else"), 1, "op"), "theirs", A, NOW)

    world.swoogo.before_call = take
    [said] = await settle(world, pair("e1", A))
    assert (said.action, said.code) == ("mapping.rejected", "swoogo_event_already_mapped")
    assert await world.connections.mappings(ORG) == {}


@pytest.mark.rule("M3")
async def test_the_same_pair_is_accepted_again_after_it_was_removed(world: World) -> None:
    await settle(world, connected(), pair())
    await settle(world, removed())
    assert told(await settle(world, pair())) == [("mapping.accepted", "")]
    assert set(await world.connections.mappings(ORG)) == {"e1"}


@pytest.mark.rule("M4")
async def test_removing_a_pair_stops_that_pair_only(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    [said] = await settle(world, removed("e1"))
    assert (said.action, said.event_id, said.swoogo_event_id) == ("mapping.removed", "e1", A)
    assert set(await world.connections.mappings(ORG)) == {"e2"}
    assert await world.connections.connection(ORG) is not None
    assert not world.inbox.state(event_subject("e1")).continuous
    assert world.inbox.state(event_subject("e2")).continuous


@pytest.mark.rule("M4")
async def test_removing_a_pair_that_is_not_there_is_harmless(world: World) -> None:
    assert await settle(world, connected(), removed("never mapped")) == [
        Announcement("integration.accepted", ORG, "Swoogo accepted the credentials.")
    ]


@pytest.mark.rule("M5")
async def test_what_was_recorded_before_the_mapping_is_due_when_it_is_accepted(world: World) -> None:
    await world.given(a_session("s1"), event_id="e1")
    assert (await world.inbox.due(10)).next_in is None
    await settle(world, connected(), pair("e1", A))
    assert event_subject("e1") in (await world.inbox.due(10)).subjects


@pytest.mark.rule("M6")
async def test_a_swoogo_event_that_cannot_be_read_is_refused_and_stays_free(world: World) -> None:
    [_, said] = await settle(world, connected(), pair("e1", 999))
    assert (said.action, said.code) == ("mapping.rejected", "swoogo_event_not_found")
    assert await world.pairs.all() == {}
    assert told(await settle(world, pair("e1", A))) == [("mapping.accepted", "")]


@pytest.mark.rule("M6")
async def test_a_credential_refused_while_swoogo_is_asked_is_the_reason_given(world: World) -> None:
    await settle(world, connected())

    async def refuse(work: object, call: object) -> None:
        raise CredentialError("Swoogo refused the credentials.")

    world.swoogo.before_call = refuse
    [said] = await settle(world, pair())
    assert (said.code, said.sentence) == ("credentials_refused", "Swoogo refused the credentials.")


@pytest.mark.rule("M7")
async def test_a_mapping_with_an_unknown_time_zone_is_refused(world: World) -> None:
    [_, said] = await settle(world, connected(), pair(timezone="Mars/Olympus"))
    assert (said.action, said.code) == ("mapping.rejected", "unknown_timezone")
    assert world.swoogo.calls == []


async def test_settings_of_an_active_pair_change_without_asking_swoogo_again(world: World) -> None:
    await settle(world, connected(), pair())
    world.swoogo.calls.clear()
    await settle(world, pair(settings=MappingSettings(sync_capacity=True), name="Renamed"))
    mapping = await world.connections.mapping("e1")
    assert mapping is not None
    assert (mapping.settings.sync_capacity, mapping.name, world.swoogo.calls) == (True, "Renamed", [])


async def test_pair_refused_without_credentials_is_tried_when_they_arrive(world: World) -> None:
    assert told(await settle(world, pair("e1", A))) == [("mapping.rejected", "not_connected")]
    assert told(await settle(world, connected())) == [("integration.accepted", ""), ("mapping.accepted", "")]
    assert set(await world.connections.mappings(ORG)) == {"e1"}


async def test_disconnecting_ends_every_pair_of_the_organization_and_no_other_s(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    other = replace(world.mapping, org_id="other", event_id="e3")
    await world.connections.put_mapping("other", "e3", other)
    said = await settle(world, DISCONNECTED)
    assert told(said) == [("mapping.removed", "disconnected")] * 2
    assert await world.connections.connection(ORG) is None
    assert await world.connections.mappings(ORG) == {}
    assert await world.connections.mappings("other") == {"e3": other}
    assert not any(world.inbox.state(event_subject(event)).continuous for event in ("e1", "e2"))


async def test_reconnecting_with_other_credentials_is_possible(world: World) -> None:
    await settle(world, connected(), pair("e1", A))
    await settle(world, DISCONNECTED)
    said = await settle(world, connected("second"), pair("e1", A))
    assert ("integration.accepted", "") in told(said)
    assert (await world.connections.mappings(ORG))["e1"].credential == "hash-of-second"


@pytest.mark.rule("G1")
async def test_an_announcement_that_could_not_be_made_is_made_by_the_next_try(world: World) -> None:
    world.board.topic.failures.append(UnavailableError("The status topic could not be written."))
    lease = await ask(world, connected(), pair())
    with pytest.raises(UnavailableError):
        await world.connector.settle(lease)
    await world.connector.settle(lease)
    assert told(world.board.topic.announcements) == [("integration.accepted", ""), ("mapping.accepted", "")]


@pytest.mark.rule("G4")
async def test_whoever_lost_the_organization_clears_no_request(world: World) -> None:
    lease = await ask(world, connected())
    world.inbox.state(SUBJECT).epoch += 1
    with pytest.raises(LeaseLostError):
        await world.connector.settle(lease)
    assert world.inbox.state(SUBJECT).marks


@pytest.mark.rule("X2")
async def test_a_disconnect_seals_every_pair_the_organization_ever_had(world: World) -> None:
    """Also one that had been removed before: what it synced was synced before the disconnect."""
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    await settle(world, removed("e1"))
    await settle(world, DISCONNECTED)
    register = await world.pairs.all()
    eras = {event: each.era for event, each in register.items()}
    assert eras["e1"] == eras["e2"] > 0
    assert [register[event].ended_by for event in ("e1", "e2")] == [PairEnd.REMOVED, PairEnd.DISCONNECTED]
    assert world.pairs.changelog.written[-2:] == [register["e1"], register["e2"]]
    await settle(world, connected(), pair("e1", A))
    assert (await world.connections.mappings(ORG))["e1"].era == eras["e1"]


async def test_reconnecting_brings_back_no_pairs(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    await settle(world, DISCONNECTED)
    assert told(await settle(world, connected())) == [("integration.accepted", "")]
    assert await world.connections.mappings(ORG) == {}
    assert told(await settle(world, pair("e2", B))) == [("mapping.accepted", "")]
    assert set(await world.connections.mappings(ORG)) == {"e2"}


@pytest.mark.rule("M3")
async def test_pair_published_while_disconnected_waits_for_credentials(world: World) -> None:
    """Refused for want of credentials only."""
    await settle(world, connected(), pair("e1", A))
    await settle(world, DISCONNECTED)
    assert told(await settle(world, pair("e1", A))) == [("mapping.rejected", "not_connected")]
    assert told(await settle(world, connected())) == [("integration.accepted", ""), ("mapping.accepted", "")]


@pytest.mark.rule("G1")
async def test_disconnect_read_with_the_next_connection_ends_every_pair(
    world: World,
) -> None:
    """Whatever is published while the service is away is settled in one go."""
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    said = await settle(world, DISCONNECTED, connected("second"), pair("e1", A))
    assert told(said) == [
        ("mapping.removed", "disconnected"),
        ("mapping.removed", "disconnected"),
        ("integration.accepted", ""),
        ("mapping.accepted", ""),
    ]
    mappings = await world.connections.mappings(ORG)
    assert {event: each.credential for event, each in mappings.items()} == {"e1": "hash-of-second"}
    assert mappings["e1"].era > 0


async def test_the_same_credentials_after_a_disconnect_are_verified_again(world: World) -> None:
    await settle(world, connected())
    await settle(world, DISCONNECTED, connected())
    assert world.credentials.verified == ["first", "first"]


@pytest.mark.rule("G1")
async def test_a_disconnect_broken_off_half_way_is_finished_by_the_next_worker(world: World) -> None:
    """The pair ended is told once, and nothing is left active."""
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    world.board.topic.announcements.clear()
    world.pairs.changelog.failures.append(UnavailableError("Kafka is away."))
    lease = await ask(world, DISCONNECTED)
    with pytest.raises(UnavailableError):
        await world.connector.settle(lease)
    assert await world.connections.connection(ORG) is not None
    await world.connector.settle(lease)
    assert told(world.board.topic.announcements) == [("mapping.removed", "disconnected")] * 2
    assert await world.connections.connection(ORG) is None


@pytest.mark.rule("G3")
async def test_a_disconnect_older_than_the_credentials_in_use_ends_nothing(world: World) -> None:
    """It came late: the organization has connected again since."""
    await settle(world, connected(), pair("e1", A))
    await world.inbox.record(SUBJECT, [Change(disconnect_key(ORG), "0" * 15, codecs.encode(DISCONNECTED))])
    await settle(world)
    assert set(await world.connections.mappings(ORG)) == {"e1"}
    assert (await world.pairs.all())["e1"].era == 0


async def dated(world: World, moment: int, *requests: Request) -> list[tuple[str, str]]:
    """Publish requests that are dated `moment` (ms), and have them dealt with; what was announced."""
    world.board.topic.announcements.clear()
    changes = [Change(key_of(each), stamp(moment, moment, next(_stamps)), codecs.encode(each)) for each in requests]
    await world.inbox.record(SUBJECT, changes)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    await world.connector.settle(lease)
    return told(world.board.topic.announcements)


@pytest.mark.rule("X2")
async def test_a_disconnect_read_after_the_next_connection_seals_all_the_same(world: World) -> None:
    """Their keys may lie in different partitions. What was synced before it stays sealed, the pair goes on."""
    await dated(world, NOW - 9, connected(), pair())
    await dated(world, NOW - 7, connected())
    await dated(world, NOW - 3, connected("second"), pair())
    assert await dated(world, NOW - 5, DISCONNECTED) == [
        ("mapping.removed", "disconnected"),
        ("integration.accepted", ""),
        ("mapping.accepted", ""),
    ]
    assert (await world.connections.mappings(ORG))["e1"].era == NOW - 5
    assert await dated(world, NOW - 4, DISCONNECTED) == [], "older than the connection that is in force now"


@pytest.mark.rule("C3", "M2", "G3")
async def test_connection_older_than_a_future_disconnect_is_refused(world: World) -> None:
    """The publisher's clock was ahead. Order is order, but no one has to guess why nothing connects."""
    late = NOW + 86_400_000
    await dated(world, NOW - 2, connected(), pair())
    assert await dated(world, late, DISCONNECTED) == [("mapping.removed", "disconnected")]
    assert await dated(world, NOW - 1, connected(), pair()) == [
        ("integration.rejected", "dated_too_early"),
        ("mapping.rejected", "dated_too_early"),
    ]
    assert all("2026-06-02T08:00:00Z" in each.sentence for each in world.board.topic.announcements)
    assert await dated(world, late + 1, connected(), pair()) == [("integration.accepted", ""), ("mapping.accepted", "")]


@pytest.mark.rule("G3")
async def test_disconnect_older_than_future_credentials_is_refused(
    world: World,
) -> None:
    """A disconnect must not seem done when it is not."""
    await dated(world, NOW + 86_400_000, connected())
    assert await dated(world, NOW - 1, DISCONNECTED) == [("integration.rejected", "dated_too_early")]
    assert "not disconnected" in world.board.topic.announcements[0].sentence
    assert await world.connections.connection(ORG) is not None


@pytest.mark.rule("G3")
async def test_what_was_published_before_an_ordinary_disconnect_is_not_told_of(world: World) -> None:
    """It came together with the disconnect that ended it, or was read late."""
    await dated(world, NOW - 3, connected())
    await world.inbox.record(
        SUBJECT, [Change(disconnect_key(ORG), stamp(NOW - 1, NOW - 1, 9), codecs.encode(DISCONNECTED))]
    )
    assert await dated(world, NOW - 2, connected("second"), pair()) == []


@pytest.mark.rule("G6")
async def test_a_disconnect_read_again_seals_nothing_that_was_synced_after_it(world: World) -> None:
    """The mapping topic is read from its start into an empty Redis; the register came back from the changelog."""
    await settle(world, connected(), pair("e1", A))
    await settle(world, DISCONNECTED)
    await settle(world, connected(), pair("e1", A))
    before = (await world.pairs.all())["e1"].era
    state = world.inbox.state(SUBJECT)
    state.marks |= state.stamps
    state.due = world.clock.now()
    await world.connections.put_connection(ORG, None)
    await world.connections.put_mapping(ORG, "e1", None)
    await settle(world)
    assert (await world.connections.mappings(ORG))["e1"].era == before


@pytest.mark.rule("M2")
async def test_a_pair_counts_only_when_the_changelog_has_it(world: World) -> None:
    """A loss of Redis could give either partner to another otherwise."""
    await settle(world, connected())
    world.board.topic.announcements.clear()
    world.pairs.changelog.failures.append(UnavailableError("Kafka is away."))
    lease = await ask(world, pair("e1", A))
    with pytest.raises(UnavailableError):
        await world.connector.settle(lease)
    assert (await world.connections.mappings(ORG), world.board.topic.announcements) == ({}, [])
    await world.connector.settle(lease)
    assert [each.event_id for each in world.pairs.changelog.written] == ["e1"]
    assert set(await world.connections.mappings(ORG)) == {"e1"}


@pytest.mark.rule("M2")
async def test_refused_pair_is_not_reported_again_with_new_credentials(
    world: World,
) -> None:
    await settle(world, connected(), pair("e1", A))
    await settle(world, pair("e2", A))
    assert told(await settle(world, connected("second"))) == [("integration.accepted", "")]


@pytest.mark.rule("M6")
async def test_unreadable_pair_is_tried_again_with_new_credentials(
    world: World,
) -> None:
    await settle(world, connected(), pair("e1", 999))
    world.swoogo.zones[999] = "Europe/London"
    assert told(await settle(world, connected("second"))) == [("integration.accepted", ""), ("mapping.accepted", "")]


@pytest.mark.rule("G1")
async def test_a_chance_lost_to_a_silent_swoogo_is_given_by_the_next_try(world: World) -> None:
    """The credentials are in force by then."""
    await settle(world, pair("e1", A))
    world.board.topic.announcements.clear()
    lease = await ask(world, connected())
    world.swoogo.trouble.unavailable = 1
    with pytest.raises(UnavailableError):
        await world.connector.settle(lease)
    await world.connector.settle(lease)
    assert told(world.board.topic.announcements)[-1] == ("mapping.accepted", "")


@pytest.mark.rule("M7")
@pytest.mark.parametrize(
    ("theirs", "issues"),
    [
        ("Europe/London", ()),
        ("GB", ()),
        ("Europe/Paris", ("timezone_mismatch",)),
        ("", ("timezone_mismatch",)),
        ("Mars/Base", ("timezone_mismatch",)),
    ],
)
async def test_a_mapping_between_zones_that_differ_is_accepted_and_people_are_told(
    world: World, theirs: str, issues: tuple[str, ...]
) -> None:
    world.swoogo.zones[A] = theirs
    [_, said] = await settle(world, connected(), pair("e1", A))
    assert (said.action, said.code, said.issues) == ("mapping.accepted", "", issues)
    assert ("time zone" in said.sentence) is bool(issues)
    assert (await world.connections.mappings(ORG))["e1"].swoogo_timezone == theirs
    [again] = await settle(world, pair("e1", A, name="Renamed"))
    assert again.issues == issues
    assert (await world.connections.mappings(ORG))["e1"].swoogo_timezone == theirs


@pytest.mark.rule("C1", "C3")
async def test_a_refused_replacement_leaves_every_pair_with_the_credential_in_use(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    world.credentials.refused.add("second")
    await settle(world, connected("second", continuous=False))
    mappings = await world.connections.mappings(ORG)
    assert {(each.credential, each.continuous) for each in mappings.values()} == {("hash-of-first", True)}


@pytest.mark.rule("M1")
async def test_event_of_another_organization_is_refused_until_released(world: World) -> None:
    await settle(world, connected())
    theirs = Lease(org_subject("somebody else"), 1, "op")
    await world.pairs.claim(theirs, "e1", A, NOW)
    [said] = await settle(world, pair("e1", A))
    assert (said.action, said.code) == ("mapping.rejected", "event_already_mapped")
    await world.pairs.end(theirs, "e1", PairEnd.REMOVED, NOW)
    assert told(await settle(world, pair("e1", A))) == [("mapping.accepted", "")]


@pytest.mark.rule("M8")
async def test_an_event_whose_records_name_another_organization_is_refused(world: World) -> None:
    """No one is barred by somebody else's mapping: no pair is entered."""
    await world.given(a_session("s1", org_id="theirs"), a_session("s2"), event_id="e1")
    await settle(world, connected())
    [said] = await settle(world, pair("e1", A))
    assert (said.action, said.code) == ("mapping.rejected", "event_of_other_organization")
    assert await world.pairs.pair("e1") is None
    assert await world.connections.mapping("e1") is None


@pytest.mark.rule("M8")
@pytest.mark.parametrize("deleted", [False, True])
async def test_a_pair_ends_when_records_of_another_organization_come(world: World, deleted: bool) -> None:
    """Whichever came first; a record that was deleted says nothing, as an event may have moved."""
    await settle(world, connected(), pair("e1", A))
    await world.given(a_session("s1", org_id="theirs", deleted=deleted), event_id="e1")
    await world.inbox.remind(ORG, "mapping/e1")
    lease = await world.inbox.claim(SUBJECT, "again")
    assert lease is not None
    world.board.topic.announcements.clear()
    await world.connector.settle(lease)
    refused = [("mapping.removed", ""), ("mapping.rejected", "event_of_other_organization")]
    assert told(world.board.topic.announcements) == ([("mapping.accepted", "")] if deleted else refused)
    assert (await world.connections.mapping("e1") is None) is not deleted


@pytest.mark.rule("M8")
async def test_an_event_whose_records_are_the_organizations_own_is_accepted(world: World) -> None:
    await world.given(a_session("s1", org_id=ORG), a_session("s2"), event_id="e1")
    assert told(await settle(world, connected(), pair("e1", A)))[-1] == ("mapping.accepted", "")


@pytest.mark.rule("G4")
@pytest.mark.parametrize("stopped_in", ["claim", "flush", "put_mapping", "set_continuous"])
async def test_a_settlement_that_wakes_after_the_next_one_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, stopped_in: str
) -> None:
    """Stopped for longer than its lease while it activates a pair; the pair was removed since."""
    await settle(world, connected())
    owners = {"put_mapping": world.connections, "set_continuous": world.inbox}
    owner: object = owners.get(stopped_in, world.pairs)
    meant = getattr(owner, stopped_in)

    async def slept(*args: object, **how: object) -> object:
        monkeypatch.setattr(owner, stopped_in, meant)
        await world.clock.advance(61)
        await settle(world, removed())
        return await meant(*args, **how)

    lease = await ask(world, pair())
    monkeypatch.setattr(owner, stopped_in, slept)
    with pytest.raises(LeaseLostError):
        await world.connector.settle(lease)
    assert await world.connections.mapping("e1") is None
    assert not world.inbox.state(event_subject("e1")).continuous
    known = await world.pairs.pair("e1")
    assert known is None if stopped_in == "claim" else known and known.ended_at is not None


@pytest.mark.rule("M1", "G1")
@pytest.mark.parametrize("broken_in", ["set_continuous", "put_mapping", "announce", "end"])
@pytest.mark.parametrize("wish", [pair(), removed()])
async def test_interrupted_removal_leaves_one_organization_an_event(
    world: World, monkeypatch: pytest.MonkeyPatch, broken_in: str, wish: MappingRequest
) -> None:
    """Whatever is wished for next. A pair in force whose end is in the history would be anybody's to take."""
    theirs = Lease(org_subject("somebody else"), 1, "op")
    await settle(world, connected(), pair())
    owners = {"set_continuous": world.inbox, "put_mapping": world.connections, "announce": world.board}
    owner: object = owners.get(broken_in, world.pairs)
    meant = getattr(owner, broken_in)

    async def done_and_killed(*args: object, **how: object) -> object:
        monkeypatch.setattr(owner, broken_in, meant)
        await meant(*args, **how)
        raise UnavailableError("Killed.")

    lease = await ask(world, removed())
    monkeypatch.setattr(owner, broken_in, done_and_killed)
    with pytest.raises(UnavailableError):
        await world.connector.settle(lease)
    await world.clock.advance(61)
    await settle(world, wish)
    in_force = await world.connections.mapping("e1")
    assert (in_force is not None) == wish.present
    assert (await world.pairs.claim(theirs, "e1", A, NOW) is None) == wish.present
    assert world.inbox.state(event_subject("e1")).continuous == wish.present


@pytest.mark.rule("M1", "G6")
async def test_one_more_pair_touches_no_other_and_new_credentials_touch_all(world: World) -> None:
    world.swoogo.zones = dict.fromkeys(range(1, 8), "Europe/London")
    await settle(world, connected(), *(pair(f"e{number}", number) for number in range(1, 7)))
    world.standings.written.clear()
    await settle(world, pair("e7", 7))
    assert [getattr(each, "event_id", "") for each in world.standings.written] == ["e7"]
    await settle(world, pair("e2", 7))
    await settle(world, removed("e1"))
    assert [getattr(each, "event_id", "") for each in world.standings.written[1:]] == ["e2", "e1"]
    world.standings.written.clear()
    await settle(world, connected("second"))
    named = [getattr(each, "event_id", "") for each in world.standings.written]
    assert named == ["", "", *(f"e{number}" for number in range(1, 8))]  # the credential first, then all as it stands


@pytest.mark.rule("G5", "G6")
async def test_a_credential_is_logged_before_it_is_in_force(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a loss of Redis before the settlement ends leaves a rebuild without a name for the credits spent by then."""

    async def killed(*_: object, **__: object) -> None:
        raise UnavailableError("Killed.")

    monkeypatch.setattr(world.connections, "put_connection", killed)
    lease = await ask(world, connected())
    with pytest.raises(UnavailableError):
        await world.connector.settle(lease)
    [logged] = world.standings.written
    assert isinstance(logged, ConnectionStanding)
    assert logged.connection is not None
    assert (logged.org_id, logged.settled, logged.epoch) == (lease.subject.id, {}, lease.epoch)
