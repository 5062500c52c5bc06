"""What all groups of settings share."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

PREFIX: Final = "SWOOGO_SYNC_"


class Group(BaseModel):
    """Settings that belong together; a group becomes a part of the variable's name."""

    # Built once, as a part of all settings, and not by itself: half of the time that settings take.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)
