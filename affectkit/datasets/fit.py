"""Whether an annotation and a video can belong together; `check` and `prepare` both ask this."""

from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.annotation import align_to_frames

TOLERANCE = 1.0  # seconds by which samples may end after the last frame, or before it
TOO_LONG = 2.0  # labels that last this many times the video are not labels of this video
TOO_SHORT = 0.1  # labels with too high a rate that last only this fraction of the video
TOO_MANY = 500.0  # labels per second; nobody rates that fast
SAME_LENGTH = (0.5, 1.1)  # length of the labels by the length of the video, in the right unit
SAME_TIME = 0.3  # of the interval between two frames
UNITS = {"s": "seconds", "ms": "milliseconds", "frames": "frame numbers"}

Array = NDArray[np.float64]


class Severity(Enum):
    """What a misfit means."""

    IMPOSSIBLE = auto()  # they cannot belong together; `prepare` refuses them
    PROBLEM = auto()  # to correct; `prepare` warns of it
    NOTE = auto()  # handled correctly, but worth knowing


class Misfit(NamedTuple):
    """One way in which an annotation and a video differ."""

    kind: str
    text: str
    severity: Severity


class Fit(NamedTuple):
    """An annotation aligned to the frames of a video, and what does not fit."""

    aligned: xr.Dataset
    misfits: list[Misfit]


def fit_to_video(annotations: xr.Dataset, time: Array, header_frames: int = 0) -> Fit:
    """Align an annotation to the decoded frames of its video, and compare the two.

    Compared are the span of the labels, their rate, the first one, and their count. If a table
    does not say whether its first frame is 0 or 1, the video decides.

    Args:
        annotations: the Dataset that a loader returns.
        time: (frame) seconds, the time stamps of all decoded frames.
        header_frames: number of frames according to the file header; 0 = unknown. A video that is
            cut short does not count as too short for its labels.
    """
    annotations, misfits = _count_from_zero(annotations, time)
    aligned = align_to_frames(annotations, time)
    if not len(time):
        return Fit(aligned, misfits)
    if "sample" in annotations.dims and annotations.sizes["sample"]:
        misfits += _compare_times(annotations, aligned, header_frames)
    if "frame" in annotations.dims and annotations.sizes["frame"]:
        misfits += _compare_numbers(annotations, aligned, header_frames)
    return Fit(aligned, misfits)


def _count_from_zero(annotations: xr.Dataset, time: Array) -> tuple[xr.Dataset, list[Misfit]]:
    """Find out whether the first frame of a table is 0 or 1, if nobody has said so."""
    if annotations.attrs.get("first_frame", 0) != "" or "frame" not in annotations.dims:
        return annotations, []
    frame = annotations["frame"].values
    if not len(frame) or frame.min() == 0:
        return annotations, []
    first = _first_by_time(annotations, time)
    span = f"the frame numbers are {frame.min()} to {frame.max()}"
    reason = "the times beside them show that they begin at 1"
    if first is None and frame.min() == 1:
        if frame.max() != len(time):
            text = f"{span}; they are counted from 0: confirm with --first-frame 0, or correct by 1"
            return annotations, [Misfit("first frame unclear", text, Severity.PROBLEM)]
        first, reason = 1, f"the video has {len(time)} frames"
    if first != 1:
        return annotations, []
    text = f"{span} and {reason}: they are counted from 1; confirm with --first-frame 1"
    shifted = annotations.assign_coords(frame=frame - 1)
    return shifted, [Misfit("frames counted from 1", text, Severity.PROBLEM)]


def _first_by_time(annotations: xr.Dataset, time: Array) -> int | None:
    """The number of the first frame by a column of times; None if it does not say."""
    if "time" not in annotations.coords or len(time) < 2:
        return None
    frame, seconds = annotations["frame"].values, annotations["time"].values
    known = np.isfinite(seconds) & (frame >= 1) & (frame < len(time))
    if not known.any():
        return None
    limit = SAME_TIME * float(np.median(np.diff(time)))
    for first in (0, 1):
        if np.median(np.abs(time[frame[known] - first] - seconds[known])) < limit:
            return first
    return None


def _compare_times(
    annotations: xr.Dataset, aligned: xr.Dataset, header_frames: int
) -> Iterator[Misfit]:
    at, time = annotations["time"].values, aligned["time"].values
    end = _end(time, header_frames)
    first, last = float(at.min()), float(at.max())
    step = float(np.median(np.diff(at))) if len(at) > 1 else np.inf
    text = f"labels from {first:g} to {last:g} s, but the video ends at {end:.2f} s"
    unit = _fitting_unit(annotations, last, time, end)
    if step < 1 / TOO_MANY and last < TOO_SHORT * end:
        text = f"{text}, and {1 / step:.0f} labels per second{unit}"
        yield Misfit("impossible rate of labels", text, Severity.IMPOSSIBLE)
    elif last > TOO_LONG * end + TOLERANCE or first > end + TOLERANCE:
        text = f"{text}{unit or _offset(first, last, end)}"
        kind = "outside the video" if first > end else "too long"
        yield Misfit(f"annotation {kind}", text, Severity.IMPOSSIBLE)
    elif _none_aligned(annotations, aligned):
        yield _outside(annotations, aligned)
    elif last - end > TOLERANCE:
        text = f"ends {last - end:.1f} s after the last frame; does it belong to this video?"
        yield Misfit("annotation too long", text, Severity.PROBLEM)
    elif float(time[-1]) - last > TOLERANCE and not _held(annotations):
        text = f"{float(time[-1]) - last:.1f} s before the end of the video"
        yield Misfit("annotation ends early", text, Severity.NOTE)


def _compare_numbers(
    annotations: xr.Dataset, aligned: xr.Dataset, header_frames: int
) -> Iterator[Misfit]:
    lines = int(annotations["frame"].max()) + 1
    frames, time = aligned.sizes["frame"], aligned["time"].values
    text = f"expected {frames} frames as in the video, got {lines}"
    cut_short = header_frames > frames and abs(lines - header_frames) <= 1
    if lines > TOO_LONG * max(frames, header_frames) + 1:
        unit = _fitting_unit(annotations, lines - 1, time, _end(time, header_frames))
        text = f"{text}{unit or '; it is for another video'}"
        yield Misfit("annotation too long", text, Severity.IMPOSSIBLE)
    elif _none_aligned(annotations, aligned):
        yield _outside(annotations, aligned)
    elif lines - frames > 1 and not cut_short:
        text = f"{text}; is it for this video?"
        yield Misfit("annotation too long", text, Severity.PROBLEM)
    elif lines - frames == 1:
        yield Misfit("one label more than frames", "the last label is ignored", Severity.NOTE)
    # frame numbers may have gaps, and the last label may be held
    elif frames - lines > 1 and annotations.sizes["frame"] == lines and not _held(annotations):
        text = f"{text}; is it for this video?"
        yield Misfit("annotation too short", text, Severity.PROBLEM)


def _held(annotations: xr.Dataset) -> bool:
    return bool(annotations.attrs.get("between") == "hold")


def _end(time: Array, header_frames: int) -> float:
    """When the video ends, also if it is cut short."""
    return float(time[-1]) * max(1.0, header_frames / len(time))


def _none_aligned(annotations: xr.Dataset, aligned: xr.Dataset) -> bool:
    given = bool(annotations["annotation"].notnull().any())
    return given and bool(aligned["annotation"].isnull().all())


def _outside(annotations: xr.Dataset, aligned: xr.Dataset) -> Misfit:
    count = int(annotations["annotation"].notnull().any("affect").sum())
    first, last = aligned["time"].values[[0, -1]]
    text = (
        f"none of the {count} annotated rows belongs to one of the {aligned.sizes['frame']} frames "
        f"of the video ({first:.2f} to {last:.2f} s); check that the annotation is of this video"
    )
    return Misfit("annotation outside the video", text, Severity.IMPOSSIBLE)


def _fitting_unit(annotations: xr.Dataset, last: float, time: Array, end: float) -> str:
    """Which unit of a table of the user fits the video: the option for it, or ""."""
    unit = annotations.attrs.get("time_unit", "")
    per_second = {"s": 1.0, "ms": 1000.0, "frames": len(time) / max(float(time[-1]), 1e-6)}
    per_second["min"] = 1 / 60
    if unit not in per_second:
        return ""
    number = last if unit == "frames" else last * per_second[unit]
    for other in UNITS:
        share = number / per_second[other] / max(end, 1e-6)
        if other != unit and SAME_LENGTH[0] <= share <= SAME_LENGTH[1]:
            return f"; as {UNITS[other]} they would fit: --time-unit {other}"
    return ""


def _offset(first: float, last: float, end: float) -> str:
    if first > end and SAME_LENGTH[0] <= (last - first) / max(end, 1e-6) <= SAME_LENGTH[1]:
        return f"; they last as long as the video: subtract {first:g} s from the times"
    return "; check that the annotation is of this video"
