"""Deletions (`swoogo-api.md` 2.1, 5, 7.5, 11.3)."""

from __future__ import annotations

import re

import pytest

from sandbox.swoogo import SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller


@pytest.mark.parametrize("kind", ["sessions", "speakers", "sponsors", "locations", "tracks"])
@pytest.mark.parametrize(
    ("path", "status", "good", "bad"),
    [
        ("action", 204, "/{0}/delete/{1}", "/{0}/{1}"),
        ("rest", 200, "/{0}/{1}", "/{0}/delete/{1}"),
    ],
)
async def test_path_and_status_of_a_deletion_are_switches(
    sandbox: SandboxSwoogo, swoogo: Caller, kind: str, path: str, status: int, good: str, bad: str
) -> None:
    """swoogo-api.md 2.1, 5, 11.3 nr 1: the other path is none at all; 204 has no body."""
    sandbox.configure(switches={"delete_path": path, "delete_status": status})
    made = sandbox.create(
        kind, {"event_id": 12} | ({"email": "a@example.com"} if kind == "speakers" else {"name": "A"})
    )
    assert (await swoogo.call("DELETE", bad.format(kind, made["id"]))).status_code in {404, 405}
    answer = await swoogo.call("DELETE", good.format(kind, made["id"]))
    assert (answer.status_code, answer.content == b"") == (status, status == 204)
    assert (await swoogo.get(f"/{kind}/{made['id']}")).status_code == 404
    assert (await swoogo.call("DELETE", good.format(kind, made["id"]))).status_code == 404


async def test_a_session_with_registrants_stays(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 7.5: a business-rule 400."""
    made = sandbox.create("sessions", {"event_id": 12, "name": "A"})
    sandbox.register(made["id"])
    answer = await swoogo.call("DELETE", f"/sessions/delete/{made['id']}")
    assert (answer.status_code, answer.json()["name"]) == (400, "Bad Request")
    assert re.search("registrants", answer.json()["message"])
    assert (await swoogo.get(f"/sessions/{made['id']}")).status_code == 200


async def test_a_deletion_takes_links_and_references_along(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 7.5, 8.3: unknown; here a contact stays, and nothing points to what is gone."""
    made = sandbox.seed(
        {
            "tracks": [{"event_id": 12, "name": "T"}],
            "sessions": [{"id": 1, "event_id": 12, "name": "A"}, {"id": 2, "event_id": 12, "name": "B"}],
            "speakers": [{"id": 3, "event_id": 12, "email": "a@example.com", "sessions": [1, 2]}],
        }
    )
    sandbox.edit("sessions", 2, {"track_id": made["tracks"][0]})
    await swoogo.call("DELETE", "/sessions/delete/1")
    assert sandbox.state()["links"] == [{"speaker_id": 3, "session_id": 2}]
    await swoogo.call("DELETE", f"/tracks/delete/{made['tracks'][0]}")
    assert (await swoogo.get("/sessions/2")).json()["track_id"] is None
    await swoogo.call("DELETE", "/speakers/delete/3")
    assert (await swoogo.items("/sessions?event_id=12&expand=speakers"))[0]["speakers"] == []
    assert len(sandbox.state()["contacts"]) == 1
