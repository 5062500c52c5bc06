"""The one way to Swoogo: every call of this code base goes through here.

In go domain fields, out come domain answers and the errors of `consumer.domain.errors`. Guarantees: no call
without a permit (G5); a create is never sent again once Swoogo can have got it (G2); 401, 429 and blips are
dealt with inside; what an answer shows differently from what was sent is reported (R5); no error carries a
secret, a token or an e-mail address.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import httpx

from consumer.adapters.swoogo import forms, wire
from consumer.adapters.swoogo.auth import OpenCredentials, SwoogoCredentials, Tokens
from consumer.adapters.swoogo.breaker import Breaker
from consumer.adapters.swoogo.calls import Call, Caller, acknowledges, no_effect, verified_update
from consumer.adapters.swoogo.choices import Choices, Levels
from consumer.adapters.swoogo.credit_meter import CreditMeter
from consumer.adapters.swoogo.definitions import Definitions
from consumer.adapters.swoogo.links import Links
from consumer.adapters.swoogo.listing import read_directory, remote
from consumer.adapters.swoogo.mapped import resource_of
from consumer.adapters.swoogo.surveys import Surveys
from consumer.adapters.swoogo.transport import FORM, Transport
from consumer.adapters.swoogo.uploads import Uploads
from consumer.adapters.swoogo.watched import watched
from consumer.domain.errors import NO_REASON, MissingError, RefusedError, UnansweredError, UnavailableError
from consumer.domain.fields.definitions import FieldDefinition, FieldDefinitions, Targets
from consumer.domain.planning.plan import CALL_CREDITS, LIST_CREDITS
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Fields, Kind
from consumer.domain.records.ledger import Directory, Remote
from consumer.domain.surveys.survey import SURVEYED, EventSurvey, KindSurvey, Known
from consumer.ports import Budget, Circuits, Clock, CredentialCheck, Picture, Swoogo, TokenStore, Work, Written
from consumer.ports.swoogo import CallWatch, Unwatched
from consumer.settings import SwoogoSettings


class SwoogoClient(Swoogo):
    """Swoogo over HTTP. `credentials` tries credentials on the same connections and tokens (C3)."""

    credentials: Final[CredentialCheck]

    def __init__(
        self,
        settings: SwoogoSettings,
        budget: Budget,
        tokens: TokenStore,
        clock: Clock,
        open_credentials: OpenCredentials,
        circuits: Circuits,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        settle_time: float = 120.0,
        watch: CallWatch | None = None,
        digests: Digests = PLAIN,
    ) -> None:
        """`settle_time`: seconds after a call without an answer in which it may take effect. `watch` sees every call.
        `digests`: of the natural keys of people.
        """
        self._digests = digests
        self.watch = watch or Unwatched()
        self._settings = settings
        self._clock = clock
        self._channel = Transport(settings, transport)
        self._meter = CreditMeter(settings, budget, self.watch)
        breaker = Breaker(circuits)
        shared = Tokens(settings, self._channel, self._meter, tokens, clock, open_credentials, breaker)
        self.credentials = SwoogoCredentials(shared, open_credentials)
        self.caller = self._caller = Caller(self._channel, shared, self._meter, clock, breaker)
        self._uploads = Uploads(settings, self._caller)
        self._insists: set[Kind] = set()
        self._links = Links(settings, self._caller)
        self._surveys = Surveys(self._caller, settings.page_size)
        choices = Choices(
            self._caller,
            tokens,
            clock,
            lock_seconds=settings.credit_window + settings.deadline * 4,
            wait_seconds=settings.deadline * 3,
            settle_time=settle_time,
        )
        self._levels = Levels(self._caller, choices)
        self._definitions = Definitions(self._caller, choices)
        self._spelling = forms.Spelling(
            settings.clear_with, settings.custom_fields, settings.nested_fields, settings.multiple_choices
        )

    @watched("create")
    async def create(self, work: Work, kind: Kind, fields: Fields, op_id: str) -> Written:
        if kind is Kind.LEVEL:
            return await self._levels.create(work, fields)
        resource = resource_of(work, kind)
        sent = forms.outgoing(resource, fields, create=True)
        call = Call(
            f"the creation of a {kind}",
            "POST",
            f"/{resource.path}/create",
            self._form(work, resource, sent, create=True),
            FORM,
            resource=resource,
            create=True,
            # Swoogo documents no such key (`swoogo-api.md 2.2`); in its logs it names the create.
            extra=((b"idempotency-key", op_id.encode(errors="replace")),),
        )
        body = await self._caller.call(work, call)
        identifier = wire.record_id(body.get("id")) if isinstance(body, dict) else None
        if identifier is None:
            raise UnansweredError(f"Swoogo answered {call.what} without an id.")
        return wire.written(resource, body, identifier, sent)

    @watched("update")
    async def update(self, work: Work, kind: Kind, swoogo_id: int, fields: Fields, name: str = "") -> Written:
        """Send changed fields; empty ones are cleared, what is not named stays (`swoogo-api.md 2.2`).

        Swoogo's prose says that an update is partial, its schema that sessions want their name every time
        (`swoogo-api.md 7.4`). A name that a person edited there must stay (R2), so it is sent along only when an
        update was refused for lack of it, and from then on.
        """
        if kind in self._insists and name:
            fields = {"name": name, **fields}
        try:
            return await self._update(work, kind, swoogo_id, fields)
        except RefusedError as refused:
            if "name" in fields or not name or "name" not in (refused.field or str(refused)).lower():
                raise
            self._insists.add(kind)
            return await self._update(work, kind, swoogo_id, {"name": name, **fields})

    async def _update(self, work: Work, kind: Kind, swoogo_id: int, fields: Fields) -> Written:
        resource = resource_of(work, kind)
        sent = forms.outgoing(resource, fields, create=False)
        call = Call(
            f"the update of a {kind}",
            "PUT",
            f"/{resource.path}/update/{swoogo_id}",
            self._form(work, resource, sent, create=False),
            FORM,
            resource=resource,
        )
        return await verified_update(self._caller, work, resource, swoogo_id, sent, await self._caller.call(work, call))

    @watched("link", "speaker")
    async def link(self, work: Work, speaker_id: int, session_ids: Sequence[int], already: Sequence[int] = ()) -> None:
        await self._links.add(work, speaker_id, session_ids, already)

    @watched("unlink", "speaker")
    async def unlink(self, work: Work, speaker_id: int, session_id: int) -> None:
        await self._links.remove(work, speaker_id, session_id)

    @watched("upload")
    async def upload(self, work: Work, kind: Kind, swoogo_id: int, contact_id: int | None, picture: Picture) -> None:
        await self._uploads.upload(work, kind, swoogo_id, contact_id, picture)

    @watched("delete")
    async def delete(self, work: Work, kind: Kind, swoogo_id: int) -> None:
        """Delete a record; its path is a setting, as no document has it (`swoogo-api.md 2.1`).

        A path that does not exist is answered like a record that does not, so a 404, or an answer that is no plain
        success, is believed only when the record is not there either (one more credit).

        Raises:
            RefusedError: with `rule` when Swoogo keeps it (a session with registrants, `swoogo-api.md 7.5`).
        """
        resource = wire.RESOURCES[kind]
        action = "delete/" if self._settings.delete_path == "action" else ""
        call = Call(f"the deletion of a {kind}", "DELETE", f"/{resource.path}/{action}{swoogo_id}")
        try:
            answer = await self._caller.call(work, call)
            if not acknowledges(answer) and await self._caller.there(work, resource, swoogo_id):
                raise no_effect(answer, call.what)
        except MissingError:
            if await self._caller.there(work, resource, swoogo_id):
                raise RefusedError(
                    NO_REASON,
                    hint="Swoogo answered 404 to the deletion of a record that it has, which suggests that the setting "
                    f"delete_path is not {self._settings.delete_path}.",
                ) from None

    @watched("list")
    async def list(self, work: Work, kind: Kind, known: Mapping[int, str]) -> Directory:
        """Every record of the kind, in one page where `known` makes up for the rest; ten credits a page."""
        if kind is Kind.LEVEL:
            return await self._levels.list(work)
        resource = resource_of(work, kind)
        query = (
            f"/{resource.path}?event_id={work.mapping.swoogo_event_id}&fields={resource.listed}"
            f"&sort=-id&per-page={self._settings.page_size}&page="
        )

        async def fetch(number: int) -> Any:
            return await self._caller.call(
                work, Call(f"the list of {resource.path}", "GET", f"{query}{number}", cost=LIST_CREDITS)
            )

        listed = await read_directory(resource, fetch, known, self._clock.now())
        return self._digests.directories({kind: listed})[kind]

    @watched("look", "event")
    async def read_definitions(self, work: Work, wanted: Targets) -> FieldDefinitions:
        return await self._definitions.read(work, wanted)

    @watched("create")
    async def add_choices(self, work: Work, kind: Kind, attribute: str, names: Sequence[str]) -> FieldDefinition:
        return await self._definitions.add(work, kind, attribute, names)

    @watched("look", "event")
    async def event_timezone(self, work: Work) -> str:
        event_id = work.mapping.swoogo_event_id
        call = Call("the event", "GET", f"/events/{event_id}?fields=id,timezone", cost=CALL_CREDITS)
        try:
            body = await self._caller.call(work, call)
        except MissingError:
            raise
        except RefusedError as refused:
            if not refused.permission:
                raise
            raise MissingError(str(refused), permission=True) from None
        if not isinstance(body, dict) or wire.record_id(body.get("id")) != event_id:
            raise UnavailableError("Swoogo answered another thing than the event asked for.")
        timezone = body.get("timezone")
        return timezone.strip() if isinstance(timezone, str) else ""

    @watched("look", "event")
    async def probe(self, work: Work) -> None:
        """The event's id: a call without effect, which every credential may make."""
        path = f"/events/{work.mapping.swoogo_event_id}?fields=id"
        await self._caller.call(work, Call("the event", "GET", path, probe=True))

    @watched("survey", "event")
    async def survey_event(
        self, work: Work, known: Mapping[Kind, Known], kinds: Collection[Kind] = SURVEYED
    ) -> EventSurvey:
        event = await self._surveys.event(work, known, kinds)
        return replace(event, kinds={kind: self._sighted(kind, each) for kind, each in event.kinds.items()})

    @watched("survey")
    async def survey_kind(self, work: Work, kind: Kind, known: Known) -> KindSurvey:
        if kind is Kind.LEVEL:
            levels = await self._levels.list(work)
            return KindSurvey(levels.rows.keys(), levels.rows, whole=True)
        return self._sighted(kind, await self._surveys.kind(work, kind, known))

    def _sighted(self, kind: Kind, seen: KindSurvey) -> KindSurvey:
        return replace(seen, rows=self._digests.rows(seen.rows)) if kind is Kind.SPEAKER else seen

    @watched("look")
    async def exists(self, work: Work, kind: Kind, swoogo_id: int) -> bool:
        return await self._caller.there(work, wire.RESOURCES[kind], swoogo_id)

    @watched("look")
    async def read(self, work: Work, kind: Kind, swoogo_id: int) -> Remote | None:
        resource = resource_of(work, kind)
        call = Call(f"a {kind}", "GET", f"/{resource.path}/{swoogo_id}?fields={resource.listed},updated_at")
        try:
            body = await self._caller.call(work, call)
        except MissingError:
            return None
        found = remote(resource, body)
        if found is None or found.id != swoogo_id:
            raise UnavailableError(f"Swoogo answered another thing than the {kind} asked for.")
        return found

    async def left(self, work: Work) -> int:
        return await self._meter.left(work)

    def spent(self, work: Work) -> int:
        return self._meter.spent(work.lease)

    async def aclose(self) -> None:
        await self._channel.aclose()

    def _form(self, work: Work, resource: wire.Resource, sent: Fields, *, create: bool) -> bytes:
        return forms.encode(resource, work.mapping.swoogo_event_id, sent, self._spelling, create=create)
