"""Questions about lists and single records (`swoogo-api.md 2.3 to 2.7, 4, 11.3`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from consumer.adapters.probing.findings import UNKNOWN, Finding, finding
from consumer.adapters.probing.records import names
from consumer.adapters.probing.scratch import Reply, Scratch
from consumer.adapters.swoogo.listing import items_of

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
