"""The Swoogo port on the real client against the stateful sandbox, under every guess about the API.

The same scenarios hold whatever the open questions turn out to be (swoogo-api.md 11.3): a setting of the client
stands against each switch of the sandbox, or the client copes with both values by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.circuit import CircuitRule
from consumer.domain.connection import IntegrationRequest
from consumer.domain.errors import (
    CredentialError,
    MissingError,
    RefusedError,
    UnansweredError,
    UnavailableError,
)
from consumer.domain.identity import Kind
from consumer.domain.ledger import Remote
from consumer.ports import Swoogo, Work
from consumer.settings import SwoogoSettings
from sandbox.swoogo import Credential, SandboxSwoogo, Switches, create_app
from tests.support.fakes import InMemoryCircuits
from tests.unit.adapters.swoogo.world import (
    EVENT,
    KEY,
    SECRET,
    MemoryBudget,
    MemoryTokens,
    Time,
    a_work,
    open_credentials,
)

WORK = a_work()
HALL, STAGE, TRACK, SESSION, OTHER, SPEAKER, GOLD = 501, 502, 601, 201, 202, 301, "Gold"
SESSION_FIELDS = {
    "name": "Opening & Welcome",
    "description": "<p>Ümläut &amp; more</p><script>alert(1)</script>",
    "date": "2025-08-09",
    "start_time": "10:00:00",
    "end_time": "11:30:00",
    "location": str(HALL),
    "track": str(TRACK),
    "capacity": "20",
}
SPEAKER_FIELDS = {
    "first_name": "Ann",
    "last_name": "Öz",
    "email": "Ann.Oz@example.com",
    "job_title": "CTO",
    "company": "A & B",
    "bio": "",
}


class Bench:
    """A client and the sandbox behind it, which share one clock."""

    def __init__(self, switches: Switches, **settings: Any) -> None:
        self.clock = Time()
        self.verified = 0
        self.budget, self.tokens = MemoryBudget(), MemoryTokens(self.clock)
        credentials = [Credential(KEY, SECRET), Credential("stranger", SECRET, account="elsewhere")]
        self.sandbox = SandboxSwoogo(switches=switches, credentials=credentials, clock=lambda: self.clock.now() / 1000)
        self.sandbox.seed(
            {
                "events": [
                    {"id": EVENT, "name": "Conference", "timezone": "Asia/Tokyo"},
                    {"id": 99, "name": "Foreign", "account": "elsewhere"},
                ],
                "locations": [{"id": HALL, "event_id": EVENT, "name": "Hall"}],
                "tracks": [{"id": TRACK, "event_id": EVENT, "name": "Main"}],
                "sessions": [
                    {"id": SESSION, "event_id": EVENT, "name": "Keynote", "date": "2025-08-08"},
                    {"id": OTHER, "event_id": EVENT, "name": "Panel", "date": "2025-08-08"},
                ],
                "speakers": [
                    {
                        "id": SPEAKER,
                        "event_id": EVENT,
                        "first_name": "Bob",
                        "last_name": "Ray",
                        "email": "bob@example.com",
                    }
                ],
                "fields": [{"resource": "sponsors", "attribute": "level", "choices": [GOLD]}],
            }
        )
        transport = httpx.ASGITransport(app=create_app(self.sandbox))
        self.circuits = InMemoryCircuits(self.clock, CircuitRule(failures=1_000))
        self.client = SwoogoClient(
            SwoogoSettings(**settings), self.budget, self.tokens, self.clock, open_credentials, self.circuits, transport
        )

    @property
    def swoogo(self) -> Swoogo:
        """The port."""
        return self.client

    def record(self, kind: str, identifier: int) -> dict[str, Any]:
        """A record as the sandbox holds it."""
        rows: list[dict[str, Any]] = self.sandbox.state(EVENT)[kind]
        return next(row for row in rows if row["id"] == identifier)

    def credits(self) -> int:
        """What the sandbox charged the credential."""
        spent: int = self.sandbox.stats()["credentials"][KEY]["credits"]
        return spent


@asynccontextmanager
async def a_bench(switches: Switches | None = None, **settings: Any) -> AsyncIterator[Bench]:
    bench = Bench(switches or Switches(), **settings)
    try:
        yield bench
        assert not bench.budget.open, "every permit is settled"
        # Ours may be higher, never lower (G5); a verification has no claim that could be charged.
        assert bench.budget.credits + bench.verified >= bench.credits()
    finally:
        await bench.client.aclose()


GUESSES: list[tuple[str, Switches, dict[str, Any]]] = [
    ("as-guessed", Switches(), {}),
    ("create-200", Switches(create_status=200), {}),
    ("id-only", Switches(create_answer="id_only"), {}),
    ("cleared-by-null", Switches(clear_with="null"), {"clear_with": "null"}),
    ("links-replaced", Switches(link_mode="replace"), {"link_mode": "replace"}),
    ("links-once", Switches(link_duplicate="refused"), {}),
    ("unlink-by-body", Switches(unlink="body"), {"unlink": "body"}),
    ("delete-200", Switches(delete_status=200), {}),
    ("empty-overflow", Switches(page_overflow="empty"), {}),
    ("big-pages", Switches(per_page_cap=1000), {"page_size": 1000}),
    ("page-size-clamped", Switches(per_page_cap=200), {"page_size": 1000}),
    ("unique", Switches(names_unique="refused", speaker_email_unique="refused"), {}),
    ("leaky-bucket", Switches(limiter="leaky_bucket"), {}),
    ("priced-token", Switches(token_costs_credit=True), {}),
    ("free-refusals", Switches(refused_costs_credit=False), {"refused_costs_credit": False}),
    ("no-rate-headers", Switches(rate_headers="never"), {}),
    ("forbidden-not-missing", Switches(not_found_status=403), {}),
    ("one-token-at-a-time", Switches(new_token_revokes_old=True), {}),
    ("stripped-html", Switches(html="stripped"), {}),
    ("escaped-html", Switches(html="escaped"), {}),
    ("strict-sessions", Switches(session_date_required=True, session_update_needs_name=True), {}),
    ("missing-event-422", Switches(missing_event_status=422), {}),
]


@pytest.fixture(params=GUESSES, ids=[name for name, _, _ in GUESSES])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """The client and the sandbox under one guess."""
    _, switches, settings = request.param
    async with a_bench(switches, **settings) as made:
        yield made


STORED = {
    "kept": "<p>Ümläut &amp; more</p>",
    "stripped": "Ümläut &amp; more",
    "escaped": "&lt;p&gt;Ümläut &amp;amp; more&lt;/p&gt;",
}
"""The description as the sandbox holds it then."""


def expected_misses(bench: Bench) -> tuple[str, ...]:
    return () if bench.sandbox.settings.switches.html == "kept" else ("description",)


@pytest.mark.rule("S1", "S2", "S5", "S9", "R5")
async def test_a_session_is_created_as_it_was_meant(bench: Bench) -> None:
    written = await bench.swoogo.create(WORK, Kind.SESSION, SESSION_FIELDS, "op")
    held = bench.record("sessions", written.swoogo_id)
    html = bench.sandbox.settings.switches.html
    assert {name: held[name] for name in ("name", "date", "start_time", "end_time", "location_id", "track_id")} == {
        "name": "Opening & Welcome",
        "date": "2025-08-09",
        "start_time": "10:00:00",
        "end_time": "11:30:00",
        "location_id": HALL,
        "track_id": TRACK,
    }
    assert held["description"] == STORED[html]
    assert (held["capacity"], held["use_event_timezone"]) == (20, True)
    if bench.sandbox.settings.switches.create_answer == "full":
        assert written.not_applied == expected_misses(bench)
        assert written.seen["capacity"] == "20"
        assert written.seen["location"] == str(HALL)
    else:
        assert (written.not_applied, written.seen) == ((), {})


@pytest.mark.rule("R2")
@pytest.mark.parametrize("insists", [False, True])
async def test_a_name_is_sent_along_only_where_swoogo_insists(insists: bool) -> None:
    """swoogo-api.md 7.4: prose says updates are partial, the schema wants a name. A name edited by hand stays."""
    async with a_bench(Switches(session_update_needs_name=insists)) as bench:
        bench.sandbox.edit("sessions", SESSION, {"name": "By hand"})
        for start in ("09:00:00", "09:30:00"):
            await bench.swoogo.update(WORK, Kind.SESSION, SESSION, {"start_time": start}, "Keynote")
        held = bench.record("sessions", SESSION)
        assert (held["start_time"], held["name"]) == ("09:30:00", "Keynote" if insists else "By hand")
        updates = [call for call in bench.sandbox.journal() if call["method"] == "PUT"]
        # Refused once for want of a name, then never again.
        assert [call["status"] for call in updates] == ([422, 200, 200] if insists else [200, 200])


@pytest.mark.rule("R2")
async def test_an_update_changes_what_it_names_and_nothing_else(bench: Bench) -> None:
    """swoogo-api.md 7.4: partial."""
    made = await bench.swoogo.create(WORK, Kind.SESSION, SESSION_FIELDS, "op")
    fields = {"name": "Closing", "date": "2025-08-09", "start_time": "17:00:00"}
    written = await bench.swoogo.update(WORK, Kind.SESSION, made.swoogo_id, fields)
    held = bench.record("sessions", made.swoogo_id)
    assert (held["name"], held["start_time"], held["end_time"]) == ("Closing", "17:00:00", "11:30:00")
    assert (written.swoogo_id, written.not_applied) == (made.swoogo_id, ())
    assert written.seen["start_time"] == "17:00:00"


@pytest.mark.rule("R4")
async def test_cleared_fields_are_cleared(bench: Bench) -> None:
    """R4; what clears a field is a guess."""
    made = await bench.swoogo.create(WORK, Kind.SESSION, SESSION_FIELDS, "op")
    cleared = {"name": "Opening", "location": "", "track": "", "capacity": "", "description": ""}
    written = await bench.swoogo.update(WORK, Kind.SESSION, made.swoogo_id, cleared)
    held = bench.record("sessions", made.swoogo_id)
    assert [held[name] for name in ("location_id", "track_id", "capacity", "description")] == [None] * 4
    assert written.not_applied == ()
    assert {written.seen[name] for name in ("location", "track", "capacity", "description")} == {""}


@pytest.mark.rule("M7")
async def test_a_session_can_have_a_zone_of_its_own(bench: Bench) -> None:
    fields = SESSION_FIELDS | {"timezone": "America/New_York"}
    made = await bench.swoogo.create(WORK, Kind.SESSION, fields, "op")
    held = bench.record("sessions", made.swoogo_id)
    assert (held["timezone"], held["use_event_timezone"]) == ("America/New_York", False)
    listed = await bench.swoogo.list(WORK, Kind.SESSION, {})
    assert listed.rows[made.swoogo_id].fields["timezone"] == "America/New_York"
    assert listed.rows[SESSION].fields["timezone"] == ""
    written = await bench.swoogo.update(WORK, Kind.SESSION, made.swoogo_id, {"name": "Opening", "timezone": ""})
    assert bench.record("sessions", made.swoogo_id)["use_event_timezone"] is True
    assert (written.not_applied, written.seen["timezone"]) == ((), "")


@pytest.mark.rule("P1")
async def test_a_speaker_is_created_with_its_contact(bench: Bench) -> None:
    """swoogo-api.md 8.1: the contact is told, for the headshot."""
    written = await bench.swoogo.create(WORK, Kind.SPEAKER, SPEAKER_FIELDS, "op")
    held = bench.record("speakers", written.swoogo_id)
    assert {name: held[name] or "" for name in SPEAKER_FIELDS} == SPEAKER_FIELDS
    if bench.sandbox.settings.switches.create_answer == "full":
        assert written.contact_id == held["contact_id"]
        assert written.not_applied == ()
    listed = await bench.swoogo.list(WORK, Kind.SPEAKER, {})
    assert listed.matching("ann.oz@example.com")[0].contact_id == held["contact_id"]


@pytest.mark.rule("S5", "O1")
async def test_places_and_sponsors_are_created(bench: Bench) -> None:
    """A location takes 0 and 1 only (swoogo-api.md 7.6), a level is written as its id (9.1)."""
    level = bench.sandbox.state()["levels"]["main"][0]["id"]
    hall = await bench.swoogo.create(WORK, Kind.LOCATION, {"name": "Stage"}, "op-1")
    track = await bench.swoogo.create(WORK, Kind.TRACK, {"name": "Side"}, "op-2")
    fields = {"name": "Acme", "website": "https://acme.example", "description": "<b>A</b>", "level": str(level)}
    sponsor = await bench.swoogo.create(WORK, Kind.SPONSOR, fields, "op-3")
    assert bench.record("locations", hall.swoogo_id)["use_event_address"] is True
    assert bench.record("tracks", track.swoogo_id)["name"] == "Side"
    assert bench.record("sponsors", sponsor.swoogo_id)["level"] == {"id": level, "value": GOLD}
    if bench.sandbox.settings.switches.create_answer == "full":
        assert sponsor.seen["level"] == str(level)
    cleared = await bench.swoogo.update(WORK, Kind.SPONSOR, sponsor.swoogo_id, {"name": "Acme", "level": ""})
    assert bench.record("sponsors", sponsor.swoogo_id)["level"] is None
    assert cleared.not_applied == ()


def sessions_of(bench: Bench) -> list[int]:
    found: list[int] = sorted(bench.record("speakers", SPEAKER)["session_ids"])
    return found


@pytest.mark.rule("S7")
async def test_links_are_added_whatever_is_there(bench: Bench) -> None:
    """Those there stay, also where the API replaces; sending one again changes nothing."""
    await bench.swoogo.link(WORK, SPEAKER, [SESSION])
    await bench.swoogo.link(WORK, SPEAKER, [OTHER], already=[SESSION])
    assert sessions_of(bench) == [SESSION, OTHER]
    await bench.swoogo.link(WORK, SPEAKER, [OTHER], already=[SESSION])
    await bench.swoogo.link(WORK, SPEAKER, [SESSION, OTHER])
    assert sessions_of(bench) == [SESSION, OTHER]


@pytest.mark.rule("S7")
async def test_a_session_of_another_event_is_refused(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="Session 999 is invalid") as caught:
        await bench.swoogo.link(WORK, SPEAKER, [999])
    assert caught.value.field == "session_ids"
    assert sessions_of(bench) == []


@pytest.mark.rule("S8")
async def test_a_link_is_taken_away(bench: Bench) -> None:
    await bench.swoogo.link(WORK, SPEAKER, [SESSION, OTHER])
    await bench.swoogo.unlink(WORK, SPEAKER, SESSION)
    assert sessions_of(bench) == [OTHER]


@pytest.mark.rule("S8")
async def test_what_is_not_linked_needs_no_taking_away() -> None:
    async with a_bench() as bench:
        await bench.swoogo.unlink(WORK, SPEAKER, SESSION)
        assert sessions_of(bench) == []


@pytest.mark.rule("S5", "P2")
async def test_a_list_holds_what_adoption_needs(bench: Bench) -> None:
    """Natural keys and comparable fields."""
    speakers = await bench.swoogo.list(WORK, Kind.SPEAKER, {})
    contact = bench.record("speakers", SPEAKER)["contact_id"]
    empty = {"job_title": "", "company": "", "bio": ""}
    fields = {"first_name": "Bob", "last_name": "Ray", "email": "bob@example.com"} | empty
    assert speakers.rows == {SPEAKER: Remote(SPEAKER, "bob@example.com", fields, contact)}
    halls = await bench.swoogo.list(WORK, Kind.LOCATION, {})
    assert halls.rows == {HALL: Remote(HALL, "hall", {"name": "Hall"})}
    sessions = await bench.swoogo.list(WORK, Kind.SESSION, {})
    assert sessions.rows[SESSION].natural == "keynote|2025-08-08|"
    assert (speakers.fresh, speakers.at) == (True, bench.clock.now())


@pytest.mark.rule("R2")
async def test_what_a_list_shows_is_no_drift_from_what_a_write_answered(bench: Bench) -> None:
    """Numbers as text in one place and as numbers in another are one value (swoogo-api.md 2.8)."""
    made = await bench.swoogo.create(WORK, Kind.SESSION, SESSION_FIELDS, "op")
    written = await bench.swoogo.update(WORK, Kind.SESSION, made.swoogo_id, {"name": "Opening & Welcome"})
    listed = (await bench.swoogo.list(WORK, Kind.SESSION, {})).rows[made.swoogo_id].fields
    assert listed == written.seen


@pytest.mark.rule("R3")
async def test_a_large_unchanged_list_costs_one_page(bench: Bench) -> None:
    """R3; ten credits a page (swoogo-api.md 3)."""
    bench.sandbox.seed({"tracks": [{"event_id": EVENT, "name": f"T{n}"} for n in range(450)]})
    first = await bench.swoogo.list(WORK, Kind.TRACK, {})
    assert len(first.rows) == 451
    known = {identifier: row.natural for identifier, row in first.rows.items()}
    before = bench.budget.credits
    new = bench.sandbox.create("tracks", {"event_id": EVENT, "name": "New"})["id"]
    again = await bench.swoogo.list(WORK, Kind.TRACK, known)
    assert bench.budget.credits - before == 10
    assert again.rows.keys() == first.rows.keys() | {new}


@pytest.mark.rule("D2")
async def test_a_deletion_is_seen_wherever_it_was(bench: Bench) -> None:
    """An old record's deletion takes all pages, and shows."""
    bench.sandbox.seed({"tracks": [{"event_id": EVENT, "name": f"T{n}"} for n in range(450)]})
    first = await bench.swoogo.list(WORK, Kind.TRACK, {})
    known = {identifier: row.natural for identifier, row in first.rows.items()}
    bench.sandbox.delete("tracks", TRACK)
    bench.sandbox.delete("tracks", max(known))
    again = await bench.swoogo.list(WORK, Kind.TRACK, known)
    assert again.rows.keys() == known.keys() - {TRACK, max(known)}


@pytest.mark.rule("M6")
async def test_an_event_of_somebody_else_is_missing(bench: Bench) -> None:
    """swoogo-api.md 11.2: 404 also means not accessible."""
    assert await bench.swoogo.event_timezone(WORK) == "Asia/Tokyo"
    for event_id in (99, 12345):
        with pytest.raises(MissingError):
            await bench.swoogo.event_timezone(a_work(event_id=event_id))


@pytest.mark.rule("D2")
async def test_a_record_that_is_gone_is_missing(bench: Bench) -> None:
    bench.sandbox.delete("sessions", SESSION)
    with pytest.raises(MissingError):
        await bench.swoogo.update(WORK, Kind.SESSION, SESSION, {"name": "Keynote"})


async def test_a_refused_value_names_our_field(bench: Bench) -> None:
    """swoogo-api.md 4: 422 with an array."""
    with pytest.raises(RefusedError) as caught:
        await bench.swoogo.update(WORK, Kind.SESSION, SESSION, {"name": "Keynote", "location": "77"})
    assert (caught.value.field, str(caught.value)) == ("location", "Location id is invalid.")


@pytest.mark.rule("P2")
async def test_a_second_speaker_with_an_email_may_be_refused() -> None:
    """swoogo-api.md 8.3; no address in the sentence."""
    async with a_bench(Switches(speaker_email_unique="refused")) as bench:
        with pytest.raises(RefusedError) as caught:
            await bench.swoogo.create(WORK, Kind.SPEAKER, SPEAKER_FIELDS | {"email": "BOB@example.com"}, "op")
        assert caught.value.field == "email"
        assert "example.com" not in str(caught.value)


@pytest.mark.rule("R5")
async def test_a_field_that_swoogo_dropped_is_named() -> None:
    """swoogo-api.md 2.2: unwritable fields are dropped without an error."""
    async with a_bench() as bench:
        bench.sandbox.add_faults([{"match": {"path": "update"}, "do": {"drop_field": "start_time"}}])
        fields = {"name": "Keynote", "start_time": "09:00:00"}
        written = await bench.swoogo.update(WORK, Kind.SESSION, SESSION, fields)
        assert written.not_applied == ("start_time",)
        assert written.seen["start_time"] == ""


async def test_an_expired_token_is_replaced(bench: Bench) -> None:
    """swoogo-api.md 1: 30 minutes, then 401."""
    await bench.swoogo.event_timezone(WORK)
    bench.sandbox.expire_tokens()
    await bench.swoogo.create(WORK, Kind.TRACK, {"name": "Side"}, "op")
    assert bench.sandbox.stats()["creates"] == {"tracks": 1}
    assert bench.sandbox.stats()["by_route"]["POST /oauth2/token"]["calls"] == 2
    bench.clock.ms += 1_800_000
    await bench.swoogo.event_timezone(WORK)
    assert bench.sandbox.stats()["by_status"].get("401", 0) == 1


async def test_many_calls_side_by_side_need_one_token(bench: Bench) -> None:
    names = [{"name": f"T{n}"} for n in range(50)]
    made = await asyncio.gather(*(bench.swoogo.create(WORK, Kind.TRACK, fields, "op") for fields in names))
    assert len({written.swoogo_id for written in made}) == 50
    assert bench.sandbox.stats()["by_route"]["POST /oauth2/token"]["calls"] == 1


@pytest.mark.rule("C3")
async def test_credentials_are_tried(bench: Bench) -> None:
    check = bench.client.credentials
    await check.verify(IntegrationRequest("org-1", connected=True, secret_name=KEY))
    bench.verified += 1
    with pytest.raises(CredentialError):
        await check.verify(IntegrationRequest("org-1", connected=True, secret_name="nobody"))


Write = Callable[[Swoogo], Awaitable[Any]]


async def a_create(swoogo: Swoogo) -> Any:
    return await swoogo.create(WORK, Kind.TRACK, {"name": "Side"}, "op")


async def an_update(swoogo: Swoogo) -> Any:
    return await swoogo.update(WORK, Kind.TRACK, TRACK, {"name": "Side"})


async def a_link(swoogo: Swoogo) -> Any:
    return await swoogo.link(WORK, SPEAKER, [SESSION])


FAULTS = [
    {"drop": "before"},
    {"drop": "after"},
    {"status": 500},
    {"status": 503, "effect": True},
    {"html": True},
    {"html": True, "status": 200},
    {"half_json": True},
    {"deep_json": True},
]


@pytest.mark.rule("G2")
@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_create_without_an_answer_is_sent_once(fault: dict[str, Any]) -> None:
    """Whether it happened or not, one call was made; the list tells."""
    async with a_bench() as bench:
        await bench.swoogo.event_timezone(WORK)
        bench.sandbox.add_faults([{"match": {"path": "create"}, "times": None, "do": fault}])
        with pytest.raises(UnansweredError):
            await a_create(bench.swoogo)
        calls = bench.sandbox.stats()["by_route"]["POST /tracks/create"]["calls"]
        assert calls == 1
        found = await bench.swoogo.list(WORK, Kind.TRACK, {})
        assert len(found.matching("side")) == bench.sandbox.stats()["creates"].get("tracks", 0)


@pytest.mark.rule("G2")
async def test_an_empty_answer_to_a_create_is_no_answer() -> None:
    async with a_bench() as bench:
        bench.sandbox.add_faults([{"match": {"path": "create"}, "do": {"empty": True}}])
        with pytest.raises(UnansweredError):
            await a_create(bench.swoogo)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("write", [an_update, a_link])
@pytest.mark.parametrize("duplicates", ["ok", "refused"])
async def test_what_is_safe_to_repeat_survives_one_blip(write: Write, fault: dict[str, Any], duplicates: Any) -> None:
    """Also when the first sending took effect and a link may not be made twice (swoogo-api.md 8.4)."""
    async with a_bench(Switches(link_duplicate=duplicates)) as bench:
        await bench.swoogo.event_timezone(WORK)
        bench.sandbox.add_faults([{"match": {"path": "update|session$"}, "do": fault}])
        await write(bench.swoogo)
        if write is a_link:
            assert sessions_of(bench) == [SESSION]
        else:
            assert bench.record("tracks", TRACK)["name"] == "Side"


async def test_a_server_that_hangs_is_given_up() -> None:
    """swoogo-api.md 11.2: one run waited 858 seconds."""
    async with a_bench(deadline=0.5) as bench:
        await bench.swoogo.event_timezone(WORK)
        bench.sandbox.add_faults([{"match": {"path": "tracks"}, "times": None, "do": {"hang": True}}])
        with pytest.raises(UnansweredError):
            await a_create(bench.swoogo)
        with pytest.raises(UnavailableError):
            await an_update(bench.swoogo)


@pytest.mark.rule("G5")
async def test_when_the_window_is_used_up_the_call_waits_and_goes_through(bench: Bench) -> None:
    """swoogo-api.md 3: 429 until X-Rate-Limit-Reset."""
    bench.sandbox.configure(limit=3, window=60)
    throttled = bench.budget.throttled

    async def hold(grant: Any, reset: float) -> None:
        await throttled(grant, reset)
        bench.clock.ms += round(reset * 1000)

    bench.budget.throttled = hold  # type: ignore[method-assign]
    for number in range(6):
        await bench.swoogo.create(WORK, Kind.TRACK, {"name": f"T{number}"}, "op")
    assert bench.sandbox.stats()["creates"] == {"tracks": 6}
    assert bench.sandbox.stats()["refused_429"] >= 1


@pytest.mark.rule("M1")
async def test_an_organization_cannot_reach_the_records_of_another(bench: Bench) -> None:
    stranger: Work = a_work(key="stranger")
    with pytest.raises((MissingError, RefusedError)):
        await bench.swoogo.update(stranger, Kind.TRACK, TRACK, {"name": "Mine"})
    assert bench.record("tracks", TRACK)["name"] == "Main"
