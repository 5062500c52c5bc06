"""Which compressions this installation can read."""

from __future__ import annotations

from aiokafka import codec

from consumer.domain.errors import ConfigurationError


def check_codecs() -> None:
    """Every compression a producer may choose can be read; aiokafka would stall for ever on another.

    Raises:
        ConfigurationError: a codec is missing from this installation.
    """
    missing = [
        name
        for name, present in (
            ("gzip", codec.has_gzip()),
            ("snappy", codec.has_snappy()),
            ("lz4", codec.has_lz4()),
            ("zstd", codec.has_zstd()),
        )
        if not present
    ]
    if missing:
        raise ConfigurationError(f"Topics compressed with {', '.join(missing)} could not be read; install cramjam.")
