"""What the tests of settings share."""

from __future__ import annotations

import base64

import pytest

from consumer.domain.errors import ConfigurationError
from consumer.settings import PREFIX, load_settings

KEY = base64.b64encode(bytes(range(32))).decode()


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """The sentence that these variables (without prefix) stop the start with."""
    for name, value in variables.items():
        monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence
