"""Create one recording: find the face in all frames, then read the frames again and crop them.

There are two passes because the crop of a frame depends on later frames. Only times, boxes and
landmarks are kept between them, so memory does not grow with the length of the video.
"""

import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.faces import Crop, crop_boxes, extract_crops
from affectkit.faces.crop import DATASET_CROPS
from affectkit.files import file_lock
from affectkit.parallel import Progress, no_progress
from affectkit.preparation.annotate import annotate, replace_annotation
from affectkit.preparation.face_track import (
    FaceTrack,
    dataset_faces,
    has_dataset_crops,
    has_dataset_faces,
)
from affectkit.preparation.readers import Reader, open_reader
from affectkit.preparation.tasks import (
    RecordingStatus,
    RecordingTask,
    TaskResult,
    provenance,
    recording_status,
)
from affectkit.recording import FACE_CHUNK, open_recording, save_recording

BYTES_PER_FRAME = 1000  # without the pixels


@dataclass(frozen=True, eq=False)
class _CroppedTrack:
    """A face track with its crops."""

    track: FaceTrack
    crop_box: NDArray[np.float32]  # (frame, edge)
    crop: Crop
    from_dataset: bool  # the faces are those of the dataset


def run_task(task: RecordingTask, progress: Progress = no_progress) -> TaskResult:
    """Create a recording; errors and warnings are returned. Only `progress` can raise."""
    error, frames, progress_raised = "", 0, False

    def report(*state: Any) -> None:  # noqa: ANN401
        nonlocal progress_raised
        progress_raised = True
        progress(*state)
        progress_raised = False

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frames = create_recording(task, report)
        except Exception as failure:  # an unexpected error in one file must not stop the others
            if progress_raised:
                raise
            error = _error_message(task, failure)
    texts = tuple(dict.fromkeys(str(warning.message) for warning in caught))
    return TaskResult(task.name, frames, " ".join(error.split()), texts)


def _error_message(task: RecordingTask, failure: Exception) -> str:
    if isinstance(failure, AffectkitError):
        return str(failure)
    if isinstance(failure, OSError) and failure.strerror:
        path = failure.filename or task.path
        return f"{path}: {failure.strerror}; fix this and run again: finished recordings are kept"
    return f"{task.video}: {type(failure).__name__}: {failure}"


def create_recording(task: RecordingTask, progress: Progress = no_progress) -> int:
    """Create or update one recording, unless it is up to date.

    Waits if another process is creating it: a cluster may run a task again although its worker
    only lost the connection.

    Returns:
        The number of its frames.

    Raises:
        AffectkitError: the video or its annotation cannot be read, or there is something else at
            the path of the recording.
    """
    task.path.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(task.path.with_name(f".{task.name}.lock")):
        status = recording_status(task)
        if status is RecordingStatus.DAMAGED:
            warnings.warn(
                f"{task.path} is damaged, or another version of affectkit wrote it; it is created "
                "again",
                stacklevel=2,
            )
        if status in (RecordingStatus.MISSING, RecordingStatus.DAMAGED) or (
            status is RecordingStatus.ANNOTATION_CHANGED and not replace_annotation(task)
        ):
            _create(task, progress)
    return open_recording(task.path).sizes["frame"]


def _create(task: RecordingTask, progress: Progress) -> None:
    annotations = task.read_annotations() if task.read_annotations else None
    reader = open_reader(task, annotations)
    check_free_space(task.path.parent, reader.frames, task.crop.size)

    def report(passes: int, done: int, total: int) -> None:
        # a frame counts half after the first pass; all count when the recording is written
        count = (passes * total + done) // 2
        progress(task.name, min(count, total - 1) if total else count, total)

    faces, aligned = _find_faces(task, reader, annotations, lambda n: report(0, n, reader.frames))
    if aligned is not None and "still" in aligned:  # a missing picture has no crop
        faces.crop_box[aligned["still"].values == ""] = np.nan
    track = faces.track
    variables = {
        "box": track.box,
        "landmark": track.landmark,
        "detected": track.detected,
        "crop_box": faces.crop_box,
    }
    if not faces.from_dataset:
        variables["confidence"] = track.score
    attrs = {
        "fps": reader.fps,
        "video": str(task.video),
        "width": reader.width,
        "height": reader.height,
        "crop": asdict(faces.crop),
        "history": f"affectkit {version('affectkit')} prepare, faces "
        + ("from the dataset" if faces.from_dataset else f"by {task.detector}"),
        "source": provenance(task) | {"given": faces.from_dataset},
    }
    crops = _read_crops(reader, faces, lambda n: report(1, n, len(track.time)))
    recording = annotate(task, track.time, variables, aligned, attrs)
    save_recording(recording, task.path, faces=crops, overwrite=True)


def check_free_space(out: Path, frames: int, size: int) -> None:
    """Check that a recording with crops of `size` pixels fits on the disk, before hours of work.

    Raises:
        AffectkitError: there is not enough free space.
    """
    needed = frames * (3 * size**2 + BYTES_PER_FRAME)
    free = shutil.disk_usage(out).free
    if needed > free:
        raise AffectkitError(
            f"{out}: {frames} frames need {needed / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free; "
            "free some space or choose another folder, and run again: finished recordings are kept"
        )


def _find_faces(
    task: RecordingTask,
    reader: Reader,
    annotations: xr.Dataset | None,
    progress: Callable[[int], None],
) -> tuple[_CroppedTrack, xr.Dataset | None]:
    """Take the faces from the dataset, or detect them; align the annotations to the frames."""
    if annotations is None:
        faces = _crop(task, reader.find_face(progress))
        return faces, reader.align(None, faces.track.time)
    if not task.detect and {"landmark", "crop_box"} & set(annotations.data_vars):
        aligned = reader.align(annotations, reader.times())
        if aligned is not None and has_dataset_faces(aligned):
            return _crop_dataset_faces(task, aligned), aligned
    faces = _crop(task, reader.find_face(progress))
    return faces, reader.align(annotations, faces.track.time)


def _crop(task: RecordingTask, track: FaceTrack) -> _CroppedTrack:
    if task.crop.alignment == DATASET_CROPS:
        raise AffectkitError(
            f"{task.video} comes without crops, but the crop settings (alignment "
            f"{DATASET_CROPS!r}) need those of a dataset: a run that was trained on the crops of a "
            "dataset cannot be used for other videos"
        )
    crop_box = crop_boxes(track.landmark, track.time, task.crop, track.cuts)
    return _CroppedTrack(track, crop_box, task.crop, from_dataset=False)


def _crop_dataset_faces(task: RecordingTask, aligned: xr.Dataset) -> _CroppedTrack:
    track = dataset_faces(aligned)
    if has_dataset_crops(aligned):
        crop = replace(task.crop, alignment=DATASET_CROPS)
        return _CroppedTrack(track, track.box, crop, from_dataset=True)
    return replace(_crop(task, track), from_dataset=True)


def _read_crops(
    reader: Reader, faces: _CroppedTrack, progress: Callable[[int], None]
) -> Iterator[NDArray[np.uint8]]:
    """The crops (frame, row, col, channel), in the chunks that they are stored in."""
    size = faces.crop.size
    crops = np.empty((0, size, size, 3), np.uint8)
    done = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the first pass has issued the warnings about the video
        for pictures in reader.read():
            boxes = faces.crop_box[done : done + len(pictures)]
            crops = np.concatenate([crops, extract_crops(pictures, boxes, faces.crop)])
            done += len(pictures)
            while len(crops) >= FACE_CHUNK:
                yield crops[:FACE_CHUNK]
                crops = crops[FACE_CHUNK:]
            progress(done)
    if len(crops):
        yield crops
