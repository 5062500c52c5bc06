"""The console: pages that say what is in sync, why, and what to do."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from consumer.settings.group import Group

_ADDRESS: Final = r"^(https?://\S+)?$"


class ConsoleSettings(Group):
    """The console: where its pages are served, and what may be done there."""

    enabled: bool = Field(default=False, description="Let the role `console` serve its pages.")
    host: str = Field("127.0.0.1", min_length=1, description="Address on which the console listens.")
    port: int = Field(8082, ge=0, le=65_535, description="Its port; 0 takes any free one and logs it.")
    orders: Literal["off", "on"] = Field(
        "off", description="Whether pages may give orders; `off`: no button exists, and the server refuses."
    )
    refresh: int = Field(10, ge=2, le=3_600, description="Seconds after which an open page is read again.")
    sessionboard_event: str = Field(
        "",
        pattern=_ADDRESS,
        description="Address of an event in Sessionboard, with {org} and {event} for their ids; empty: no link.",
    )
    sessionboard_record: str = Field(
        "",
        pattern=_ADDRESS,
        description="Address of a record in Sessionboard, with {org}, {event}, {kind} and {id}; empty: no link.",
    )
    swoogo_event: str = Field(
        "",
        pattern=_ADDRESS,
        description="Address of an event in Swoogo, with {event} for its id there; empty: no link.",
    )
    swoogo_record: str = Field(
        "",
        pattern=_ADDRESS,
        description="Address of a record in Swoogo, with {event}, {kind} and {id} as Swoogo has them; empty: no link.",
    )
