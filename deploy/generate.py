"""Writes what is made from other files here: `python -m deploy.generate`; with `--check` nothing is written.

`observability/dashboard.json` comes from `deploy.dashboard`, `observability/prometheusrule.yaml` (the rules as the
Prometheus operator takes them) from `observability/rules.yml`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.dashboard import dashboard
from tools.settings_docs import main as write

ROOT: Final = Path(__file__).parents[1]
RULES: Final = "deploy/observability/rules.yml"
_HEAD: Final = """\
# Made from rules.yml by `python -m deploy.generate`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: swoogo-sync
  labels:
    app.kubernetes.io/name: swoogo-sync
spec:
"""


def generated(root: Path = ROOT) -> Mapping[str, str]:
    """Path below the project -> the text the file should have."""
    return {
        "deploy/observability/dashboard.json": json.dumps(dashboard(), indent=1) + "\n",
        "deploy/observability/prometheusrule.yaml": prometheus_rule((root / RULES).read_text(encoding="utf-8")),
    }


def prometheus_rule(rules: str) -> str:
    """A file of rules as the Prometheus operator takes it."""
    body = rules[rules.index("groups:") :]
    return _HEAD + "".join(f"  {line}\n" if line else "\n" for line in body.splitlines())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return write(arguments, files=generated())


if __name__ == "__main__":
    sys.exit(main())
