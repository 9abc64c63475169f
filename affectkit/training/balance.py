"""Balancing windows by the quadrant of valence and arousal that their annotation lies in.

The paper duplicated short clips of the poor quadrants until the frames lay 43 % in +V +A, 24 % in
-V +A, 19 % in +V -A and 14 % in -V -A. Here windows are drawn with weights towards such shares: an
epoch stays as long as it was, windows of poor quadrants come several times in it, some of the rich
ones only in another epoch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.training.windows import Source, Window

QUADRANTS = ("+V +A", "-V +A", "+V -A", "-V -A")
ROUNDS = 200  # of finding the weights; 50 are enough where most windows lie in one quadrant


def draw_balanced(
    windows: Sequence[Window],
    sources: Sequence[Source],
    shares: Sequence[float],
    random: np.random.Generator,
) -> list[Window]:
    """Draw as many windows as there are, so that their frames fall into quadrants by `shares`.

    Each comes as often as its weight says, rounded up or down. Windows without annotated frames are
    left out.

    Raises:
        AffectkitError: no frame lies in a quadrant that should have a share.
    """
    frames = count_quadrants(windows, sources)
    missing = (np.asarray(shares) > 0) & ~frames.any(0)
    empty = [QUADRANTS[i] for i in np.flatnonzero(missing)]
    if empty:
        raise AffectkitError(
            f"windows.quadrants wants frames in {', '.join(empty)}, but no annotated frame of the "
            "training recordings lies there; set those shares to 0"
        )
    reached = np.cumsum(weigh(frames, shares))
    ticks = (np.arange(len(windows)) + random.random()) / len(windows)
    return [windows[i] for i in np.searchsorted(reached / reached[-1], ticks)]


def count_quadrants(windows: Sequence[Window], sources: Sequence[Source]) -> NDArray[np.float64]:
    """Frames (window, quadrant) that count; 0 counts as positive."""
    frames = np.zeros((len(windows), len(QUADRANTS)))
    for row, window in zip(frames, windows, strict=True):
        affect = sources[window.recording].annotation[window.start : window.stop]
        valence, arousal = affect[np.isfinite(affect).all(1)].T
        row += np.bincount((valence < 0) + 2 * (arousal < 0), minlength=len(row))
    return frames


def weigh(frames: NDArray[np.float64], shares: Sequence[float]) -> NDArray[np.float64]:
    """Weights (window) under which the frames of each quadrant come to `shares` of all.

    Found by expectation-maximisation, as the proportions of a mixture are. Where no weights give
    the shares, they are those that come nearest (in Kullback-Leibler divergence).

    Args:
        frames: (window, quadrant).
        shares: (quadrant), summing to 1.
    """
    wanted, total = np.asarray(shares), frames.sum(1)
    inside = np.divide(frames, total[:, None], where=total[:, None] > 0, out=np.zeros_like(frames))
    mass = total / total.sum()
    for _ in range(ROUNDS):
        reached = mass @ inside
        ratio = np.divide(wanted, reached, where=reached > 0, out=np.zeros(len(wanted)))
        mass = mass * (inside @ ratio)
    weights: NDArray[np.float64] = np.divide(mass, total, where=total > 0, out=np.zeros_like(mass))
    return weights
