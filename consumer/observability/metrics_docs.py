"""Writes `docs/metrics.md` from the catalogue of metrics: `python -m consumer.observability.metrics_docs`.

With `--check` nothing is written; the exit status is 1 when the file differs from what the catalogue says.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from consumer.observability.metrics import SECTIONS, Metric
from consumer.settings.docs import main

_HEAD: Final = """<!-- Made by `python -m consumer.observability.metrics_docs`; change metrics.py beside it instead. -->

# Metrics

`GET /metrics` on the address of `SWOOGO_SYNC_HTTP__HOST` and `__PORT`, in the text format of Prometheus. Besides these,
`process_*` tell about memory, CPU time and open files of the process.

No label holds an event, a record, a person or a secret. Credentials are named by the first 8 digits of the hash of
their consumer key; beyond 200 in one process they share the name `other`. Metrics marked **all** say the same in every
replica: take the `max`, not the `sum`.
"""


def generated() -> Mapping[str, str]:
    """Path below the project -> the text the file should have."""
    parts = [_HEAD]
    for title, metrics in SECTIONS.items():
        parts.append(f"\n## {title}\n")
        parts += [_entry(metric) for metric in metrics]
    return {"docs/metrics.md": "".join(parts)}


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


if __name__ == "__main__":
    sys.exit(main(files=generated()))
