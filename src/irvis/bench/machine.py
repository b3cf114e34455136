"""What a speed was measured on: hardware, versions, and how busy the machine was."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("irvis", "torch", "openvino", "onnxruntime")
FEATURES = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8", "asimd", "asimdhp", "bf16", "i8mm")
"""Instructions of x86 and ARM that decide how fast a network runs."""


def facts(device: str = "cpu") -> dict[str, str]:
    """Date, hardware and versions; the load is the number of busy processes just now."""
    found = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": _info("model name") or platform.processor() or platform.machine(),
        "cores": f"{_usable()} of {os.cpu_count()}",
        "instructions": " ".join(x for x in FEATURES if x in (_info("flags") or _info("Features")).split()),
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "",
        "system": f"{platform.platform()}, python {platform.python_version()}",
    }
    if device.startswith("cuda"):
        found["gpu"] = _graphics_card(device)
    return {key: text for key, text in found.items() if text} | {name: _version(name) for name in LIBRARIES}


def _graphics_card(device: str) -> str:
    import torch

    try:
        return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    except (AssertionError, RuntimeError):
        return ""


def _usable() -> int:
    """Logical cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _info(key: str) -> str:
    """A line of Linux's list of processors."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
