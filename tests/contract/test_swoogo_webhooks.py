"""Webhooks on the real client against the sandbox: what is registered delivers, and is recognised again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.adapters.swoogo.webhooks import Webhooks
from consumer.domain.connections.webhooks import HEADER, wanted_webhooks
from consumer.domain.errors import RefusedError
from consumer.settings import SwoogoSettings
from sandbox.swoogo import Switches
from tests.contract.swoogo_bench import WORK, Bench, a_bench

pytestmark = pytest.mark.rule("W1")

WANTED = wanted_webhooks(WORK.mapping, "https://hooks.example.com/secret", "s3cret")


def webhooks(bench: Bench, **settings: Any) -> Webhooks:
    api = SwoogoSettings(**settings)
    return Webhooks(bench.client.caller, bench.client.watch, api.delete_path, api.page_size)


@pytest.mark.parametrize("switches", [Switches(), Switches(create_status=200, delete_path="rest")])
async def test_registered_webhook_is_read_back_as_wanted_and_removed(switches: Switches) -> None:
    settings = {"delete_path": switches.delete_path}
    async with a_bench(switches, **settings) as bench:
        hooks = webhooks(bench, **settings)
        ids = {name: await hooks.create(WORK, each) for name, each in WANTED.items()}
        for name, identifier in ids.items():
            found = await hooks.get(WORK, identifier)
            assert found is not None
            assert found.is_as(WANTED[name])
        assert {each.name for each in await hooks.list(WORK)} == {each.name for each in WANTED.values()}
        for identifier in ids.values():
            await hooks.delete(WORK, identifier)
            await hooks.delete(WORK, identifier)
            assert await hooks.get(WORK, identifier) is None
        assert await hooks.list(WORK) == []


async def test_registered_webhook_carries_the_secret_and_leaves_out_our_own_calls() -> None:
    async with a_bench() as bench:
        await webhooks(bench).create(WORK, WANTED["session"])
        [hook] = bench.sandbox.webhooks.hooks.values()
        assert hook.headers == {HEADER: "s3cret"}
        assert hook.origins == {"public_user", "admin_user"}
        assert hook.trigger_on == {"insert", "update", "delete"}
        assert (hook.all_fields, hook.any_event, hook.content_type) == (True, False, "json")


@pytest.mark.parametrize(
    "change", [{"enabled": False}, {"trigger_on": frozenset({"insert"})}, {"any_event": True}, {"all_fields": False}]
)
async def test_webhook_changed_by_hand_is_not_right_until_it_is_updated(change: dict[str, Any]) -> None:
    async with a_bench() as bench:
        hooks = webhooks(bench)
        identifier = await hooks.create(WORK, WANTED["session"])
        for name, value in change.items():
            setattr(bench.sandbox.webhooks.hooks[identifier], name, value)
        found = await hooks.get(WORK, identifier)
        assert found is not None
        assert not found.is_as(WANTED["session"])
        await hooks.update(WORK, identifier, WANTED["session"])
        found = await hooks.get(WORK, identifier)
        assert found is not None
        assert found.is_as(WANTED["session"])


async def test_webhooks_beyond_one_page_are_all_listed() -> None:
    async with a_bench() as bench:
        hooks = webhooks(bench, page_size=2)
        for number in range(5):
            await hooks.create(WORK, replace(WANTED["session"], name=f"hook {number}"))
        assert len(await hooks.list(WORK)) == 5


async def test_webhook_that_swoogo_refuses_says_why() -> None:
    async with a_bench() as bench:
        with pytest.raises(RefusedError, match="Trigger object"):
            await webhooks(bench).create(WORK, replace(WANTED["session"], trigger_object="track"))
