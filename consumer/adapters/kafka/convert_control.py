"""Validated control messages to what is kept of them: requests of organizations, and manual syncs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from consumer.domain.connections.connection import IntegrationRequest, MappingRequest
from consumer.domain.connections.mapping import FieldMap, FieldMaps, HoldRule, MappingSettings, Policy, Publish
from consumer.ports import SyncRequest
from schemas.field_maps import FieldMap as WirePair
from schemas.field_maps import Hold
from schemas.field_maps import HoldRule as WireRule
from schemas.mapping import (
    ApprovalRule,
    ControlChange,
    IntegrationConnected,
    IntegrationDisconnected,
    IntegrationUpdated,
    MappingAdded,
    MappingUpdated,
    SyncRequested,
)
from schemas.mapping import MappingSettings as WireSettings
from schemas.wire import to_ms

_encode: Final = msgspec.json.Encoder().encode


def control_row(change: ControlChange) -> bytes:
    match change:
        case IntegrationConnected() | IntegrationUpdated():
            data = change.data
            return _encode(
                IntegrationRequest(
                    data.org_id,
                    connected=True,
                    continuous=data.continuous_sync,
                    sealed=data.credentials.sealed or "",
                    secret_name=data.credentials.secret_name or "",
                )
            )
        case IntegrationDisconnected():
            return _encode(IntegrationRequest(change.data.org_id, connected=False))
        case MappingAdded() | MappingUpdated():
            pair = change.data
            return _encode(
                MappingRequest(
                    org_id=change.metadata.org_id,
                    event_id=pair.event.id,
                    present=True,
                    swoogo_event_id=pair.swoogo_event_id,
                    timezone=pair.event.timezone,
                    name=pair.event.name or "",
                    settings=_settings(pair.settings),
                )
            )
        case SyncRequested():
            raise TypeError("a sync request is not kept as a row")
    return _encode(MappingRequest(org_id=change.metadata.org_id, event_id=change.data.event.id, present=False))


def ended_row(scope: str, identifier: str) -> bytes:
    """The row of a null value on the mappings topic; `scope` is the first part of the key it is recorded under."""
    if scope == "disconnect":
        return _encode(IntegrationRequest(identifier, connected=False))
    return _encode(MappingRequest(org_id="", event_id=identifier, present=False))


def sync_request(change: SyncRequested, stamp: str) -> SyncRequest:
    """A manual sync; without an id its stamp is that, so that a replay is recognised."""
    data = change.data
    return SyncRequest(data.request_id or stamp, data.scope.value, data.session_ids or (), data.speaker_ids or ())


def _settings(wire: WireSettings) -> MappingSettings:
    maps, publish = wire.field_maps, wire.publish
    flags = wire.model_dump(exclude={"field_maps", "publish", "embargo_until", "approval"})
    return MappingSettings(
        **flags,
        field_maps=FieldMaps(_pairs(maps.sessions), _pairs(maps.speakers), _pairs(maps.sponsors)),
        publish=Publish(_rules(publish.sessions), _rules(publish.speakers)),
        embargo_until=None if wire.embargo_until is None else to_ms(wire.embargo_until),
        approval_required=wire.approval is ApprovalRule.REQUIRED,
    )


def _pairs(pairs: Iterable[WirePair]) -> tuple[FieldMap, ...]:
    return tuple(
        FieldMap(each.source, each.target, Policy(each.policy.value), tuple(each.values.items()), each.add_choices)
        for each in pairs
    )


def _rules(rules: Iterable[WireRule]) -> tuple[HoldRule, ...]:
    return tuple(HoldRule(each.source, each.values, others=each.hold is Hold.OTHERS) for each in rules)
