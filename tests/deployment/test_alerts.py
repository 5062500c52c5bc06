"""Rules that hold what they say, on metrics there are, each with a page of what to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from deploy.generate import RULES, generated
from tests.support.commands import options, resolve
from tests.support.promql import unknown
from tests.support.rendered import ROOT, of_kind, overlay
from tests.support.tools import promtool

FOLDER: Final = ROOT / "deploy" / "observability"
RUNBOOKS: Final = ROOT / "docs" / "runbooks"
GROUPS: Final[list[dict[str, Any]]] = yaml.safe_load((ROOT / RULES).read_text())["groups"]
ALERTS: Final = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
RECORDED: Final = {rule["record"] for group in GROUPS for rule in group["rules"] if "record" in rule}


def page(alert: dict[str, Any]) -> Path:
    name = alert["annotations"]["runbook_url"].rpartition("/")[2].removesuffix(".html")
    return RUNBOOKS / f"{name}.md"


def test_the_rules_hold_what_their_unit_tests_say() -> None:
    """`promtool test rules`: each alert fires for its reason, not before its time, and ends."""
    run = subprocess.run(
        [promtool(), "test", "rules", "rules.test.yml"], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_alert_has_a_unit_test() -> None:
    tested = {
        case["alertname"]
        for each in yaml.safe_load((FOLDER / "rules.test.yml").read_text())["tests"]
        for case in each.get("alert_rule_test", ())
        if case["exp_alerts"]
    }
    assert {alert["alert"] for alert in ALERTS} == tested


@pytest.mark.parametrize(
    "rule", [rule for group in GROUPS for rule in group["rules"]], ids=lambda r: r.get("alert") or r["record"]
)
def test_every_rule_reads_metrics_and_labels_there_are(rule: dict[str, Any]) -> None:
    assert unknown(rule["expr"], RECORDED) == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_says_how_bad_it_is_and_has_a_runbook(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"]
    assert page(alert).is_file(), f"write {page(alert).name}"
    text = page(alert).read_text()
    assert "swoogo-sync " in text or "kubectl " in text, "a runbook says what to type"
    assert re.search(r"^## .*escalate", text, re.MULTILINE | re.IGNORECASE), "a runbook says when to escalate"


@pytest.mark.parametrize("path", [ROOT / "docs/deploy.md", *sorted(RUNBOOKS.glob("*.md"))], ids=lambda path: path.stem)
def test_every_command_of_a_runbook_is_in_the_help(path: Path) -> None:
    """What is typed at three in the morning has to exist."""
    for line in re.findall(r"(?:^|`|-- )swoogo-sync ([a-z][^`\n|#]*)", path.read_text(), re.MULTILINE):
        words = line.replace('"', "").split()
        command, left = resolve(words)
        assert left != words, f"{path.name}: swoogo-sync {line}"
        for word in left:
            if word.startswith("--"):
                assert word.partition("=")[0].rstrip(".,;:)") in options(command), f"{path.name}: swoogo-sync {line}"


def test_generated_files_are_what_they_are_made_from() -> None:
    for name, text in generated().items():
        assert (ROOT / name).read_text() == text, f"{name}: run `python -m deploy.generate`"


def test_the_prometheus_operator_gets_the_same_rules() -> None:
    [rule] = of_kind(overlay("production"), "PrometheusRule")
    assert rule["spec"]["groups"] == GROUPS


def test_the_goal_is_the_one_that_the_service_counts_by() -> None:
    """1 % of the changes; the factors spend 2 % of a month's budget in an hour, 5 % in six, 10 % in three days."""
    expressions = " ".join(alert["expr"] for alert in ALERTS if alert["alert"] == "SwoogoSyncChangesLate")
    found = [(window, limit.strip()) for window, limit in re.findall(r"ratio_rate(\w+) > ([\d. *]+)", expressions)]
    assert found == [
        ("1h", "14.4 * 0.01"),
        ("5m", "14.4 * 0.01"),
        ("6h", "6 * 0.01"),
        ("30m", "6 * 0.01"),
        ("3d", "0.01"),
        ("6h", "0.01"),
    ]
