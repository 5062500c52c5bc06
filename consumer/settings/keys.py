"""The key pair that credentials are sealed to."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator

from consumer.domain.errors import ConfigurationError
from consumer.settings.group import PREFIX, Group

_KEY_BYTES: Final = 32


class KeySettings(Group):
    """The key pair that credentials are sealed to."""

    private: SecretStr = Field(
        SecretStr(""), description="Private key, base64 (`swoogo-sync keys new`). Needed to run."
    )
    previous: SecretStr = Field(
        SecretStr(""),
        description="Private key before the last `swoogo-sync keys rotate`: it still opens, seals nothing.",
    )
    secrets_dir: Path = Field(
        Path("/var/run/secrets/swoogo-sync"), description="Folder of mounted secrets that a mapping event may name."
    )

    @field_validator("private", "previous")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        try:
            length = len(base64.b64decode(text, validate=True))
        except ValueError:
            length = -1
        if text and length != _KEY_BYTES:
            raise ValueError("it must be 32 bytes in base64")
        return value

    def mistake(self) -> str | None:
        """One sentence about keys that do not fit together; None: they do."""
        previous = self.previous.get_secret_value().strip()
        if previous and not self.private.get_secret_value():
            return f"{PREFIX}KEYS__PREVIOUS is set without {PREFIX}KEYS__PRIVATE: the only key is the private one."
        if previous and previous == self.private.get_secret_value().strip():
            return f"{PREFIX}KEYS__PREVIOUS is the same as {PREFIX}KEYS__PRIVATE: leave it out, or give the older key."
        return None

    def needed_private(self) -> str:
        """The private key. Raises ConfigurationError when there is none."""
        private = self.private.get_secret_value()
        if not private:
            raise ConfigurationError(f"{PREFIX}KEYS__PRIVATE is not set; make a key with `swoogo-sync keys new`.")
        return private
