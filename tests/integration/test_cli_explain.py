"""`explain` on a real Redis that is filled through the real adapters (U4)."""

from __future__ import annotations

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import RunCalls
from consumer.domain.push.timeline import Happening, What
from consumer.domain.records.ledger import State
from tests.support.builders import EVENT, NOW, a_contact, a_mapping, an_entry, session_key, speaker_key
from tests.support.desk import Desk, sent, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("U4")]


EDITED = Issue(session_key(), Code.EDITED_IN_SWOOGO, field="description")


async def test_a_record_that_waits_is_explained_field_by_field(desk: Desk) -> None:
    """The same operation, credits and values as in `plan`."""
    await desk.map(a_mapping())
    talk = soon("s1", "c1", title="New title", room=None, track=None, version=1_780_000_000_000)
    await desk.record(talk, a_contact())
    entry = an_entry(101, pushed={**sent(talk), "name": "Old title"}, seen={"name": "Old title"}, at=desk.clock.now())
    await desk.pushed({session_key(): entry}, {EDITED.id: EDITED}, desk.run())
    await desk.ask()
    document = await desk.read("explain", EVENT, "session/s1")
    assert (document["state"], document["swoogo_id"], document["title"]) == ("waiting", 101, "New title")
    assert document["here"] == "Sessionboard has it as accepted. It was last changed on 28 May 2026, 21:26."
    assert document["there"] == "Swoogo has it as 101. Edited there: description."
    assert document["next"] == "A sync now would update its name and put 1 speaker on it, for 2 credits."
    assert [each["code"] for each in document["holds"]] == ["due"]
    assert [each["code"] for each in document["issues"]] == ["edited_in_swoogo"]
    rows = {each["field"]: each for each in document["fields"]}
    name = rows["name"]
    assert (name["sessionboard"], name["pushed"], name["swoogo"], name["agreement"]) == (
        *("New title", "Old title", "Old title"),
        "waits",
    )
    assert (rows["description"]["agreement"], rows["description"]["swoogo"]) == ("edited", None)
    assert document["associations"] == [
        {"key": "speaker/c1", "title": "Ada C1", "wanted": True, "linked": False},
    ]
    planned = [each for each in (await desk.read("plan", EVENT))["operations"] if each["id"] == "s1"]
    assert [each for each in document["operations"] if each["action"] == "update"] == planned


async def test_addresses_are_masked_and_digests_of_people_are_not_shown(desk: Desk) -> None:
    await desk.map(a_mapping())
    await desk.record(soon("s1", "c1"), a_contact(email="ada@example.org"))
    await desk.pushed({speaker_key(): an_entry(201, pushed={"first_name": "Ada", "email": "ada@example.org"})})
    document = await desk.read("explain", EVENT, "c1")
    rows = {each["field"]: each for each in document["fields"]}
    assert rows["email"]["sessionboard"] == rows["email"]["pushed"] == "a***@example.org"
    assert document["label"] == 'a speaker of "Title of s1" (1 Jul)'
    shown = (await desk.call("explain", EVENT, "201")).stdout
    assert "speaker/c1  Ada C1" in shown
    assert "ada@example.org" not in shown


async def test_what_a_person_has_to_do_is_said_with_the_command(desk: Desk) -> None:
    await desk.map(a_mapping())
    await desk.record(soon("s1", title=""))
    shown = (await desk.call("explain", EVENT, "session/s1")).stdout
    assert "(needs a hand)" in shown
    assert "missing_field:" in shown
    assert "It is not in Swoogo." in shown


async def test_of_an_event_without_a_mapping_it_is_said(desk: Desk) -> None:
    await desk.record(soon("s1"))
    document = await desk.read("explain", EVENT, "s1")
    assert [each["code"] for each in document["holds"]] == ["not_mapped"]
    assert document["operations"] == []


async def test_an_unknown_record_is_exit_code_1(desk: Desk) -> None:
    await desk.map(a_mapping())
    result = await desk.call("explain", EVENT, "nothing")
    assert (result.exit_code, result.stderr) == (1, f"Nothing is known of a record nothing of event {EVENT}.\n")


async def test_what_happened_is_said_newest_first_and_since_when_it_is_known(desk: Desk) -> None:
    await desk.map(a_mapping())
    await desk.record(soon("s1"))
    happened = [
        Happening(NOW, What.CHANGED, ("name",)),
        Happening(NOW + 9_000, What.ISSUE, ("capacity",), "refused", "r"),
    ]
    await desk.timeline.note(await desk.claim(), "r", {session_key(): happened}, RunCalls())
    document = await desk.read("explain", EVENT, "session/s1")
    assert [each["sentence"] for each in document["timeline"]] == [
        "Issue: refused (capacity).",
        "Changed in Sessionboard: name.",
    ]
    assert document["since"]
    assert "Changed in Sessionboard: name." in (await desk.call("explain", EVENT, "session/s1")).stdout


@pytest.mark.rule("U3")
async def test_an_order_about_the_record_stands_with_what_happened(desk: Desk) -> None:
    await desk.map(a_mapping())
    await desk.record(soon("s1"))
    await desk.pushed({session_key(): an_entry(101, state=State.GONE)})
    assert (await desk.call("ledger", "lift", EVENT, "session/s1", "--yes")).exit_code == 0
    (row,) = (await desk.read("explain", EVENT, "session/s1"))["timeline"]
    assert row["what"] == "order"
    assert "ordered to sync again what was deleted in Swoogo" in row["sentence"]
