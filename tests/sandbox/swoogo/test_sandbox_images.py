"""Images (`swoogo-api.md` 9.3)."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from sandbox.swoogo import SandboxSwoogo
from tests.sandbox.swoogo.calls import Caller

BYTES = b"\x89PNG\r\n--x\r\n\x00\xff"


@pytest.fixture
def speaker(sandbox: SandboxSwoogo) -> dict[str, int]:
    return sandbox.create("speakers", {"event_id": 12, "first_name": "Ada", "email": "ada@example.com"})


async def upload(
    swoogo: Caller, path: str, *, name: str = "a.png", content: bytes = BYTES, part: str = "file"
) -> httpx.Response:
    return await swoogo.call("PUT", path, files={part: (name, content, "image/png")})


async def test_the_answer_to_an_upload(sandbox: SandboxSwoogo, swoogo: Caller, speaker: dict[str, int]) -> None:
    """swoogo-api.md 9.3: the documented keys, `id` as text; bytes are kept as a digest only."""
    answer = await upload(swoogo, f"/image/contact/{speaker['contact_id']}/profile_picture")
    body = answer.json()
    url = body.pop("url")
    assert answer.status_code == 200
    assert body == {
        "message": "File Uploaded Successfully",
        "status": 200,
        "type": "contact",
        "id": str(speaker["contact_id"]),
        "field": "profile_picture",
    }
    digest = hashlib.sha256(BYTES).hexdigest()
    assert url == f"https://assets.swoogo.com/uploads/medium/1-{digest[:13]}.png"
    (image,) = sandbox.state()["images"]
    assert (image["sha256"], image["size"], image["target_id"]) == (digest, len(BYTES), speaker["contact_id"])
    assert (await swoogo.get(f"/image/contact/{speaker['contact_id']}/profile_picture.json")).json()["url"] == url


@pytest.mark.parametrize("shows", [True, False])
async def test_whether_a_contacts_picture_shows_on_its_speakers_is_a_switch(
    sandbox: SandboxSwoogo, swoogo: Caller, speaker: dict[str, int], shows: bool
) -> None:
    """swoogo-api.md 9.3: the only visible route for a headshot; unknown whether it shows."""
    sandbox.configure(switches={"contact_picture_on_speaker": shows})
    url = (await upload(swoogo, f"/image/contact/{speaker['contact_id']}/profile_picture")).json()["url"]
    assert (await swoogo.get(f"/speakers/{speaker['id']}")).json()["profile_picture"] == (url if shows else None)
    assert (await swoogo.get(f"/contacts/{speaker['contact_id']}")).json()["profile_picture"] == url


async def test_a_logo_reads_as_a_protocol_relative_address(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 9.1: `logo_id` is an address; it cannot be written in a form."""
    made = sandbox.create("sponsors", {"event_id": 12, "name": "Acme"})
    await upload(swoogo, f"/image/sponsor/{made['id']}/logo_id")
    await swoogo.update("sponsors", made["id"], logo_id="5")
    assert (
        (await swoogo.get(f"/sponsors/{made['id']}")).json()["logo_id"].startswith("//assets.swoogo.com/uploads/full/")
    )


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.gif", "a.png", "a.webp", "a.svg"])
async def test_six_extensions_are_taken(swoogo: Caller, speaker: dict[str, int], name: str) -> None:
    """swoogo-api.md 9.3."""
    assert (
        await upload(swoogo, f"/image/contact/{speaker['contact_id']}/profile_picture", name=name)
    ).status_code == 200


@pytest.mark.parametrize(
    ("name", "size", "part", "status"),
    [
        ("a.bmp", 10, "file", 422),
        ("a", 10, "file", 422),
        ("a.png", 5 * 1024 * 1024, "file", 200),
        ("a.png", 5 * 1024 * 1024 + 1, "file", 422),
        ("a.png", 10, "image", 422),
    ],
)
async def test_rules_for_files(
    sandbox: SandboxSwoogo, swoogo: Caller, speaker: dict[str, int], name: str, size: int, part: str, status: int
) -> None:
    """swoogo-api.md 9.3: one part named `file`, 5 MB, six extensions."""
    path = f"/image/contact/{speaker['contact_id']}/profile_picture"
    answer = await upload(swoogo, path, name=name, content=b"x" * size, part=part)
    assert answer.status_code == status
    assert len(sandbox.state()["images"]) == (status == 200)


@pytest.mark.parametrize("target", ["speaker", "session", "event"])
async def test_there_is_no_other_target(swoogo: Caller, speaker: dict[str, int], target: str) -> None:
    """swoogo-api.md 9.3: registrant, contact and sponsor only."""
    assert (await upload(swoogo, f"/image/{target}/{speaker['id']}/profile_picture")).status_code == 400


async def test_a_registrant_is_a_target(sandbox: SandboxSwoogo, swoogo: Caller) -> None:
    """swoogo-api.md 9.3."""
    session = sandbox.create("sessions", {"event_id": 12, "name": "A"})
    (registrant,) = sandbox.register(session["id"])
    assert (await upload(swoogo, f"/image/registrant/{registrant}/profile_picture")).status_code == 200
    assert (await upload(swoogo, "/image/registrant/1/profile_picture")).status_code == 404


async def test_an_image_must_be_multipart_and_name_a_field(swoogo: Caller, speaker: dict[str, int]) -> None:
    """swoogo-api.md 9.3: multipart, and the attribute rather than a number."""
    path = f"/image/contact/{speaker['contact_id']}"
    assert (await swoogo.call("PUT", f"{path}/profile_picture", content=BYTES)).status_code == 415
    assert (await upload(swoogo, f"{path}/nonsense")).status_code == 422
