"""Libraries do without the extras that are installed for others, and those who want them get them."""

from __future__ import annotations

import subprocess
import sys


def test_only_those_that_do_without_an_extra_miss_it() -> None:
    code = (
        "import consumer, sys, structlog, httpx, redis.asyncio\n"
        "print([name for name in ('rich', 'pygments', 'opentelemetry.sdk') if name in sys.modules])\n"
        "import rich.console, pygments.lexers, opentelemetry.sdk.trace\n"
        "print(structlog.dev.rich, httpx.Client().is_closed)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "None False"]
