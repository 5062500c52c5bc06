"""The key pair that credentials are sealed to."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr, field_validator, model_validator

from consumer.domain.errors import ConfigurationError
from consumer.settings.group import PREFIX, Group

_KEY_BYTES: Final = 32
_FILE_BYTES: Final = 8192


_SECRETS: Final = ("private", "previous", "digest")


def _length(text: str) -> int:
    """Bytes that a text in base64 stands for; -1 when it is none."""
    try:
        return len(base64.b64decode(text.strip(), validate=True))
    except ValueError:
        return -1


def _content(path: Path | str | None) -> str:
    """What a small file holds, empty when it cannot be read."""
    if not path:
        return ""
    try:
        with Path(path).open("rb") as file:
            return file.read(_FILE_BYTES).decode("ascii").strip()
    except (OSError, ValueError):
        return ""


class KeySettings(Group):
    """The key pair that credentials are sealed to."""

    private: SecretStr = Field(
        SecretStr(""), description="Private key, base64 (`swoogo-sync keys new`). Needed to run."
    )
    previous: SecretStr = Field(
        SecretStr(""),
        description="Private key before the last `swoogo-sync keys rotate`: it still opens, seals nothing.",
    )
    private_file: Path | None = Field(
        None,
        description="File with the private key, as Kubernetes mounts it; counts when `PRIVATE` is not set. Unlike a "
        "variable, it is not handed to every process of the container.",
        examples=["/var/run/secrets/swoogo-sync-keys/private"],
    )
    previous_file: Path | None = Field(
        None, description="The same for the previous one. One that does not exist counts as no key."
    )
    digest: SecretStr = Field(
        SecretStr(""),
        description="Keys of the digests that stand for people's data in the ledger, base64, 32 bytes each, separated "
        "by commas, the current one first; older ones are still understood. Not set: derived from `PRIVATE`.",
    )
    digest_file: Path | None = Field(None, description="File with these keys; counts when `DIGEST` is not set.")
    secrets_dir: Path = Field(
        Path("/var/run/secrets/swoogo-sync"), description="Folder of mounted secrets that a mapping event may name."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        read = {name: _content(given.get(f"{name}_file")) for name in _SECRETS if not given.get(name)}
        return {**given, **{name: text for name, text in read.items() if text}}

    @field_validator("private_file", "digest_file")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not _content(value):
            raise ValueError("it must be a file that can be read and holds a key")
        return value

    @field_validator("private", "previous")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        if text and _length(text) != _KEY_BYTES:
            raise ValueError("it must be 32 bytes in base64")
        return value

    @field_validator("digest")
    @classmethod
    def _digest(cls, value: SecretStr) -> SecretStr:
        for text in value.get_secret_value().split(",") if value.get_secret_value().strip() else ():
            if _length(text) != _KEY_BYTES:
                raise ValueError("each of them must be 32 bytes in base64")
        return value

    def digest_keys(self) -> tuple[bytes, ...]:
        """The keys of digests that are set, the current one first."""
        texts = self.digest.get_secret_value().split(",")
        return tuple(base64.b64decode(text.strip()) for text in texts if text.strip())

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
