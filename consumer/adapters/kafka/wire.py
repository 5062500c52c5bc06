"""Changes of resources as msgspec structs, made from the models of `schemas`: the one form that rows are made from.

Guarantees: what `read` reads, `schemas` reads too, and `of` gives the same for it. Everything else (a field of another
type, `{}` for "not set", an id that is a number, text that is not UTF-8) is None, and `schemas` decides what it is, so
every sentence about a fault comes from there.

In a text null is not set, and `msgspec.UNSET` not carried (`sessionboard.md A.4`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, reduce
from itertools import chain
from operator import attrgetter, or_
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec
from msgspec import Meta
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from consumer.domain.records.identity import Source
from schemas.contact import ContactChange
from schemas.envelope import DELETING, ResourceChange
from schemas.session import SessionChange
from schemas.sponsor import SponsorChange
from schemas.wire import IDENTIFIER_PATTERN, LARGEST_INTEGER, Text

MODELS: Final[Mapping[Source, type[ResourceChange[Any, Any]]]] = {
    Source.SESSION: SessionChange,
    Source.CONTACT: ContactChange,
    Source.SPONSOR: SponsorChange,
}
_SESSION: Final = Source.SESSION  # asking the class takes a tenth of a microsecond
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199
_ENDLESS: Final = 4300
"""Digits of an integer that no longer is JSON to pydantic, also in a field that is not read."""
_DIGIT: Final = re.compile(rb"[0-9]")
_ENDLESS_NUMBER: Final = re.compile(rb"[0-9]{%d}" % _ENDLESS)
_has_nanoseconds: Final = re.compile(rb"\.[0-9]{7}").search
_id_of: Final = attrgetter("id")
_ID: Final = IDENTIFIER_PATTERN.strip("^$")
_are_ids: Final = re.compile(f"{_ID}(?:/{_ID})*").fullmatch
_TEXT: Final = get_args(Text)[1]
_EVENT_ID: Final[Any] = str | Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
_LIMITS: Final = ("ge", "le", "min_length", "max_length")


def read(source: Source, value: bytes) -> Any:
    """The change in a record, None when it is to be read the thorough way."""
    try:
        value.isascii() or value.decode()  # msgspec skips what it is not asked for without looking
        # So long a number shows in a sample at this distance.
        if len(value) >= _ENDLESS and _DIGIT.search(value[::_ENDLESS]) and _ENDLESS_NUMBER.search(value):
            return None
        if _has_nanoseconds(value):  # msgspec rounds them up, into the next second too; the models cut them off
            return None
        change = READERS[source](value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    meta, data = change.metadata, change.data
    moments: tuple[Any, ...] = meta.datetime, data.updated_at, data.deleted_at
    ids = [data.id, str(meta.event_id)]
    if meta.org_id is not None:
        ids.append(meta.org_id)
    if source is _SESSION:
        moments += data.starts_at, data.ends_at
        ids += map(_id_of, chain(data.speakers, data.chairpersons, data.moderators, data.participants))
        ids += [each.id for each in (data.room, data.track) if each is not None]
        if data.parent_session_id is not None:
            ids.append(data.parent_session_id)
    for each in moments:
        # The years at either end are left to the models, as where they end depends on the time zone.
        if each is not None and not _FIRST_YEAR < each.year < _LAST_YEAR:
            return None
    joined = "/".join(ids)  # one look at all of them: no id holds a slash
    return change if _are_ids(joined) and joined.count("/") == len(ids) - 1 else None


def of(change: ResourceChange[Any, Any]) -> Any:
    """The struct of a change that was read the thorough way."""
    return msgspec.convert(change.model_dump(exclude_unset=True), _struct(type(change)))


def deletes(change: Any) -> bool:
    """As `schemas.envelope.ResourceChange.deletes`."""
    return change.data.deleted_at is not None or change.metadata.action.endswith(DELETING)


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since the epoch, rounded down, as `schemas.wire.to_ms` but several times as fast."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


@cache
def _struct(model: type[BaseModel]) -> type[msgspec.Struct]:
    fields = [_field(name, each) for name, each in model.model_fields.items()]
    return msgspec.defstruct(model.__name__, fields, kw_only=True, gc=False)


def _field(name: str, info: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    if _TEXT in info.metadata:
        return name, str | None, msgspec.UNSET
    kind = _EVENT_ID if name == "event_id" else _limited(_lean(info.annotation), info.metadata)
    return (name, kind) if info.is_required() else (name, kind, info.default)


def _lean(kind: Any) -> Any:
    """What msgspec reads for an annotation of a model. An id is any text here; `read` looks at all of them."""
    inner = get_args(kind)
    match get_origin(kind):
        case origin if origin is Annotated:
            return _limited(_lean(inner[0]), inner[1:])
        case origin if origin in {Union, UnionType}:
            return reduce(or_, map(_lean, inner))
        case origin if origin is tuple:
            return tuple[_lean(inner[0]), ...]  # type: ignore[misc] # known when it runs
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _struct(kind)
    return Annotated[datetime, Meta(tz=True)] if kind is datetime else kind


def _limited(kind: Any, metadata: Iterable[Any]) -> Any:
    said = list(chain.from_iterable(each.metadata if isinstance(each, FieldInfo) else [each] for each in metadata))
    limits = {name: held for name in _LIMITS for each in said if (held := getattr(each, name, None)) is not None}
    return Annotated[kind, Meta(**limits)] if limits else kind


READERS: Final[Mapping[Source, Callable[[bytes], Any]]] = {
    source: msgspec.json.Decoder(_struct(model)).decode for source, model in MODELS.items()
}
