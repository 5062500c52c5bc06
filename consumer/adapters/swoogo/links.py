"""Associations of speakers with sessions (S7, S8, `swoogo-api.md 8.4`).

Not documented are: whether the sessions that are sent are added to those there or replace them, whether one may be
added twice, and how one is taken away. So what an answer shows is compared with what was wanted.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog

from consumer.adapters.swoogo.calls import Call, Caller, acknowledges, no_effect
from consumer.adapters.swoogo.transport import JSON
from consumer.adapters.swoogo.wire import RESOURCES, linked_sessions, shows
from consumer.domain.errors import NO_REASON, MissingError, RefusedError
from consumer.domain.records.identity import Kind
from consumer.ports import Work
from consumer.settings import SwoogoSettings

log = structlog.get_logger("swoogo")


class Links:
    def __init__(self, settings: SwoogoSettings, caller: Caller) -> None:
        self._replaces = settings.link_mode == "replace"
        self._unlink = settings.unlink
        self._caller = caller
        # Becomes True when an answer shows a session that was there before and was not sent.
        self._adds = False

    async def add(self, work: Work, speaker_id: int, session_ids: Sequence[int], already: Sequence[int] = ()) -> None:
        """Associate a speaker with further sessions, in one call (S7, `swoogo-api.md 8.4`).

        Raises:
            RefusedError: also when the answer shows the speaker without one of them.
        """
        if not session_ids:
            return
        try:
            held = await self._send(work, speaker_id, session_ids, already)
        except MissingError:
            raise
        except RefusedError as refused:
            if refused.permission:
                raise
            # Whether a session may be added twice is not known, and it was when an answer got lost.
            held = await self._held(work, speaker_id)
            rest = [identifier for identifier in session_ids if identifier not in held]
            if len(rest) == len(session_ids):
                raise
            if not rest:
                return
            held = await self._send(work, speaker_id, rest, [*held])
        if held is not None:
            held = await self._were_replaced(work, speaker_id, session_ids, already, held)
        missed = [identifier for identifier in session_ids if held is not None and identifier not in held]
        if missed:
            raise RefusedError(
                f"Swoogo did not associate the speaker with session {', '.join(map(str, missed))}.", field="sessions"
            )

    async def remove(self, work: Work, speaker_id: int, session_id: int) -> None:
        """Take one association away; a 404 says it is not there (S8)."""
        path, content = f"/speakers/{speaker_id}/session/{session_id}", b""
        if self._unlink == "body":
            path, content = f"/speakers/{speaker_id}/session.json", b'{"session_ids":[%d]}' % session_id
        call = Call("the removal of a session from a speaker", "DELETE", path, content, JSON if content else b"")
        try:
            answer = await self._caller.call(work, call)
            if (
                not acknowledges(answer)
                and not shows(answer, speaker_id)
                and session_id in await self._held(work, speaker_id)
            ):
                raise no_effect(answer, call.what)
        except MissingError:
            # A path that does not exist is answered like an association that does not.
            try:
                held = await self._held(work, speaker_id)
            except MissingError:
                return  # nor is the speaker
            if session_id in held:
                raise RefusedError(
                    NO_REASON,
                    hint="Swoogo answered 404 to the removal of a session that the speaker has, which suggests that "
                    f"the setting unlink is not {self._unlink}.",
                    field="sessions",
                ) from None

    async def _send(
        self, work: Work, speaker_id: int, session_ids: Sequence[int], already: Sequence[int]
    ) -> frozenset[int] | None:
        """The sessions that Swoogo shows the speaker with, when asked if need be; None when it shows none at all."""
        wanted = dict.fromkeys((*already, *session_ids) if self._replaces else session_ids)
        content = msgspec.json.encode({"session_ids": [*wanted]})
        call = Call("the sessions of a speaker", "POST", f"/speakers/{speaker_id}/session.json", content, JSON)
        answer = await self._caller.call(work, call)
        return linked_sessions(answer if shows(answer, speaker_id) else await self._speaker(work, speaker_id))

    async def _were_replaced(
        self, work: Work, speaker_id: int, session_ids: Sequence[int], already: Sequence[int], held: frozenset[int]
    ) -> frozenset[int] | None:
        """Sends the former sessions again when what was sent replaced them, so the setting link_mode is wrong.

        Single ones that are gone were taken away by people, with the association or the session itself (D2); and so
        were all, where an earlier answer has shown that associations are added.
        """
        former = set(already) - set(session_ids)
        if former & held:
            self._adds = True
        if not former or self._adds or self._replaces:
            return held
        there = [each for each in already if await self._caller.there(work, RESOURCES[Kind.SESSION], each)]
        if not there:
            return held
        log.warning("swoogo.links_were_replaced", setting="SWOOGO_SYNC_SWOOGO__LINK_MODE", good_value="replace")
        return await self._send(work, speaker_id, [*there, *session_ids], ())

    async def _held(self, work: Work, speaker_id: int) -> frozenset[int]:
        return linked_sessions(await self._speaker(work, speaker_id)) or frozenset()

    async def _speaker(self, work: Work, speaker_id: int) -> object:
        path = f"/speakers/{speaker_id}?fields=id&expand=sessions"
        return await self._caller.call(work, Call("a speaker", "GET", path))
