"""What the tests of time zones share."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from consumer.domain.connections.mapping import EventMapping
from tests.support.builders import a_mapping, at

ZONES: Final = (
    "Europe/London",
    "Europe/Dublin",
    "Africa/Casablanca",
    "America/New_York",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Phoenix",
    "America/Denver",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "UTC",
)


def utc(moment: str) -> int:
    return at(moment, "UTC")


def zoned(theirs: str | None) -> EventMapping:
    return replace(a_mapping(), swoogo_timezone=theirs)
