"""Takes from this process everything that decoding an image does not need, before the first byte of it is read.

Layers, each held where the kernel has it: `no_new_privs`; Landlock (no file can be opened, no TCP, no signal to
others); limits of memory, processor time and files; seccomp by libseccomp (a short list of calls; no file, socket,
process, or other process's memory). They overlap on purpose: most escapes are barred twice where all of them hold.

Few imports: the worker pays for them with every image.
"""

from __future__ import annotations

import ctypes
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

LAYERS: Final = ("no_new_privs", "landlock", "limits", "seccomp")
"""What there can be, in the order in which it is put on."""

_ALLOWED: Final = (
    "read write close brk mmap munmap mremap mprotect madvise futex rt_sigaction rt_sigprocmask rt_sigreturn "
    "sigaltstack clock_gettime clock_getres gettimeofday getrandom getrusage getcwd gettid sched_yield "
    "sched_getaffinity rseq restart_syscall exit exit_group"
)
_EPERM: Final = 1
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
# The same numbers on every architecture (Linux 5.13).
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_VERSION: Final = 1
# Rights that each version of Landlock added, as a number of bits, and the size of what tells them.
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15}
_FILE_RIGHTS_NOW: Final = 16
_NET_RIGHTS: Final = 0b11
_SCOPES: Final = 0b11
_SCMP_ACT_ALLOW: Final = 0x7FFF_0000
_SCMP_ACT_ERRNO: Final = 0x0005_0000


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def confine(memory: int, seconds: int) -> tuple[str, ...]:
    """Put on every layer there is; their names.

    Args:
        memory: bytes of address space at most.
        seconds: of processor time from now on at most; then the kernel ends the process with SIGXCPU.
    """
    # Who started this decides when it ends, not an interrupt meant for all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "linux":
        _limit(memory, seconds)
        return ("limits",)
    held = []
    libc, load_filter = ctypes.CDLL(None, use_errno=True), _filter()
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        held.append("no_new_privs")
    if _landlocked(libc):
        held.append("landlock")
    # After all that takes a file descriptor, and before the call that sets limits is gone.
    _limit(memory, seconds)
    held.append("limits")
    if load_filter is not None and load_filter() == 0:
        held.append("seccomp")
    return tuple(held)


def _limit(memory: int, seconds: int) -> None:
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NOFILE: 0}
    if sys.platform == "linux":
        # Elsewhere the kernel does not enforce them, or refuses to set them.
        limits |= {resource.RLIMIT_AS: memory, resource.RLIMIT_NPROC: 0}
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    used = resource.getrusage(resource.RUSAGE_SELF)
    end = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (end, end + 1))


def landlock_version() -> int:
    """Of this kernel's Landlock: 4 knows TCP, 6 abstract sockets and signals; below 1 there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    create = ctypes.c_long(_LANDLOCK_CREATE_RULESET)
    return int(libc.syscall(create, None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION)))


def _landlocked(libc: ctypes.CDLL) -> bool:
    """Forbid every file, TCP, and what leads to processes outside, as far as this kernel's Landlock knows them."""
    version = landlock_version()
    if version < 1:
        return False
    libc.syscall.restype = ctypes.c_long
    create, restrict = ctypes.c_long(_LANDLOCK_CREATE_RULESET), ctypes.c_long(_LANDLOCK_RESTRICT_SELF)
    rules = _Ruleset((1 << _FILE_RIGHTS.get(version, _FILE_RIGHTS_NOW)) - 1)
    size = 8
    if version >= 4:
        rules.net, size = _NET_RIGHTS, 16
    if version >= 6:
        rules.scoped, size = _SCOPES, 24
    ruleset = libc.syscall(create, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    return ruleset >= 0 and bool(libc.syscall(restrict, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0)


def _filter() -> Callable[[], int] | None:
    """What puts the filter on, 0 when that worked; None where libseccomp is not installed (Debian's apt brings it)."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_void_p,
    ]
    context = library.seccomp_init(_SCMP_ACT_ERRNO | _EPERM)
    if not context:
        return None
    for name in _ALLOWED.split():
        # One that this architecture or library does not know is negative, and refused when it is added.
        library.seccomp_rule_add_array(
            context, _SCMP_ACT_ALLOW, library.seccomp_syscall_resolve_name(name.encode()), 0, None
        )
    return partial(library.seccomp_load, context)
