"""Uploaded images, kept as a digest and a size only, and the multipart form they come in.

Documented rules (`swoogo-api.md` 9.3): one part named `file`, at most 5 MB, six extensions, targets
registrant, contact and sponsor only. The status of a rejection is not documented; 422 here.
"""

from __future__ import annotations

import email.parser
import email.policy
import hashlib
from dataclasses import dataclass
from email.message import Message
from pathlib import PurePosixPath

from sandbox.swoogo.answers import invalid

MAX_BYTES = 5 * 1024 * 1024
EXTENSIONS = frozenset({"jpg", "jpeg", "gif", "png", "webp", "svg"})
TARGETS = ("registrant", "contact", "sponsor")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a multipart form."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Image:
    """What is kept of an upload; `stem` is the last part of its address without folder."""

    number: int
    target: str
    target_id: int
    field: str
    filename: str
    size: int
    sha256: str

    @property
    def stem(self) -> str:
        """`{n}-{hex}.{ext}` as in public links (`swoogo-api.md` 2.8)."""
        return f"{self.number}-{self.sha256[:13]}.{extension(self.filename)}"

    @property
    def url(self) -> str:
        """The address in the answer to an upload."""
        return f"https://assets.swoogo.com/uploads/medium/{self.stem}"

    @property
    def bare_url(self) -> str:
        """The protocol-relative address that live data shows for logos (`swoogo-api.md` 9.1)."""
        return f"//assets.swoogo.com/uploads/full/{self.stem}"


class Images:
    """The newest image of every target and field."""

    def __init__(self) -> None:
        self._images: dict[tuple[str, int, str], Image] = {}
        self._count = 0

    def keep(self, target: str, target_id: int, field: str, upload: Upload) -> Image:
        """Keep an upload in place of the one before. Raises a 422 when it breaks a documented rule."""
        if extension(upload.filename) not in EXTENSIONS:
            raise invalid(("file", f"Only files with these extensions are allowed: {sorted(EXTENSIONS)}."))
        if len(upload.content) > MAX_BYTES:
            raise invalid(("file", "The file is too big. Its size cannot exceed 5 MB."))
        self._count += 1
        digest = hashlib.sha256(upload.content).hexdigest()
        image = Image(self._count, target, target_id, field, upload.filename, len(upload.content), digest)
        self._images[target, target_id, field] = image
        return image

    def get(self, target: str, target_id: int, field: str) -> Image | None:
        """The image there now, or None."""
        return self._images.get((target, target_id, field))

    def all(self) -> list[Image]:
        """Every image kept, in the order their places were first filled."""
        return list(self._images.values())


def extension(filename: str) -> str:
    """The lower-case extension without its dot."""
    return PurePosixPath(filename).suffix.lower().lstrip(".")


def multipart_parts(body: bytes, content_type: str) -> list[Message]:
    """The parts of a multipart/form-data body; an unreadable body has none."""
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    return list(message.iter_parts()) if message.is_multipart() else []


def uploaded_file(body: bytes, content_type: str) -> Upload:
    """The part named `file`. Raises a 422 when there is none."""
    for part in multipart_parts(body, content_type):
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if name == "file" and isinstance(content, bytes):
            return Upload(part.get_filename() or "", content)
    raise invalid(("file", "Please upload a file."))
