"""The first pass over a video: follow all faces, and choose the person."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectkit.faces import DETECTORS, load_detector
from affectkit.faces.people import choose_person, find_people
from affectkit.faces.tracking import EVERY, follow
from affectkit.recording import POINTS
from affectkit.video import probe, read_frames

BATCH = 16  # frames decoded at once: 100 MB at 1080p
FEW = 4  # the same where those between two key frames are kept besides: 150 MB at 1080p in all


@dataclass(frozen=True, eq=False)
class Found:
    """One person in all frames of a video."""

    time: NDArray[np.float64]  # (frame) in seconds
    box: NDArray[np.float32]  # (frame, edge) in source pixels; NaN = no face
    landmark: NDArray[np.float32]  # (frame, point, axis) in source pixels; NaN = no face
    detected: NDArray[np.bool_]  # (frame): found on this very frame
    cuts: NDArray[np.int64]  # frames at which a shot begins, as `crop_boxes` takes them


def find_person(
    video: Path,
    detector: str = "dlib",
    options: Mapping[str, Any] | None = None,
    person: str = "",
    *,
    every: int = EVERY,
    progress: Callable[[int], None] | None = None,
) -> Found:
    """Find one person in all frames of a video.

    The result depends on the video, the detector and `every` only. Where the person is not in the
    video, a warning says so, box and landmark are NaN and detected is False all over.

    Args:
        video: a file.
        detector: one of `affectkit.faces.DETECTORS`.
        options: of the detector.
        person: "left" or "right" in the picture, of two people; "" for the viewer, whose face takes
            most area.
        every: frames from one look of the detector to the next.
        progress: called with the frames done.

    Raises:
        AffectkitError: the video cannot be read, or the detector cannot be had.
    """
    frames = _counted(video, progress or (lambda done: None))
    followed = follow(frames, load_detector(detector, **(options or {})), every=every)
    people = find_people(followed)
    chosen = choose_person(people, person, probe(video).width)
    time = np.array(followed.time, np.float64)
    if chosen is None:
        _warn(video, detector, person, people=len(people), frames=len(time))
        box = np.full((len(time), 4), np.nan, np.float32)
        landmark = np.full((len(time), POINTS, 2), np.nan, np.float32)
        return Found(time, box, landmark, np.zeros(len(time), bool), np.empty(0, np.int64))
    detected = np.asarray(np.isfinite(chosen.box).all(axis=1))
    return Found(time, chosen.box, chosen.landmark, detected, chosen.cuts)


def _counted(
    video: Path, progress: Callable[[int], None]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.uint8]]]:
    done = 0
    for time, rgb in read_frames(video, FEW):
        yield time, rgb
        done += len(time)
        progress(done)


def _warn(video: Path, detector: str, person: str, *, people: int, frames: int) -> None:
    if people:
        text = f"the one person found is not on the {person}; all its frames are left without face"
    else:
        others = " or ".join(name for name in DETECTORS if name != detector)
        text = f"no face found in {frames} frames; try --detector {others}"
    warnings.warn(f"{video}: {text}", stacklevel=3)
