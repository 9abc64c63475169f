"""Measure times and memory, and report them as ratios to a baseline in the same run."""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def time_alternately(
    actions: Mapping[str, Callable[[], object]], *, turns: int = 7
) -> dict[str, float]:
    """Median seconds of each action, after a first turn that is not counted.

    The actions alternate, so that a machine that slows down affects all of them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(turns + 1):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def ratio_rows(seconds: Mapping[str, float], baseline: str) -> list[dict[str, Any]]:
    """A row for each action: seconds, and their ratio to the baseline."""
    return [
        {
            "measurement": name,
            "seconds": f"{value:.3f}",
            f"times '{baseline}'": f"{value / seconds[baseline]:.2f}",
        }
        for name, value in seconds.items()
    ]


def comparison_row(
    what: str, baseline: str, ratio: float, target: str, *, digits: int = 2
) -> dict[str, Any]:
    """A row of a comparison with a baseline, with the target of the ratio."""
    return {
        "measurement": what,
        "baseline": baseline,
        "ratio": f"{ratio:.{digits}f}",
        "target": target,
    }


def memory_is_measurable() -> bool:
    """Whether the system has /proc, from which the benchmarks read the resident size."""
    return Path("/proc/self/statm").exists()


def unmeasured_memory_row(target: str) -> dict[str, Any]:
    """The row for systems without /proc."""
    return comparison_row("memory", "not measured: only supported on Linux", math.nan, target)


def record_memory(script: str, *arguments: object) -> NDArray[np.float64]:
    """Run a script in a new process that prints its memory use over time as a JSON list of rows."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return np.array(json.loads(done.stdout), np.float64)
