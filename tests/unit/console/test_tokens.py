"""ID tokens: only what the issuer signed, for us, and now, opens anything (K4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from consumer.domain.errors import UnavailableError
from consumer.entrypoints.console.tokens import BETWEEN, FRESH, KEPT, Keys, Tokens, fetch_keys, read_keys
from consumer.entrypoints.console.viewer import RefusedTokenError
from tests.support.fakes.clock import FakeClock
from tests.support.issuer import AUDIENCE, ISSUER, Issuer, by_http, segment

pytestmark = pytest.mark.rule("K4")

GOOD: Final[dict[str, Callable[[Issuer], str]]] = {
    "RSA": lambda issuer: issuer.token("rsa"),
    "RSA with PSS": lambda issuer: issuer.token("rsa", "PS256"),
    "an elliptic curve": lambda issuer: issuer.token("ec"),
    "Ed25519": lambda issuer: issuer.token("ed"),
    "Ed25519 by its former name": lambda issuer: issuer.token("ed", "EdDSA"),
    "one key that fits, and no kid": lambda issuer: issuer.token("ec", header={"kid": None}),
    "several audiences": lambda issuer: issuer.token(aud=["other", AUDIENCE]),
    "the last moment of the leeway": lambda issuer: issuer.token(exp=issuer.clock.now() // 1000 - 29),
    "headers that are not ours": lambda issuer: issuer.token(header={"signer": "arn:x", "x": 1}),
    "a key that it brings along is not looked at": lambda issuer: issuer.token(
        header={"jwk": ECKey.generate_key("P-256").as_dict(), "jku": "http://127.0.0.1:1/"}
    ),
}


@pytest.mark.parametrize("what", GOOD)
async def test_a_token_of_the_issuer_is_taken(what: str) -> None:
    issuer = Issuer()
    claims = await issuer.tokens().claims(GOOD[what](issuer))
    assert (claims["sub"], claims["iss"]) == ("u-1", ISSUER)


def _seconds(issuer: Issuer, off: int) -> int:
    return issuer.clock.now() // 1000 + off


def _forged(issuer: Issuer, kid: str) -> str:
    own: dict[str, Key] = {
        "rsa": RSAKey.generate_key(2048, {"kid": "rsa"}),
        "ec": ECKey.generate_key("P-256", {"kid": "ec"}),
    }
    return Issuer(clock=issuer.clock, keys={kid: own[kid]}).token(kid)


def _changed(issuer: Issuer) -> str:
    head, _, signature = issuer.token(groups=["none"]).split(".")
    return f"{head}.{segment(issuer.claims(sub='somebody-else'))}.{signature}"


def _public(issuer: Issuer) -> bytes:
    key = issuer.keys["rsa"]
    assert isinstance(key, RSAKey)
    return key.as_pem(private=False)


WRONG: Final[dict[str, tuple[str, Callable[[Issuer], str]]]] = {
    "nothing": ("malformed", lambda _: ""),
    "no token": ("malformed", lambda _: "hello"),
    "letters beyond ASCII": ("malformed", lambda _: "é.é.é"),
    "a header that is a list": ("malformed", lambda _: f"{segment([1])}.{segment({})}.x"),
    "a header of nested lists": ("malformed", lambda _: f"{segment(b'[' * 1500)}.{segment({})}.x"),
    "a header that is too long": ("malformed", lambda i: i.token(header={"x": "y" * 4000})),
    "an algorithm that is a list": ("malformed", lambda i: i.unsigned(["RS256"])),
    "five parts": ("malformed", lambda i: i.token() + ".a.b"),
    "no signature": ("algorithm", lambda i: i.unsigned("none")),
    "no signature, spelled otherwise": ("algorithm", lambda i: i.unsigned("nOnE")),
    "RS256 with an empty signature": ("signature", lambda i: i.unsigned("RS256")),
    "the signature cut off": ("signature", lambda i: i.token().rpartition(".")[0] + "."),
    "HMAC with the public key as PEM": ("algorithm", lambda i: i.confused(_public(i))),
    "HMAC with the public key as PEM, stripped": ("algorithm", lambda i: i.confused(_public(i).strip())),
    "HMAC with the JWKS": ("algorithm", lambda i: i.confused(i.jwks())),
    "another RSA key of the same name": ("signature", lambda i: _forged(i, "rsa")),
    "another EC key of the same name": ("signature", lambda i: _forged(i, "ec")),
    "other claims under a right signature": ("signature", _changed),
    "the algorithm of another kind of key": ("key", lambda i: i.token("ec", header={"kid": "rsa"})),
    "no kid where several keys fit": ("key", lambda i: i.token("rsa", header={"kid": None})),
    "a kid that leads to a file": ("key", lambda i: i.token(header={"kid": "../../../../dev/null"})),
    "a kid that is an address": ("key", lambda i: i.token(header={"kid": "http://127.0.0.1:1/jwks"})),
    "a kid that asks a database": ("key", lambda i: i.token(header={"kid": "' or 1=1 --"})),
    "an empty kid": ("key", lambda i: i.token(header={"kid": ""})),
    "another issuer": ("iss", lambda i: i.token(iss="https://evil.example.org")),
    "the issuer with a slash": ("iss", lambda i: i.token(iss=f"{ISSUER}/")),
    "no issuer": ("iss", lambda i: i.token(iss=None)),
    "another audience": ("aud", lambda i: i.token(aud="another-client")),
    "other audiences": ("aud", lambda i: i.token(aud=["a", "b"])),
    "an audience that holds ours": ("aud", lambda i: i.token(aud=f"{AUDIENCE}-2")),
    "an audience that is an object": ("aud", lambda i: i.token(aud={AUDIENCE: 1})),
    "no audience": ("aud", lambda i: i.token(aud=None)),
    "expired": ("expired", lambda i: i.token(exp=_seconds(i, -31))),
    "never expiring": ("exp", lambda i: i.token(exp=None)),
    "expiring in words": ("exp", lambda i: i.token(exp="tomorrow")),
    "expiring at no number": ("exp", lambda i: i.token(exp=float("nan"))),
    "not yet valid": ("nbf", lambda i: i.token(nbf=_seconds(i, 60))),
    "issued in the future": ("iat", lambda i: i.token(iat=_seconds(i, 60))),
    "issued at no time": ("iat", lambda i: i.token(iat=None)),
    "without a subject": ("sub", lambda i: i.token(sub=None)),
    "a logout token": ("type", lambda i: i.token(header={"typ": "logout+jwt"})),
    "an access token": ("type", lambda i: i.token(header={"typ": "at+jwt"})),
    "a demand that is not known": ("signature", lambda i: i.token(header={"crit": ["x"], "x": 1})),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_token_that_is_wrong_is_refused(what: str) -> None:
    reason, made = WRONG[what]
    issuer = Issuer()
    if what == "no kid where several keys fit":
        issuer.keys["other"] = RSAKey.generate_key(2048, {"kid": "other"})
        issuer.published.append("other")
    with pytest.raises(RefusedTokenError) as refused:
        await issuer.tokens().claims(made(issuer))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"keys": 1}', id="a number"),
        pytest.param(b'{"keys": []}', id="none"),
        pytest.param(b'{"keys": [1]}', id="numbers"),
        pytest.param(b'{"keys": [{"kty": "RSA"}]}', id="half a key"),
        pytest.param(json.dumps({"keys": [OctKey.generate_key(256).as_dict()]}).encode(), id="a shared secret"),
        pytest.param(json.dumps({"keys": [{"kty": "RSA", "n": "0" * 170 + "8", "e": "AQAB"}]}).encode(), id="weak"),
        pytest.param(
            json.dumps({"keys": [RSAKey.generate_key(2048, {"use": "enc"}).as_dict(private=False)]}).encode(),
            id="for encryption",
        ),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_a_key_that_is_none_for_signatures_or_weak_is_not_taken(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"key|JWKS"):
        read_keys(document)


def test_keys_beside_one_that_is_not_understood_are_taken() -> None:
    issuer = Issuer()
    listed = [{"kty": "AKP", "alg": "ML-DSA-44"}, {"kty": "EC", "crv": "?"}, *json.loads(issuer.jwks())["keys"]]
    assert {key.kid for key in read_keys(json.dumps({"keys": listed}).encode())} == {"rsa", "ec", "ed"}


async def test_keys_are_fetched_by_http_and_again_when_a_new_one_signs() -> None:
    issuer = Issuer(published=["rsa"])
    async with by_http(issuer) as tokens:
        await tokens.claims(issuer.token("rsa"))
        await tokens.claims(issuer.token("rsa"))
        assert issuer.asked == 1
        await _passing(issuer, BETWEEN + 1)
        issuer.published = ["ec"]  # the issuer changed its key
        await tokens.claims(issuer.token("ec"))
        assert issuer.asked == 2
        with pytest.raises(RefusedTokenError):
            await tokens.claims(issuer.token("rsa"))


async def test_many_unknown_keys_ask_the_issuer_once_in_ten_seconds() -> None:
    issuer = Issuer()
    tokens = issuer.tokens()
    await tokens.claims(issuer.token())
    await _passing(issuer, BETWEEN + 1)
    for number in range(200):
        with pytest.raises(RefusedTokenError):
            await tokens.claims(issuer.token(header={"kid": f"unknown-{number}"}))
    assert issuer.asked == 2
    await tokens.claims(issuer.token())


async def test_an_issuer_that_is_away_is_done_without_for_an_hour() -> None:
    issuer = Issuer()
    tokens = issuer.tokens()
    await tokens.claims(issuer.token())
    issuer.away = True
    await _passing(issuer, FRESH + 1)
    await tokens.claims(issuer.token())
    assert issuer.asked == 2
    await _passing(issuer, KEPT)
    with pytest.raises(UnavailableError):
        await tokens.claims(issuer.token())
    issuer.away = False
    await _passing(issuer, BETWEEN + 1)
    await tokens.claims(issuer.token())


async def test_a_key_that_is_withdrawn_opens_nothing_ten_minutes_later() -> None:
    issuer = Issuer()
    tokens = issuer.tokens()
    await tokens.claims(issuer.token("ec"))
    issuer.published = ["rsa"]
    await _passing(issuer, FRESH + 1)
    with pytest.raises(RefusedTokenError):
        await tokens.claims(issuer.token("ec"))


@pytest.mark.parametrize("path", ["/moved", "/long"])
async def test_keys_that_are_elsewhere_or_endless_are_not_taken(path: str) -> None:
    issuer = Issuer()
    issuer.document = issuer.jwks() + b" " * 300_000 if path == "/long" else None
    async with by_http(issuer, path) as tokens:
        with pytest.raises(UnavailableError):
            await tokens.claims(issuer.token())
    assert issuer.asked == 1


async def test_keys_come_from_a_file_and_are_read_again(tmp_path: Path) -> None:
    issuer, file = Issuer(published=["rsa"]), tmp_path / "jwks.json"
    settings = issuer.settings(jwks_url="", jwks_file=file)
    async with httpx.AsyncClient() as client:
        tokens = Tokens(settings, Keys(fetch_keys(settings, client), issuer.clock), issuer.clock)
        with pytest.raises(UnavailableError):
            await tokens.claims(issuer.token())
        file.write_bytes(issuer.jwks())
        await _passing(issuer, BETWEEN + 1)
        await tokens.claims(issuer.token())


async def _passing(issuer: Issuer, seconds: float) -> None:
    clock: Any = issuer.clock
    assert isinstance(clock, FakeClock)
    await clock.advance(seconds)
