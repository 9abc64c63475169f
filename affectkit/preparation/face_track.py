"""The face of one person in all frames: detected and tracked in a video, or given by a dataset."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.faces import DETECTORS, load_detector
from affectkit.faces.people import SIDES, choose_person, find_people
from affectkit.faces.tracking import DETECT_EVERY, track_faces
from affectkit.files import StrPath
from affectkit.recording import POINTS
from affectkit.video import read_frames

# Frames decoded at once. Tracking keeps the frames between two detections as well: in all, 150 MB
# at 1080p.
BATCH = 4
Frames = Iterator[tuple[NDArray[np.float64], NDArray[np.uint8]]]
MIN_SHARE = 0.5  # of the annotated frames need a face from the dataset, else faces are detected


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """The face of one person in all frames of a video."""

    time: NDArray[np.float64]  # (frame) seconds
    box: NDArray[np.float32]  # (frame, edge) source pixels; NaN = no face
    landmark: NDArray[np.float32]  # (frame, point, axis) source pixels; NaN = no face
    detected: NDArray[np.bool_]  # (frame) whether the face was found in this frame
    score: NDArray[np.float32]  # (frame) of the detector; NaN = no face, tracked only, or given
    cuts: NDArray[np.int64]  # numbers of the frames at which a shot begins


def empty_track(time: NDArray[np.float64]) -> FaceTrack:
    """A track without a face in any frame."""
    box = np.full((len(time), 4), np.nan, np.float32)
    landmark = np.full((len(time), POINTS, 2), np.nan, np.float32)
    score = np.full(len(time), np.nan, np.float32)
    return FaceTrack(time, box, landmark, np.zeros(len(time), bool), score, np.empty(0, np.int64))


def find_person(
    video: StrPath,
    detector: str = "dlib",
    options: Mapping[str, Any] | None = None,
    person: str = "",
    *,
    stream: int | None = None,
    frames: Frames | None = None,
    detect_every: int = DETECT_EVERY,
    progress: Callable[[int], None] = lambda done: None,
) -> FaceTrack:
    """Detect and track one person in all frames of a video.

    The result depends only on the arguments, not on the machine's load. If the person is not in
    the video, a warning says so, and the track has no face in any frame.

    Args:
        video: a video file.
        detector: one of `affectkit.faces.DETECTORS`.
        options: keyword arguments of the detector.
        person: see `affectkit.faces.choose_person`.
        stream: number of the video stream in the file; by default the one that FFmpeg prefers.
        frames: batches of time and rgb to use instead of those of the video file.
        detect_every: number of frames from one detection to the next; faces are tracked between.
        progress: called with the number of frames done.

    Raises:
        AffectkitError: the video cannot be read, or the detector cannot be loaded.
    """
    video = Path(video)
    width = 0

    def reported_frames() -> Frames:
        nonlocal width
        done = 0
        for time, rgb in frames or read_frames(video, BATCH, stream=stream):
            width = rgb.shape[2]
            yield time, rgb
            done += len(time)
            progress(done)

    tracks = track_faces(
        reported_frames(), load_detector(detector, **(options or {})), detect_every=detect_every
    )
    people = find_people(tracks)
    chosen = choose_person(people, person, width)
    time = np.array(tracks.time, np.float64)
    if chosen is None:
        _warn_not_found(video, detector, person, people=len(people), frames=len(time))
        return empty_track(time)
    detected = np.asarray(np.isfinite(chosen.box).all(axis=1))
    return FaceTrack(time, chosen.box, chosen.landmark, detected, chosen.score, chosen.cuts)


def _warn_not_found(video: Path, detector: str, person: str, *, people: int, frames: int) -> None:
    if people and person in SIDES:
        text = f"the only person found is not on the {person}; the recording has no face"
    elif people:
        text = f"found {people} people, so there is no person {person}; the recording has no face"
    else:
        others = " or ".join(name for name in DETECTORS if name != detector)
        text = f"no face found in {frames} frames; try --detector {others}"
    warnings.warn(f"{video}: {text}", stacklevel=3)


def has_dataset_faces(annotations: xr.Dataset) -> bool:
    """Whether the dataset gives the face in most of the annotated frames."""
    known = _known_frames(annotations)
    annotated = annotations["annotation"].notnull().any("affect").values
    relevant = known[annotated] if annotated.any() else known
    return bool(len(relevant) and relevant.mean() > MIN_SHARE)


def has_dataset_crops(annotations: xr.Dataset) -> bool:
    """Whether the dataset gives crops instead of landmarks."""
    return "crop_box" in annotations and "landmark" not in annotations


def dataset_faces(annotations: xr.Dataset) -> FaceTrack:
    """The faces that the dataset gives, for annotations aligned to the frames.

    A frame counts as detected if the dataset gives its landmarks, or its crop.
    """
    track = empty_track(annotations["time"].values)
    detected = _known_frames(annotations)
    if "landmark" in annotations:
        track.landmark[detected] = annotations["landmark"].values[detected]
    track.box[detected] = _dataset_boxes(annotations)[detected]
    return replace(track, detected=detected)


def _dataset_boxes(annotations: xr.Dataset) -> NDArray[np.float32]:
    if has_dataset_crops(annotations):
        return np.asarray(annotations["crop_box"].values, np.float32)
    points = annotations["landmark"].values
    around = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
    box = annotations["box"].values if "box" in annotations else around
    return np.asarray(np.where(np.isfinite(box), box, around), np.float32)  # a box may be missing


def _known_frames(annotations: xr.Dataset) -> NDArray[np.bool_]:
    """(frame) whether all landmarks are given, or the crop of a dataset without landmarks."""
    name = "crop_box" if has_dataset_crops(annotations) else "landmark"
    if name not in annotations:
        return np.zeros(annotations.sizes["frame"], bool)
    values = annotations[name].values.reshape(annotations.sizes["frame"], -1)
    known = np.isfinite(values).all(axis=1)
    if "still" in annotations:
        known &= annotations["still"].values != ""
    return np.asarray(known)
