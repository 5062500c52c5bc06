"""Profiles that are not kept, in the fake and in Redis."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.adapters.redis import codecs
from consumer.domain.records.snapshot import Contact, Profile, Session
from consumer.domain.records.withdrawal import erased
from consumer.ports import Change, event_subject
from tests.contract.bench import Bench, a_change, stamped
from tests.support.builders import EVENT, a_contact, a_session, an_attendance

pytestmark = pytest.mark.rule("Y2", "Y3")

SUBJECT = event_subject(EVENT)


def change(resource: Session | Contact, version: int) -> Change:
    """A change with that resource."""
    kind = "session" if isinstance(resource, Session) else "contact"
    gone = isinstance(resource, Contact) and resource.deleted
    return Change(f"{kind}/{resource.id}", stamped(version), codecs.encode(resource), deleted=gone)


async def stored(bench: Bench) -> tuple[Any, ...]:
    """Whether the contact is deleted, its profile, and the profiles of the copies on s1 and s2."""
    snapshot = (await bench.inbox.load(EVENT)).snapshot
    copies = [each.people[0].profile for each in snapshot.sessions.values() if each.people]
    contact = snapshot.contacts["c1"]
    return contact.deleted, contact.profile, copies


def of_two_sessions() -> list[Change]:
    """A contact, and two sessions that carry a copy."""
    sessions = [a_session(f"s{number}", people=(an_attendance("c1"),)) for number in (1, 2)]
    return [change(a_contact("c1"), 1), *(change(each, 1) for each in sessions)]


async def test_a_deleted_contact_leaves_no_profile_behind(bench: Bench) -> None:
    await bench.inbox.record(SUBJECT, of_two_sessions())
    await bench.inbox.record(SUBJECT, [change(Contact("c1", version=2, deleted=True), 2)])
    await bench.inbox.record(SUBJECT, [change(a_session("s1", version=3, people=(an_attendance("c1"),)), 3)])
    assert await stored(bench) == (True, Profile(), [Profile(), Profile()])
    snapshot = (await bench.inbox.load(EVENT)).snapshot
    assert [each.people[0].contact_id for each in snapshot.sessions.values()] == ["c1", "c1"]


async def test_a_contact_that_is_there_again_has_its_profile(bench: Bench) -> None:
    await bench.inbox.record(SUBJECT, [change(Contact("c1", version=2, deleted=True), 2)])
    await bench.inbox.record(SUBJECT, [change(a_contact("c1", version=3), 3)])
    assert (await bench.inbox.load(EVENT)).snapshot.contacts["c1"].profile.email == "c1@example.org"


@pytest.mark.parametrize("before", [True, False])
async def test_nothing_of_an_erased_person_is_kept_whenever_it_comes(bench: Bench, before: bool) -> None:
    """Also what is read again in a rebuild: the marks are put back before it."""
    if before:
        await bench.inbox.record(SUBJECT, of_two_sessions())
    await bench.inbox.withdraw(SUBJECT, [erased("c1")])
    if not before:
        await bench.inbox.record(SUBJECT, of_two_sessions())
    assert await stored(bench) == (True, Profile(), [Profile(), Profile()])
    await bench.inbox.record(SUBJECT, [change(a_contact("c1", version=5), 5), a_change("session/s3", 5)])
    deleted, profile, _ = await stored(bench)
    assert (deleted, profile) == (True, Profile())
