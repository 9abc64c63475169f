"""The segments of a recording with the largest errors, each with its main cause."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

SMOOTH = 2.0  # seconds of the moving average of the squared error
KEEP = 0.45  # a segment ends where the average falls below this share of its peak
SHORTEST, LONGEST = 3.0, 9.0  # seconds of a segment
LONGEST_DELAY = 2.0  # seconds
MEDIAN_WIDTH = 1.0  # seconds of the running median; a jump is shorter than half of it
MAIN_CAUSE = 0.5  # a cause explains more than this share of the error of the segment
SMALLEST_SHARE = 0.005  # of the squared error of the recording, for a segment to be listed

Signal = NDArray[np.float64]


class Segment(NamedTuple):
    """A segment of one target, `start` to `stop` in seconds.

    `share` is its share of the squared error of the recording, both targets together.
    """

    start: float
    stop: float
    target: str
    cause: str
    share: float


def worst_segments(recording: xr.Dataset, prediction: xr.Dataset, count: int = 8) -> list[Segment]:
    """The segments with the highest share of the squared error of both targets, highest first.

    The squared error of each target is averaged over 2 s. A segment grows from the highest peak of
    the average to both sides, while the average stays above 45 % of the peak; it is 3 to 9 s long.
    The next segment starts from the highest remaining peak. Segments of one target do not overlap.

    The cause is 'face lost' if most frames have no face. Otherwise each of the following errors is
    corrected separately, and the cause is the correction that removes most of the squared error of
    the segment, if it removes more than half, else 'other':

    - 'bias': the mean error of the recording is subtracted.
    - 'range': the prediction is scaled about its mean to the standard deviation of the annotation.
    - 'delay': the prediction is shifted up to 2 s earlier.
    - 'jump': movements of the prediction that are shorter than half a second are removed.

    Args:
        recording: `annotation` (frame, affect), NaN = not annotated, and `detected` (frame).
        prediction: `prediction` (frame, affect) on the same frames.
        count: most segments to return; a recording without annotation has none.
    """
    a, p = xr.align(recording["annotation"], prediction["prediction"], join="exact")
    time = recording["time"].values
    squared = np.nan_to_num(((p - a) ** 2).transpose("affect", "frame").values.astype(np.float64))
    total = squared.sum()
    if not total:
        return []
    found = []
    for k, target in enumerate(a["affect"].values):
        annotated, predicted = (x.isel(affect=k).values.astype(np.float64) for x in (a, p))
        for first, last in _windows(squared[k], time, count):
            part = slice(first, last)
            share = float(squared[k, part].sum() / total)
            cause = _cause(annotated, predicted, time, recording["detected"].values, part)
            start, stop = float(time[first]), float(time[last - 1])
            found.append(Segment(start, stop, str(target), cause, share))
    found = [segment for segment in found if segment.share >= SMALLEST_SHARE]
    return sorted(found, key=lambda segment: -segment.share)[:count]


def opening_frame(recording: xr.Dataset, segments: list[Segment]) -> int:
    """The frame in the middle of the worst segment, or the first frame if there is none."""
    if not segments:
        return int(recording["frame"][0])
    middle = (segments[0].start + segments[0].stop) / 2
    return int(recording["frame"].values[np.abs(recording["time"].values - middle).argmin()])


def _windows(squared: Signal, time: Signal, count: int) -> list[tuple[int, int]]:
    """Bounds [first, last) of the segments around the highest peaks of the averaged error."""
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
    if detected[part].mean() < MAIN_CAUSE:
        return "face lost"
    known = np.isfinite(a) & np.isfinite(p)
    around = (time >= time[part.start] - LONGEST_DELAY) & (
        time <= time[part.stop - 1] + LONGEST_DELAY
    )
    inside = np.zeros(len(time), bool)
    inside[part] = True
    corrected = {
        "bias": _removed(a, p, p - (p - a)[known].mean(), inside & known),
        "range": _removed(a, p, _scaled(a, p, known), inside & known),
        # include the surroundings: a shift must not only move the error out of the segment
        "delay": max(_removed(a, p, shifted, around & known) for shifted in _shifted(p, time)),
        "jump": _removed(a, p, _running_median(p, time), inside & known),
    }
    best = max(corrected, key=lambda cause: corrected[cause])
    return best if corrected[best] > MAIN_CAUSE else "other"


def _removed(a: Signal, p: Signal, corrected: Signal, part: NDArray[np.bool_]) -> float:
    """Share of the squared error that a correction removes; NaN leaves a frame as it is."""
    after = np.where(np.isfinite(corrected), corrected, p)[part] - a[part]
    return 1 - float((after**2).sum() / ((p - a)[part] ** 2).sum())


def _scaled(a: Signal, p: Signal, known: NDArray[np.bool_]) -> Signal:
    std = p[known].std()
    if std < 1e-6 or std >= a[known].std():
        return p
    mean = p[known].mean()
    scaled: Signal = mean + (p - mean) * a[known].std() / std
    return scaled


def _shifted(p: Signal, time: Signal) -> Iterator[Signal]:
    """The prediction shifted to earlier times, by each delay up to the longest."""
    for delay in np.arange(0.1, LONGEST_DELAY + 0.05, 0.1):
        yield np.interp(time + delay, time, p)


def _running_median(p: Signal, time: Signal) -> Signal:
    """Running median: removes movements shorter than half of its width."""
    step = float(np.median(np.diff(time))) if len(time) > 1 else 1.0
    half = max(1, round(MEDIAN_WIDTH / step / 2))
    padded = np.pad(p, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    median: Signal = np.median(windows, axis=-1)
    return median
