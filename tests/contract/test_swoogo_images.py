"""Uploads against the sandbox: where headshots and logos go (swoogo-api.md 9.3)."""

from __future__ import annotations

import pytest

from consumer.domain.errors import RefusedError
from consumer.domain.records.identity import Kind
from consumer.ports import Picture
from sandbox.swoogo import Switches
from tests.contract.swoogo_bench import SPEAKER, WORK, Bench, a_bench
from tests.unit.adapters.swoogo.world import EVENT

URL = "https://cdn.example.org/ada.jpg"


def a_picture(size: int = 2000) -> Picture:
    return Picture(b"\xff\xd8\xff" + bytes(size), "image/jpeg", "ada.jpg", {"url": URL})


def images(bench: Bench) -> list[tuple[str, str, int]]:
    return [(each["target"], each["field"], each["size"]) for each in bench.sandbox.state(EVENT)["images"]]


@pytest.mark.rule("P1")
@pytest.mark.parametrize("known", [True, False], ids=["contact known", "contact looked up"])
async def test_a_headshot_goes_to_the_contact_behind_the_speaker(known: bool) -> None:
    """swoogo-api.md 9.3: there is no image route for speakers."""
    async with a_bench() as bench:
        contact = bench.record("speakers", SPEAKER)["contact_id"] if known else None
        await bench.swoogo.upload(WORK, Kind.SPEAKER, SPEAKER, contact, a_picture())
        assert images(bench) == [("contact", "profile_picture", 2003)]


@pytest.mark.rule("P1")
async def test_a_headshot_goes_by_its_address_where_the_setting_says_so() -> None:
    """swoogo-api.md 11.3 (4): the other guess."""
    switches = Switches(profile_picture_write="url")
    async with a_bench(switches, speaker_picture="profile_picture") as bench:
        await bench.swoogo.upload(WORK, Kind.SPEAKER, SPEAKER, None, a_picture())
        assert images(bench) == []
        assert bench.record("speakers", SPEAKER)["profile_picture"] == URL


@pytest.mark.rule("O1")
async def test_a_logo_goes_to_the_sponsor() -> None:
    """swoogo-api.md 9.1: `logo_id` reads as an address."""
    async with a_bench() as bench:
        made = await bench.swoogo.create(WORK, Kind.SPONSOR, {"name": "Acme"}, "op")
        await bench.swoogo.upload(WORK, Kind.SPONSOR, made.swoogo_id, None, a_picture())
        assert images(bench) == [("sponsor", "logo_id", 2003)]
        assert "assets.swoogo.com" in bench.record("sponsors", made.swoogo_id)["logo_id"]


@pytest.mark.rule("P3")
async def test_an_image_that_swoogo_refuses_is_refused_for_good() -> None:
    """swoogo-api.md 9.3: 5 MB at most."""
    async with a_bench() as bench:
        contact = bench.record("speakers", SPEAKER)["contact_id"]
        with pytest.raises(RefusedError, match="too big"):
            await bench.swoogo.upload(WORK, Kind.SPEAKER, SPEAKER, contact, a_picture(5_300_000))
