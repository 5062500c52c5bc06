"""The probe finds out each guess about Swoogo and leaves nothing behind (swoogo-api.md 11.3)."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args, get_type_hints

import httpx
import pytest

from consumer.adapters.probing.findings import settings_of
from consumer.adapters.probing.probe import CREDITS, Probed, open_event, probe
from consumer.adapters.probing.scratch import Scratch
from consumer.adapters.swoogo.transport import Transport
from consumer.domain.errors import CredentialError, MissingError
from consumer.settings import VARIABLES, SwoogoSettings
from sandbox.swoogo import Credential, SandboxSwoogo, Switches, create_app
from tests.unit.adapters.swoogo.world import KEY, SECRET, Time

EVENT = 70


def values_of(name: str) -> tuple[Any, ...]:
    hint = get_type_hints(Switches)[name]
    return (True, False) if hint is bool else get_args(hint)


# Deliveries of webhooks are seen by a receiver, which the probe has not.
PROBED = [field.name for field in dataclasses.fields(Switches) if not field.name.startswith("webhook_")]
USUAL = Switches()
OTHERS = [(name, value) for name in PROBED for value in values_of(name) if value != getattr(USUAL, name)]
"""Each value of each switch but its usual one: with that the account is the same one whatever the switch."""


class Bench:
    """A sandbox with a scratch event beside somebody else's, and a probe on it; they share one clock."""

    def __init__(self, switches: Switches, limit: int = 2_000, *, fields_there: bool = True) -> None:
        self.clock = Time()
        self.sandbox = SandboxSwoogo(
            switches=switches,
            credentials=[Credential(KEY, SECRET), Credential("stranger", SECRET, account="elsewhere")],
            clock=lambda: self.clock.now() / 1000,
            limit=limit,
        )
        events = [{"id": EVENT, "name": "Scratch"}, {"id": EVENT + 1, "name": "Theirs", "account": "elsewhere"}]
        fields = [
            {"resource": "sessions", "name": "Language"},
            {"resource": "sessions", "name": "Tags", "type": "checkboxList", "choices": ["A", "B"]},
        ]
        self.sandbox.seed({"events": events, "fields": fields if fields_there else []})
        self.channel = Transport(SwoogoSettings(), httpx.ASGITransport(app=create_app(self.sandbox)))

    def scratch(self, event_id: int = EVENT, secret: str = SECRET) -> Scratch:
        return Scratch(self.channel, self.clock, event_id, KEY, secret)

    async def probed(self) -> Probed:
        scratch = self.scratch()
        await open_event(scratch)
        return await probe(scratch, 600.0, lambda _: None)

    @property
    def left(self) -> dict[str, int]:
        state = self.sandbox.state(EVENT)
        return {kind: len(state[kind]) for kind in ("sessions", "speakers", "tracks", "sponsors", "locations")}


@pytest.mark.parametrize(
    "switches",
    [USUAL, *(dataclasses.replace(USUAL, **{name: value}) for name, value in OTHERS)],
    ids=["as usual", *(f"{name}-{value}" for name, value in OTHERS)],
)
async def test_the_probe_finds_the_value_of_each_switch(switches: Switches) -> None:
    """Nothing else is misread because of it, and nothing is left in the event."""
    bench = Bench(switches)
    done = await bench.probed()
    assert done.error == ""
    expected = {each: str(getattr(switches, each)).lower() for each in PROBED}
    if switches.rate_headers == "never":
        expected |= dict.fromkeys(("limiter", "token_costs_credit", "refused_costs_credit"), "")
    if switches.event_expand == "absent":
        expected["expand_custom"] = ""
    if switches.session_date_required:
        assert done.findings["session_date_required"].value == "true"
    assert {each.name: each.value for each in done.findings.values()} == expected
    assert done.left == ()
    assert set(bench.left.values()) == {0}


async def test_it_costs_what_it_says() -> None:
    bench = Bench(Switches())
    await bench.probed()
    spent = bench.sandbox.stats()["credentials"][KEY]["credits"]
    assert CREDITS * 0.8 <= spent <= CREDITS


async def test_the_settings_it_prints_are_settings_and_suit_the_findings() -> None:
    odd = Switches(
        delete_path="rest",
        unlink="body",
        link_mode="replace",
        clear_with="null",
        custom_form="nested",
        nested_form="dots",
        choices_form="objects",
        page_overflow="empty",
        per_page_cap=1000,
        token_costs_credit=True,
        refused_costs_credit=False,
        contact_picture_on_speaker=False,
        profile_picture_write="url",
    )
    settings = settings_of((await Bench(odd).probed()).findings)
    assert settings.keys() <= VARIABLES.keys()
    chosen = {VARIABLES[name].path[-1]: value for name, value in settings.items()}
    assert chosen == {
        "delete_path": "rest",
        "unlink": "body",
        "link_mode": "replace",
        "clear_with": "null",
        "custom_fields": "nested",
        "nested_fields": "dots",
        "multiple_choices": "objects",
        "page_size": "1000",
        "token_costs_credit": "true",
        "refused_costs_credit": "false",
        "speaker_picture": "profile_picture",
    }
    assert SwoogoSettings(**chosen).page_size == 1000


async def test_without_custom_fields_it_says_that_it_does_not_know() -> None:
    """It makes none: they are the account's, and stay."""
    found = (await Bench(Switches(), fields_there=False).probed()).findings
    unknown = {name for name, finding in found.items() if not finding.value}
    assert unknown == {"custom_form", "choices_form", "expand_custom"}
    assert not {"SWOOGO_SYNC_SWOOGO__CUSTOM_FIELDS"} & settings_of(found).keys()


async def test_without_credits_it_stops_says_so_and_names_what_it_leaves() -> None:
    """The window is used up half-way: nothing can be deleted either until the next one."""
    bench = Bench(Switches(), limit=40)
    done = await bench.probed()
    assert "No credits are left; try again in" in done.error
    assert len(done.left) == sum(bench.left.values()) > 0


async def test_an_event_or_a_credential_that_is_none_is_one_sentence() -> None:
    bench = Bench(Switches())
    with pytest.raises(MissingError, match="answers 404 for event 71"):
        await open_event(bench.scratch(EVENT + 1))
    with pytest.raises(CredentialError, match="refuses"):
        await open_event(bench.scratch(secret="wrong"))
    assert SECRET not in repr(bench.scratch())
