"""Questions about records, lists of them and one-line texts (`swoogo-api.md 2.2 to 2.7, 4, 5, 7.3, 7.4, 10, 11.3`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from consumer.adapters.probing.findings import UNKNOWN, Finding, finding
from consumer.adapters.probing.scratch import MARK, Reply, Scratch
from consumer.adapters.swoogo.listing import items_of
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


_NAME: Final = f"{MARK} e\u0301  <b>x</b> & z\u00adz \U0001f600 " + "y" * 100 + " end"


async def of_texts(scratch: Scratch) -> list[Finding]:
    """One session whose name has something of everything that may be changed."""
    made = await scratch.create("sessions", {"name": _NAME, "date": "2030-01-04"})
    held = str((await scratch.get(f"/sessions/{made.id}?fields=id,name")).get("name") or "") if made.id else ""
    seen = "a name of many kinds of characters, read back" if held else f"such a name: {made.status}"
    changes = {
        "text_unicode": ("nfc", "\u00e9" in held),
        "text_spaces": ("folded", "  " not in held),
        "text_tags": ("stripped", "b>" not in held and "b&gt;" not in held),
        "text_ampersand": ("escaped", "&amp;" in held),
        "text_format": ("dropped", "\u00ad" not in held),
        "text_astral": ("dropped", "\U0001f600" not in held),
        "text_length": ("cut", not held.endswith(" end")),
    }
    return [
        finding(name, (value if changed else "kept") if held else UNKNOWN, seen)
        for name, (value, changed) in changes.items()
    ]


SESSIONS: Final = 24
"""Sessions made to try lists on: more than a truncated expansion holds, as far as anybody has said."""
_NEIGHBOURS: Final = (1, -1, 2, -2)
_FORBIDDEN: Final = 403


async def of_lists(scratch: Scratch) -> list[Finding]:
    """Make some sessions and list them in every way."""
    made = [await scratch.needed("sessions", {"name": name, "date": "2030-01-02"}) for name in names(SESSIONS)]
    event = f"event_id={scratch.event_id}"
    large = await scratch.get(f"/sessions?{event}&per-page=1000&fields=id,name")
    beyond = await scratch.get(f"/sessions?{event}&per-page=5&page=9999&fields=id")
    alone = await scratch.get(f"/sessions?ids={made[0]}&fields=id")
    bare = await scratch.get("/sessions?fields=id")
    first, second = (quote(f"name={name}", safe="=") for name in list(names(2)))
    both = await scratch.get(f"/sessions?{event}&fields=id&searchCondition=or&search={first}%26{second}")
    return [
        finding("per_page_cap", large.meta.get("perPage", UNKNOWN), "rows a page says it holds, of 1,000 asked for"),
        finding("page_overflow", "last_page" if beyond.rows else "empty", "page 9,999 of a short list"),
        finding("ids_needs_event", not (alone.fine and alone.rows), f"ids= without event_id: {alone.status}"),
        finding("missing_event_status", bare.status, "a list without event_id"),
        # Taken literally, one name would have to be the whole text: no row.
        finding("encoded_ampersand", len(both.rows) == 2, "two conditions joined by %26"),
        await _expansion(scratch, made),
        await _stranger(scratch),
    ]


async def _expansion(scratch: Scratch, made: list[int]) -> Finding:
    event = await scratch.get(f"/events/{scratch.event_id}?expand=sessions,speakers,sponsors")
    held = items_of(event.get("sessions")) if event.get("sessions") is not None else None
    if held is None:
        return finding("event_expand", "absent", "the event did not come with its sessions")
    ids = {Reply(200, row).id for row in held if isinstance(row, Mapping)}
    whole = ids.issuperset(made)
    return finding("event_expand", "complete" if whole else "truncated", f"the event came with {len(ids)} sessions")


async def _stranger(scratch: Scratch) -> Finding:
    """Events beside the scratch event may be somebody else's, and only then is the answer 403."""
    nearby = [scratch.event_id + step for step in _NEIGHBOURS if scratch.event_id + step > 0]
    statuses = [(await scratch.get(f"/events/{each}?fields=id")).status for each in nearby]
    refusals = [status for status in statuses if status in {_FORBIDDEN, 404}]
    if not refusals:
        return finding("not_found_status", UNKNOWN, "every event nearby is the organization's own")
    value = _FORBIDDEN if _FORBIDDEN in refusals else 404
    return finding("not_found_status", value, f"events nearby: {', '.join(map(str, statuses))}")
