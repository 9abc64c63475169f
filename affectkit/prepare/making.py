"""One recording: first find the face in all frames, then read them again and cut.

Two passes, since the crop of a frame depends on frames after it; only times, boxes and landmarks
are kept between them, so memory stays flat however long the video is.
"""

import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr
from filelock import FileLock
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.faces import Crop, crop_boxes, cut
from affectkit.faces.crop import GIVEN
from affectkit.prepare.finding import Found
from affectkit.prepare.footage import Footage, open_footage
from affectkit.prepare.given import brings_faces, is_cut, take_faces
from affectkit.prepare.job import Job, Outcome, Progress
from affectkit.prepare.labelling import label, relabel
from affectkit.prepare.source import State, describe, state
from affectkit.recording import FACE_CHUNK, open_recording, save_recording

BYTES = 1000  # of a frame, all but its pixels


@dataclass(frozen=True, eq=False)
class _Faces:
    """Where the face is in all frames, and who says so."""

    found: Found
    crop_box: NDArray[np.float32]
    crop: Crop
    given: bool  # by the dataset


def attempt(job: Job, progress: Progress) -> Outcome:
    """Make a recording, or say why it cannot be made; only what `progress` raises goes through."""
    error, frames, stopped = "", 0, False

    def report(*state: Any) -> None:  # noqa: ANN401
        nonlocal stopped
        stopped = True
        progress(*state)
        stopped = False

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frames = make(job, report)
        except Exception as failure:  # one file of a kind nobody has met must not stop the others
            if stopped:
                raise
            error = _reason(job, failure)
    told = tuple(str(warning.message) for warning in caught)
    return Outcome(job.name, frames, " ".join(error.split()), told)


def _reason(job: Job, failure: Exception) -> str:
    if isinstance(failure, AffectkitError):
        return str(failure)
    if isinstance(failure, OSError) and failure.strerror:
        place = failure.filename or job.path
        return f"{place}: {failure.strerror}; what is made is kept: run again when that is mended"
    return f"{job.video}: {type(failure).__name__}: {failure}"


def make(job: Job, progress: Progress) -> int:
    """Make one recording, replacing what stands there; nothing where it is made already.

    Waits where another process is at it: a cluster may believe a worker lost that is not.

    Returns:
        The number of its frames.

    Raises:
        AffectkitError: the video or its annotation cannot be read.
    """
    job.path.parent.mkdir(parents=True, exist_ok=True)
    lock = job.path.with_name(f".{job.name}.lock")
    with FileLock(lock):
        try:
            standing = state(job)
            if standing is State.ABSENT or (standing is State.RELABEL and not relabel(job)):
                _make_anew(job, progress)
        finally:
            lock.unlink(missing_ok=True)
    return open_recording(job.path).sizes["frame"]


def _make_anew(job: Job, progress: Progress) -> None:
    annotations = job.annotate() if job.annotate else None
    footage = open_footage(job, annotations)
    _check_room(job, footage.frames)

    def tell(passes: int, done: int, total: int) -> None:
        # a frame is half done after the first pass; all are when the recording is written
        share = (passes * total + done) // 2
        progress(job.name, min(share, total - 1) if total else share, total)

    faces, placed = _look(job, footage, annotations, lambda done: tell(0, done, footage.frames))
    if placed is not None and "still" in placed:  # what is not there cannot be cut
        faces.crop_box[placed["still"].values == ""] = np.nan
    variables = {
        "box": faces.found.box,
        "landmark": faces.found.landmark,
        "detected": faces.found.detected,
        "crop_box": faces.crop_box,
    }
    about = {
        "fps": footage.fps,
        "video": str(job.video),
        "width": footage.width,
        "height": footage.height,
        "crop": asdict(faces.crop),
        "history": f"affectkit {version('affectkit')} prepare, faces "
        + ("as the dataset gives them" if faces.given else f"by {job.detector}"),
        "source": describe(job) | {"given": faces.given},
    }
    count = len(faces.found.time)
    pictures = _cut_all(footage, faces, lambda done: tell(1, done, count))
    recording = label(job, faces.found.time, variables, placed, about)
    save_recording(recording, job.path, faces=pictures, overwrite=True)


def _check_room(job: Job, frames: int) -> None:
    """Refuse before hours of work what the disk cannot hold.

    Raises:
        AffectkitError: it cannot.
    """
    out = job.path.parent
    needed, free = frames * (3 * job.crop.size**2 + BYTES), shutil.disk_usage(out).free
    if needed > free:
        raise AffectkitError(
            f"{out}: {needed / 1e6:,.0f} MB are needed for {frames} frames and {free / 1e6:,.0f} "
            "are free; make room, or choose another folder, and run again: what is made is kept"
        )


def _look(
    job: Job,
    footage: Footage,
    annotations: xr.Dataset | None,
    tell: Callable[[int], None],
) -> tuple[_Faces, xr.Dataset | None]:
    """Take the faces that the dataset brings, or look for them; lay down the annotation."""
    if annotations is None:
        return _detected(job, footage.find(tell)), None
    if not job.detect and {"landmark", "crop_box"} & set(annotations.data_vars):
        placed = footage.place(annotations, footage.times())
        if brings_faces(placed):
            return _given(job, placed), placed
    faces = _detected(job, footage.find(tell))
    return faces, footage.place(annotations, faces.found.time)


def _detected(job: Job, found: Found) -> _Faces:
    if job.crop.alignment == GIVEN:
        raise AffectkitError(
            f"{job.video} brings no crops of its own, as the crop contract asks for (alignment "
            f"{GIVEN!r}): what was trained on a dataset's own crops cannot be used on it"
        )
    return _Faces(
        found, crop_boxes(found.landmark, found.time, job.crop, found.cuts), job.crop, False
    )


def _given(job: Job, placed: xr.Dataset) -> _Faces:
    found = take_faces(placed)
    if is_cut(placed):
        return _Faces(found, found.box, replace(job.crop, alignment=GIVEN), given=True)
    return replace(_detected(job, found), given=True)


def _cut_all(
    footage: Footage, faces: _Faces, tell: Callable[[int], None]
) -> Iterator[NDArray[np.uint8]]:
    """The crops, in the chunks that they are stored in."""
    size = faces.crop.size
    waiting = np.empty((0, size, size, 3), np.uint8)
    start = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the first pass has told what is wrong with the video
        for pictures in footage.read():
            here = slice(start, start + len(pictures))
            waiting = np.concatenate([waiting, cut(pictures, faces.crop_box[here], faces.crop)])
            start += len(pictures)
            while len(waiting) >= FACE_CHUNK:
                yield waiting[:FACE_CHUNK]
                waiting = waiting[FACE_CHUNK:]
            tell(start)
    if len(waiting):
        yield waiting
