"""The ids of topics, as brokers since Kafka 2.8 report them: a topic that is deleted and made again gets another one.

aiokafka asks for metadata in versions of before; this is version 10, in aiokafka's own terms.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any, Final

from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

_KEY: Final = 3
_VERSION: Final = 10
_NO_ID: Final = bytes(16)
_NO_TAGS: Final[dict[int, bytes]] = {}


class _Id(AbstractType):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(len(_NO_ID))


class _Answer(Response):  # type: ignore[misc]
    API_KEY = _KEY
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster", CompactString()),
        ("controller", Int32),
        (
            "topics",
            CompactArray(
                ("error", Int16),
                ("name", CompactString()),
                ("id", _Id),
                ("internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("in_sync", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_operations", Int32),
        ("tags", TaggedFields),
    )

    def ids(self) -> dict[str, str]:
        """Topic -> id; without those that are not there, may not be seen or have none."""
        return {name: made.hex() for error, name, made, *_ in self.topics if not error and made != _NO_ID}


class _Ask(RequestStruct):  # type: ignore[misc]
    API_KEY = _KEY
    API_VERSION = _VERSION
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("id", _Id), ("name", CompactString()), ("tags", TaggedFields))),
        ("create", Boolean),
        ("cluster_operations", Boolean),
        ("topic_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicIdsRequest(Request[_Ask]):  # type: ignore[misc]
    """Asks for some topics, and never creates one. Answered with what has `ids()`."""

    API_KEY = _KEY

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = [(_NO_ID, topic, _NO_TAGS) for topic in sorted(topics)]

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(
            topics=self._topics, create=False, cluster_operations=False, topic_operations=False, tags=_NO_TAGS
        )
