"""Every metric of the service, declared once: name, type, unit, labels, what it means and what to do about it.

The site's page of metrics is generated from here (`tools.metrics_docs`), and dashboards and alerts
are tested against it. Labels are bounded: topics, credentials (by the first digits of their hash, `OTHER` beyond so
many), and words that are listed here or in the domain. Never an event, a record, a person or a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Final

from consumer.observability.metrics import freshness, process, pushing, recording, swoogo, webhooks
from consumer.observability.metrics.metric import Metric


def _declared(module: ModuleType) -> tuple[Metric, ...]:
    return tuple(each for each in vars(module).values() if isinstance(each, Metric))


SECTIONS: Final[Mapping[str, tuple[Metric, ...]]] = {
    "Is it fresh?": _declared(freshness),
    "Record": _declared(recording),
    "Webhooks": _declared(webhooks),
    "Plan and push": _declared(pushing),
    "Swoogo": _declared(swoogo),
    "The process": _declared(process),
}
CATALOGUE: Final = tuple(metric for section in SECTIONS.values() for metric in section)
"""All of them, in that order."""
