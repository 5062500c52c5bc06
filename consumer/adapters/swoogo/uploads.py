"""Headshots and logos to where Swoogo takes them (`swoogo-api.md 9.3`).

There is no image route for speakers; a headshot goes to the contact behind the speaker, or, by a setting, its address
goes into the speaker's `profile_picture`.
"""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from typing import Final
from urllib.parse import urlencode

from consumer.adapters.swoogo.calls import Call, Caller, acknowledges, no_effect
from consumer.adapters.swoogo.transport import FORM
from consumer.adapters.swoogo.wire import record_id
from consumer.domain.errors import RefusedError
from consumer.domain.planning.images import URL
from consumer.domain.records.identity import Kind
from consumer.ports import Picture, Work
from consumer.settings import SwoogoSettings

_HEADSHOT: Final = "profile_picture"


class Uploads:
    def __init__(self, settings: SwoogoSettings, caller: Caller) -> None:
        self._by_address = settings.speaker_picture == "profile_picture"
        self._logo = settings.sponsor_logo_field
        self._caller = caller

    async def upload(self, work: Work, kind: Kind, swoogo_id: int, contact_id: int | None, picture: Picture) -> None:
        """May be repeated: the newest image of a record is the one that counts."""
        if kind is Kind.SPONSOR:
            await self._put(work, f"/image/sponsor/{swoogo_id}/{self._logo}", picture, "the logo of a sponsor")
        elif self._by_address:
            await self._name(work, swoogo_id, picture)
        else:
            contact = contact_id or await self._contact(work, swoogo_id)
            await self._put(work, f"/image/contact/{contact}/{_HEADSHOT}", picture, "the headshot of a speaker")

    async def _put(self, work: Work, path: str, picture: Picture, what: str) -> None:
        boundary = token_hex(16)
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{picture.file_name}"\r\n'
            f"Content-Type: {picture.media_type}\r\n\r\n"
        )
        content = head.encode() + picture.content + f"\r\n--{boundary}--\r\n".encode()
        answer = await self._caller.call(
            work, Call(what, "PUT", path, content, f"multipart/form-data; boundary={boundary}".encode())
        )
        if not acknowledges(answer) and not (isinstance(answer, Mapping) and record_id(answer.get("id"))):
            raise no_effect(answer, what)

    async def _name(self, work: Work, swoogo_id: int, picture: Picture) -> None:
        pairs = [("event_id", str(work.mapping.swoogo_event_id)), (_HEADSHOT, picture.record.get(URL, ""))]
        path = f"/speakers/update/{swoogo_id}"
        await self._caller.call(work, Call("the headshot of a speaker", "PUT", path, urlencode(pairs).encode(), FORM))

    async def _contact(self, work: Work, swoogo_id: int) -> int:
        call = Call("the contact of a speaker", "GET", f"/speakers/{swoogo_id}?fields=id,contact_id")
        body = await self._caller.call(work, call)
        contact = record_id(body.get("contact_id")) if isinstance(body, Mapping) else None
        if contact is None:
            raise RefusedError(
                "It shows no contact behind the speaker, and headshots go there.",
                field="photo_url",
                hint="The setting SWOOGO_SYNC_SWOOGO__SPEAKER_PICTURE has another way.",
            )
        return contact
