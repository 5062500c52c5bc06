"""`publish --check`: a publisher's recorded events, and what would become of each, without a server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from consumer.entrypoints.cli.app import app

EVENT = "3960"
NOW = datetime.now(UTC).replace(microsecond=0)
SOON = NOW + timedelta(days=3)
SPEAKER = {"id": "c1", "first_name": "Ada", "last_name": "Example", "email": "ada@example.org"}


def envelope(action: str, data: dict[str, Any], *, minutes: int = 0) -> dict[str, Any]:
    at = (NOW - timedelta(hours=1) + timedelta(minutes=minutes)).isoformat()
    metadata = {"action": action, "event_id": EVENT, "org_id": "org-1", "version": 1, "datetime": at}
    return {"data": {**data, "updated_at": at}, "metadata": metadata}


def session(identifier: str, *, minutes: int = 0, **fields: Any) -> dict[str, Any]:
    data = {
        "id": identifier,
        "title": "Scaling change streams",
        "status": "accepted",
        "starts_at": SOON.isoformat(),
        "ends_at": (SOON + timedelta(hours=1)).isoformat(),
        "speakers": [],
        **fields,
    }
    value = envelope("session.updated", data, minutes=minutes)
    return {"topic": "sessionboard.sessions", "key": f"{EVENT}/{identifier}", "value": value}


def contact(**fields: Any) -> dict[str, Any]:
    value = envelope("contact.updated", {**SPEAKER, **fields})
    return {"topic": "sessionboard.speakers", "key": f"{EVENT}/c1", "value": value}


def mapping(timezone: str = "America/Chicago") -> dict[str, Any]:
    event = {"id": EVENT, "name": "Acme", "timezone": timezone}
    value = envelope("mapping.added", {"event": event, "swoogo_event_id": 7, "settings": {}})
    return {"topic": "sessionboard.mappings", "key": f"mapping/{EVENT}", "value": value}


def check(tmp_path: Path, *records: object) -> tuple[int, dict[str, Any]]:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    result = CliRunner().invoke(app, ["publish", "--check", str(path), "--json"])
    return result.exit_code, json.loads(result.stdout)


def fates(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(record["fate"], record["code"]) for record in document["records"]]


def test_what_would_be_synced_is_said(tmp_path: Path) -> None:
    person = {**SPEAKER, "participant_role": {"slug": "speaker", "name": "Speaker", "core_role": "speaker"}}
    code, document = check(tmp_path, mapping(), session("s1", speakers=[person]), contact())
    assert (code, fates(document)) == (0, [("recorded", ""), ("synced", ""), ("synced", "")])
    assert document["assumed_timezone"] == {}
    assert document["counts"] == {"recorded": 1, "synced": 2}


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (session("s1", title=""), "missing_field"),
        (session("s1", status="declined"), "not_accepted"),
        (session("s1", status="perhaps"), "unknown_status"),
        (session("s1", ends_at=SOON.isoformat()), "invalid_time_range"),
        (session("s1", starts_at="2020-01-01T09:00:00Z", ends_at="2020-01-01T10:00:00Z"), "ended"),
        (contact(), "no_eligible_session"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_be_left_out_says_why(record: dict[str, Any], code: str, tmp_path: Path) -> None:
    exit_code, document = check(tmp_path, mapping(), record)
    assert (exit_code, fates(document)[1]) == (0, ("left_out", code))
    assert document["records"][1]["sentence"]


def test_a_dead_letter_fails_the_check_and_says_what_to_publish(tmp_path: Path) -> None:
    broken = session("s1")
    broken["key"] = "3960/another"
    code, document = check(tmp_path, broken, {"topic": "sessionboard.sessions", "key": "x", "payload": "{"})
    assert (code, fates(document)) == (1, [("dead_letter", "key_mismatch"), ("dead_letter", "not_json")])
    assert all(record["sentence"] for record in document["records"])


def test_the_newest_of_a_key_counts_whatever_the_order(tmp_path: Path) -> None:
    _, document = check(tmp_path, session("s1", minutes=2), session("s1", minutes=1, title=""), session("s2"))
    assert fates(document) == [("synced", ""), ("older", ""), ("synced", "")]
    assert "Line 1" in document["records"][1]["sentence"]
    assert document["assumed_timezone"] == {EVENT: "UTC"}


def test_null_value_deletes_and_an_issue_does_not_hold_it_back(tmp_path: Path) -> None:
    long = session("s2", ends_at=(SOON + timedelta(days=2)).isoformat())
    deleted = {"topic": "sessionboard.sessions", "key": f"{EVENT}/s1", "payload": None}
    _, document = check(tmp_path, mapping("UTC"), deleted, long)
    assert fates(document)[1:] == [("left_out", "deleted"), ("synced", "")]
    assert document["records"][2]["issues"]


def test_a_time_zone_that_does_not_exist_leaves_out_the_event(tmp_path: Path) -> None:
    _, document = check(tmp_path, mapping("Mars/Olympus"), session("s1"))
    assert fates(document)[1] == ("left_out", "unknown_timezone")


@pytest.mark.parametrize("line", ["[]", "{", '{"topic": "other", "value": {}}', '{"topic": "sessionboard.sessions"}'])
def test_a_line_that_is_no_record_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"\n{line}\n")
    result = CliRunner().invoke(app, ["publish", "--check", str(path)])
    assert result.exit_code == 2
    assert "Line 2" in result.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["publish", "--check", str(tmp_path / "none.jsonl")])
    assert result.exit_code == 2
    assert "none.jsonl cannot be read" in result.stderr


def test_the_page_for_people_hides_addresses_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(session("ada@example.org")) + "\n" + json.dumps(session("s2")) + "\n")
    result = CliRunner().invoke(app, ["publish", "--check", str(path)])
    assert "ada@example.org" not in result.stdout
    assert "2 records: 1 dead letter, 1 synced." in result.stdout
