"""The command line without any server: help, usage, keys, config, exit codes, and what is loaded when."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.domain.errors import UnavailableError
from consumer.entrypoints.cli import run
from consumer.entrypoints.cli.exit_codes import Exit
from consumer.settings import PREFIX, Settings
from tests.support.commands import call
from tools.settings_docs import ROOT

COMMAND = [sys.executable, "-m", "consumer.entrypoints.cli"]


def in_a_process(code: str, timeout: float = 60.0) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=timeout, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_tells_the_commands_and_the_exit_codes() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "Exit codes: 0 fine; 1 the answer is no" in done.stdout
    assert all(f"\n  {name} " in done.stdout for name in ("run", "demo", "plan", "sync", "status", "ledger", "config"))


def test_help_loads_no_settings_no_rich_and_no_server_client() -> None:
    loaded = in_a_process(
        "import sys\nfrom typer.testing import CliRunner\nimport consumer.entrypoints.cli.app as cli\n"
        "assert CliRunner().invoke(cli.app, ['--help']).exit_code == 0\n"
        "heavy = ('pydantic', 'rich', 'redis', 'aiokafka', 'httpx', 'opentelemetry', 'sandbox')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert loaded == "[]\n"


@pytest.mark.parametrize("words", [["status"], ["issues", "e"], ["runs", "e"], ["plan", "e"], ["explain", "e", "r"]])
def test_commands_that_look_load_no_client_of_kafka_or_swoogo(words: list[str]) -> None:
    loaded = in_a_process(
        "import os, sys\nos.environ['SWOOGO_SYNC_REDIS__URL'] = 'redis://127.0.0.1:1/0'\n"
        "from typer.testing import CliRunner\nimport consumer.entrypoints.cli.app as cli\n"
        f"assert CliRunner().invoke(cli.app, {words}).exit_code == 3\n"
        "heavy = ('aiokafka', 'faststream', 'httpx', 'opentelemetry.sdk', 'prometheus_client', 'uvicorn')\n"
        "print([name for name in (*heavy, 'rich.traceback') if name in sys.modules])\n"
        "print('consumer.domain.planning.planner' in sys.modules)"
    )
    assert loaded == f"[]\n{words[0] in {'plan', 'explain'}}\n"


def test_service_without_webhooks_loads_nothing_of_them() -> None:
    """Off by default: neither the receiver nor what registers and takes hints."""
    loaded = in_a_process(
        "import sys\nimport consumer.app\n"
        "from consumer.entrypoints.cli import run\n"
        "parts = ('adapters.webhooks', 'adapters.redis.webhooks', 'adapters.swoogo.webhooks', "
        "'services.hints', 'services.webhooks', 'entrypoints.webhooks')\n"
        "print([part for part in parts if f'consumer.{part}' in sys.modules])"
    )
    assert loaded == "[]\n"


RUN_WITHOUT_SERVERS = """
import asyncio, os, signal, sys
from contextlib import asynccontextmanager
from consumer.entrypoints.cli import run
from consumer.settings import load_settings

os.environ["SWOOGO_SYNC_KEYS__PRIVATE"] = "A" * 43 + "="
os.environ["SWOOGO_SYNC_HTTP__PORT"] = "0"

class Running:
    async def run(self, stop):
        {running}

@asynccontextmanager
async def service(settings, watch):
    {starting}
    yield Running()
    print("taken down", flush=True)

run.service = service
"""


def test_service_loads_neither_sandbox_nor_console() -> None:
    """Nor rich, Pygments or OpenTelemetry's SDK, which libraries load for extras of theirs where they can."""
    code = RUN_WITHOUT_SERVERS.format(running="pass", starting="pass") + (
        "from consumer.entrypoints.cli.app import app\n"
        "try: app(['run'])\n"
        "except SystemExit as left: assert left.code == 0, left.code\n"
        "unused = ('rich', 'pygments', 'opentelemetry.sdk', 'PIL.Image', 'starlette', 'jinja2', 'joserfc', 'sandbox')\n"
        "print([name for name in unused if name in sys.modules])\n"
        "print(sorted(name for name in sys.modules if name.startswith('consumer.entrypoints.cli.')))"
    )
    foreign, console = in_a_process(code).splitlines()[-2:]
    assert foreign == "[]"
    names = ("app", "exit_codes", "run", "streams", "tree")
    assert console == str([f"consumer.entrypoints.cli.{name}" for name in names])


@pytest.mark.parametrize(
    ("starting", "running", "signals", "code"),
    [
        pytest.param("pass", "print('up', flush=True); await stop.wait()", ["SIGTERM"], 0, id="SIGTERM drains"),
        pytest.param("pass", "print('up', flush=True); await stop.wait()", ["SIGINT"], 0, id="SIGINT drains"),
        pytest.param(
            "pass",
            "print('up', flush=True); await stop.wait(); print('draining', flush=True); await asyncio.sleep(600)",
            ["SIGINT", "SIGINT"],
            130,
            id="a second SIGINT ends it at once",
        ),
        pytest.param(
            "print('up', flush=True); await asyncio.sleep(600)", "pass", ["SIGTERM"], 0, id="while it still starts"
        ),
    ],
)
def test_signals_end_the_service(starting: str, running: str, signals: list[str], code: int) -> None:
    script = RUN_WITHOUT_SERVERS.format(starting=starting, running=running) + "sys.exit(run.serve(load_settings()))"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.Signals[signals[0]])
        for name in signals[1:]:
            assert process.stdout.readline() == "draining\n"
            process.send_signal(signal.Signals[name])
        assert process.wait(30) == code
    finally:
        process.kill()
        _, errors = process.communicate()
    assert '"event": "app.stopping"' in errors
    assert "Traceback" not in errors


def test_the_role_of_the_command_counts_more_than_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def served(settings: Settings) -> Exit:
        seen.append(settings.role)
        return Exit.OK

    monkeypatch.setattr(run, "serve", served)
    assert call("run", "--role", "sync", ROLE="ingest").exit_code == 0
    assert call("run", ROLE="ingest").exit_code == 0
    assert seen == ["sync", "ingest"]


def test_an_error_of_ours_is_one_sentence_on_stderr_and_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_: Settings) -> Exit:
        raise UnavailableError("Kafka did not answer.")

    monkeypatch.setattr(run, "serve", unreachable)
    result = call("run")
    assert (result.exit_code, result.stdout, result.stderr) == (3, "", "Kafka did not answer.\n")


def test_the_service_does_not_start_without_its_private_key() -> None:
    result = call("run")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "SWOOGO_SYNC_KEYS__PRIVATE is not set; make a key with `swoogo-sync keys new`.\n"


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["plan", "ev"], ["sync", "ev"], ["status"], ["ledger", "show", "ev"], ["keys", "public"], ["config"]],
)
def test_a_wrong_setting_ends_every_command_that_needs_settings(arguments: list[str]) -> None:
    result = call(*arguments, LOG__LEVEL="loud")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("SWOOGO_SYNC_LOG__LEVEL is 'loud': ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["plan"],
        ["sync", "ev", "--scope", "everything"],
        ["run", "--role", "both"],
        ["plan", "ev", "--latency", "-1"],
        ["status", "--runs", "0"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert call(*arguments).exit_code == 2


@pytest.mark.parametrize("arguments", [["plan", "ev"], ["sync", "ev"], ["status"], ["ledger", "show", "ev"]])
def test_no_redis_is_exit_code_3_and_names_the_setting(arguments: list[str]) -> None:
    result = call(*arguments, REDIS__URL="redis://user:hunter2@127.0.0.1:1/0", REDIS__TIMEOUT="0.5")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "127.0.0.1:1 did not answer" in result.stderr
    assert "SWOOGO_SYNC_REDIS__URL" in result.stderr
    assert "hunter2" not in result.stderr


def test_without_the_sandbox_the_demo_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sandbox.demo.command", None)
    result = call("demo")
    assert result.exit_code == 2
    assert result.stderr.endswith("comes with the sandbox: pip install swoogo-sync[sandbox].\n")


def test_the_demo_gets_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def demo(*, fast: bool = False) -> None:
        seen.append(fast)

    demo.__annotations__ = {"fast": bool, "return": None}
    module = type(sys)("sandbox.demo.command")
    module.__dict__["demo"] = demo
    monkeypatch.setitem(sys.modules, "sandbox.demo.command", module)
    assert call("demo", "--fast").exit_code == 0
    assert seen == [True]
    assert "--fast" in call("demo", "--help").stdout
    assert call("demo", "--slow").exit_code == 2


def test_health_loads_nothing_but_the_standard_library() -> None:
    """A container asks every few seconds, and pays for each start."""
    loaded = in_a_process(
        "import sys\nbefore = set(sys.modules)\nfrom consumer.entrypoints.health import ask\n"
        "assert ask('live', {'SWOOGO_SYNC_HTTP__PORT': '1'}) == 1\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    assert loaded == "['consumer']\n"


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["config"], ["config", "--json"], ["keys", "new"]])
def test_output_that_cannot_be_written_is_an_answer_and_no_traceback(command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, *command], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        silent = subprocess.run([*COMMAND, *command], stdout=full, stderr=full, cwd=ROOT)
    sentence = "The output could not be written (No space left on device). What was asked for may have been done.\n"
    assert (done.returncode, done.stderr) == (Exit.UNWRITTEN, sentence)
    assert silent.returncode == Exit.UNWRITTEN


def test_a_closed_output_is_no_trouble() -> None:
    closed = shlex.join([*COMMAND, "config", "--json"]) + " >&- 2>&-"
    assert subprocess.run(["/bin/sh", "-c", closed], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_every_text_can_be_printed_where_only_ascii_can(variables: dict[str, str]) -> None:
    environment = {**os.environ, **variables, f"{PREFIX}KEYS__SECRETS_DIR": "/é—日本"}
    environment["PYTHONCOERCECLOCALE"] = "0"
    done = subprocess.run([*COMMAND, "config"], capture_output=True, env=environment, cwd=ROOT)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
