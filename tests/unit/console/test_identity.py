"""Who a request comes from: this machine, or the bearer of a token, with the roles of its groups (K3, K4)."""

from __future__ import annotations

from typing import Any, Final

import pytest
from starlette.requests import Request

from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.console.identity import Bearer, StrangerError, identity, this_machine
from consumer.entrypoints.console.viewer import LOCAL, Role, Viewer
from consumer.settings import ConsoleSettings, load_settings
from consumer.settings.console import loopback
from consumer.settings.oidc import OidcSettings
from tests.support.issuer import Issuer

pytestmark = pytest.mark.rule("K4")

SPOOFED: Final = {
    "x-forwarded-user": "root",
    "x-forwarded-email": "root@example.org",
    "x-forwarded-groups": "sync-operators",
    "x-auth-request-user": "root",
    "x-remote-user": "root",
    "remote-user": "root",
    "x-goog-authenticated-user-email": "root@example.org",
    "x-amzn-oidc-identity": "root",
    "cookie": "CF_Authorization=x",
}


def asked(headers: dict[str, str] | list[tuple[str, str]], client: str = "10.0.0.1") -> Request:
    """A request as uvicorn gives it; an empty address: it has none."""
    listed = headers.items() if isinstance(headers, dict) else headers
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in listed]
    return Request({"type": "http", "headers": raw, "client": (client, 1) if client else None})


async def _viewer(headers: dict[str, str] | None = None, **claims: Any) -> Viewer:
    issuer = Issuer()
    given = {"authorization": f"Bearer {issuer.token(**claims)}"} if headers is None else headers
    return await issuer.bearer()(asked(given))


@pytest.mark.parametrize(
    ("groups", "role", "organizations"),
    [
        (["sync-operators"], Role.OPERATOR, None),
        (["sync-viewers"], Role.VIEWER, None),
        (["sync-view-org-1", "sync-view-org.2"], Role.VIEWER, {"org-1", "org.2"}),
        (["sync-admin-org-1"], Role.ADMIN, {"org-1"}),
        (["sync-admin-a", "sync-admin-b", "something"], Role.ADMIN, {"a", "b"}),
        (["sync-viewers", "sync-admin-a"], Role.ADMIN, {"a"}),
        (["sync-view-b", "sync-admin-a"], Role.ADMIN, {"a"}),
        (["sync-admin-a", "sync-operators"], Role.OPERATOR, None),
        ("sync-operators", Role.OPERATOR, None),
    ],
)
async def test_groups_give_the_highest_role_and_its_organizations(groups: Any, role: Role, organizations: Any) -> None:
    viewer = await _viewer(groups=groups)
    assert viewer == Viewer("u-1", "Ada Byron", role, organizations and frozenset(organizations))


@pytest.mark.parametrize(
    "groups",
    [
        None,
        [],
        {"sync-operators": True},
        [["sync-operators"]],
        ["SYNC-OPERATORS"],
        [" sync-operators"],
        ["sync-operators,x"],
        ["sync-admin-"],
        ["sync-admin-*"],
        ["sync-admin-a b"],
        ["sync-admin-../a"],
        ["x-sync-admin-a"],
        ["sync-admin-{organization}x"],
        ["sync-admin-" + "a" * 200],
        ["sync-admin-a\n"],
    ],
)
async def test_groups_that_are_like_ours_open_nothing(groups: Any) -> None:
    with pytest.raises(StrangerError) as refused:
        await _viewer(groups=groups)
    assert (refused.value.status_code, refused.value.reason) == (403, "groups")


async def test_headers_that_anyone_can_write_are_not_believed() -> None:
    with pytest.raises(StrangerError) as refused:
        await _viewer(SPOOFED)
    assert (refused.value.status_code, refused.value.reason) == (401, "none")
    issuer = Issuer()
    headers = {**SPOOFED, "authorization": f"bearer {issuer.token(groups=['sync-viewers'])}"}
    assert (await issuer.bearer()(asked(headers))).role is Role.VIEWER


async def test_two_tokens_are_none() -> None:
    issuer = Issuer()
    raw = [("authorization", issuer.token(groups=[name])) for name in ("sync-viewers", "sync-operators")]
    with pytest.raises(StrangerError, match="Sign in"):
        await issuer.bearer()(asked(raw, "127.0.0.1"))


async def test_a_refusal_shows_nothing_of_the_token() -> None:
    issuer = Issuer()
    with pytest.raises(StrangerError) as refused:
        await _viewer({"authorization": f"Bearer {issuer.token(iss='canary', sub='canary')}"})
    assert "canary" not in f"{refused.value}{refused.value.reason}"
    assert refused.value.__cause__ is None


async def test_a_token_comes_in_the_header_of_the_proxy_in_use() -> None:
    issuer = Issuer()
    bearer = issuer.bearer(header="X-Pomerium-Jwt-Assertion", groups_claim="realm.groups", actor_claim="login")
    token = issuer.token("ec", groups=None, realm={"groups": ["sync-viewers"]}, login="ada", name=None)
    viewer = await bearer(asked({"x-pomerium-jwt-assertion": token}))
    assert viewer == Viewer("ada", "ada", Role.VIEWER, None)
    with pytest.raises(StrangerError):
        await bearer(asked({"authorization": f"Bearer {token}"}))


async def test_a_claim_whose_name_has_dots_is_found() -> None:
    issuer, claims = Issuer(), {"https://example.org/groups": ["sync-viewers"]}
    bearer, token = issuer.bearer(groups_claim=next(iter(claims))), issuer.token(claims=claims)
    assert (await bearer(asked({"authorization": token}))).role is Role.VIEWER


@pytest.mark.parametrize("actor", [None, "", 7, ["u-1"], "\u202e\u200b\n", "local", " local\n"])
async def test_an_order_without_a_name_on_it_cannot_be_given(actor: Any) -> None:
    issuer = Issuer()
    token = issuer.token(login=actor)
    with pytest.raises(StrangerError) as refused:
        await issuer.bearer(actor_claim="login")(asked({"authorization": token}))
    assert refused.value.status_code == 403


async def test_names_are_one_line_without_marks_of_direction() -> None:
    viewer = await _viewer(name="Ada\u202e\r\nByron\u0000" + "x" * 500, sub="u\u202e-1\n")
    assert (viewer.actor, viewer.name[:9], len(viewer.name)) == ("u-1", "Ada Byron", 120)


async def test_this_machine_is_the_operator() -> None:
    assert await this_machine(asked({}, "127.0.0.1")) == LOCAL
    assert LOCAL.role is Role.OPERATOR
    assert (await this_machine(asked({"x-forwarded-user": "root"}, "::1"))).actor == "local"


@pytest.mark.parametrize(
    ("client", "header"),
    [
        ("10.0.0.1", ""),
        ("", ""),
        ("127.0.0.1", "x-forwarded-for"),
        ("127.0.0.1", "forwarded"),
        ("127.0.0.1", "via"),
        ("127.0.0.1", "x-real-ip"),
    ],
)
async def test_what_came_through_a_proxy_is_not_from_this_machine(client: str, header: str) -> None:
    """A proxy in front of a console without OIDC would make everyone the operator."""
    with pytest.raises(StrangerError, match="OIDC"):
        await this_machine(asked({header: "10.0.0.1"} if header else {}, client))


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_other_addresses(host: str, own: bool) -> None:
    assert loopback(host) is own


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"issuer": "", "audience": "", "jwks_url": ""}, ""),
        ({"issuer": ""}, "without X_ISSUER"),
        ({"audience": ""}, "X_AUDIENCE is not set"),
        ({"jwks_url": ""}, "X_JWKS_URL or X_JWKS_FILE"),
        ({"jwks_file": "/jwks.json"}, "X_JWKS_URL or X_JWKS_FILE"),
        ({"viewers": "", "admins": " , ", "operators": ""}, "would open nothing"),
        ({"operators": "ops-{organization}"}, "X_OPERATORS must not hold"),
    ],
)
def test_settings_that_do_not_fit_together_are_explained(changes: dict[str, Any], says: str) -> None:
    assert says in (Issuer().settings(**changes).mistake("X_") or "")
    assert bool(Issuer().settings(**changes).mistake("X_")) is bool(says)


@pytest.mark.parametrize(
    "changes",
    [
        {"jwks_url": "http://login.example.org/jwks"},
        {"jwks_url": "http://127.0.0.1.example.org/jwks"},
        {"jwks_url": "file:///etc/passwd"},
        {"header": "X Token"},
        {"admins": "{organization}"},
        {"admins": "a-{organization}-{organization}"},
    ],
)
def test_settings_that_would_weaken_it_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"keys must come by https|pattern|stands once"):
        OidcSettings(**changes)


BEHIND: Final[dict[str, Any]] = {
    "enabled": True,
    "host": "0.0.0.0",
    "orders": "on",
    "public_url": "https://console.example.org",
    "secret": "s" * 32,
    "oidc": Issuer().settings(),
}


@pytest.mark.rule("K3")
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"enabled": False, "oidc": OidcSettings(), "host": "0.0.0.0"}, ""),
        ({"oidc": OidcSettings(), "host": "127.0.0.1", "public_url": "", "secret": ""}, ""),
        ({"oidc": OidcSettings(), "host": "10.0.0.1"}, "CONSOLE__HOST is 10.0.0.1, and no one would be asked"),
        ({"oidc": OidcSettings(), "host": "::"}, "CONSOLE__OIDC__ISSUER"),
        ({"host": "127.0.0.1", "public_url": ""}, "CONSOLE__PUBLIC_URL is not set"),
        ({"secret": "short"}, "CONSOLE__SECRET is too short"),
        ({"secret": "", "orders": "off"}, ""),
        ({"oidc": OidcSettings(issuer="https://a")}, "CONSOLE__OIDC__AUDIENCE is not set"),
    ],
)
def test_a_console_that_would_not_know_who_asks_is_not_started(changes: dict[str, Any], says: str) -> None:
    settings = ConsoleSettings(**{**BEHIND, **changes})
    assert says in (settings.mistake() or "")
    assert bool(settings.mistake()) is bool(says)
    if says:
        with pytest.raises(ConfigurationError, match=r"CONSOLE__"):
            load_settings(console={**BEHIND, **changes})


async def test_the_settings_choose_who_is_asked() -> None:
    clock = Issuer().clock
    async with identity(ConsoleSettings(enabled=True), clock) as local:
        assert local is this_machine
    async with identity(ConsoleSettings(**BEHIND), clock) as bearer:
        assert isinstance(bearer, Bearer)
    with pytest.raises(ConfigurationError):
        async with identity(ConsoleSettings(enabled=True, host="0.0.0.0"), clock):
            pass
