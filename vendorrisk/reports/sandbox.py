"""Shuts the child process in before it reads anything that a vendor wrote: limits, no network, no other programs."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import resource
import sys
from contextlib import suppress

CPU_SECONDS = 25
MEMORY_BYTES = 1_500_000_000
FILE_BYTES = 16_000_000
"""The only files written are copies of the embedded fonts, into a folder that the parent removes."""
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_CLOSED = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile")


class ShutIn(RuntimeError):
    """Something in the child asked for what a report never needs."""


def enter() -> None:
    """Limit this process for good."""
    limit()
    cut_network()
    if sys.platform.startswith("linux"):
        # WeasyPrint tries the names that Pango has on all systems; for those of others Python would start ldconfig,
        # gcc and ld. The names of this system are found without, and sooner.
        ctypes.util.find_library = _look_no_further
    sys.addaudithook(_refuse)


def _look_no_further(name: str) -> str | None:
    return None


def limit() -> None:
    """CPU time, memory, size of files and no core dump; a system that lacks one of them keeps the others."""
    wanted = {
        "RLIMIT_CPU": CPU_SECONDS, "RLIMIT_AS": MEMORY_BYTES, "RLIMIT_FSIZE": FILE_BYTES, "RLIMIT_CORE": 0,
    }  # fmt: skip
    for name, most in wanted.items():
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (most, most))


def cut_network() -> bool:
    """Leave the machine's network, where the system lets us (Linux, with or without root). Tells whether it did."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    flags = (_NEW_NETWORK,) if os.geteuid() == 0 else (_NEW_USER | _NEW_NETWORK,)
    return any(libc.unshare(flag) == 0 for flag in flags)


def _refuse(event: str, _arguments: object) -> None:
    # Works everywhere, also where the system does not let us leave the network; not proof against native code.
    if event.startswith(_CLOSED):
        raise ShutIn(f"a report needs no {event}")
