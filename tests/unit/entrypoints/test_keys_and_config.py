"""Keys, sealed credentials and effective settings; what a terminal shows of them."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from consumer.adapters.sealing import KeyPair, unseal
from consumer.settings import PREFIX, VARIABLES
from tests.support.commands import call
from tools.settings_docs import ROOT

COMMAND = [sys.executable, "-m", "consumer.entrypoints.cli"]


def test_config_says_what_is_in_effect_and_where_from_without_secrets() -> None:
    private = KeyPair.generate().private
    result = call(
        "config",
        "--json",
        KEYS__PRIVATE=private,
        REDIS__URL="redis://user:hunter2@host:6379/1",
        KAFKA__TOPICS__STATUS="mine",
        DEBOUNCE__QUIET_PERIOD="2.5",
    )
    settings = {each["name"]: each for each in json.loads(result.stdout)["settings"]}
    assert set(settings) == set(VARIABLES)
    assert private not in result.stdout
    assert "hunter2" not in result.stdout
    shown = {name.removeprefix(PREFIX): (each["value"], each["source"]) for name, each in settings.items()}
    assert shown["KEYS__PRIVATE"] == ("***", "environment")
    assert shown["REDIS__URL"] == ("redis://***@host:6379/1", "environment")
    assert shown["KAFKA__TOPICS__STATUS"] == ("mine", "environment")
    assert shown["DEBOUNCE__QUIET_PERIOD"] == ("2.5", "environment")
    assert shown["DEBOUNCE__MAX_WAIT"] == ("60", "default")
    assert sum(each["source"] == "environment" for each in settings.values()) == 4


def test_config_table_has_a_line_a_setting_and_no_control_characters() -> None:
    lines = call("config", "--all").stdout.splitlines()
    assert len(lines) == len(VARIABLES) + 1
    assert all(character.isprintable() for line in lines for character in line)
    assert ["SWOOGO_SYNC_KEYS__PRIVATE", "(not", "set)", "default"] in [line.split() for line in lines]


def test_config_shows_what_the_environment_gives_and_says_that_there_is_more() -> None:
    lines = call("config", REDIS__PREFIX="mine").stdout.splitlines()
    given = [line.split() for line in lines[1:-1]]
    assert ["SWOOGO_SYNC_REDIS__PREFIX", "mine"] in given
    assert all(name.startswith("SWOOGO_SYNC_") for name, *_ in given)
    assert lines[-1] == f"{len(VARIABLES) - len(given)} others have their defaults (--all lists them)."


def test_keys_new_makes_a_pair_whose_halves_belong_together() -> None:
    pair = json.loads(call("keys", "new", "--json").stdout)
    assert KeyPair.from_private(pair["private"]).public == pair["public"]
    text = call("keys", "new").stdout
    assert "SWOOGO_SYNC_KEYS__PRIVATE" in text
    assert text.split()[1] != pair["private"], "every pair is a new one"


@pytest.mark.rule("C2")
@pytest.mark.parametrize("command", ["new", "rotate"])
def test_the_private_key_goes_into_a_file_that_only_its_owner_reads(tmp_path: Path, command: str) -> None:
    """With `--out` the terminal, and whatever records it, never sees the key."""
    file, before = tmp_path / "key", KeyPair.generate().private
    result = call("keys", command, "--out", str(file), KEYS__PRIVATE=before)
    assert result.exit_code == 0, result.output
    private = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert KeyPair.from_private(private).public in result.stdout
    assert private not in result.output
    again = call("keys", command, "--out", str(file), "--json", KEYS__PRIVATE=before)
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr == f"{file} is there already, and may hold a key; name a new file.\n"
    assert file.read_text() == private
    nowhere = call("keys", command, "--out", str(tmp_path / "none" / "key"), KEYS__PRIVATE=before)
    assert (nowhere.exit_code, nowhere.stdout) == (2, "")
    assert "cannot be written (No such file or directory)" in nowhere.stderr


def test_keys_rotate_makes_the_next_pair_and_says_the_steps() -> None:
    """Old and new are valid side by side; the old private key is never printed."""
    before = KeyPair.generate()
    document = json.loads(call("keys", "rotate", "--json", KEYS__PRIVATE=before.private).stdout)
    assert KeyPair.from_private(document["private"]).public == document["public"] != before.public
    assert len(document["steps"]) == 5
    assert "SWOOGO_SYNC_KEYS__PREVIOUS = what SWOOGO_SYNC_KEYS__PRIVATE is now" in document["steps"][1]
    assert document["public"] in document["steps"][2]
    text = call("keys", "rotate", KEYS__PRIVATE=before.private).stdout
    assert [line[:2] for line in text.splitlines()[-5:]] == ["1.", "2.", "3.", "4.", "5."]
    assert before.private not in text


def test_keys_rotate_needs_a_key_and_no_rotation_under_way() -> None:
    missing = call("keys", "rotate")
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert missing.stderr.startswith("SWOOGO_SYNC_KEYS__PRIVATE is not set")
    keys = {"KEYS__PRIVATE": KeyPair.generate().private, "KEYS__PREVIOUS": KeyPair.generate().private}
    twice = call("keys", "rotate", **keys)
    assert (twice.exit_code, twice.stdout) == (2, "")
    assert twice.stderr.startswith("A rotation is under way (SWOOGO_SYNC_KEYS__PREVIOUS is set)")


def test_keys_public_is_that_of_the_settings() -> None:
    pair = KeyPair.generate()
    assert call("keys", "public", KEYS__PRIVATE=pair.private).stdout == f"{pair.public}\n"
    assert json.loads(call("keys", "public", "--json", KEYS__PRIVATE=pair.private).stdout) == {"public": pair.public}
    missing = call("keys", "public")
    assert missing.exit_code == 2
    assert missing.stderr == "SWOOGO_SYNC_KEYS__PRIVATE is not set; make a key with `swoogo-sync keys new`.\n"


@pytest.mark.rule("C2")
def test_what_keys_seal_prints_opens_with_the_private_key_alone() -> None:
    """Sealed to the service's public key, and bound to the organization when one is named."""
    pair = KeyPair.generate()
    result = call("keys", "seal", "--public", pair.public, "--org", "org-1", "--json", stdin="the-key\nthe-secret\n")
    document = json.loads(result.stdout)
    found = unseal(pair.private, document["sealed"])
    assert (found.consumer_key, found.consumer_secret, found.org_id) == ("the-key", "the-secret", "org-1")
    assert document["credentials"] == {"sealed": document["sealed"]}
    assert "the-key" not in result.output
    assert "the-secret" not in result.output


def test_keys_seal_takes_the_settings_key_and_prints_what_upstream_publishes() -> None:
    pair = KeyPair.generate()
    sealed, *_, fragment = call("keys", "seal", stdin="k\r\ns\r\n", KEYS__PRIVATE=pair.private).stdout.splitlines()
    assert json.loads(f"{{{fragment}}}") == {"credentials": {"sealed": sealed}}
    assert unseal(pair.private, sealed).consumer_secret == "s"


@pytest.mark.parametrize(
    ("arguments", "stdin", "sentence"),
    [
        (["--public", "nonsense"], "k\ns\n", "The public key is not 32 bytes in base64"),
        (["--public", base64.b64encode(bytes(31)).decode()], "k\ns\n", "The public key is not 32 bytes in base64"),
        (["--public", KeyPair.generate().public], "only one line\n", "The consumer key and secret are both needed"),
        (["--public", KeyPair.generate().public], "", "The consumer key and secret are both needed"),
        ([], "k\ns\n", "SWOOGO_SYNC_KEYS__PRIVATE is not set"),
    ],
)
def test_keys_seal_says_what_is_missing(arguments: list[str], stdin: str, sentence: str) -> None:
    result = call("keys", "seal", *arguments, stdin=stdin)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(sentence)


def test_keys_seal_takes_no_secret_as_an_argument() -> None:
    assert call("keys", "seal", "--public", KeyPair.generate().public, "the-key", "the-secret").exit_code == 2


def on_a_terminal(arguments: list[str], talk: Callable[[int], bytes], **variables: str) -> tuple[int, bytes]:
    """Run a command with a terminal of its own; `talk` gets its other end. Returns exit code and what was shown."""
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "60", **variables}
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    try:
        shown = talk(ours)
        return process.wait(30), shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_to(terminal: int, ending: bytes | None = None) -> bytes:
    """What the terminal shows until `ending`, or until its other side is closed."""
    shown = b""
    with suppress(OSError):  # Linux says EIO when no one holds the other side any more
        while not (ending and ending in shown) and (more := os.read(terminal, 4096)):
            shown += more
    return shown


def test_a_secret_typed_on_a_terminal_is_not_shown() -> None:
    pair = KeyPair.generate()

    def talk(terminal: int) -> bytes:
        shown = read_to(terminal, b"Swoogo consumer key: ")
        os.write(terminal, b"the-key\n")
        shown += read_to(terminal, b"Swoogo consumer secret: ")
        os.write(terminal, b"the-secret\n")
        return shown + read_to(terminal)

    code, shown = on_a_terminal(["keys", "seal", "--public", pair.public], talk)
    assert code == 0, shown
    assert b'"credentials": {"sealed": ' in shown
    assert b"the-" not in shown.replace(b"the integration", b"")


def test_on_a_terminal_the_table_fits_and_only_styles_what_may_be_styled() -> None:
    """The width of the terminal is kept; NO_COLOR takes colours away."""
    code, shown = on_a_terminal(["config"], read_to, SWOOGO_SYNC_ROLE="sync", NO_COLOR="1")
    assert code == 0
    assert b"\x1b[1m" in shown, "what comes from the environment stands out"
    assert b"\x1b[3" not in shown, "no colours"
    lines = [line for line in shown.decode().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines() if line]
    assert max(len(line.rstrip()) for line in lines) <= 60
