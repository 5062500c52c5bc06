"""Credentials in use, active pairs, and who asked for what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.domain.connections.connection import IntegrationRequest, disconnect_key
from consumer.domain.errors import LeaseLostError
from consumer.ports import Change, Lease, event_subject, org_subject
from tests.contract.bench import Bench, Times, a_change, in_redis, stamped
from tests.support.builders import EVENT, ORG, a_connection, a_mapping, a_mapping_request


@pytest.mark.rule("C1")
async def test_an_organization_has_one_connection_which_is_replaced_as_a_whole(bench: Bench) -> None:
    assert await bench.connections.connection(ORG) is None
    await bench.connections.put_connection(ORG, a_connection())
    named = replace(a_connection(), sealed="", secret_name="mounted", continuous=False, stamp="7")
    await bench.connections.put_connection(ORG, named)
    assert await bench.connections.connection(ORG) == named
    assert await bench.connections.connection("another") is None
    await bench.connections.put_connection(ORG, None)
    assert await bench.connections.connection(ORG) is None


@pytest.mark.rule("M1", "M4")
async def test_an_organization_has_many_pairs_and_ending_one_leaves_the_others(bench: Bench) -> None:
    for event in ("e1", "e2"):
        await bench.connections.put_mapping(ORG, event, a_mapping(event_id=event, sync_capacity=event == "e1"))
    await bench.connections.put_mapping("another", "e3", replace(a_mapping(event_id="e3"), org_id="another"))
    assert await bench.connections.mappings(ORG) == {
        "e1": a_mapping(event_id="e1", sync_capacity=True),
        "e2": a_mapping(event_id="e2"),
    }
    assert await bench.connections.mapping("e1") == a_mapping(event_id="e1", sync_capacity=True)
    await bench.connections.put_mapping(ORG, "e1", None)
    assert await bench.connections.mappings(ORG) == {"e2": a_mapping(event_id="e2")}
    assert await bench.connections.mapping("e1") is None


async def test_event_taken_over_no_longer_belongs_to_the_former(bench: Bench) -> None:
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    taken = replace(a_mapping(), org_id="another")
    await bench.connections.put_mapping("another", EVENT, taken)
    assert await bench.connections.mappings(ORG) == {}
    assert await bench.connections.mappings("another") == {EVENT: taken}


async def test_ending_a_pair_that_is_not_there_is_harmless(bench: Bench) -> None:
    await bench.connections.put_mapping(ORG, EVENT, None)
    await bench.connections.put_connection(ORG, None)
    assert await bench.connections.mappings(ORG) == {}


@pytest.mark.rule("M7")
async def test_the_zone_seen_in_swoogo_and_the_era_are_kept_with_the_pair(bench: Bench) -> None:
    mapping = replace(a_mapping(), swoogo_timezone="Asia/Tokyo", era=7)
    await bench.connections.put_mapping(ORG, EVENT, mapping)
    assert await bench.connections.mapping(EVENT) == mapping


@pytest.mark.rule("M4")
async def test_an_active_pair_is_changed_only_while_it_is_the_one_that_was_read(bench: Bench) -> None:
    """A worker that reads Swoogo's zone meanwhile must not bring back a pair that was removed."""
    before, after = a_mapping(), replace(a_mapping(), swoogo_timezone="Asia/Tokyo")
    assert not await bench.connections.replace_mapping(before, after)
    assert await bench.connections.mapping(EVENT) is None
    await bench.connections.put_mapping(ORG, EVENT, before)
    assert await bench.connections.replace_mapping(before, after)
    assert await bench.connections.replace_mapping(before, after), "a repeated command finds its own work"
    assert await bench.connections.mapping(EVENT) == after
    assert not await bench.connections.replace_mapping(before, replace(before, name="Other"))
    assert await bench.connections.mapping(EVENT) == after


@pytest.mark.rule("M4")
async def test_everybody_who_asked_for_an_event_is_known(bench: Bench) -> None:
    assert await bench.connections.requesters_of(EVENT) == frozenset()
    for org_id in (ORG, "another", ORG):
        await bench.connections.add_requester(EVENT, org_id)
    assert await bench.connections.requesters_of(EVENT) == {ORG, "another"}
    assert await bench.connections.requesters_of("other") == frozenset()


@pytest.mark.rule("C3")
async def test_refused_credential_is_reported_once_until_it_changes(bench: Bench) -> None:
    connections, answers = bench.connections, list[bool]()
    for op_id, name in enumerate(("first", "first", "second", "second")):
        answers.append(await connections.claim_refusal_report(ORG, name, f"op-{op_id}"))
        await connections.confirm_refusal_report(ORG, name, f"op-{op_id}")
    assert answers == [True, False, True, False]
    assert not await connections.claim_refusal_report(ORG, "second", "op-2")
    assert await connections.claim_refusal_report("another", "second", "op-4")
    await connections.forget_refusal(ORG)
    assert await connections.claim_refusal_report(ORG, "second", "op-5")


@pytest.mark.rule("C3")
async def test_a_refusal_not_yet_reported_is_still_the_same_callers_to_report(bench: Bench) -> None:
    """redis-py repeats a command whose reply was lost."""
    claims = [await bench.connections.claim_refusal_report(ORG, "first", op_id) for op_id in ("op", "op", "another")]
    assert claims == [True, True, False]
    await bench.connections.confirm_refusal_report(ORG, "first", "another")
    assert await bench.connections.claim_refusal_report(ORG, "first", "op")


async def two_leases(bench: Bench) -> tuple[Lease, Lease]:
    """Of one organization, one after the other; the first looked at the event's pair."""
    subject, wanted = org_subject(ORG), a_mapping_request()
    await bench.inbox.record(subject, [Change(f"mapping/{EVENT}", stamped(1), codecs.encode(wanted))])
    first = await bench.claimed(subject, "first")
    await bench.connections.fence(ORG, [EVENT], by=first)
    await bench.inbox.complete(first, {})
    return first, await bench.claimed(subject, "second")


@pytest.mark.rule("G4")
async def test_who_lost_the_organization_changes_nothing_of_it(bench: Bench) -> None:
    """A process that was stopped half-way through a settlement, and wakes when another one has done it since."""
    first, second = await two_leases(bench)
    await bench.connections.fence(ORG, [], by=second)
    with pytest.raises(LeaseLostError):
        await bench.connections.put_connection(ORG, a_connection(), by=first)
    assert await bench.connections.connection(ORG) is None
    await bench.connections.put_connection(ORG, a_connection(), by=second)
    await bench.connections.fence(ORG, [EVENT], by=second)
    for mapping in (None, a_mapping()):
        await bench.connections.put_mapping(ORG, EVENT, mapping, by=second)
        other = None if mapping else a_mapping()
        with pytest.raises(LeaseLostError):
            await bench.connections.put_mapping(ORG, EVENT, other, by=first)
        assert await bench.connections.mapping(EVENT) == mapping
        assert await bench.connections.mappings(ORG) == ({EVENT: mapping} if mapping else {})
    with pytest.raises(LeaseLostError):
        await bench.connections.fence(ORG, [EVENT], by=first)
    await bench.connections.put_connection(ORG, None, by=second)
    assert await bench.connections.connection(ORG) is None


@pytest.mark.rule("G4")
async def test_whoever_has_the_organization_holds_every_pair_it_has(bench: Bench) -> None:
    """Also those no one asks for any more."""
    first, second = await two_leases(bench)
    await bench.connections.put_mapping(ORG, EVENT, a_mapping(), by=first)
    await bench.connections.fence(ORG, [], by=second)
    with pytest.raises(LeaseLostError):
        await bench.connections.put_mapping(ORG, EVENT, None, by=first)
    assert await bench.connections.mapping(EVENT) == a_mapping()


@pytest.mark.rule("G4")
async def test_who_lost_the_organization_switches_no_event_on_or_off(bench: Bench) -> None:
    first, second = await two_leases(bench)
    await bench.connections.fence(ORG, [EVENT], by=second)
    subject, change = event_subject(EVENT), a_change()
    await bench.inbox.record(subject, [change])
    with pytest.raises(LeaseLostError):
        await bench.inbox.set_continuous(EVENT, on=True, by=first)
    assert await bench.inbox.claim(subject, "op") is None
    assert await bench.inbox.set_continuous(EVENT, on=True, by=second)
    with pytest.raises(LeaseLostError):
        await bench.inbox.set_continuous(EVENT, on=False, by=first)
    assert (await bench.claimed(subject)).epoch


@pytest.mark.rule("G4", "G6")
async def test_a_rebuild_ends_every_lease_that_was_before(bench: Bench) -> None:
    """What comes back from Kafka is not overwritten by who held the organization when Redis was lost."""
    _, second = await two_leases(bench)
    await bench.connections.fence(ORG, [EVENT], by=second)
    await bench.connections.fence(ORG, [EVENT])
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    with pytest.raises(LeaseLostError):
        await bench.connections.put_mapping(ORG, EVENT, None, by=second)
    assert await bench.connections.mapping(EVENT) == a_mapping()


@pytest.mark.rule("M1")
async def test_release_takes_the_event_from_no_new_holder(bench: Bench) -> None:
    """The history says first that a pair ended; from then on another organization may have it."""
    _, second = await two_leases(bench)
    await bench.connections.fence(ORG, [EVENT], by=second)
    await bench.connections.put_mapping(ORG, EVENT, a_mapping(), by=second)
    taken = replace(a_mapping(), org_id="another")
    await bench.connections.put_mapping("another", EVENT, taken)
    await bench.connections.put_mapping(ORG, EVENT, None, by=second)
    assert await bench.connections.mapping(EVENT) == taken
    assert await bench.connections.mappings("another") == {EVENT: taken}


@pytest.mark.rule("M4", "X1")
@pytest.mark.integration
async def test_who_lost_the_organization_hides_no_pair_that_was_added_again(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the last command that ends a pair; another worker adds it again, and the first one wakes."""
    bench = in_redis(redis, Times())
    first, second = await two_leases(bench)
    await bench.connections.put_mapping(ORG, EVENT, a_mapping(), by=first)
    meant: Callable[..., Awaitable[Any]] = redis.execute_command

    async def add_again() -> None:
        monkeypatch.undo()
        await bench.connections.fence(ORG, [EVENT], by=second)
        await bench.connections.put_mapping(ORG, EVENT, a_mapping(), by=second)

    async def stopped_before_its_last(*command: Any, **how: Any) -> Any:
        if command[0] in {"SREM", "DEL"}:
            await add_again()
        return await meant(*command, **how)

    monkeypatch.setattr(redis, "execute_command", stopped_before_its_last)
    await bench.connections.put_mapping(ORG, EVENT, None, by=first)
    if await bench.connections.mapping(EVENT) is None:
        await add_again()
    assert await bench.connections.mappings(ORG) == {EVENT: a_mapping()}


@pytest.mark.rule("G4", "G6")
async def test_a_rebuild_ends_also_a_lease_from_a_clock_that_was_ahead(bench: Bench) -> None:
    """Another server answers after a failover; waiting for its clock to come up would push nothing meanwhile."""
    ahead = Lease(org_subject(ORG), 10**14, "ahead")
    await bench.connections.fence(ORG, [EVENT], by=ahead)
    await bench.connections.put_mapping(ORG, EVENT, a_mapping(), by=ahead)
    await bench.connections.fence(ORG, [EVENT])
    with pytest.raises(LeaseLostError):
        await bench.connections.put_mapping(ORG, EVENT, None, by=ahead)


async def test_the_credentials_of_several_events_are_read_together(bench: Bench) -> None:
    await bench.connections.put_mapping(ORG, EVENT, a_mapping())
    assert await bench.connections.credentials_of([EVENT, "unmapped"]) == {EVENT: a_mapping().credential}


@pytest.mark.rule("G4")
async def test_a_lease_may_hold_some_pairs_only_and_read_those(bench: Bench) -> None:
    """The others stay with the lease that looked at them last."""
    first, second = await two_leases(bench)
    await bench.connections.put_mapping(ORG, EVENT, a_mapping(), by=first)
    await bench.connections.fence(ORG, ["other"], by=second, others=False)
    await bench.connections.put_mapping(ORG, "other", a_mapping(event_id="other"), by=second)
    assert await bench.connections.mappings(ORG, ["other", "none"]) == {"other": a_mapping(event_id="other")}
    with pytest.raises(LeaseLostError):
        await bench.connections.put_mapping(ORG, "other", None, by=first)
    with pytest.raises(LeaseLostError):
        await bench.connections.put_mapping(ORG, EVENT, None, by=second)


async def test_of_a_mapping_that_is_news_nothing_else_is_read(bench: Bench) -> None:
    """One more pair costs the same however many an organization has; its credentials concern all of them."""
    subject = org_subject(ORG)
    disconnect = codecs.encode(IntegrationRequest(ORG, connected=False))
    old = codecs.encode(a_mapping_request(event_id="old"))
    await bench.inbox.record(subject, [a_change("mapping/old", 1, old), a_change(disconnect_key(ORG), 1, disconnect)])
    whole = await bench.inbox.news(ORG)
    assert whole == await bench.inbox.requests(ORG)
    assert len(whole.rows) == 2
    await bench.inbox.complete(await bench.claimed(subject, "op"), whole.marks)
    await bench.inbox.record(subject, [a_change("mapping/ev", 2, codecs.encode(a_mapping_request()))])
    news = await bench.inbox.news(ORG)
    assert news.marks == {"mapping/ev": stamped(2)}
    assert news.stamps == {"mapping/ev": stamped(2), disconnect_key(ORG): stamped(1)}
    assert "mapping/old" not in news.rows
