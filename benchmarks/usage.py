"""CPU time and memory of a process, as Linux counts them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000
_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME = 11
"""Place of utime among the fields of `/proc/PID/stat` that follow the process name; stime is next to it."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in MB (10^6 bytes): now, and the most there ever was."""

    resident: float
    peak: float


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, seconds. Raises OSError when it is gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_UTIME + 1])) / _TICKS


def memory(pid: int) -> Memory:
    """Resident memory of a process. Raises OSError when it is gone."""
    sizes = {
        name: int(rest.split()[0]) * 1024 / MB
        for name, _, rest in (line.partition(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        if name in {"VmRSS", "VmHWM"}
    }
    return Memory(sizes["VmRSS"], sizes["VmHWM"])


def busy() -> str:
    """A sentence when others keep this machine busy, else nothing."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load < cores / 4:
        return ""
    return f"The machine was not quiet: load {load:.1f} on {cores} cores before the run; wall times suffer from it."
