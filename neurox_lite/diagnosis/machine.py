"""What the machine has: processors, memory, room on disk, and whether models can be fetched."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

GB = 1e9
LITTLE_MEMORY, LITTLE_ROOM = 2 * GB, 2 * GB
"""In bytes; what the demo needs is a third of this."""


def device() -> dict[str, Any]:
    """Where models run, and how many threads compute."""
    import torch

    from neurox_lite.probing.rounded import has_units

    found: dict[str, Any] = {"model runs on": "cpu"}
    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        found["model runs on"] = [f"{c.name} ({c.total_memory / GB:.0f} GB)" for c in cards]
    elif torch.backends.mps.is_available():
        found["model runs on"] = "mps"
    found["cores"] = _n_cores()
    found["threads"] = torch.get_num_threads()
    found["bfloat16"] = "fast" if has_units() else "no faster than float32 on this processor"
    return found


def _n_cores() -> int | None:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def memory() -> dict[str, int]:
    """Bytes of memory in all and available; nothing where the system is not Linux."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return {}
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {"total": kilobytes["MemTotal"] * 1024, "available": kilobytes["MemAvailable"] * 1024}


def folders() -> dict[str, Path]:
    """Where something is written that no option names."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return {
        "cache of models": Path(HF_HUB_CACHE),
        "temporary files": Path(tempfile.gettempdir()),
        "this folder": Path.cwd(),
    }


def is_offline() -> bool:
    """Whether models come from this machine only."""
    from huggingface_hub.constants import HF_HUB_OFFLINE

    return bool(HF_HUB_OFFLINE)


def room(folder: Path) -> int:
    """Free bytes where a folder is, or will be once it is made.

    Raises
    ------
    OSError
        When nothing can be written there.
    """
    while not folder.exists():
        folder = folder.parent
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"neurox_lite")
    return shutil.disk_usage(folder).free
