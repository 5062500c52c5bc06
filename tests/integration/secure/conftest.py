"""One Kafka that wants to know who comes, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.certificates import Certificates, certificates
from tests.support.secure_kafka import USER, SecureKafka


@dataclass(frozen=True, slots=True)
class Guarded:
    """The broker, and the certificates of everybody."""

    kafka: SecureKafka
    files: Certificates


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    files = certificates(tmp_path_factory.mktemp("certificates"), USER)
    with SecureKafka(files) as kafka:
        yield Guarded(kafka, files)
