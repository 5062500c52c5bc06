"""Field definitions and choices (`swoogo-api.md` 9.2)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.swoogo import SandboxSwoogo
from sandbox.swoogo.answers import ControlError
from tests.sandbox.swoogo.calls import Caller


@pytest.fixture
async def level(sandbox: SandboxSwoogo, swoogo: Caller) -> dict[str, Any]:
    """The sponsors' level field with choices Gold, Silver, Gold."""
    sandbox.seed({"fields": [{"resource": "sponsors", "attribute": "level", "choices": ["Gold", "Silver", "Gold"]}]})
    fields = await swoogo.items("/sponsors/fields?per-page=200")
    (field,) = [field for field in fields if field["attribute"] == "level"]
    body: dict[str, Any] = (await swoogo.get(f"/sponsors/field/{field['id']}")).json()
    return body


async def put(swoogo: Caller, field_id: int, **body: Any) -> Any:
    return (await swoogo.call("PUT", f"/sponsors/field/{field_id}", json=body)).json()


def named(field: dict[str, Any]) -> list[tuple[str, int]]:
    return [(choice["name"], choice["sort"]) for choice in field["choices"]]


@pytest.mark.parametrize("kind", ["sessions", "speakers", "sponsors", "contacts"])
async def test_fields_are_listed_account_wide(swoogo: Caller, kind: str) -> None:
    """swoogo-api.md 9.2: no event_id; the documented item keys."""
    item = (await swoogo.items(f"/{kind}/fields"))[0]
    assert set(item) == {
        *("id", "attribute", "name", "s_hint", "type", "visible", "required", "sort", "allow_html"),
        *("s_url_display_format", "s_button_text", "s_url_image_id", "s_max_links", "s_link_collection_fields"),
    }


async def test_the_fields_list_can_be_narrowed(swoogo: Caller, level: dict[str, Any]) -> None:
    """swoogo-api.md 9.2: fields, search, ids and expand."""
    (item,) = await swoogo.items("/sponsors/fields?search=attribute=level&fields=id,type,nonsense&expand=choices")
    assert item == {"id": level["id"], "type": "dropDownList", "choices": level["choices"]}
    assert await swoogo.ids(f"/sponsors/fields?ids={level['id']}") == [level["id"]]


async def test_get_one_has_the_choices(level: dict[str, Any]) -> None:
    """swoogo-api.md 9.2: `attribute` finds the level field; names of choices are not unique."""
    assert (level["attribute"], level["type"]) == ("level", "dropDownList")
    assert named(level) == [("Gold", 0), ("Silver", 1), ("Gold", 2)]
    assert len({choice["id"] for choice in level["choices"]}) == 3


async def test_choices_are_added_renamed_removed_and_otherwise_stay(swoogo: Caller, level: dict[str, Any]) -> None:
    """swoogo-api.md 9.2: `{name}` adds, also a second of that name; an id may be text; the whole field is answered."""
    gold, silver, second = (choice["id"] for choice in level["choices"])
    entries = [{"id": gold, "delete": True}, {"name": "Silver"}, {"id": str(silver), "name": "Platinum"}]
    field = await put(swoogo, level["id"], name="Tier", choices=entries)
    assert (field["name"], named(field)) == ("Tier", [("Platinum", 0), ("Gold", 1), ("Silver", 2)])
    assert [choice["id"] for choice in field["choices"]][:2] == [silver, second]


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"name": "New"}, {"id": 1, "name": "x"}]},
        {"choices": [{"name": " "}]},
        {"choices": "x"},
        {"name": ""},
    ],
)
async def test_one_wrong_choice_changes_nothing(swoogo: Caller, level: dict[str, Any], body: dict[str, Any]) -> None:
    """swoogo-api.md 4: a 422."""
    answer = await swoogo.call("PUT", f"/sponsors/field/{level['id']}", json=body)
    assert answer.status_code == 422
    assert (await swoogo.get(f"/sponsors/field/{level['id']}")).json() == level


async def test_a_field_is_written_as_json(swoogo: Caller, level: dict[str, Any]) -> None:
    """swoogo-api.md 2.2: JSON here, a form is the wrong media type."""
    answer = await swoogo.call("PUT", f"/sponsors/field/{level['id']}", data={"name": "x"})
    assert answer.status_code == 415


async def test_a_removed_choice_leaves_no_value(sandbox: SandboxSwoogo, swoogo: Caller, level: dict[str, Any]) -> None:
    """swoogo-api.md 9.1: level may be null."""
    gold = level["choices"][0]["id"]
    made = sandbox.create("sponsors", {"event_id": 12, "name": "Acme", "level": gold})
    await put(swoogo, level["id"], choices=[{"id": gold, "delete": True}])
    assert (await swoogo.get(f"/sponsors/{made['id']}")).json()["level"] is None


async def test_a_custom_field_is_created_and_used(swoogo: Caller) -> None:
    """swoogo-api.md 9.2, 2.8: attribute `c_<id>`; a choice is written as id and read as object."""
    body = {"name": "Format", "type": "dropDownList", "choices": [{"name": "Talk"}, {"name": "Panel"}]}
    field = (await swoogo.call("POST", "/sessions/field", json=body)).json()
    talk = field["choices"][0]["id"]
    assert field["attribute"] == f"c_{field['id']}"
    made = (await swoogo.create("sessions", event_id=12, name="A", **{field["attribute"]: talk})).json()
    assert made["custom_fields"] == {field["attribute"]: {"id": talk, "value": "Talk"}}
    bad = await swoogo.create("sessions", event_id=12, name="A", **{field["attribute"]: "Talk"})
    assert bad.status_code == 422
    assert (await swoogo.call("POST", "/sessions/field", json={"name": "X", "type": "odd"})).status_code == 422


async def test_fields_of_other_kinds_and_accounts_are_not_there(swoogo: Caller, level: dict[str, Any]) -> None:
    """swoogo-api.md 9.2: definitions are account-wide, so another account has its own."""
    other = Caller(swoogo.client, "other", "x")
    assert (await swoogo.get(f"/sessions/field/{level['id']}")).status_code == 404
    assert (await other.get(f"/sponsors/field/{level['id']}")).status_code == 404


async def test_fields_are_changed_by_hand_and_what_cannot_be_written_is_dropped(
    sandbox: SandboxSwoogo, swoogo: Caller
) -> None:
    """swoogo-api.md 2.2, 9.2: renamed, retyped, required, read-only, without a choice, and gone."""
    event = sandbox.seed({"events": [{"name": "E"}]})["events"][0]
    fields = [{"resource": "sessions", "name": "Tags", "type": "checkboxList", "choices": ["A", "B"]}]
    attribute = f"c_{sandbox.seed({'fields': fields})['fields'][0]}"
    first, second = (choice["id"] for choice in sandbox.fields("sessions")[attribute]["choices"])
    form = {"event_id": event, "name": "S", f"{attribute}[]": [first, second]}
    made = (await swoogo.call("POST", "/sessions/create", data=form)).json()
    assert [each["value"] for each in made["custom_fields"][attribute]] == ["A", "B"]
    sandbox.alter_field("sessions", attribute, name="Topics", remove_choices=["A"], read_only=True)
    path = f"/sessions/update/{made['id']}"
    held = (await swoogo.call("PUT", path, data={f"{attribute}[]": []})).json()
    assert [each["value"] for each in held[attribute]] == ["B"]
    sandbox.alter_field("sessions", attribute, required=True, read_only=False, type="textInput")
    assert (await swoogo.call("PUT", path, data={attribute: ""})).status_code == 422
    sandbox.alter_field("sessions", attribute, remove=True)
    assert attribute not in (await swoogo.call("PUT", path, data={attribute: "x"})).json()
    with pytest.raises(ControlError, match="have no field"):
        sandbox.alter_field("sessions", attribute, name="Back")
