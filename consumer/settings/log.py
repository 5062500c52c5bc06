"""Logs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from consumer.settings.group import Group


class LogSettings(Group):
    """Logs."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level written.")
    format: Literal["json", "console"] = Field("json", description="One JSON object a line, or text for people.")
