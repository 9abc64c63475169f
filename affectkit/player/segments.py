"""The worst moments of a recording, each with the one cause that explains most of its error."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

SMOOTH = 2.0  # s over which the squared error is averaged before peaks are looked for
KEEP = 0.45  # a segment reaches as far as the averaged error stays above this part of its peak
SHORTEST, LONGEST = 3.0, 9.0  # s
LATEST = 2.0  # s, the longest delay that counts as lag
BRIEF = 1.0  # s, a jump of the prediction is shorter than half of it
HALF = 0.5  # a cause has to explain more than this share of the segment's error
LEAST = 0.005  # share of the recording's squared error below which nothing is called a segment

Signal = NDArray[np.float64]


class Segment(NamedTuple):
    """`start` to `stop` in seconds, for one target; `share` of the recording's squared error."""

    start: float
    stop: float
    target: str
    cause: str
    share: float


def worst_segments(recording: xr.Dataset, prediction: xr.Dataset, count: int = 8) -> list[Segment]:
    """The segments with the highest share of the squared error of both targets, worst first.

    For each target the squared error is averaged over 2 s; a segment grows from its highest peak
    to both sides as long as the average stays above 45 % of the peak, to 3 s at least and 9 s at
    most; the next one starts from the highest peak outside of those found. Those of one target
    do not overlap.

    The cause is 'face lost' where most frames have no face. Otherwise each cause is mended alone,
    and the one that takes away most of the segment's squared error is named, if it takes away more
    than half: 'bias' (the recording's mean error is taken off), 'range' (the prediction is
    stretched about its mean to the annotation's spread), 'lag' (the prediction is moved up to 2 s
    ahead), 'jump' (its moves shorter than half a second are flattened); else 'rest'.

    Args:
        recording: `annotation` (frame, affect), NaN = not annotated, and `detected` (frame).
        prediction: `prediction` (frame, affect) on the same frames.
        count: how many at most; none for a recording without annotation.
    """
    a, p = xr.align(recording["annotation"], prediction["prediction"], join="exact")
    time = recording["time"].values
    squared = np.nan_to_num(((p - a) ** 2).transpose("affect", "frame").values.astype(np.float64))
    total = squared.sum()
    if not total:
        return []
    found = []
    for k, target in enumerate(a["affect"].values):
        known, guessed = (x.isel(affect=k).values.astype(np.float64) for x in (a, p))
        for first, last in _windows(squared[k], time, count):
            part = slice(first, last)
            share = float(squared[k, part].sum() / total)
            cause = _cause(known, guessed, time, recording["detected"].values, part)
            start, stop = float(time[first]), float(time[last - 1])
            found.append(Segment(start, stop, str(target), cause, share))
    found = [segment for segment in found if segment.share >= LEAST]
    return sorted(found, key=lambda segment: -segment.share)[:count]


def opening_frame(recording: xr.Dataset, segments: list[Segment]) -> int:
    """The frame in the middle of the worst segment, or the first one where there is none."""
    if not segments:
        return int(recording["frame"][0])
    middle = (segments[0].start + segments[0].stop) / 2
    return int(recording["frame"].values[np.abs(recording["time"].values - middle).argmin()])


def _windows(squared: Signal, time: Signal, count: int) -> list[tuple[int, int]]:
    """Bounds [first, last) of the highest bumps of the averaged error."""
    step = float(np.median(np.diff(time))) if len(time) > 1 else 1.0
    width = min(len(squared), max(1, round(SMOOTH / step)))
    level = np.convolve(squared, np.full(width, 1 / width), mode="same")
    free = np.ones(len(squared), bool)
    shortest = round(SHORTEST / step)
    windows: list[tuple[int, int]] = []
    while len(windows) < count and free.any() and level[free].max() > 0:
        peak = int(np.argmax(np.where(free, level, -1)))
        first, last = _grow(level, free, peak, round(LONGEST / 2 / step), KEEP * level[peak])
        first, last = _widen(free, first, last, shortest)
        if last - first >= min(shortest, len(squared)):
            windows.append((first, last))
        free[max(0, first - width // 2) : last + width // 2] = False
    return windows


def _grow(
    level: Signal, free: NDArray[np.bool_], peak: int, reach: int, floor: float
) -> tuple[int, int]:
    first, last = peak, peak + 1
    while first > 0 and free[first - 1] and level[first - 1] > floor and peak - first < reach:
        first -= 1
    while last < len(level) and free[last] and level[last] > floor and last - peak < reach:
        last += 1
    return first, last


def _widen(free: NDArray[np.bool_], first: int, last: int, shortest: int) -> tuple[int, int]:
    while last - first < shortest:
        before = first > 0 and free[first - 1]
        after = last < len(free) and free[last]
        if not (before or after):
            break
        first, last = first - bool(before), last + bool(after)
    return first, last


def _cause(a: Signal, p: Signal, time: Signal, detected: NDArray[np.bool_], part: slice) -> str:
    if detected[part].mean() < HALF:
        return "face lost"
    known = np.isfinite(a) & np.isfinite(p)
    around = (time >= time[part.start] - LATEST) & (time <= time[part.stop - 1] + LATEST)
    inside = np.zeros(len(time), bool)
    inside[part] = True
    mended = {
        "bias": _removed(a, p, p - (p - a)[known].mean(), inside & known),
        "range": _removed(a, p, _stretched(a, p, known), inside & known),
        # an error that the shift only moves out of the segment is not mended
        "lag": max(_removed(a, p, ahead, around & known) for ahead in _ahead(p, time)),
        "jump": _removed(a, p, _flattened(p, time), inside & known),
    }
    best = max(mended, key=lambda cause: mended[cause])
    return best if mended[best] > HALF else "rest"


def _removed(a: Signal, p: Signal, mended: Signal, part: NDArray[np.bool_]) -> float:
    """Share of the squared error that is gone; frames that cannot be mended keep theirs."""
    after = np.where(np.isfinite(mended), mended, p)[part] - a[part]
    return 1 - float((after**2).sum() / ((p - a)[part] ** 2).sum())


def _stretched(a: Signal, p: Signal, known: NDArray[np.bool_]) -> Signal:
    spread = p[known].std()
    if spread < 1e-6 or spread >= a[known].std():
        return p
    middle = p[known].mean()
    stretched: Signal = middle + (p - middle) * a[known].std() / spread
    return stretched


def _ahead(p: Signal, time: Signal) -> Iterator[Signal]:
    """The prediction moved ahead, by each delay up to the latest."""
    for delay in np.arange(0.1, LATEST + 0.05, 0.1):
        yield np.interp(time + delay, time, p)


def _flattened(p: Signal, time: Signal) -> Signal:
    """Running median: what lasts less than half of its width is gone."""
    step = float(np.median(np.diff(time))) if len(time) > 1 else 1.0
    half = max(1, round(BRIEF / step / 2))
    padded = np.pad(p, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    flattened: Signal = np.median(windows, axis=-1)
    return flattened
