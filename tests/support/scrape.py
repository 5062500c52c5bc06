"""Looking at a running service the way Prometheus and a kubelet do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.waiting import wait_until

_LISTENING = re.compile(r"probes\.listening.*?\bport\W+(\d+)")

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True, slots=True)
class Looking:
    """A client of one process's probes."""

    base: str

    async def get(self, path: str) -> httpx.Response:
        """One answer, through no proxy."""
        async with httpx.AsyncClient(base_url=self.base, trust_env=False, timeout=30) as http:
            return await http.get(path)

    async def status(self, path: str) -> int:
        """Status of one answer."""
        return (await self.get(path)).status_code

    async def samples(self) -> Samples:
        """Every sample of a scrape by name and labels."""
        return samples((await self.get("/metrics")).text)


def samples(text: str) -> Samples:
    """Every sample of an exposition by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(scraped: Samples, name: str, **labels: str) -> float:
    """Sum of the samples of one metric (`swoogo_sync_` left out) that have these labels."""
    wanted = labels.items()
    return sum(
        each for (found, has), each in scraped.items() if found == f"swoogo_sync_{name}" and wanted <= dict(has).items()
    )


async def looking_at(log: Path) -> Looking:
    """The probes of a process by what it logged at its start."""

    def port() -> str:
        found = _LISTENING.findall(log.read_text(errors="replace"))
        return found[-1] if found else ""

    return Looking(f"http://127.0.0.1:{await wait_until(port, 'the probes listen', 60)}")
