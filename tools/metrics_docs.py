"""The page `metrics.md` of the site, made from the catalogue of metrics. `make docs` builds it."""

from __future__ import annotations

from typing import Final

from consumer.observability.metrics import SECTIONS
from consumer.observability.metrics.metric import Metric

_HEAD: Final = """# Metrics

`GET /metrics` on the address of `SWOOGO_SYNC_HTTP__HOST` and `__PORT`, in the text format of Prometheus. Besides these,
`process_*` tell about memory, CPU time and open files of the process.

No label holds an event, a record, a person or a secret. Credentials are named by the first 8 digits of the hash of
their consumer key; beyond 200 in one process they share the name `other`. Metrics marked **all** say the same in every
replica: take the `max`, not the `sum`.
"""


def page() -> str:
    """The page in Markdown: each metric with its meaning and what to do about it."""
    parts = [_HEAD]
    for title, metrics in SECTIONS.items():
        parts.append(f"\n## {title}\n")
        parts += [_entry(metric) for metric in metrics]
    return "".join(parts)


def _entry(metric: Metric) -> str:
    lines = [f"\n### `{metric.name}`\n", f"{metric.type.capitalize()}, {metric.unit}.", metric.meaning]
    if metric.scope == "all":
        lines.append("**All** replicas say the same.")
    text = [lines[0], " ".join(lines[1:])]
    if metric.labels:
        text += ["", *(f"- `{label}`: {values}" for label, values in metric.labels.items())]
    if metric.buckets:
        text += ["", f"Buckets: {', '.join(f'{bound:g}' for bound in metric.buckets)}."]
    return "\n".join([*text, "", f"What to do: {metric.action}", ""])
