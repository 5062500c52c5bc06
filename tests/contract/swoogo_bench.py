"""The client against the sandbox, and the fake, behind one port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.pacing.circuit import CircuitRule
from consumer.ports import Swoogo
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


def sessions_of(bench: Bench) -> list[int]:
    found: list[int] = sorted(bench.record("speakers", SPEAKER)["session_ids"])
    return found
