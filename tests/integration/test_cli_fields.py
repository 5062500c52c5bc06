"""`swoogo-sync fields` on a real Redis, against the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import httpx
import pytest
from redis.asyncio import Redis

from consumer.adapters.sealing import KeyPair, credential_id
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import FieldMap, FieldMaps
from consumer.domain.records.field_values import FieldValue
from consumer.entrypoints.cli import fields
from consumer.settings import PREFIX
from sandbox.swoogo import Credential, SandboxSwoogo, create_app
from tests.support.builders import EVENT, ORG, SWOOGO_EVENT, a_contact, a_mapping
from tests.support.desk import Desk, a_desk, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("F7")]

KEY = "consumer-key"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> SandboxSwoogo:
    """A Swoogo with custom fields that the command reads."""
    made = SandboxSwoogo(credentials=[Credential(KEY, "secret")])
    made.seed(
        {
            "events": [{"id": SWOOGO_EVENT, "name": "C"}],
            "fields": [
                {"resource": "sessions", "name": "Format", "type": "dropDownList", "choices": ["Talk"]},
                {"resource": "speakers", "name": "Pronouns"},
            ],
        }
    )
    transport = httpx.ASGITransport(app=create_app(made))
    monkeypatch.setattr(fields, "SwoogoClient", partial(SwoogoClient, transport=transport))
    folder = tmp_path_factory.mktemp("secrets") / KEY
    folder.mkdir()
    (folder / "consumer_key").write_text(KEY)
    (folder / "consumer_secret").write_text("secret")
    monkeypatch.setenv(f"{PREFIX}KEYS__SECRETS_DIR", str(folder.parent))
    monkeypatch.setenv(f"{PREFIX}KEYS__PRIVATE", KeyPair.generate().private)
    return made


@pytest.fixture
async def desk(redis: Redis, redis_url: str, sandbox: SandboxSwoogo) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as made:
        yield made


async def mapped(desk: Desk, maps: FieldMaps) -> None:
    mapping = replace(a_mapping(), credential=credential_id(KEY))
    await desk.map(replace(mapping, settings=replace(mapping.settings, field_maps=maps)))
    connection = Connection(ORG, credential_id(KEY), continuous=True, secret_name=KEY)
    await desk.stores.connections.put_connection(ORG, connection)
    form: FieldValue = ("choice", ("Talk",))
    await desk.record(replace(soon("s1", "c1"), extra={"format": form}), soon("s2"), a_contact("c1"))


async def test_fields_of_both_sides_the_map_and_suggestions_as_one_document(desk: Desk, sandbox: SandboxSwoogo) -> None:
    """What Swoogo defines comes from Swoogo now, for the credits that the document names."""
    await mapped(desk, FieldMaps(sessions=(FieldMap("format", "Format"),)))
    document = await desk.read("fields", EVENT[:4], "--suggest")
    sessions, speakers, _ = document["kinds"]
    assert (document["mapped"], document["credits"], sessions["records"]) == (True, 31, 2)
    [pair] = sessions["pairs"]
    assert (pair["source"], pair["off"], pair["values"], pair["not_fitting"]) == ("format", "", 1, 0)
    [form] = [each for each in sessions["swoogo"] if each["label"] == "Format"]
    assert (form["type"], form["choices"], form["source"]) == ("choice", ["Talk"], "format")
    assert document["field_maps"]["sessions"] == [{"source": "format", "target": "Format"}]
    assert {each["label"] for each in speakers["swoogo"]} >= {"Pronouns", "Work phone"}
    assert sandbox.stats()["credentials"][KEY]["credits"] == 30


async def test_people_read_it_and_the_credential_stays_out_of_it(desk: Desk) -> None:
    """Also where Swoogo refuses the credential."""
    await mapped(desk, FieldMaps(sessions=(FieldMap("format", "c_1"),)))
    result = await desk.call("fields", EVENT)
    assert result.exit_code == 0, result.output
    assert "format -> c_1 (until_edited): switched off. Swoogo has no field c_1." in result.output
    assert "secret" not in result.output


async def test_an_event_that_is_not_mapped_is_one_sentence(desk: Desk) -> None:
    await desk.record(soon("s1"))
    result = await desk.call("fields", EVENT)
    assert result.exit_code == 1
    assert "is not mapped to a Swoogo event" in result.output
