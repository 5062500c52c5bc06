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
    secrets_dir: Path = Field(
        Path("/var/run/secrets/swoogo-sync"), description="Folder of mounted secrets that a mapping event may name."
    )

    @field_validator("private")
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

    def needed_private(self) -> str:
        """The private key. Raises ConfigurationError when there is none."""
        private = self.private.get_secret_value()
        if not private:
            raise ConfigurationError(f"{PREFIX}KEYS__PRIVATE is not set; make a key with `swoogo-sync keys new`.")
        return private
