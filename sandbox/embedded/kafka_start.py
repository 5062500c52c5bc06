"""What makes Apache Kafka start with half the work, kept beside its jars: a formatted storage, and its classes.

Both are optional: without them Kafka's own tool formats the storage, and the JVM reads the classes from the jars.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Final

CLASSES: Final = "classes.jsa"
"""The archive of the JVM. One of another JVM or of other jars is passed over by it."""

_CHECKPOINT: Final = "bootstrap.checkpoint"
"""Which features a new cluster has: the same for all that are formatted without options."""


def shared_classes(jars: Path) -> list[str]:
    """Options of the JVM, none while nothing is archived."""
    archive = jars / CLASSES
    return [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []


def keep_format(jars: Path, data: Path) -> None:
    """Remember how the tool formatted `data`. A folder that cannot be written keeps nothing."""
    try:
        checkpoint = (data / _CHECKPOINT).read_bytes()
        with tempfile.NamedTemporaryFile(dir=jars, delete=False) as part:
            part.write(checkpoint)
        Path(part.name).replace(jars / _CHECKPOINT)
    except OSError:
        return


def format_like_the_last(jars: Path, data: Path, cluster_id: str, node: int) -> bool:
    """Format the empty folder `data` without the tool; False when it never was run for these jars."""
    kept = jars / _CHECKPOINT
    if not kept.exists():
        return False
    shutil.copy(kept, data / _CHECKPOINT)
    directory = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    lines = ("version=1", f"cluster.id={cluster_id}", f"node.id={node}", f"directory.id={directory}")
    (data / "meta.properties").write_text("\n".join((*lines, "")))
    return True
