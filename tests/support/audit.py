"""`make audit`: asks the package index for known vulnerabilities of what is locked; says so where it cannot.

pip-audit ends with 0 when the index knows nothing of any package, as a mirror without vulnerability data does. That
is told as "not possible here", never as "nothing found".
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_SECONDS = 45
_LOCK = Path(__file__).parents[2] / "requirements.lock"

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)


def audit(run: Run = _run) -> tuple[int, str]:
    """(exit status, what to print). 1 only when something vulnerable is locked."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(_LOCK), "--no-deps", "--disable-pip"]
    try:
        done = run([*command, "--format", "json", "--progress-spinner", "off", "--timeout", "10"])
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, OSError, ValueError, KeyError):
        return 0, "dependency audit: not possible here: the package index did not answer."
    vulnerable = [each for each in found if each.get("vulns")]
    looked = [each for each in found if "skip_reason" not in each]
    if vulnerable:
        lines = [_line(each, vuln) for each in vulnerable for vuln in each["vulns"]]
        return 1, "\n".join(["dependency audit: renew the lock files (make lock):", *lines])
    if not looked:
        return 0, "dependency audit: not possible here: the package index has no vulnerability data."
    if len(looked) < len(found):
        return 0, f"dependency audit: {len(looked)} of {len(found)} packages are known to the index, none vulnerable."
    return 0, f"dependency audit: {len(found)} packages, none vulnerable."


def _line(package: dict[str, Any], weakness: dict[str, Any]) -> str:
    mended = ", ".join(weakness["fix_versions"]) or "no release"
    return f"{package['name']} {package['version']}: {weakness['id']}, mended in {mended}"


def main() -> int:
    """Print and return the exit status."""
    status, text = audit()
    sys.stdout.write(f"{text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
