"""The AsyncAPI 3.0 description of the topics: addresses, keys, headers, messages and who sends them.

Guarantees: payloads are references to the JSON Schemas beside it, so that the two cannot disagree. It names
no server: where Kafka runs is the deployment's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from schemas.dead_letter import DeadLetterHeaders, Reason, header_name
from schemas.docstrings import field_docstrings
from schemas.json_schema import MODELS, OURS, file_name
from schemas.topics import Topic
from schemas.wire import IDENTIFIER_PATTERN

CONTRACT_VERSION: Final = "1.2.0"
"""Of this description. Its major part is the version in the envelope."""

_DAYS_30: Final = 30 * 24 * 60 * 60 * 1000
_ID: Final = IDENTIFIER_PATTERN.strip("^$")


@dataclass(frozen=True, slots=True)
class _Channel:
    title: str
    description: str
    key: str
    key_pattern: str
    compacted: bool


_CHANNELS: Final[Mapping[Topic, _Channel]] = MappingProxyType(
    {
        Topic.SESSIONS: _Channel(
            "Session changes",
            "The newest state of every session. A null value deletes the session of its key.",
            "{event_id}/{session_id}",
            f"^{_ID}/{_ID}$",
            compacted=True,
        ),
        Topic.SPEAKERS: _Channel(
            "Contact changes",
            "The newest state of every contact of an event. A null value deletes the contact of its key.",
            "{event_id}/{contact_id}",
            f"^{_ID}/{_ID}$",
            compacted=True,
        ),
        Topic.SPONSORS: _Channel(
            "Sponsor changes",
            "The newest state of every sponsor. A null value deletes the sponsor of its key.",
            "{event_id}/{sponsor_id}",
            f"^{_ID}/{_ID}$",
            compacted=True,
        ),
        Topic.MAPPINGS: _Channel(
            "Integrations, mappings and sync requests",
            "What is connected and mapped, and requests to sync. A null value disconnects or unmaps what its key "
            "names; for a request or a disconnect it means nothing.",
            "integration/{org_id}, disconnect/{org_id}, mapping/{event_id} or sync/{event_id}/{request_id}; as before "
            "also integration/{org_id} for a disconnect and sync/{event_id} for a request without an id",
            f"^((integration|disconnect|mapping)/{_ID}|sync/{_ID}(/{_ID})?)$",
            compacted=True,
        ),
        Topic.STATUS: _Channel(
            "Status",
            "What became of syncs, integrations and mappings.",
            "{event_id}, or integration/{org_id}",
            f"^({_ID}|integration/{_ID})$",
            compacted=False,
        ),
        Topic.ISSUES: _Channel(
            "Issues",
            "What an event admin must know about each record now. A null value says that nothing stands for the record "
            "of its key any more.",
            "{event_id}/{kind}/{id}",
            f"^{_ID}/(session|speaker|sponsor|location|track|level|event)/.+$",
            compacted=True,
        ),
        Topic.LEDGER: _Channel(
            "Ledger",
            "Changelog of what is in Swoogo, for this service alone; holds personal data. A null value forgets the "
            "entry of its key.",
            "{event_id}/{kind}/{id}",
            f"^{_ID}/(session|speaker|sponsor|location|track|level|pair|connection|mapping|served|generation)/.+$",
            compacted=True,
        ),
        Topic.DEAD_LETTERS: _Channel(
            "Dead letters",
            "Undecodable records. Key and value are the original bytes, whatever they are.",
            "the original key",
            "",
            compacted=False,
        ),
    }
)


def asyncapi_document() -> dict[str, Any]:
    """The whole description."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "swoogo-sync",
            "version": CONTRACT_VERSION,
            "description": "One-way sync from Sessionboard to Swoogo. The topics carry their default names; "
            "docs/for-publishers.md says what the fields mean.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_name(topic): _channel(topic) for topic in Topic},
        "operations": {_operation_name(topic): _operation(topic) for topic in Topic},
        "components": {"messages": {name: body for topic in Topic for name, body in _messages(topic).items()}},
    }


def _name(topic: Topic) -> str:
    return topic.name.lower().replace("_", "-")


def _sent(topic: Topic) -> bool:
    return topic in OURS or topic is Topic.DEAD_LETTERS


def _operation_name(topic: Topic) -> str:
    return f"{'send' if _sent(topic) else 'receive'}-{_name(topic)}"


def _operation(topic: Topic) -> dict[str, Any]:
    return {"action": "send" if _sent(topic) else "receive", "channel": {"$ref": f"#/channels/{_name(topic)}"}}


def _channel(topic: Topic) -> dict[str, Any]:
    channel = _CHANNELS[topic]
    policy = {"cleanup.policy": ["compact"]} if channel.compacted else {"cleanup.policy": ["delete"]}
    retention = {} if channel.compacted else {"retention.ms": _DAYS_30}
    return {
        "address": topic.value,
        "title": channel.title,
        "description": channel.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages(topic)},
        "bindings": {"kafka": {"topicConfiguration": {**policy, **retention}, "bindingVersion": "0.5.0"}},
    }


def _messages(topic: Topic) -> dict[str, dict[str, Any]]:
    key: dict[str, Any] = {"type": "string", "description": _CHANNELS[topic].key}
    if _CHANNELS[topic].key_pattern:
        key["pattern"] = _CHANNELS[topic].key_pattern
    bindings = {"kafka": {"key": key, "bindingVersion": "0.5.0"}}
    if topic is Topic.DEAD_LETTERS:
        return {
            "DeadLetter": {
                "summary": "An undecodable record, with where it came from and why it is here.",
                "contentType": "application/octet-stream",
                "headers": _dead_letter_headers(),
                "bindings": bindings,
            }
        }
    return {
        model.__name__: {
            "summary": _first_sentence(model),
            "payload": {"$ref": f"./json/{file_name(topic)}#/$defs/{model.__name__}"},
            "bindings": bindings,
        }
        for model in MODELS[topic]
    }


def _first_sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split()).partition(". ")[0].rstrip(".") + "."


def _dead_letter_headers() -> dict[str, Any]:
    headers: dict[str, dict[str, Any]] = {
        header_name(name): {"type": "string", "description": text}
        for name, text in field_docstrings(DeadLetterHeaders).items()
    }
    headers[header_name("reason")]["enum"] = [reason.value for reason in Reason]
    return {"type": "object", "properties": headers, "required": list(headers)}
