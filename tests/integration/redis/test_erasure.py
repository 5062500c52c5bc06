"""Y2, Y3 on a real Valkey: a person on three events of two organizations, erased, and broken off at every effect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, cast

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from consumer.adapters.redis import codecs
from consumer.adapters.redis.client import read_hash
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.adapters.redis.status import row_of
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.domain.errors import LeaseLostError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.record_issues import RecordIssues
from consumer.domain.planning.desired import TextLimits
from consumer.domain.push.run import Run, Trigger
from consumer.domain.records.digests import SEALED, Digests, is_keyed
from consumer.domain.records.identity import Kind, digest
from consumer.domain.records.ledger import Directory, Entry, Remote, State
from consumer.domain.records.personal_data import Person
from consumer.domain.records.snapshot import Contact, Session
from consumer.entrypoints.cli.people import PeopleDesk, Topics
from consumer.ports import Change, Lease, event_subject
from consumer.ports.rebuild import Logged
from consumer.settings import load_settings
from tests.support.builders import NOW, a_contact, a_mapping, a_session, an_attendance
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.ledger import ListedChangelog

pytestmark = [pytest.mark.integration, pytest.mark.rule("Y2", "Y3")]

DIGESTS: Final = Digests((b"k" * 32,))
EMAIL, NAME, BIO = "ada.canary@people.example", "Canaryada", "Canary wrote the first program"
MARKS: Final = {"e-mail": EMAIL, "name": NAME, "biography": BIO}
EVENTS: Final = {"ev1": "org-a", "ev2": "org-a", "ev3": "org-b"}


class ListedIssues:
    """The topic of issues as a mapping."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], RecordIssues | None] = {}

    async def write(self, event_id: str, org_id: str, records: Mapping[str, RecordIssues | None]) -> None:
        self.held |= {(event_id, key): each for key, each in records.items()}


def person(event_id: str) -> Contact:
    """The person's contact of an event: another id in each."""
    return a_contact(f"ada-{event_id}", email=EMAIL, first_name=NAME, bio=BIO)


def changes(event_id: str) -> list[Change]:
    """The contact, a session with a copy, and somebody else on it."""
    contact = person(event_id)
    copy = replace(an_attendance(contact.id), profile=contact.profile)
    session = a_session("s1", people=(copy, an_attendance("bob")))
    found: list[Contact | Session] = [contact, a_contact("bob"), session]
    kinds = [("session" if isinstance(each, Session) else "contact", each) for each in found]
    return [Change(f"{kind}/{each.id}", "1.1.1", codecs.encode(each)) for kind, each in kinds]


async def filled(stores: Stores, event_id: str, org_id: str, *, sealed: bool) -> None:
    """An event as a push leaves it."""
    subject, names = event_subject(event_id), {"email": EMAIL, "first_name": NAME, "bio": BIO}
    stores.inbox.forget_index()
    await stores.inbox.record(subject, changes(event_id))
    await stores.connections.put_mapping(org_id, event_id, replace(a_mapping(), event_id=event_id, org_id=org_id))
    pushed = {name: digest(value) for name, value in names.items()}
    key = f"speaker/{person(event_id).id}"
    entry = Entry(State.APPLIED, 77, pushed=pushed, seen=pushed, natural=EMAIL, contact_id=88, links=("s1",))
    entry = DIGESTS.sealed(key, entry) if sealed else entry
    issue = Issue(key, Code.REFUSED, field="email", detail=f"taken by {NAME}")
    run = Run("run", event_id, Trigger.CHANGES, NOW, ended=NOW, outcome="completed", top_issues=(issue,))
    redis, of = stores.redis, stores.keys.event
    await redis.hset(of(event_id, "ledger"), key, codecs.encode(entry))
    await redis.hset(of(event_id, "issues"), f"{key}#image", codecs.encode(issue))
    await redis.hset(of(event_id, "published"), key, "digest")
    await redis.rpush(of(event_id, "runs"), codecs.encode(row_of(run)), codecs.encode(row_of(replace(run, id="older"))))
    await redis.set(of(event_id, "run"), codecs.encode(row_of(run)))
    await redis.hset(of(event_id, "timeline"), mapping={key: b'[1,"created"]', "session/s1": b'[1,"linked"]'})
    calls = f'[1,"a","PUT","/speakers/update/77","{key}",1,9,200],[1,"a","GET","/speakers/#","",1,9,200]'
    await redis.hset(of(event_id, "calls"), "run", f'{{"total":2,"calls":[{calls}]}}')
    naturals = codecs.Listing(NOW, {77: EMAIL}, None, codecs.KEY_FORM)
    await redis.hset(of(event_id, "directory"), "speaker", codecs.encode(naturals))


@pytest.fixture
async def stores(redis: Redis, redis_url: str) -> AsyncIterator[Stores]:
    bound = open_stores(load_settings(redis={"url": redis_url, "prefix": "erasure"}))
    yield bound
    await bound.redis.flushdb()
    await bound.redis.aclose()


def a_desk(
    stores: Stores, changelog: ListedChangelog, issues: ListedIssues, op_id: str = "op", lease: float = 5.0
) -> PeopleDesk:
    return PeopleDesk(stores, Topics(changelog, issues), DIGESTS, FakeClock(NOW), op_id, lease, TextLimits())


async def dump(stores: Stores) -> dict[str, Any]:
    """Every key with what it holds; without who has which event, and since when."""
    found: dict[str, Any] = {}
    async for key in stores.redis.scan_iter():
        name = key.decode()
        if name.endswith(":state") or ":{due/" in name:
            continue
        match cast("bytes", await stores.redis.type(key)).decode():
            case "hash":
                found[name] = {field: _plain(value) for field, value in (await read_hash(stores.redis, name)).items()}
            case "set":
                found[name] = await cast("Any", stores.redis.smembers(key))
            case "list":
                found[name] = await cast("Any", stores.redis.lrange(key, 0, -1))
            case _:
                found[name] = await stores.redis.get(key)
    return found


def _plain(value: bytes) -> bytes:
    """Without the epoch of the writer, which grows with every attempt."""
    head, mark, rest = value.partition(b'"epoch":')
    return head + mark + rest.lstrip(b"0123456789") if mark else value


def left(held: object) -> list[str]:
    return [what for what, mark in MARKS.items() if mark in repr(held)]


@pytest.mark.rule("Y1", "Y2")
@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "in clear"])
async def test_a_person_on_three_events_of_two_organizations(stores: Stores, sealed: bool) -> None:
    """Also where an earlier build wrote in clear; somebody else keeps their data."""
    for event_id, org_id in EVENTS.items():
        await filled(stores, event_id, org_id, sealed=sealed)
    changelog, issues = ListedChangelog(), ListedIssues()
    desk = a_desk(stores, changelog, issues)
    (seen,) = await desk.look("ev1", Person.named(EMAIL.upper()))
    assert seen.profile is not None
    assert (seen.profile["email"], seen.copies, list(seen.issues), seen.runs) == (
        EMAIL,
        ("s1",),
        [f"speaker/{person('ev1').id}#image"],
        3,
    )
    assert (seen.timeline, seen.calls) == (1, 1)
    assert left(await dump(stores)) == list(MARKS)
    for event_id in await desk.events(None):
        assert await desk.erase(event_id, Person.named(EMAIL)) == 1
    held = await dump(stores)
    assert left(held) == left(changelog.written) == left(issues.held) == []
    assert "bob@example.org" in repr(held)
    for event_id in EVENTS:
        entry = (await desk.ledger.load(event_id))[f"speaker/{person(event_id).id}"]
        assert (entry.state, entry.swoogo_id, entry.contact_id, entry.links) == (State.GONE, None, None, ())
        assert entry.erased
        assert list(held[stores.keys.event(event_id, "timeline")]) == [b"session/s1"]
        assert b"/77" not in held[stores.keys.event(event_id, "calls")][b"run"]
        assert is_keyed(entry.natural)
        assert issues.held[event_id, f"speaker/{person(event_id).id}"] is None
        for text in (EMAIL, "77", "88", person(event_id).id):
            assert len(await desk.look(event_id, Person.named(text))) == 1, text


@pytest.mark.rule("Y2")
async def test_a_rebuild_brings_nothing_back(stores: Stores) -> None:
    """The changelog comes first and marks who is not kept; then Sessionboard's topics still have all of it."""
    await filled(stores, "ev1", "org-a", sealed=True)
    changelog = ListedChangelog()
    await a_desk(stores, changelog, ListedIssues()).erase("ev1", Person.named(EMAIL))
    await stores.redis.flushdb()
    logged = [Logged(event_id, key, entry, NOW) for event_id, key, entry in changelog.written]
    restorer = RedisRestorer(stores.redis, stores.keys, stores.scripts, stores.inbox, 600)
    await restorer.entries("ev1", logged)
    await stores.inbox.record(event_subject("ev1"), changes("ev1"))
    assert left(await dump(stores)) == []
    assert (await stores.inbox.load("ev1")).snapshot.contacts[person("ev1").id].deleted


@pytest.mark.rule("Y3")
async def test_sealing_at_once_costs_no_call_and_leaves_no_value(stores: Stores) -> None:
    """What an earlier build wrote in clear, and the profile that it kept of a deleted contact."""
    await filled(stores, "ev1", "org-a", sealed=False)
    gone = codecs.encode(replace(person("ev1"), deleted=True))
    await stores.redis.hset(stores.keys.event("ev1", "rows"), f"contact/{person('ev1').id}", gone)
    desk = a_desk(stores, ListedChangelog(), ListedIssues())
    done = await desk.seal("ev1")
    assert (done.entries, done.profiles, done.older_keys) == (1, 1, 0)
    held = {
        name: value for name, value in (await dump(stores)).items() if not name.endswith((":issues", ":runs", ":run"))
    }
    assert left(held) == []
    assert (await desk.ledger.load("ev1"))[f"speaker/{person('ev1').id}"].format == SEALED
    assert (await desk.ledger.directories("ev1"))[Kind.SPEAKER].matching(DIGESTS.natural(EMAIL))
    assert (await desk.seal("ev1")).entries == 0


class Killed(BaseException):
    """The process is gone."""


class Killer:
    """Lets so many effects begin or end, and none after."""

    def __init__(self, at: int) -> None:
        self.at, self.passed = at, 0

    def step(self) -> None:
        self.passed += 1
        if self.passed > self.at:
            raise Killed

    def around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def effect(*arguments: Any, **options: Any) -> Any:
            self.step()
            answer = await method(*arguments, **options)
            self.step()
            return answer

        return effect


@pytest.mark.rule("Y2")
async def test_killed_at_every_effect_and_repeated_it_ends_the_same(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after each command to Redis and each record to Kafka; asked for again by what was first typed."""
    await filled(stores, "ev1", "org-a", sealed=True)
    await a_desk(stores, ListedChangelog(), ListedIssues()).erase("ev1", Person.named(EMAIL))
    wanted = await dump(stores)
    at = 0
    while True:
        await stores.redis.flushdb()
        await filled(stores, "ev1", "org-a", sealed=True)
        changelog, issues, killer = ListedChangelog(), ListedIssues(), Killer(at)
        asked = Person.named((EMAIL, "77", person("ev1").id)[at % 3])
        desk = a_desk(stores, changelog, issues, f"op-{at}", lease=0.01)
        with monkeypatch.context() as patched:
            patched.setattr(stores.redis, "execute_command", killer.around(stores.redis.execute_command))
            patched.setattr(Pipeline, "execute", killer.around(Pipeline.execute))
            patched.setattr(changelog, "write", killer.around(changelog.write))
            patched.setattr(issues, "write", killer.around(issues.write))
            try:
                await desk.erase("ev1", asked)
                ended = True
            except Killed:
                ended = False
        await a_desk(stores, changelog, issues, "again").erase("ev1", asked)
        assert await dump(stores) == wanted, at
        assert left((changelog.written, issues.held)) == [], at
        assert changelog.written[-1][2] == (await desk.ledger.load("ev1"))[f"speaker/{person('ev1').id}"]
        assert issues.held == {("ev1", f"speaker/{person('ev1').id}"): None}, at
        if ended:
            break
        at += 1
    assert at > 20


@pytest.mark.rule("Y2", "G4")
async def test_erased_address_is_not_created_again_by_a_running_push(stores: Stores) -> None:
    """The command holds the event as a worker does, so a worker that had it before writes no more."""
    await filled(stores, "ev1", "org-a", sealed=True)
    before = await stores.inbox.claim(event_subject("ev1"), "worker") or Lease(event_subject("ev1"), 1, "worker")
    desk = a_desk(stores, ListedChangelog(), ListedIssues())
    await desk.erase("ev1", Person.named(EMAIL))
    with pytest.raises(LeaseLostError):
        await desk.ledger.put(before, {f"speaker/{person('ev1').id}": Entry(State.APPLIED, 77, natural=EMAIL)})
    assert Directory({1: Remote(1, DIGESTS.natural(EMAIL))}).matching(
        (await desk.ledger.load("ev1"))[f"speaker/{person('ev1').id}"].natural
    )
