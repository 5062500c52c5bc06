"""Speakers, sponsors and custom fields written to the sandbox."""

from __future__ import annotations

import pytest

from sandbox.swoogo import SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller
from tests.sandbox.swoogo.writing import SPEAKER


async def test_a_speaker_is_tied_to_the_accounts_contact(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 8.1, 9.4: one contact per email and account, whatever the event or the case."""
    first = (await swoogo.create("speakers", **SPEAKER, job_title="CTO")).json()
    second = (await swoogo.create("speakers", **SPEAKER | {"event_id": 13, "email": "ADA@example.com"})).json()
    third = (await swoogo.create("speakers", **SPEAKER | {"email": "bob@example.com"})).json()
    assert first["contact_id"] == second["contact_id"] != third["contact_id"]
    contact = (await swoogo.get(f"/contacts/{first['contact_id']}")).json()
    assert (contact["email"], contact["job_title"]) == ("ada@example.com", "CTO")
    foreign = sandbox.create("speakers", SPEAKER | {"event_id": 99})
    assert foreign["contact_id"] != first["contact_id"]
    assert (await swoogo.get(f"/contacts/{foreign['contact_id']}")).status_code == 404


async def test_a_contact_has_its_own_gender_choices(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 2.8: choice ids belong to one field, so they are not copied to the contact."""
    speaker = sandbox.create("speakers", SPEAKER | {"gender": "Female"})
    assert speaker["gender"]["value"] == "Female"
    sandbox.seed({"contacts": [{"email": "x@example.com", "gender": "Female"}]})
    first, second = sandbox.state()["contacts"]
    assert first["gender"] == {"id": None, "value": None}
    assert second["gender"]["id"] != speaker["gender"]["id"]


async def test_a_speaker_answer(swoogo: Caller) -> None:
    """swoogo-api.md 8.1: the documented keys; an empty gender is an object of nulls."""
    body = (await swoogo.create("speakers", **SPEAKER)).json()
    assert body["gender"] == {"id": None, "value": None}
    assert {"contact_id", "cfs_speaker", "prefix", "suffix", "twitter_handle", "direct_link", "event_sort"} <= set(body)


@pytest.mark.parametrize(("mode", "status"), [("allowed", 201), ("refused", 422)])
async def test_whether_a_second_speaker_may_have_the_email_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, mode: str, status: int
) -> None:
    """swoogo-api.md 8.3: unknown; always fine in another event, and for the speaker itself."""
    sandbox.configure(switches={"speaker_email_unique": mode})
    first = (await swoogo.create("speakers", **SPEAKER)).json()
    assert (await swoogo.create("speakers", **SPEAKER | {"email": " ADA@example.com"})).status_code == status
    assert (await swoogo.create("speakers", **SPEAKER | {"event_id": 13})).status_code == 201
    assert (await swoogo.update("speakers", first["id"], email="ada@example.com")).status_code == 200


@pytest.mark.parametrize("kind", ["tracks", "locations", "sponsors"])
@pytest.mark.parametrize(("mode", "status"), [("allowed", 201), ("refused", 422)])
async def test_whether_names_are_unique_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, kind: str, mode: str, status: int
) -> None:
    """swoogo-api.md 7.6, 11.3 nr 12: inside an event, ignoring case; a name that is free again may be taken."""
    sandbox.configure(switches={"names_unique": mode})
    first = (await swoogo.create(kind, event_id=12, name="Main")).json()
    assert (await swoogo.create(kind, event_id=12, name="main ")).status_code == status
    assert (await swoogo.create(kind, event_id=13, name="Main")).status_code == 201
    if mode == "refused":
        await swoogo.update(kind, first["id"], name="Other")
        assert (await swoogo.create(kind, event_id=12, name="Main")).status_code == 201
        assert (await swoogo.create(kind, event_id=12, name="other")).status_code == 422
    other = sandbox.create(kind, {"event_id": 12, "name": "Free"})
    sandbox.delete(kind, other["id"])
    assert (await swoogo.create(kind, event_id=12, name="Free")).status_code == 201


@pytest.mark.parametrize(("mode", "url"), [("ignored", None), ("url", "https://example.com/a.jpg")])
async def test_whether_a_speaker_takes_a_picture_address_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, mode: str, url: str | None
) -> None:
    """swoogo-api.md 9.3: unknown."""
    sandbox.configure(switches={"profile_picture_write": mode})
    body = (await swoogo.create("speakers", **SPEAKER, profile_picture="https://example.com/a.jpg")).json()
    assert body["profile_picture"] == url


async def test_a_sponsors_level_goes_in_as_an_id_and_comes_out_as_an_object(
    sandbox: SandboxSwoogo, swoogo: Caller
) -> None:
    """swoogo-api.md 2.8, 9.1: written as an id, read as {id, value}, null when there is none."""
    sandbox.seed({"fields": [{"resource": "sponsors", "attribute": "level", "choices": ["Gold", "Gold"]}]})
    first, second = sandbox.state()["levels"]["main"]
    made = (await swoogo.create("sponsors", event_id=12, name="Acme", level=second["id"])).json()
    assert first["id"] != second["id"]
    assert made["level"] == {"id": second["id"], "value": "Gold"}
    assert made["logo_id"] is None
    assert (await swoogo.update("sponsors", made["id"], level="")).json()["level"] is None


@pytest.mark.parametrize("spelling", ["c_{}", "custom_fields[c_{}]"])
async def test_custom_fields_are_taken_in_both_spellings(sandbox: SandboxSwoogo, swoogo: Caller, spelling: str) -> None:
    """swoogo-api.md 7.3, 11.3 nr 7: top level or nested is unknown; the answer nests them."""
    field = sandbox.seed({"fields": [{"resource": "sessions", "name": "Hall", "type": "textInput"}]})["fields"][0]
    made = (await swoogo.create("sessions", event_id=12, name="A", **{spelling.format(field): "North"})).json()
    assert made["custom_fields"] == {f"c_{field}": "North"}
