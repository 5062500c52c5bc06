"""Metrics are declared in one place with unit, meaning and what to do, by Prometheus' conventions."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer.observability.metrics import CATALOGUE, SECTIONS, freshness, recording
from consumer.observability.metrics.metric import OTHER, Metric
from consumer.observability.registry import MetricRegistry
from tools.metrics_docs import page

_FORBIDDEN_LABELS = re.compile(r"event_id|session|speaker|email|org_id|key|token|secret|url|run")


def test_every_metric_is_in_one_section() -> None:
    """The page of metrics is made from the sections."""
    assert tuple(each for section in SECTIONS.values() for each in section) == CATALOGUE
    assert all(SECTIONS.values())
    assert len({each.short for each in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.short)
def test_a_metric_follows_the_conventions(metric: Metric) -> None:
    """Names tell type and unit; each says what it means and what to do."""
    assert re.fullmatch(r"swoogo_sync_[a-z][a-z_]*[a-z]", metric.name)
    assert metric.name.endswith("_total") == (metric.type == "counter")
    if metric.unit == "seconds":
        assert metric.name.removesuffix("_total").endswith("_seconds")
    assert metric.meaning.endswith(".")
    assert metric.action.endswith(".")
    assert bool(metric.buckets) == (metric.type == "histogram")
    assert list(metric.buckets) == sorted(metric.buckets)
    assert not [label for label in metric.labels if _FORBIDDEN_LABELS.search(label)]
    assert not metric.known or len(metric.labels) == 1


def test_the_goal_of_freshness_lies_on_a_bucket() -> None:
    """The objective is told from the histogram too: quiet period 10 s and 60 s more."""
    assert 70 in freshness.CHANGE_TO_SWOOGO.buckets


def test_a_scrape_shows_every_metric_with_its_declared_type() -> None:
    """What the catalogue declares is what Prometheus reads."""
    families = {each.name: each.type for each in text_string_to_metric_families(MetricRegistry().exposition().decode())}
    for metric in CATALOGUE:
        name = metric.name.removesuffix("_total") if metric.type == "counter" else metric.name
        assert families[name] == metric.type


def test_a_label_that_is_not_declared_is_an_error() -> None:
    """Cardinality is bounded by what is declared."""
    with pytest.raises(ValueError, match="label"):
        MetricRegistry().add(recording.RECORD_BATCHES, topic="t", outcome="recorded", event_id="1")


def test_credentials_beyond_the_bound_share_one_series() -> None:
    """A replica that serves thousands of organizations does not make as many series."""
    meters = MetricRegistry()
    names = {meters.credential(f"{number:08x}ffffffff") for number in range(1000)}
    assert len(names) == 201
    assert OTHER in names
    assert meters.credential("00000000ffffffff") == "00000000"


def test_the_page_of_metrics_has_each_once_with_what_to_do() -> None:
    text = page()
    for section in text.split("\n### ")[1:]:
        assert "\nWhat to do: " in section
    for metric in CATALOGUE:
        assert text.count(f"\n### `{metric.name}`\n") == 1
