"""Settings: keys in files, masked values, former names, and the generated files."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import BaseModel

from consumer.domain.errors import ConfigurationError
from consumer.settings import PREFIX, VARIABLES, load_settings
from consumer.settings.errors import FIXED, RENAMED, mask_url
from tests.unit.settings_ground import KEY, refusal
from tools import settings_docs


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("hunter2", id="not base64"),
        pytest.param(base64.b64encode(b"hunter2").decode(), id="too short"),
        pytest.param(base64.b64encode(bytes(33)).decode(), id="too long"),
        pytest.param("hünter2", id="not ASCII"),
    ],
)
def test_a_private_key_that_is_none_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    sentence = refusal(monkeypatch, KEYS__PRIVATE=value)
    assert sentence == (
        "SWOOGO_SYNC_KEYS__PRIVATE is a secret: it must be 32 bytes in base64; a good value is one made by "
        "`swoogo-sync keys new`."
    )
    assert value not in sentence


OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()


def test_private_keys_may_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As Kubernetes mounts them; a previous key that is not there is none, and a variable counts more."""
    private, previous = tmp_path / "private", tmp_path / "previous"
    private.write_text(f"{KEY}\n")
    monkeypatch.setenv(f"{PREFIX}KEYS__PRIVATE_FILE", str(private))
    monkeypatch.setenv(f"{PREFIX}KEYS__PREVIOUS_FILE", str(previous))
    keys = load_settings().keys
    assert (keys.needed_private(), keys.previous.get_secret_value()) == (KEY, "")
    previous.write_text(OTHER_KEY)
    assert load_settings().keys.previous.get_secret_value() == OTHER_KEY
    monkeypatch.setenv(f"{PREFIX}KEYS__PRIVATE", OTHER_KEY)
    monkeypatch.setenv(f"{PREFIX}KEYS__PREVIOUS", KEY)
    assert load_settings().keys.needed_private() == OTHER_KEY


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_key_file_that_cannot_be_used_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "private"
    if content is not None:
        path.write_bytes(content)
    sentence = refusal(monkeypatch, KEYS__PRIVATE_FILE=str(path))
    assert sentence.startswith(f"SWOOGO_SYNC_KEYS__PRIVATE_FILE is '{path}': it must be a file that can be read")


def test_what_a_key_file_holds_is_checked_and_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "private"
    path.write_text("s3cret-but-no-key")
    sentence = refusal(monkeypatch, KEYS__PRIVATE_FILE=str(path))
    assert "it must be 32 bytes in base64" in sentence
    assert "s3cret" not in sentence


@pytest.mark.parametrize("value", [KEY, f"  {KEY}\n", ""])
def test_a_private_key_may_be_there_or_not(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(f"{PREFIX}KEYS__PRIVATE", value)
    assert load_settings().keys.private.get_secret_value() == value


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2",
        "redis://user:hunter2@host:port",
        "redis://user:hunter2@host:6379/x",
        "redis://:hunter2/more@host:6379",
        "http://user:hunter2@host",
        "user:hunter2@host",
        "http://host?password=hunter2",
    ],
)
def test_a_password_in_a_wrong_url_is_never_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    sentence = refusal(monkeypatch, REDIS__URL=url)
    assert sentence.startswith("SWOOGO_SYNC_REDIS__URL is ")
    assert "hunter2" not in sentence
    assert "***" in sentence


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("rediss://user:secret@host:6380/1", "rediss://***@host:6380/1"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("redis://host/0?password=secret&x=1", "redis://host/0?password=***&x=1"),
        ("", ""),
    ],
)
def test_only_what_may_be_secret_is_masked(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PUSH__LEASE": "x", "REDIS__POOL_SIZE": "0", "XYZZY": "1", "KEYS__PRIVAT": "hunter2"}.items():
        monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    said = str(caught.value)
    assert [line.split()[0] for line in said.splitlines()] == [
        "SWOOGO_SYNC_KEYS__PRIVAT",
        "SWOOGO_SYNC_XYZZY",
        "SWOOGO_SYNC_REDIS__POOL_SIZE",
        "SWOOGO_SYNC_PUSH__LEASE",
    ]
    assert "hunter2" not in said
    assert "Value error" not in said


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_the_former_name_of_a_setting_is_refused_with_the_new_one(
    monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    sentence = refusal(monkeypatch, **{old: "1"})
    assert sentence == f"{PREFIX}{old} is called {PREFIX}{new} now; rename it."
    assert PREFIX + new in VARIABLES


@pytest.mark.parametrize("name", sorted(FIXED))
def test_a_setting_that_is_a_constant_now_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert refusal(monkeypatch, **{name: "1"}) == f"{PREFIX}{name} is gone, as its value is fixed now; remove it."
    assert PREFIX + name not in VARIABLES


def test_the_value_of_an_unknown_variable_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in refusal(monkeypatch, KEYS__PRIVAT="hunter2")


@pytest.mark.parametrize(
    "name",
    [
        "TEST_KAFKA",
        "PORT",
        "SERVICE_HOST",
        "SERVICE_PORT_PROBES",
        "PORT_8080_TCP",
        "PORT_8080_TCP_ADDR",
        "SANDBOX_SERVICE_HOST",
    ],
)
def test_variables_of_the_tests_and_of_kubernetes_are_no_typing_errors(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A Service named swoogo-sync makes Kubernetes set SWOOGO_SYNC_PORT and the like in every container."""
    monkeypatch.setenv(PREFIX + name, "tcp://10.0.0.1:8080")
    load_settings()


def test_an_empty_variable_is_not_set_and_an_override_counts_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}DEBOUNCE__QUIET_PERIOD", "")
    monkeypatch.setenv(f"{PREFIX}ROLE", "ingest")
    settings = load_settings(role="sync")
    assert (settings.debounce.quiet_period, settings.role) == (10.0, "sync")


def test_a_long_value_is_cut_in_the_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(refusal(monkeypatch, LOG__LEVEL="x" * 5000)) < 300


def test_the_environment_reaches_every_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}KAFKA__TOPICS__SESSIONS", "mine")
    monkeypatch.setenv(f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS", "a:1, [::1]:2")
    kafka = load_settings().kafka
    assert (kafka.topics.sessions, kafka.topics.speakers) == ("mine", "sessionboard.speakers")
    assert kafka.bootstrap_servers == "a:1, [::1]:2"


def test_settings_cannot_be_changed_once_read() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.debounce.quiet_period = 1.0  # type: ignore[misc] # the point of the test


def test_the_generated_files_are_what_the_models_say() -> None:
    assert settings_docs.stale(settings_docs.ROOT, settings_docs.generated()) == [], "run python -m tools.settings_docs"


def test_the_example_is_read_back_as_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (settings_docs.ROOT / ".env.example").read_text()
    pairs = [line.removeprefix("# ").split("=", 1) for line in text.splitlines() if line.startswith(f"# {PREFIX}")]
    assert {name for name, _ in pairs} == set(VARIABLES)
    plain = load_settings()
    for name, value in pairs:
        monkeypatch.setenv(name, value)
    assert _values(load_settings()) == _values(plain)


def test_check_names_a_stale_file_and_writing_heals_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert settings_docs.main(["--check"], root=tmp_path) == 1
    assert ".env.example is not what the code says" in capsys.readouterr().err
    assert settings_docs.main([], root=tmp_path) == 0
    assert settings_docs.main(["--check"], root=tmp_path) == 0
    (tmp_path / ".env.example").write_text("something else")
    assert settings_docs.main(["--check"], root=tmp_path) == 1


def test_every_setting_is_described() -> None:
    assert [variable.name for variable in VARIABLES.values() if not variable.field.description] == []


def _values(model: BaseModel) -> dict[str, object]:
    return model.model_dump()
