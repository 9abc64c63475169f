"""One recording: first find the face in all frames, then decode again and cut.

Two passes, since the crop of a frame depends on frames after it; only times, boxes and landmarks
are kept between them, so memory stays flat however long the video is.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import on_frames
from affectkit.errors import AffectkitError
from affectkit.faces import DETECTORS, Crop, crop_boxes, cut, load_detector
from affectkit.recording import (
    FACE_CHUNK,
    FULL_RANGE,
    make_recording,
    open_recording,
    save_recording,
)
from affectkit.video import VideoInfo, probe, read_frames

BATCH = 16  # frames decoded at once: 100 MB at 1080p

Progress = Callable[[str, int, int], None]  # recording, frames done, frames in all (0 = unknown)
Annotate = Callable[[], xr.Dataset]


@dataclass(frozen=True)
class Job:
    """What one recording is made of."""

    video: Path
    path: Path  # the recording to write
    attrs: dict[str, Any]  # dataset, subject, split
    annotate: Annotate | None
    annotation_files: tuple[str, ...]
    detector: str
    options: Mapping[str, Any]  # of the detector
    crop: Crop

    @property
    def name(self) -> str:
        """The recording's name."""
        return self.path.stem


@dataclass(frozen=True)
class Found:
    """What the first pass keeps."""

    time: NDArray[np.float64]
    box: NDArray[np.float32]
    landmark: NDArray[np.float32]


def silent(name: str, done: int, total: int) -> None:
    """The progress that shows nothing."""


def video_of(root: Path, row: pd.Series) -> Path:
    """The video of a row of an index; missing ones are reported when they are opened."""
    return root / str(row["video"]) if row["video"] else root / f"{row['recording']} (no video)"


def is_made(job: Job, *, own: bool = False) -> bool:
    """Whether the recording is there, made of the same files in the same way.

    Raises:
        AffectkitError: `own`, and the recording there is of another video.
    """
    if not job.path.exists():
        return False
    try:
        source = open_recording(job.path).attrs.get("source", {})
    except AffectkitError:
        return False
    if own and source.get("video") != str(job.video):
        raise AffectkitError(
            f"{job.path} is of another video ({source.get('video')}); "
            f"rename {job.video.name} or choose another folder"
        )
    return bool(source == _source(job))


def _source(job: Job) -> dict[str, Any]:
    annotation = [Path(path) for path in job.annotation_files]
    return {
        "video": str(job.video),
        "video_bytes": job.video.stat().st_size if job.video.is_file() else 0,
        "annotation": list(job.annotation_files),
        "annotation_bytes": sum(path.stat().st_size for path in annotation if path.is_file()),
        "detector": job.detector,
        "options": {key: str(value) for key, value in job.options.items()},
        "crop": asdict(job.crop),
    }


def make(job: Job, progress: Progress) -> None:
    """Make one recording, replacing what stands there.

    Raises:
        AffectkitError: the video or its annotation cannot be read, or there is no face in it.
    """
    info = probe(job.video)
    found = _find_faces(job, info, progress)
    crop_box = crop_boxes(found.landmark, found.time, job.crop)
    recording = _assemble(job, info, found, crop_box)
    save_recording(recording, job.path, faces=_faces(job, crop_box), overwrite=True)
    progress(job.name, len(found.time), len(found.time))


def _find_faces(job: Job, info: VideoInfo, progress: Progress) -> Found:
    detect = load_detector(job.detector, **job.options)
    parts, done = [], 0
    for time, rgb in read_frames(job.video, BATCH):
        parts.append((time, *detect(rgb)))
        done += len(time)
        # all frames are done when the recording is written, not before
        progress(job.name, min(done, info.frames - 1) if info.frames else done, info.frames)
    found = Found(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    if np.isnan(found.box).all():
        others = " or ".join(name for name in DETECTORS if name != job.detector)
        raise AffectkitError(
            f"{job.video}: no face found in {done} frames; try --detector {others}"
        )
    return found


def _assemble(job: Job, info: VideoInfo, found: Found, crop_box: NDArray[np.float32]) -> xr.Dataset:
    variables: dict[str, NDArray[Any]] = {
        "box": found.box,
        "landmark": found.landmark,
        "detected": np.asarray(np.isfinite(found.box).all(axis=1)),
        "crop_box": crop_box,
    }
    source = on_frames(job.annotate(), found.time) if job.annotate else xr.Dataset()
    variables |= {str(name): array.values for name, array in source.data_vars.items()}
    attrs = job.attrs | {
        "recording": job.name,
        "fps": info.fps,
        "video": str(job.video),
        "width": info.width,
        "height": info.height,
        "crop": asdict(job.crop),
        "source_range": source.attrs.get("source_range", FULL_RANGE),
        "history": f"affectkit {version('affectkit')} prepare, detector {job.detector}",
        "source": _source(job),
    }
    recording = make_recording(found.time, variables, attrs)
    return recording.assign_coords(rater=source["rater"]) if "rater" in source else recording


def _faces(job: Job, crop_box: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
    """The crops, in the chunks that they are stored in."""
    waiting = np.empty((0, job.crop.size, job.crop.size, 3), np.uint8)
    start = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the first pass has told what is wrong with the video
        for _, rgb in read_frames(job.video, BATCH):
            faces = cut(rgb, crop_box[start : start + len(rgb)], job.crop)
            start += len(rgb)
            waiting = np.concatenate([waiting, faces])
            while len(waiting) >= FACE_CHUNK:
                yield waiting[:FACE_CHUNK]
                waiting = waiting[FACE_CHUNK:]
    if len(waiting):
        yield waiting
