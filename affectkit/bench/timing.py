"""Honest timings: things to compare take turns, and medians are compared."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def take_turns(actions: Mapping[str, Callable[[], object]], *, turns: int = 7) -> dict[str, float]:
    """Median seconds of each action, after one turn that does not count.

    The actions alternate, so that a machine that slows down slows all of them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(turns + 1):
        for name, action in actions.items():
            began = time.perf_counter()
            action()
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def ratios(seconds: Mapping[str, float], reference: str) -> list[dict[str, Any]]:
    """A row for each action: seconds, and how many times the reference."""
    return [
        {
            "what": name,
            "seconds": f"{value:.3f}",
            f"times '{reference}'": f"{value / seconds[reference]:.2f}",
        }
        for name, value in seconds.items()
    ]
