"""A log line never carries what a variable holds: credentials and people's data are among them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from consumer.observability.logs import set_up
from consumer.settings import LogSettings


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is global; other tests want it as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.rule("C2")
@pytest.mark.parametrize("style", ["json", "console"])
def test_a_defect_is_logged_with_its_place_and_without_the_variables_there(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(LogSettings.model_validate({"format": style}))

    def unseal(consumer_secret: str) -> None:
        raise RuntimeError("a defect")

    try:
        unseal("s3cr3t" * 2)
    except RuntimeError:
        structlog.get_logger("test").exception("push.broken", subject="event/7")
    written = capsys.readouterr().err
    assert "push.broken" in written
    assert "in unseal" in written
    assert "s3cr3ts3cr3t" not in written
