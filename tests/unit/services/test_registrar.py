"""Webhooks are registered once, kept right, and removed with the mapping."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest
from pydantic import SecretStr

from consumer.domain.connections.webhooks import wanted_webhooks
from consumer.domain.errors import RefusedError, UnansweredError, UnavailableError
from consumer.domain.push.run import Trigger
from consumer.ports import Work
from consumer.services.webhooks import Registrar
from consumer.settings import WebhookSettings
from tests.support.builders import EVENT, ORG, SWOOGO_EVENT, a_connection, a_mapping
from tests.support.fakes.hints import FakeWebhooks, InMemoryWebhooks
from tests.support.service_world import World, a_world

pytestmark = pytest.mark.rule("W1")

SETTINGS: Final = WebhookSettings(
    enabled="on",
    public_url="https://hooks.example.com/swoogo/",
    path_secret=SecretStr("p4thSecret0123456789"),
    secret=SecretStr("s3cret-0123456789"),
)
DAY: Final = 86_400


class Site:
    """One mapped event, its holder, and Swoogo's webhooks."""

    def __init__(self, world: World) -> None:
        self.world, self.swoogo, self.store = world, FakeWebhooks(), InMemoryWebhooks(world.inbox)
        self.settings = SETTINGS

    async def keep(self, credential: str = "") -> list[str]:
        """Look after them as a push does; what was called."""
        self.swoogo.calls.clear()
        lease = await self.world.claim()
        registrar = self.registrar
        mapping = replace(a_mapping(), credential=credential) if credential else a_mapping()
        await registrar.keep(Work(mapping, a_connection(), lease, Trigger.CHANGES))
        await self.world.inbox.complete(lease, {})
        return self.swoogo.calls

    @property
    def registrar(self) -> Registrar:
        world = self.world
        return Registrar(self.swoogo, self.store, world.hints, world.connections, world.clock, self.settings)

    async def remove(self) -> list[str]:
        self.swoogo.calls.clear()
        lease = await self.world.claim()
        await self.registrar.remove(lease)
        await self.world.inbox.complete(lease, {})
        return self.swoogo.calls


@pytest.fixture
async def site() -> Site:
    return Site(await a_world())


@pytest.mark.rule("W1")
async def test_one_webhook_an_object_is_registered_before_a_look(site: Site) -> None:
    """Register first, then survey."""
    assert await site.keep() == ["list", "create", "create", "create"]
    assert {hook.trigger_object for hook in site.swoogo.hooks.values()} == {"session", "speaker", "sponsor"}
    assert {(hook.url, hook.event_id) for hook in site.swoogo.hooks.values()} == {
        (f"https://hooks.example.com/swoogo/p4thSecret0123456789/{EVENT}", SWOOGO_EVENT)
    }
    assert EVENT in site.world.hints.everything


@pytest.mark.rule("W1", "R3")
async def test_what_is_right_costs_no_call_until_a_day_has_passed(site: Site) -> None:
    await site.keep()
    site.world.hints.everything.clear()
    assert await site.keep() == []
    await site.world.clock.advance(DAY)
    assert await site.keep() == ["get", "get", "get"]
    assert EVENT not in site.world.hints.everything


@pytest.mark.rule("W1")
@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://elsewhere.example"},
        {"event_id": 99},
        {"right": False},
        {"name": "renamed by hand"},
        {"trigger_object": "contact"},
    ],
)
async def test_one_that_was_changed_by_hand_is_put_right(site: Site, change: dict[str, Any]) -> None:
    await site.keep()
    wanted = dict(site.swoogo.hooks)
    first = min(wanted)
    site.swoogo.hooks[first] = replace(site.swoogo.hooks[first], **change)
    await site.world.clock.advance(DAY)
    assert sorted(await site.keep()) == ["get", "get", "get", "update"]
    assert site.swoogo.hooks == wanted
    assert EVENT in site.world.hints.everything


@pytest.mark.rule("W1")
async def test_one_that_was_deleted_by_hand_is_registered_again(site: Site) -> None:
    await site.keep()
    del site.swoogo.hooks[1]
    await site.world.clock.advance(DAY)
    assert sorted(await site.keep()) == ["create", "get", "get", "get", "list"]
    assert len(site.swoogo.hooks) == 3


@pytest.mark.rule("W1")
async def test_another_secret_is_sent_at_once(site: Site) -> None:
    """Rotation: the receiver takes both until all webhooks have the new one."""
    await site.keep()
    site.settings = SETTINGS.model_copy(update={"secret": SecretStr("another-0123456789")})
    assert sorted(await site.keep()) == ["get"] * 3 + ["update"] * 3
    assert {hook.secret for hook in site.swoogo.hooks.values()} == {"another-0123456789"}


@pytest.mark.rule("W1", "G2")
async def test_webhooks_are_found_by_name_after_a_loss_of_redis(site: Site) -> None:
    await site.keep()
    site.store.known.clear()
    assert sorted(await site.keep()) == ["list", "update", "update", "update"]
    assert len(site.swoogo.hooks) == 3


@pytest.mark.rule("W1", "G2")
async def test_an_unanswered_registration_is_looked_for_before_it_is_made_again(site: Site) -> None:
    """And a double that it left is removed."""
    site.swoogo.trouble = [None, UnansweredError("No answer.")]
    await site.keep()
    wanted = wanted_webhooks(a_mapping(), SETTINGS.address, "x")["session"]
    for double in (50, 51):
        site.swoogo.hooks[double] = replace(wanted, id=double)
    await site.world.clock.advance(3600)
    await site.keep()
    assert sorted(hook.trigger_object for hook in site.swoogo.hooks.values()) == ["session", "speaker", "sponsor"]


@pytest.mark.rule("W1")
@pytest.mark.parametrize("error", [RefusedError("Not allowed."), UnavailableError("No answer.")])
async def test_what_fails_is_noted_and_fails_no_push(site: Site, error: Exception) -> None:
    site.swoogo.trouble = [None, None, error]  # type: ignore[list-item]
    await site.keep()
    known = await site.store.load(EVENT)
    assert sorted(each.error for each in known.values()) == ["", "", str(error)]
    assert await site.keep() == []
    await site.world.clock.advance(3600)
    assert sorted(await site.keep()) == ["create", "list"]


@pytest.mark.rule("W1")
async def test_they_go_with_the_mapping(site: Site) -> None:
    await site.keep()
    await site.world.connections.put_mapping(ORG, EVENT, None)
    assert await site.remove() == ["delete", "delete", "delete"]
    assert (site.swoogo.hooks, await site.store.load(EVENT)) == ({}, {})
    assert await site.remove() == []


@pytest.mark.rule("W1")
async def test_without_their_credential_they_stay_and_are_told_of(site: Site) -> None:
    """After a disconnect nobody may remove them but a person."""
    await site.keep()
    await site.world.connections.put_connection(ORG, None)
    assert await site.remove() == []
    assert all("remove it in Swoogo" in each.error for each in (await site.store.load(EVENT)).values())


@pytest.mark.rule("W1")
async def test_switched_to_remove_they_are_taken_back(site: Site) -> None:
    await site.keep()
    site.settings = SETTINGS.model_copy(update={"enabled": "remove"})
    assert await site.keep() == ["delete", "delete", "delete"]
    assert site.swoogo.hooks == {}


@pytest.mark.rule("W1")
async def test_a_mapping_with_another_credential_registers_anew(site: Site) -> None:
    """Its account is another one, so an id of the former means nothing."""
    await site.keep()
    assert "get" not in await site.keep(credential="another")
