"""One dashboard in flow order, on metrics there are."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from consumer.observability.metrics import SECTIONS
from deploy.generate import RULES
from tests.support.promql import exposed, unknown
from tests.support.rendered import ROOT, of_kind, overlay
from tests.support.tools import promtool

DASHBOARD: Final[dict[str, Any]] = json.loads((ROOT / "deploy/observability/dashboard.json").read_text())
PANELS: Final = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RECORDED: Final = {
    rule["record"]
    for group in yaml.safe_load((ROOT / RULES).read_text())["groups"]
    for rule in group["rules"]
    if "record" in rule
}
QUERIES: Final = [target["expr"] for panel in PANELS for target in panel["targets"]]


def test_the_rows_follow_the_flow() -> None:
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Is it fresh?", "Where does it wait?", "What fails?", "What does it cost?"]


def test_every_query_reads_metrics_and_labels_there_are() -> None:
    process = ("process_resident_memory_bytes", "process_cpu_seconds_total")
    for query in QUERIES:
        assert unknown(query, RECORDED) == [], query
        assert "swoogo_sync" in query or any(name in query for name in process), query


def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "1m").replace("$namespace", ".*")}
        for number, query in enumerate(QUERIES)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run = subprocess.run([promtool(), "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_what_matters_first_is_all_there() -> None:
    """Every metric of freshness, and of what waits, fails and costs, is on the page; the rest is for looking deeper."""
    read = {metric.short for name, metric in exposed().items() for query in QUERIES if name in query}
    read |= {"consumer_lag_records"}  # by way of a recording rule
    wanted = {
        metric.short for name in ("Is it fresh?", "Record", "Plan and push", "Swoogo") for metric in SECTIONS[name]
    }
    assert wanted - read <= {"records_left_out"}


def test_panels_do_not_overlap_and_every_one_says_what_it_means() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + across, place["y"] + down) for across in range(place["w"]) for down in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in PANELS:
        assert panel["description"] or panel["title"] in {"Memory", "Processor"}, panel["title"]


def test_grafana_finds_it_in_kubernetes() -> None:
    [found] = [each for each in of_kind(overlay("production"), "ConfigMap") if "dashboard" in each["metadata"]["name"]]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["swoogo-sync.json"]) == DASHBOARD
