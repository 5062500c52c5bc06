"""One Chromium for the tests of this folder, and a page of it that does nothing a page may not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.browser import Chromium, a_chromium
from tests.support.services import MissingServiceError


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Chromium]:
    try:
        async with a_chromium() as chromium:
            yield chromium
    except MissingServiceError as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture
async def chromium(browser: Chromium) -> AsyncIterator[Chromium]:
    """Pages opened by it are closed; errors on them, violations of their policy and foreign requests fail the test."""
    yield browser
    faults = await browser.close()
    assert faults == []
