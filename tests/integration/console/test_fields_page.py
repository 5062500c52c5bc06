"""K1, F7: the page of fields says what `fields --kept` says, and asks Swoogo nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.domain.connections.mapping import FieldMap, FieldMaps
from consumer.domain.fields.definitions import Choice, FieldDefinition, FieldDefinitions, KeptDefinitions
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from tests.support.builders import EVENT, NOW, a_contact, a_mapping
from tests.support.console import Visitor, a_visitor, admin
from tests.support.desk import soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1", "F7")]

ADDRESS = f"/events/{EVENT}/fields"
LEVEL = FieldDefinition(Kind.SESSION, "c_7", "Level <7>", FieldType.CHOICE, choices=(Choice(1, "Easy"),))


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    """An event with a field map of which one pair does not fit its values, and one is off."""
    async with a_visitor(redis_url) as made:
        maps = FieldMaps(sessions=(FieldMap("levels", "c_7"), FieldMap("tags", "c_404")))
        await made.desk.map(a_mapping(field_maps=maps))
        hard = replace(soon("s1", "c1"), extra={"levels": ("choices", ("Hard",))})
        easy = replace(soon("s2"), extra={"levels": ("choices", ("Easy",))})
        await made.desk.record(hard, easy, a_contact("c1", email="ada@example.org", first_name="Ada"))
        read = FieldDefinitions({Kind.SESSION: {"c_7": LEVEL}}, NOW)
        await made.desk.ledger.put_definitions(await made.desk.claim(), KeptDefinitions({}, read, read))
        yield made


async def test_each_pair_and_field_is_that_of_the_command(visitor: Visitor) -> None:
    page, document = await visitor.page(ADDRESS), await visitor.desk.read("fields", EVENT, "--kept", "--suggest")
    assert document["credits"] == 0
    sessions = document["kinds"][0]
    level, tags = sessions["pairs"]
    assert (level["values"], level["not_fitting"]) == (2, 1)
    assert "The field maps add 2 pairs to the standard fields; 2 of them do not fit." in page.text
    assert "1 of 2 values do not fit" in page.text
    assert f"Switched off. {tags['off']}" in page.text
    assert ["levels", "Level <7>"] in [[row[0], row[-1]] for row in page.rows]
    for each in sessions["sessionboard"]:
        if each["values"]:
            assert [each["name"], str(each["values"])] in [[row[0], row[2]] for row in page.rows if len(row) == 5]
    assert '"target": "c_7"' in page.text


@pytest.mark.rule("Y3")
async def test_of_people_only_the_form_of_values_is_shown(visitor: Visitor) -> None:
    page = await visitor.page(ADDRESS)
    assert "Ada" not in page.text
    assert "ada@" not in page.text
    assert ["first_name", "text", "1", "xxx", "First name"] in page.rows


async def test_fields_of_no_use_are_listed_when_asked_for(visitor: Visitor) -> None:
    assert "address_city" not in {row[0] for row in (await visitor.page(ADDRESS)).rows}
    assert "address_city" in {row[0] for row in (await visitor.page(f"{ADDRESS}?all=1")).rows}


@pytest.mark.rule("K4")
async def test_another_organizations_fields_are_not_there(visitor: Visitor) -> None:
    visitor.viewer = admin("another")
    await visitor.page(ADDRESS, 404)
    visitor.viewer = admin("org")
    await visitor.page("/events/nowhere/fields", 404)
