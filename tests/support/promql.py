"""What metrics an expression of PromQL reads."""

from __future__ import annotations

import re
from typing import Final

from consumer.observability.metrics import CATALOGUE
from consumer.observability.metrics.metric import PREFIX, Metric

_NAME: Final = re.compile(r"swoogo_sync[a-z0-9_:]+")
_SELECTOR: Final = re.compile(r"(swoogo_sync[a-z0-9_:]+)\{([^}]*)\}")
_BY: Final = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
_PARTS: Final = {"histogram": ("_bucket", "_sum", "_count")}
ADDED: Final = frozenset({"namespace", "pod", "instance", "job", "le"})
"""Labels that come from the scrape, and the one of a bucket."""


def exposed() -> dict[str, Metric]:
    """Every series name the service exposes -> the metric it is of."""
    return {metric.name + part: metric for metric in CATALOGUE for part in _PARTS.get(metric.type, ("",))}


def unknown(expression: str, recorded: set[str]) -> list[str]:
    """What an expression reads or groups by, that is neither exposed nor recorded."""
    series = exposed()
    wrong = [name for name in _NAME.findall(expression) if name not in series and name not in recorded]
    labels = set(ADDED)
    for name in _NAME.findall(expression):
        labels |= set(series[name].labels) if name in series else set()
    if any(":" in name for name in _NAME.findall(expression)):
        labels |= {"topic", "credential"}
    for name, selector in _SELECTOR.findall(expression):
        own = ADDED | (set(series[name].labels) if name in series else {"topic"})
        wrong += [f"{name}{{{label}}}" for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector) if label not in own]
    for group in _BY.findall(expression):
        wrong += [f"by ({label})" for label in re.split(r"[,\s]+", group) if label and label not in labels]
    assert PREFIX == "swoogo_sync_"
    return wrong
