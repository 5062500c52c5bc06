"""Questions about speakers, their sessions and their pictures (`swoogo-api.md 8.3, 8.4, 9.3, 11.3`)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from consumer.adapters.probing.findings import UNKNOWN, Finding, finding
from consumer.adapters.probing.records import A_SECOND
from consumer.adapters.probing.scratch import MARK, Scratch
from consumer.adapters.swoogo.wire import linked_sessions, record_id

PIXEL: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_NO_SESSION: Final = 2**31 - 1
_ADDRESS: Final = "https://example.com/swoogo-sync-probe.png"


async def of_speakers(scratch: Scratch) -> list[Finding]:
    """Two speakers and three sessions."""
    sessions = [
        await scratch.needed("sessions", {"name": f"{MARK} link {number}", "date": "2030-01-03"}) for number in range(3)
    ]
    run = f"{scratch.clock.now():x}"
    first = await scratch.needed("speakers", _person(run, "one"))
    second = await scratch.needed("speakers", _person(run, "two"))
    again = await scratch.create("speakers", _person(run, "one"))
    value = "allowed" if again.fine else "refused"
    return [
        finding("speaker_email_unique", value, f"a second speaker with the same e-mail: {again.status}"),
        *await _links(scratch, first, sessions),
        *await _pictures(scratch, first, second),
    ]


def _person(run: str, which: str) -> Mapping[str, str]:
    # example.com is reserved (RFC 2606): no person can get mail for it.
    email = f"swoogo-sync-probe-{run}-{which}@example.com"
    return {"first_name": MARK, "last_name": which, "email": email}


async def _links(scratch: Scratch, speaker: int, sessions: list[int]) -> list[Finding]:
    path, link = f"/speakers/{speaker}?expand=sessions", f"/speakers/{speaker}/session.json"
    before = (await scratch.get(f"/speakers/{speaker}?fields=id,updated_at")).get("updated_at")
    await scratch.clock.sleep(A_SECOND)
    await scratch.json("POST", link, {"session_ids": sessions[:1]})
    after = (await scratch.get(f"/speakers/{speaker}?fields=id,updated_at")).get("updated_at")
    await scratch.json("POST", link, {"session_ids": sessions[1:2]})
    linked = linked_sessions((await scratch.get(path)).body)
    mode = UNKNOWN if linked is None else "additive" if sessions[0] in linked else "replace"
    twice = await scratch.json("POST", link, {"session_ids": sessions[1:2]})
    strange = (await scratch.json("POST", link, {"session_ids": [_NO_SESSION]})).status
    return [
        finding("link_unknown_status", strange if strange in {404, 422} else UNKNOWN, "a link with a missing session"),
        finding("link_updates_timestamp", after != before, "updated_at of a speaker after a link"),
        finding("link_mode", mode, "a speaker's sessions after two links, one session each"),
        finding("link_duplicate", "ok" if twice.fine else "refused", f"the same link again: {twice.status}"),
        await _unlink(scratch, speaker, sessions[1], path),
    ]


async def _unlink(scratch: Scratch, speaker: int, session: int, path: str) -> Finding:
    async def linked() -> bool:
        return session in (linked_sessions((await scratch.get(path)).body) or ())

    await scratch.json("DELETE", f"/speakers/{speaker}/session/{session}", None)
    if not await linked():
        return finding("unlink", "path", "the spelling that took a session off a speaker")
    await scratch.json("DELETE", f"/speakers/{speaker}/session.json", {"session_ids": [session]})
    if not await linked():
        return finding("unlink", "body", "the spelling that took a session off a speaker")
    return finding("unlink", UNKNOWN, "neither spelling took a session off a speaker")


async def _pictures(scratch: Scratch, first: int, second: int) -> list[Finding]:
    async def picture(speaker: int) -> object:
        return (await scratch.get(f"/speakers/{speaker}?fields=id,profile_picture")).get("profile_picture")

    await scratch.form("PUT", f"/speakers/update/{first}", {"event_id": scratch.event_id, "profile_picture": _ADDRESS})
    written = "url" if await picture(first) else "ignored"
    found = [finding("profile_picture_write", written, "a speaker's profile_picture after a URL was written to it")]
    contact = record_id((await scratch.get(f"/speakers/{second}?fields=id,contact_id")).get("contact_id"))
    if contact is None:
        return [*found, finding("contact_picture_on_speaker", UNKNOWN, "a speaker shows no contact_id")]
    upload = await scratch.upload(f"/image/contact/{contact}/profile_picture", "probe.png", PIXEL)
    if not upload.fine:
        return [*found, finding("contact_picture_on_speaker", UNKNOWN, f"the upload was refused: {upload.status}")]
    shown = bool(await picture(second))
    return [*found, finding("contact_picture_on_speaker", shown, "a speaker after its contact got a picture")]
