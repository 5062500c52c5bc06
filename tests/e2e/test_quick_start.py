"""The quick start for operators, typed word by word by a shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.demo.play import EVENT_ID
from sandbox.embedded.server import free_ports

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "quick-start.md"


def typed(folder: Path) -> str:
    """The page's lines as a script that stops at the first that fails.

    Two things differ from what a person types: what is installed is there already, and the port of the probes is any
    free one, because another test may have the usual one.
    """
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    assert lines[0] == "make setup"
    script = "\n".join(line.replace("out/", f"{folder}/") for line in lines[1:] if line != "mkdir -p out")
    script = script.replace('PATH="$PWD/.venv/bin:$PATH"', f'PATH="{Path(sys.executable).parent}:$PATH"')
    # `set -m`: jobs have numbers in a script, too. What still runs when it ends ends with it, also after SIGTERM.
    return f"set -eu -m\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\ntrap 'exit 143' TERM\n{script}\n"


@pytest.mark.timeout(330)
def test_the_quick_start_works_as_it_stands(tmp_path: Path) -> None:
    """From servers to a conference in the sandbox, and everything stopped."""
    assert f"swoogo-sync status {EVENT_ID}" in PAGE.read_text()
    port = free_ports(1)[0]
    script = typed(tmp_path).replace("servers.env >", f"servers.env --http-port {port} >", 1)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "JAVA_HOME") if name in os.environ}
    # `timeout` sends SIGTERM, on which the script ends what it started; the kill of `run` would leave it.
    done = subprocess.run(
        ["timeout", "280", "bash", "-c", script],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        timeout=310,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{log(tmp_path)}"
    assert "Nothing to send: 0 credits." in done.stdout
    assert "organization org-demo: token given" in done.stdout or "token given, event" in done.stdout
    assert not (tmp_path / "servers.env").exists()


def log(folder: Path) -> str:
    return "\n".join(path.read_text()[-2000:] for path in sorted(folder.glob("*.log")))
