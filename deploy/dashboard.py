"""The dashboard as Grafana imports it. What a panel means comes from the metrics themselves."""

from __future__ import annotations

from typing import Any, Final

from consumer.observability.metrics import process
from deploy.panels import ROWS, Panel

UID: Final = "swoogo-sync"
_WIDTH: Final = 24
_SCOPE: Final = 'namespace=~"$namespace"'
_JOB: Final = ".*swoogo-sync.*"
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


def dashboard() -> dict[str, Any]:
    """As Grafana imports it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, members in ROWS:
        panels.append(_row(len(panels) + 1, title, top))
        top += 1
        left = height = 0
        for panel in members:
            if left + panel.width > _WIDTH:
                left, top = 0, top + height
            height = 4 if panel.kind == "stat" else 8
            panels.append(_panel(len(panels) + 1, panel, left, top, height))
            left += panel.width
        top += height
    return {
        "uid": UID,
        "title": "swoogo-sync",
        "description": "From a change in Sessionboard to Swoogo. Each panel says what it means and what to do.",
        "tags": ["swoogo-sync"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "graphTooltip": 1,
        "templating": {
            "list": [
                {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
                {
                    "name": "namespace",
                    "type": "query",
                    "datasource": _SOURCE,
                    "query": {"query": f"label_values({process.BUILD.name}, namespace)", "refId": "namespace"},
                    "refresh": 2,
                    "includeAll": True,
                    "allValue": ".*",
                    "multi": True,
                    "current": {"text": "All", "value": "$__all"},
                },
            ]
        },
        "annotations": {"list": []},
        "panels": panels,
    }


def _row(number: int, title: str, top: int) -> dict[str, Any]:
    place = {"h": 1, "w": _WIDTH, "x": 0, "y": top}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(number: int, panel: Panel, left: int, top: int, height: int) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.limit is not None:
        steps.append({"color": "red", "value": panel.limit})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": "\n\n".join(f"{each.meaning}\n\n*{each.action}*" for each in panel.about),
        "datasource": _SOURCE,
        "gridPos": {"h": height, "w": panel.width, "x": left, "y": top},
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "options": {},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "legendFormat": legend,
                "expr": expression.replace("$scope", _SCOPE).replace("$job", _JOB),
            }
            for place, (legend, expression) in enumerate(panel.queries)
        ],
    }
