"""The scripts of connecting, held against the fakes by histories of two organizations that want the same two events."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import LeaseLostError
from consumer.ports import Lease, event_subject, org_subject
from tests.contract.bench import a_change
from tests.integration.redis.pair_rules import PairRules
from tests.integration.redis.two_organizations import ORGS, Act, Side, data, events, lost, orgs, swoogo_events
from tests.support.builders import a_connection, a_mapping
from tests.support.machines import play
from tests.support.server_time import TimedServer

pytestmark = [pytest.mark.integration, pytest.mark.rule("M1", "M2", "X2", "G3", "G4")]

versions = st.integers(0, 2)


class PairsMachine(PairRules):
    """And what is done beside the register: connections, pairs in force, continuous sync, the events' own workers."""

    # Connections and pairs in force.

    @rule(data=data, version=versions, others=st.booleans(), reply_lost=lost)
    def put_a_connection(self, data: st.DataObject, version: int, others: bool, reply_lost: bool) -> None:
        lease = data.draw(self.somebody())
        org_id = lease.subject.id
        connection = _connection(org_id, version)
        if others and lease.epoch == self.claimed[org_id] and not self.inbox.holds(lease):
            said = self.both(
                lambda side: side.connections.put_connection(org_id, connection, by=lease),
                meanwhile=self.claims(org_id),
            )
            assert said is LeaseLostError, "G4: taken over before it was written"
            return
        self.fenced(
            self.claimed[org_id],
            lease,
            lambda side: side.connections.put_connection(org_id, connection, by=lease),
            reply_lost=reply_lost,
        )

    def claims(self, org_id: str) -> Act:
        """Somebody who takes the organization over."""
        subject, number = org_subject(org_id), next(self.numbers)

        async def act(side: Side) -> None:
            await side.inbox.record(subject, [a_change("session/s1", number)])
            lease = await side.inbox.claim(subject, f"op-{number}")
            assert lease
            self.claimed[org_id] = lease.epoch
            if lease not in self.leases:
                self.leases.append(lease)

        return act

    @rule(data=data, event_id=events, version=versions, swoogo=swoogo_events, others=st.booleans(), reply_lost=lost)
    def put_a_mapping(
        self, data: st.DataObject, event_id: str, version: int, swoogo: int, others: bool, reply_lost: bool
    ) -> None:
        """A pair comes in force, changes or ends; perhaps somebody newer holds it before that is written."""
        lease = data.draw(self.somebody())
        org_id = lease.subject.id
        mapping = _mapping(org_id, event_id, swoogo, version)
        newer = next((each for each in self.leases if each.subject.id == org_id and each.epoch > lease.epoch), None)
        known = self.held.get((event_id, org_id), 0)

        def act(side: Side) -> Coroutine[Any, Any, Any]:
            return side.connections.put_mapping(org_id, event_id, mapping, by=lease)

        if others and newer and known <= newer.epoch:

            async def hold(side: Side) -> None:
                # What it holds beside that is decided by what it read.
                if side is self.real:
                    await self.server.scripts.hold_mapping(
                        self.keys.event(event_id, "holders"), org_id=org_id, epoch=newer.epoch
                    )
                else:
                    self.inbox.hold(event_id, org_id, newer)

            said = self.both(act, meanwhile=hold)
            self.held[event_id, org_id] = newer.epoch
            assert said is LeaseLostError, "G4: held by another before it was written"
            return
        taken = self.mapping_of(event_id)
        said = self.fenced(known, lease, act, reply_lost=reply_lost)
        assert (said is None) == (lease.epoch == known), "G4: only its holder writes"
        if mapping is None and taken and taken.org_id != org_id:
            assert self.mapping_of(event_id) == taken, "M1: taken from another organization"

    @rule(event_id=events, first=orgs, swoogo=swoogo_events, reply_lost=lost)
    def let_go_what_the_other_has(self, event_id: str, first: str, swoogo: int, reply_lost: bool) -> None:
        """M1: an event that went from one organization to the other stays with that one."""
        mapping = _mapping(first, event_id, swoogo, 1)
        for org_id in (first, ORGS[ORGS.index(first) - 1]):
            lease = self.newest(org_id)
            self.hold(lease, (event_id,), reply_lost=reply_lost)
            wanted = mapping if org_id == first else None
            put = partial(_put_mapping, event_id=event_id, mapping=wanted, lease=lease)
            self.fenced(self.held.get((event_id, org_id), 0), lease, put, reply_lost=reply_lost)
            if org_id == first and self.held[event_id, org_id] != lease.epoch:
                return
        assert self.mapping_of(event_id) == mapping, "M1: taken from another organization"
        for org_id in ORGS:
            found = self.both(partial(_mappings, org_id=org_id))
            assert {each.org_id for each in found.values()} <= {org_id}

    @rule(org_id=orgs, event_id=events, swoogo=swoogo_events, late=st.booleans(), reply_lost=lost)
    def see_the_zone(self, org_id: str, event_id: str, swoogo: int, late: bool, reply_lost: bool) -> None:
        """M7: a push notes what Swoogo shows, of the pair it read; `late`: that has changed since."""
        lease = self.newest(org_id)
        self.hold(lease, (event_id,), reply_lost=False)
        for version in (1, 2) if late else (1,):
            mapping = _mapping(org_id, event_id, swoogo, version)
            put = partial(_put_mapping, event_id=event_id, mapping=mapping, lease=lease)
            self.fenced(self.held.get((event_id, org_id), 0), lease, put, reply_lost=False)
        stored, before = self.mapping_of(event_id), _mapping(org_id, event_id, swoogo, 1)
        assert before
        after = replace(before, swoogo_timezone="Zone/Seen")
        done = self.both(lambda side: side.connections.replace_mapping(before, after), reply_lost=reply_lost)
        assert done == (stored in {before, after})
        assert self.mapping_of(event_id) == (after if done else stored), "M4: a pair that is over came back"

    @rule(data=data, event_id=events, on=st.booleans(), others=st.booleans(), reply_lost=lost)
    def switch(self, data: st.DataObject, event_id: str, on: bool, others: bool, reply_lost: bool) -> None:
        """C4, M5: by the organization that holds the event's pair."""
        lease = data.draw(self.somebody())
        known = self.held.get((event_id, lease.subject.id), 0)
        said = self.fenced(
            known,
            lease,
            lambda side: side.inbox.set_continuous(event_id, on=on, by=lease),
            reply_lost=reply_lost,
        )
        assert (said is True) == (lease.epoch == known), "G4: only its holder switches"
        if said is True:
            assert self.server.looking.hget(self.keys.event(event_id, "state"), "continuous") == b"%d" % on

    # The event itself.

    @rule(event_id=events, reply_lost=lost)
    def change_and_claim_the_event(self, event_id: str, reply_lost: bool) -> None:
        subject, number = event_subject(event_id), next(self.numbers)
        self.both(lambda side: side.inbox.record(subject, [a_change("session/s1", number)]))
        self.clock.ms = max(self.clock.ms, self.inbox.state(subject).moment() or 0)
        lease = self.both(lambda side: side.inbox.claim(subject, f"op-{number}"), reply_lost=reply_lost)
        if lease:
            self.event_leases.append(lease)

    @precondition(lambda self: self.event_leases)
    @rule(data=data, reply_lost=lost)
    def switch_off_as_who_has_the_event(self, data: st.DataObject, reply_lost: bool) -> None:
        """It found no pair, perhaps before one was switched on."""
        lease = data.draw(st.sampled_from(self.event_leases[:-3:-1]))
        newest = max(each.epoch for each in self.event_leases if each.subject == lease.subject)
        event_id = lease.subject.id
        said = self.fenced(
            newest,
            lease,
            lambda side: side.inbox.set_continuous(event_id, on=False, by=lease),
            reply_lost=reply_lost,
        )
        assert (said is LeaseLostError) == (lease.epoch != newest)

    @precondition(lambda self: self.event_leases)
    @rule(data=data, reply_lost=lost)
    def give_the_event_back(self, data: st.DataObject, reply_lost: bool) -> None:
        lease = data.draw(st.sampled_from(self.event_leases[:-3:-1]))
        self.both(lambda side: side.inbox.complete(lease, {}), reply_lost=reply_lost)


def _put_mapping(side: Side, *, event_id: str, mapping: EventMapping | None, lease: Lease) -> Coroutine[Any, Any, Any]:
    return side.connections.put_mapping(lease.subject.id, event_id, mapping, by=lease)


def _mappings(side: Side, *, org_id: str) -> Coroutine[Any, Any, Any]:
    return side.connections.mappings(org_id)


def _connection(org_id: str, version: int) -> Connection | None:
    return replace(a_connection(org_id), stamp=str(version)) if version else None


def _mapping(org_id: str, event_id: str, swoogo: int, version: int) -> EventMapping | None:
    if not version:
        return None
    return replace(a_mapping(event_id=event_id, sync_capacity=version == 1), org_id=org_id, swoogo_event_id=swoogo)


def test_the_scripts_of_connecting_agree_with_the_model(server: TimedServer) -> None:
    """Connections, pairs and continuous sync are fenced by the organization's lease."""
    play(lambda: PairsMachine(server), examples=35, steps=25)
