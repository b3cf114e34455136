"""Amounts of memory: as users write them, and as a method takes them."""

import ctypes
import os
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import torch

from .errors import IrvisError

PROBE = 512
"""Side of the window on which memory is measured, pixels."""
ASSUMED = 4000
"""Bytes per pixel of a window where the system does not tell what a process takes (outside Linux)."""


def parse_memory(text: str) -> int:
    """Bytes: "2GB" is 2·10^9, "2GiB" is 2·2^30, "500 MB" and "1.5G" likewise; a plain number is bytes."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*", text, re.IGNORECASE)
    if found is None or (found[3] and not found[2]) or not float(found[1]):
        raise IrvisError(f"{text!r} is no amount of memory: type it as 2GB, 500MB or 1.5GiB.")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** " KMGT".index(found[2].upper() or " "))


def physical() -> int | None:
    """Bytes of memory of this machine; None where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def available() -> int | None:
    """Bytes that this process may take: what the system says is free, less where it has a limit; None: not told."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = 1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])
    except (OSError, StopIteration, ValueError):
        return physical()
    with suppress(OSError, ValueError):  # "max" is no number
        free = min(free, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    with suppress(ImportError, OSError, ValueError):
        from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit

        limit = getrlimit(RLIMIT_AS)[0]
        free = free if limit == RLIM_INFINITY else min(free, limit)
    return free


def probed(run: Callable[[int], None], device: str, side: int = PROBE) -> float:
    """Bytes per pixel that `run(side)` takes at its peak: of this process, or of the GPU where that is more."""
    run(64)  # what is taken once and kept
    taken = _taken(partial(run, side))
    bytes_taken = ASSUMED * side**2 if taken is None else taken
    if torch.device(device).type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        run(side)
        bytes_taken = max(bytes_taken, torch.cuda.max_memory_allocated(device) - before)
    return bytes_taken / side**2


def _taken(run: Callable[[], None]) -> int | None:
    """Bytes by which the resident memory of this process rises at most; None where the system does not tell."""
    give_back()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again at what is held now
        before = _status("VmRSS")
        run()
        return max(_status("VmHWM") - before, 0)
    except (OSError, StopIteration):
        return None


def give_back() -> None:
    """Hand memory that was freed back to the system, where the C library has a call for it (glibc)."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])
