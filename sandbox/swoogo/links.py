"""Sessions of a speaker: `POST /speakers/{id}/session.json` and its removal (`swoogo-api.md` 8.4)."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.swoogo.answers import Answer, invalid, refusal
from sandbox.swoogo.backend import Backend, Call, accessible
from sandbox.swoogo.forms import FORM, read_json, read_list
from sandbox.swoogo.rendering import full_speaker
from sandbox.swoogo.store import Record
from sandbox.swoogo.writes import deleted


def add_sessions(backend: Backend, call: Call) -> Answer:
    """Link sessions of the speaker's own event; one wrong id refuses the whole call.

    `.json` takes JSON only; the plain path takes a form as well (5, row 20).
    """
    speaker = accessible(backend, call, "speakers", call.numbers[0])
    session_ids = _session_ids(call)
    _refuse_strangers(backend, speaker, session_ids)
    linked = backend.store.sessions_of(speaker.id)
    if backend.switches.link_duplicate == "refused" and (known := set(linked) & set(session_ids)):
        raise invalid(*(("session_ids", f"Session {n} is already assigned.") for n in sorted(known)))
    if backend.switches.link_mode == "replace":
        for session_id in set(linked) - set(session_ids):
            backend.store.unlink(speaker.id, session_id)
    for session_id in session_ids:
        backend.store.link(speaker.id, session_id)
    _touch(backend, speaker)
    return Answer(200, full_speaker(backend, speaker))


def remove_session(backend: Backend, call: Call) -> Answer:
    """`DELETE /speakers/{id}/session/{session_id}`; a session that is not linked is a 404."""
    speaker = accessible(backend, call, "speakers", call.numbers[0])
    if call.numbers[1] not in backend.store.sessions_of(speaker.id):
        raise refusal(404, f"Session {call.numbers[1]} is not assigned to this speaker.")
    backend.store.unlink(speaker.id, call.numbers[1])
    _touch(backend, speaker)
    return deleted(backend)


def remove_sessions(backend: Backend, call: Call) -> Answer:
    """`DELETE /speakers/{id}/session.json` with `{"session_ids": [...]}`."""
    speaker = accessible(backend, call, "speakers", call.numbers[0])
    session_ids = _session_ids(call)
    strangers = sorted(set(session_ids) - set(backend.store.sessions_of(speaker.id)))
    if strangers:
        raise invalid(*(("session_ids", f"Session {n} is not assigned.") for n in strangers))
    for session_id in session_ids:
        backend.store.unlink(speaker.id, session_id)
    _touch(backend, speaker)
    return deleted(backend)


def _session_ids(call: Call) -> Sequence[int]:
    if call.content_type == FORM and not call.dotted_json:
        texts = read_list(call, "session_ids")
        ids: object = [int(text) for text in texts] if texts and all(t.isdigit() for t in texts) else None
    else:
        ids = read_json(call).get("session_ids")
    if not isinstance(ids, list) or not all(isinstance(n, int) and not isinstance(n, bool) for n in ids):
        raise invalid(("session_ids", "Session ids must be an array of integers."))
    return ids


def _refuse_strangers(backend: Backend, speaker: Record, session_ids: Sequence[int]) -> None:
    own = backend.store.of_event(speaker.event_id or 0, "sessions")
    strangers = [number for number in session_ids if number not in own]
    if strangers and backend.switches.link_unknown_status == 404:
        raise refusal(404, f"Session {strangers[0]} was not found.")
    if strangers:
        raise invalid(*(("session_ids", f"Session {number} is invalid.") for number in strangers))


def _touch(backend: Backend, speaker: Record) -> None:
    if backend.switches.link_updates_timestamp:
        backend.store.change(speaker, {"updated_at": backend.stamp()})
