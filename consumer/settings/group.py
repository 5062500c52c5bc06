"""What all groups of settings share, and the group that several have: TLS towards a server of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

PREFIX: Final = "SWOOGO_SYNC_"


class Group(BaseModel):
    """Settings that belong together; a group becomes a part of the variable's name."""

    # Built once, as a part of all settings, and not by itself: half of the time that settings take.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class TlsSettings(Group):
    """Certificates as PEM files, read at the start: a renewed one counts after a restart."""

    ca_file: Path | None = Field(
        None, description="Certificates of who signs for the server; those of the system when left out."
    )
    cert_file: Path | None = Field(None, description="Our certificate, where the server asks for one.")
    key_file: Path | None = Field(None, description="Its private key; left out: it is in the certificate's file.")
    key_password: SecretStr = Field(SecretStr(""), description="Password of the private key, if it has one.")
    check_hostname: bool = Field(
        default=True, description="The server's certificate must name the host we asked for. Turn off only to look."
    )

    @property
    def given(self) -> tuple[str, ...]:
        """The files and the password that are set, as their variables end."""
        values = {
            "CA_FILE": self.ca_file,
            "CERT_FILE": self.cert_file,
            "KEY_FILE": self.key_file,
            "KEY_PASSWORD": self.key_password.get_secret_value(),
        }
        return tuple(name for name, value in values.items() if value)

    def mistake(self, prefix: str) -> str | None:
        """One sentence about settings of this group that do not fit together; `prefix`: of its variables."""
        if self.key_file and not self.cert_file:
            return f"{prefix}KEY_FILE is set without its certificate: set {prefix}CERT_FILE too."
        if self.key_password.get_secret_value() and not self.cert_file:
            return f"{prefix}KEY_PASSWORD is set without a certificate and key: set {prefix}CERT_FILE and KEY_FILE too."
        return None
