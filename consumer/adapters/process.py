"""What the operating system lets other processes see of this one."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def hide_memory() -> bool:
    """Let no process of the same user read this one's memory and environment, nor trace it.

    Both hold private keys. What has CAP_SYS_PTRACE still can, as root on the machine has. No core is dumped either.
    Returns False where the system cannot do that.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return sys.platform == "linux" and bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
