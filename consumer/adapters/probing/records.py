"""Questions about creating, updating and deleting records (`swoogo-api.md 2.2, 5, 7.3, 7.4, 11.3`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from consumer.adapters.probing.findings import UNKNOWN, Finding, finding
from consumer.adapters.probing.scratch import MARK, Scratch
from consumer.domain.errors import UnavailableError

A_SECOND: Final = 1.1
"""Seconds after which `updated_at`, which is in whole seconds, shows a change."""
_DATE: Final = "2030-01-01"
_HTML: Final = "<p>probe <strong>markup</strong></p>"


async def of_sessions(scratch: Scratch) -> list[Finding]:
    """Create, update and delete one session and a few more."""
    made = await scratch.create("sessions", {"name": f"{MARK} session", "date": _DATE, "description": _HTML})
    if not made.id:
        raise UnavailableError(f"Swoogo answered {made.status} when the probe made a session.")
    found = [
        finding("create_status", made.status, "status of a created session"),
        finding("create_answer", "full" if made.get("name") else "id_only", "the answer to it"),
    ]
    path = f"/sessions/{made.id}?fields=id,name,description,updated_at"
    held = await scratch.get(path)
    description = str(held.get("description"))
    html = "kept" if "<strong>" in description else "escaped" if "&lt;strong" in description else "stripped"
    found.append(finding("html", html, "tags in its description, read back"))
    dateless = await scratch.create("sessions", {"name": f"{MARK} without a date"})
    found.append(finding("session_date_required", not dateless.fine, f"a session without a date: {dateless.status}"))
    found += await _updates(scratch, made.id, path, str(held.get("updated_at")))
    found += await _deletion(scratch, made.id)
    return found


async def _updates(scratch: Scratch, session_id: int, path: str, before: str) -> list[Finding]:
    whole = {"event_id": scratch.event_id, "name": f"{MARK} session"}
    update = f"/sessions/update/{session_id}"
    await scratch.clock.sleep(A_SECOND)
    await scratch.form("PUT", update, whole)
    after = str((await scratch.get(path)).get("updated_at"))
    found = [finding("noop_updates_timestamp", after != before, "updated_at after an update that changes nothing")]
    bare = await scratch.form("PUT", update, {"description": "bare"})
    applied = bare.fine and "bare" in str((await scratch.get(path)).get("description"))
    found.append(finding("session_update_needs_name", not applied, f"an update without event and name: {bare.status}"))
    cleared = UNKNOWN
    for value, text in (("empty", ""), ("null", "null")):
        await scratch.form("PUT", update, {**whole, "description": text})
        if not (await scratch.get(path)).get("description"):
            cleared = value
            break
    found.append(finding("clear_with", cleared, "which of an empty field and the word null cleared a description"))
    return found


async def _deletion(scratch: Scratch, session_id: int) -> list[Finding]:
    for spelling in ("action", "rest"):
        reply = await scratch.delete("sessions", session_id, spelling)
        if reply.fine and not (await scratch.get(f"/sessions/{session_id}")).fine:
            scratch.delete_path = spelling
            return [
                finding("delete_path", spelling, "the spelling that deleted a session"),
                finding("delete_status", reply.status, "its status"),
            ]
    return [
        finding("delete_path", UNKNOWN, "neither spelling deleted a session"),
        finding("delete_status", UNKNOWN, "no deletion worked"),
    ]


async def of_names(scratch: Scratch) -> list[Finding]:
    """A second track of the same name."""
    await scratch.needed("tracks", {"name": f"{MARK} track"})
    again = await scratch.create("tracks", {"name": f"{MARK} track"})
    value = "allowed" if again.fine else "refused"
    return [finding("names_unique", value, f"a second track of the same name: {again.status}")]


def names(count: int) -> Iterator[str]:
    """Names of the sessions that lists are tried on."""
    return (f"{MARK} list {number:02d}" for number in range(count))
