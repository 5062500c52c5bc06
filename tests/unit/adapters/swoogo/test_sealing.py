"""Credentials never rest in clear, and errors about them give nothing away."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from nacl.public import PublicKey, SealedBox

from consumer.adapters.sealing import (
    ClearCredentials,
    CredentialOpener,
    KeyPair,
    Seal,
    TokenCipher,
    credential_id,
    seal,
    unseal,
)
from consumer.domain.connections.connection import Connection, IntegrationRequest
from consumer.domain.errors import ConfigurationError, CredentialError
from consumer.settings import KeySettings

pytestmark = pytest.mark.rule("C2")

PAIR = KeyPair.generate()
KEY, SECRET = "consumer-key", "very-s3cret"


def an_opener(folder: Path) -> CredentialOpener:
    return CredentialOpener(KeySettings(private=PAIR.private, secrets_dir=folder))


def a_request(sealed: str = "", secret_name: str = "", org_id: str = "org-1") -> IntegrationRequest:
    return IntegrationRequest(org_id, connected=True, sealed=sealed, secret_name=secret_name)


def test_what_was_sealed_to_the_public_key_is_opened_by_the_private_one() -> None:
    sealed = seal(PAIR.public, KEY, SECRET)
    assert KEY.encode() not in base64.b64decode(sealed)
    assert unseal(PAIR.private, sealed) == ClearCredentials(KEY, SECRET)
    assert seal(PAIR.public, KEY, SECRET) != sealed


def test_a_box_for_another_key_names_the_right_one() -> None:
    sealed = seal(KeyPair.generate().public, KEY, SECRET)
    with pytest.raises(CredentialError) as caught:
        unseal(PAIR.private, sealed)
    assert f"seal them to {PAIR.public} with `swoogo-sync keys seal`" in str(caught.value)


@pytest.mark.parametrize("sealed", ["not base64!", "", "AAAA", base64.b64encode(b"x" * 100).decode()])
def test_what_is_no_sealed_box_is_a_credential_error(sealed: str) -> None:
    with pytest.raises(CredentialError):
        unseal(PAIR.private, sealed)


@pytest.mark.parametrize(
    "content", [b"no json", b"[]", b'{"consumer_key":"k"}', b'{"consumer_key":"k","consumer_secret":1}', b"\xff"]
)
def test_a_box_without_both_halves_is_a_credential_error(content: bytes) -> None:
    box = SealedBox(PublicKey(base64.b64decode(PAIR.public))).encrypt(content)
    with pytest.raises(CredentialError, match="consumer_key and consumer_secret"):
        unseal(PAIR.private, base64.b64encode(box).decode())


def test_a_box_bound_to_an_organization_is_worth_nothing_to_another(tmp_path: Path) -> None:
    sealed = seal(PAIR.public, KEY, SECRET, org_id="org-1")
    opener = an_opener(tmp_path)
    assert opener(a_request(sealed)) == (KEY, SECRET)
    with pytest.raises(CredentialError, match="another organization"):
        opener(a_request(sealed, org_id="org-2"))


def test_a_request_and_the_connection_in_use_open_alike(tmp_path: Path) -> None:
    sealed = seal(PAIR.public, KEY, SECRET)
    opener = an_opener(tmp_path)
    connection = Connection("org-1", credential_id(KEY), continuous=True, sealed=sealed)
    assert opener(connection) == opener(a_request(sealed)) == (KEY, SECRET)
    assert opener.public == PAIR.public


def test_an_integration_without_credentials_is_a_credential_error(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="names no credentials"):
        an_opener(tmp_path)(a_request())


def test_a_mounted_secret_is_a_folder_with_two_files(tmp_path: Path) -> None:
    folder = tmp_path / "acme.prod"
    folder.mkdir()
    (folder / "consumer_key").write_text(f"{KEY}\n")
    (folder / "consumer_secret").write_text(SECRET)
    assert an_opener(tmp_path)(a_request(secret_name="acme.prod")) == (KEY, SECRET)
    (folder / "org_id").write_text("org-1\n")
    assert an_opener(tmp_path)(a_request(secret_name="acme.prod")) == (KEY, SECRET)
    with pytest.raises(CredentialError, match="another organization"):
        an_opener(tmp_path)(a_request(secret_name="acme.prod", org_id="org-2"))


def test_a_mounted_secret_may_be_one_json_file(tmp_path: Path) -> None:
    (tmp_path / "acme").write_text(f'{{"org_id":"org-1","consumer_key":"{KEY}","consumer_secret":"{SECRET}"}}')
    assert an_opener(tmp_path)(a_request(secret_name="acme")) == (KEY, SECRET)


@pytest.mark.parametrize(
    "name", ["..", ".", "../acme", "/etc", "a/b", "..data", ".acme", "acme\x00", "acme\n", "a\\b", ""]
)
def test_the_name_of_a_secret_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "secrets"
    inside.mkdir()
    for folder in (tmp_path / "acme", inside / "..data", inside / ".acme"):
        folder.mkdir()
        (folder / "consumer_key").write_text(KEY)
        (folder / "consumer_secret").write_text(SECRET)
    with pytest.raises(CredentialError):
        an_opener(inside)(a_request(secret_name=name))


def test_a_secret_that_is_not_mounted_is_named_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(CredentialError) as caught:
        an_opener(tmp_path)(a_request(secret_name="acme"))
    assert "The secret acme has no readable consumer_key" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_an_empty_or_binary_secret_is_a_credential_error(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "consumer_key").write_bytes(b"\xff\xfe")
    (folder / "consumer_secret").write_text("  ")
    with pytest.raises(CredentialError, match="not text"):
        an_opener(tmp_path)(a_request(secret_name="acme"))
    (folder / "consumer_key").write_text(KEY)
    with pytest.raises(CredentialError, match="both consumer_key and consumer_secret"):
        an_opener(tmp_path)(a_request(secret_name="acme"))


@pytest.mark.parametrize("private", ["", "abc", base64.b64encode(b"x" * 31).decode(), "not base64!!"])
def test_wrong_private_key_is_an_error_that_names_the_variable(private: str) -> None:
    with pytest.raises(ConfigurationError, match="SWOOGO_SYNC_KEYS__PRIVATE"):
        KeyPair.from_private(private)
    with pytest.raises(ConfigurationError, match="SWOOGO_SYNC_KEYS__PRIVATE"):
        TokenCipher(private)


def test_an_opener_needs_a_private_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SWOOGO_SYNC_KEYS__PRIVATE"):
        CredentialOpener(KeySettings(secrets_dir=tmp_path))


def test_a_wrong_public_key_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="public key"):
        seal("AAAA", KEY, SECRET)


def test_a_pair_is_rebuilt_from_its_private_half() -> None:
    assert KeyPair.from_private(PAIR.private) == PAIR


def test_the_token_is_encrypted_and_a_foreign_one_is_no_error() -> None:
    cipher, other = TokenCipher(PAIR.private), TokenCipher(KeyPair.generate().private)
    data = cipher.encrypt("tök-en")
    assert "tök-en".encode() not in data
    assert cipher.encrypt("tök-en") != data
    assert cipher.decrypt(data) == "tök-en"
    assert TokenCipher(PAIR.private).decrypt(data) == "tök-en"
    assert other.decrypt(data) is None
    assert cipher.decrypt(b"") is None
    assert cipher.decrypt(data[:-1] + bytes([data[-1] ^ 1])) is None


def test_during_a_rotation_either_key_opens_and_another_does_not(tmp_path: Path) -> None:
    """The old key and the new one are valid side by side; what is sealed to neither is refused."""
    old, new = KeyPair.generate(), KeyPair.generate()
    opener = CredentialOpener(KeySettings(private=new.private, previous=old.private, secrets_dir=tmp_path))
    boxes = {
        Seal.CURRENT: seal(new.public, KEY, SECRET),
        Seal.PREVIOUS: seal(old.public, KEY, SECRET),
        Seal.NEITHER: seal(PAIR.public, KEY, SECRET),
    }
    assert {kind: opener.seal_of(a_request(sealed)) for kind, sealed in boxes.items()} == {kind: kind for kind in boxes}
    assert opener.seal_of(a_request(secret_name="mounted")) is Seal.MOUNTED
    assert opener(a_request(boxes[Seal.CURRENT])) == opener(a_request(boxes[Seal.PREVIOUS])) == (KEY, SECRET)
    with pytest.raises(CredentialError) as caught:
        opener(a_request(boxes[Seal.NEITHER]))
    assert new.public in str(caught.value), "people seal to the new key from now on"
    over = CredentialOpener(KeySettings(private=new.private, secrets_dir=tmp_path))
    with pytest.raises(CredentialError):
        over(a_request(boxes[Seal.PREVIOUS]))
    assert over.seal_of(a_request(boxes[Seal.PREVIOUS])) is Seal.NEITHER


def test_token_of_the_old_key_is_read_and_the_next_uses_the_new_key() -> None:
    old, new = KeyPair.generate(), KeyPair.generate()
    both = TokenCipher(new.private, old.private)
    assert both.decrypt(TokenCipher(old.private).encrypt("token")) == "token"
    assert TokenCipher(new.private).decrypt(both.encrypt("token")) == "token"
    assert TokenCipher(old.private).decrypt(both.encrypt("token")) is None


def test_nothing_secret_shows_in_a_repr() -> None:
    shown = repr(PAIR) + repr(ClearCredentials(KEY, SECRET)) + repr(TokenCipher(PAIR.private))
    assert PAIR.private not in shown
    assert SECRET not in shown
    assert KEY not in shown


def test_a_credential_is_filed_under_a_hash_of_its_key() -> None:
    assert credential_id(KEY) == credential_id(KEY)
    assert credential_id(KEY) != credential_id(KEY + "x")
    assert len(credential_id(KEY)) == 16
    assert int(credential_id(KEY), 16) >= 0
