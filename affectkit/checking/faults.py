"""What is wrong with a recording by itself, and what is good to know about it."""

from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.checking.facts import Case, odd_intervals
from affectkit.checking.report import Finding
from affectkit.checking.seeing import Seen

SLACK = 1.0  # seconds that moments may go on behind the last frame, or end before it

Fault = tuple[str, str, str]  # kind, file, text


def findings(case: Case) -> list[Finding]:
    """Everything that must be mended, or left out."""
    name = str(case.row["recording"])
    faults = [*_video_faults(case), *_label_faults(case), *_length_faults(case)]
    return [Finding(kind, name, file, text) for kind, file, text in faults]


def notes(case: Case) -> list[Finding]:
    """What is allowed and read right, but good to know."""
    name = str(case.row["recording"])
    return [Finding(kind, name, file, text) for kind, file, text in _oddities(case)]


def _video_faults(case: Case) -> Iterator[Fault]:
    video, seen = str(case.row["video"]), case.seen
    if seen is None:
        return
    if seen.error:
        yield "unreadable video", video, seen.error
    for text in seen.warnings:
        yield (
            "faulty video",
            video,
            f"{text}; get it again, or see what affectkit doctor says of it",
        )
    if seen.bad:
        yield (
            "unreadable picture",
            f"{video}/{seen.bad[0]}",
            f"{len(seen.bad)} of {seen.announced} pictures cannot be read, this is the first; "
            "get them again",
        )
    if seen.time is not None and len(odd_intervals(seen.time)):
        yield "variable frame rate", video, _unevenness(seen.time)


def _unevenness(time: NDArray[np.float64]) -> str:
    steps, odd = np.diff(time), odd_intervals(time)
    off = np.abs(time - np.linspace(time[0], time[-1], len(time))).max()
    low, high = (f"{step * 1000:.1f}" for step in (odd.min(), odd.max()))
    return (
        f"expected {np.median(steps) * 1000:.1f} ms between frames, got "
        f"{low if low == high else f'{low} to {high}'} ms at {len(odd)} of {len(steps)}; "
        f"use the stored times: k / fps is off by up to {off:.2f} s (affectkit doctor tells more)"
    )


def _label_faults(case: Case) -> Iterator[Fault]:
    if case.unreadable:
        yield "unreadable annotation", case.file, case.unreadable
    if case.misplaced:
        yield "annotation beside its video", case.file, case.misplaced
    reach = 0.0 if case.known is None else float(np.abs(case.known["annotation"]).max())
    if reach > 1:
        yield (
            "label out of range",
            case.file,
            f"expected labels in [-1, 1], got {reach:g}; correct the file",
        )


def _length_faults(case: Case) -> Iterator[Fault]:
    if case.known is None or case.placed is None:
        return
    frames = case.placed.sizes["frame"]
    if "sample" in case.known.dims and (over := _over(case.known, case.placed)) > SLACK:
        wrong = f"goes on for {over:.1f} s behind the last frame; is it of this video?"
        yield "annotation too long", case.file, wrong
    if "frame" in case.known.dims:
        lines, announced = _lines(case.known), (case.seen or Seen()).announced
        # where the video is cut short, that is said already
        explained = announced > frames and abs(lines - announced) <= 1
        if lines - frames > 1 and not explained:
            yield "annotation too long", case.file, _counts(frames, lines)
        # who names frames may leave some out
        if frames - lines > 1 and case.known.sizes["frame"] == lines:
            yield "annotation too short", case.file, _counts(frames, lines)


def _counts(frames: int, lines: int) -> str:
    return f"expected {frames} frames as the video has, got {lines}; is it of this video?"


def _lines(known: xr.Dataset) -> int:
    """Frames from 0 to the last that is named."""
    return int(known["frame"].max()) + 1 if known.sizes["frame"] else 0


def _over(known: xr.Dataset, placed: xr.Dataset) -> float:
    """Seconds that moments go on behind the last frame; negative where they end before it."""
    times = [part["time"].values for part in (known, placed)]
    return float(times[0].max() - times[1].max()) if all(map(len, times)) else 0.0


def _oddities(case: Case) -> Iterator[Fault]:
    known, placed = case.known, case.placed
    if known is not None and not known["annotation"].notnull().any():
        yield "no valid label", case.file, "nothing to learn or score; used for predictions only"
    if known is not None and "still" in known and (known["still"] == "").any():
        lost = int((known["still"] == "").sum())
        yield "frames without picture", case.file, f"{lost} of {known.sizes['frame']}"
    if known is None or placed is None:
        return
    if "frame" in known.dims and _lines(known) == placed.sizes["frame"] + 1:
        yield "one label more than frames", case.file, "the last one is left out"
    if "sample" in known.dims and (over := _over(known, placed)) < -SLACK:
        yield "annotation ends early", case.file, f"{-over:.1f} s before the video does"
