"""Peak memory of this process (CPU) or of its tensors (CUDA), in bytes."""

import contextlib
import sys
from pathlib import Path

import torch

STATUS, CLEAR, VICTIM = (Path("/proc/self") / name for name in ("status", "clear_refs", "oom_score_adj"))


def now(device: str) -> int:
    """What is held now."""
    if device.startswith("cuda"):
        return torch.cuda.memory_allocated(device)
    return _line("VmRSS") if STATUS.exists() else _highest()


def forget_peak(device: str) -> None:
    """The next `peak` counts from here; where the system has no such thing (not Linux), from the start."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with contextlib.suppress(OSError):
            CLEAR.write_text("5")


def peak(device: str) -> int:
    """The most that was held."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    return _line("VmHWM") if STATUS.exists() else _highest()


def offer() -> None:
    """Where the machine's memory ends, Linux shall stop this process rather than another."""
    with contextlib.suppress(OSError):
        VICTIM.write_text("1000")


def _line(name: str) -> int:
    text = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return 1024 * int(text.split()[1])


def _highest() -> int:
    """Highest resident size since the start: bytes on macOS, kibibytes elsewhere; 0 where nobody counts (Windows)."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
