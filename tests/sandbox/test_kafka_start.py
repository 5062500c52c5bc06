"""Kafka's storage is formatted as its tool did it the last time, and its classes are taken from an archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.embedded.kafka_start import CLASSES, format_like_the_last, keep_format, shared_classes

CLUSTER = "0123456789abcdef012345"


@pytest.fixture
def jars(tmp_path: Path) -> Path:
    return folder(tmp_path / "jars")


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_storage_is_formatted_like_the_last_one_under_ids_of_its_own(jars: Path, tmp_path: Path) -> None:
    formatted, fresh, other = (folder(tmp_path / name) for name in ("formatted", "fresh", "other"))
    (formatted / "bootstrap.checkpoint").write_bytes(b"features")
    keep_format(jars, formatted)
    assert format_like_the_last(jars, fresh, CLUSTER, 2)
    assert format_like_the_last(jars, other, CLUSTER, 2)
    assert (fresh / "bootstrap.checkpoint").read_bytes() == b"features"
    lines = (fresh / "meta.properties").read_text().splitlines()
    assert lines[:3] == ["version=1", f"cluster.id={CLUSTER}", "node.id=2"]
    assert lines[3].startswith("directory.id=")
    assert len(lines[3]) == len("directory.id=") + 22
    assert lines[3] not in (other / "meta.properties").read_text()


def test_without_a_former_format_the_tool_is_needed(jars: Path, tmp_path: Path) -> None:
    data = folder(tmp_path / "data")
    assert not format_like_the_last(jars, data, CLUSTER, 1)
    assert list(data.iterdir()) == []


def test_format_that_cannot_be_kept_is_no_error(jars: Path, tmp_path: Path) -> None:
    keep_format(tmp_path / "no such folder", jars)
    keep_format(jars, folder(tmp_path / "not formatted"))
    assert list(jars.iterdir()) == []


def test_classes_are_shared_once_they_are_archived(jars: Path) -> None:
    assert shared_classes(jars) == []
    (jars / CLASSES).touch()
    assert shared_classes(jars) == [f"-XX:SharedArchiveFile={jars / CLASSES}"]
