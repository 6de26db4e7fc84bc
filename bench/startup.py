"""How long a person waits for the command line."""

from __future__ import annotations

import subprocess
import sys
import time


def _seconds(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return time.perf_counter() - began


def measure(times: int = 9) -> dict[str, float]:
    """Return the median start-up times."""
    middle = times // 2
    return {
        # Against: nothing; wall time of a new process. `python -c pass` beside it is the floor.
        "cli.help_seconds": sorted(_seconds("-m", "hub", "--help") for _ in range(times))[middle],
        "cli.import_hub_seconds": sorted(_seconds("-c", "import hub") for _ in range(times))[middle],
        "cli.bare_python_seconds": sorted(_seconds("-c", "pass") for _ in range(times))[middle],
    }
