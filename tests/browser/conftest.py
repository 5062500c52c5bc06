"""One Chromium for the tests of this folder, and a page of it that does nothing a page may not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from tests.support.browser import Chromium, a_chromium
from tests.support.scenes import SCENES, Scene, a_scene
from tests.support.services import MissingServiceError


@pytest.fixture(scope="package")
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


@dataclass(slots=True)
class Stage:
    """Scenes that were asked for, each made once and served for the rest of the run."""

    redis_url: str
    stack: AsyncExitStack
    shown: dict[str, Showing] = field(default_factory=dict)

    async def scene(self, name: str) -> Showing:
        """The scene of this name."""
        if name not in self.shown:
            scene = await self.stack.enter_async_context(a_scene(self.redis_url, 2 + list(SCENES).index(name)))
            await SCENES[name](scene)
            base = await self.stack.enter_async_context(scene.served())
            self.shown[name] = Showing(scene, base, await scene.addresses())
        return self.shown[name]


@dataclass(frozen=True, slots=True)
class Showing:
    """A scene, where it is served, and the path of each page that links lead to, by the name of its route."""

    scene: Scene
    base: str
    paths: dict[str, str]


@pytest.fixture(scope="package")
async def stage(redis_url: str) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(redis_url, stack)
