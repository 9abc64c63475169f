"""The task of creating one recording, and whether an existing recording is up to date.

Files are compared by content, not by path or date, so a dataset that is moved or copied is not
prepared again, and an edit that keeps the size of a file is noticed. A video may have
gigabytes, so only its size, start and end are compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum, auto
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from affectkit.datasets import LabelFormat
from affectkit.errors import AffectkitError, NewerVersionError
from affectkit.faces import Crop
from affectkit.files import check_replaceable
from affectkit.recording import is_recording, open_recording

END = 1 << 16  # bytes at the start and the end of a video; its index is in one of them
VIDEO_KEYS = ("video_bytes", "video_ends")
PATH_KEYS = ("video", "annotation")
ANNOTATION_KEYS = ("annotation_sha256", "labels")


@dataclass(frozen=True)
class RecordingTask:
    """The inputs and settings of one recording; can be sent to another process."""

    video: Path  # or the folder of its pictures
    path: Path  # of the recording
    attrs: dict[str, Any]  # dataset, subject, split
    read_annotations: Callable[[], xr.Dataset] | None  # None = there is no annotation
    annotation_files: tuple[str, ...]
    fps: float  # of pictures without time stamps; NaN = unknown
    person: str  # of the video, see `affectkit.faces.choose_person`
    detector: str
    options: Mapping[str, Any]  # of the detector
    crop: Crop
    detect: bool  # detect faces even if the dataset has landmarks or crops
    labels: LabelFormat = field(default_factory=LabelFormat)  # of the annotation
    stream: int | None = None  # number of the video stream in the file; None = by FFmpeg

    @property
    def name(self) -> str:
        """The name of the recording."""
        return self.path.stem


class TaskResult(NamedTuple):
    """The result of a `RecordingTask`."""

    name: str
    frames: int
    error: str  # "" = the recording is written
    warnings: tuple[str, ...]


class RecordingStatus(Enum):
    """What has to be done before the recording of a task is up to date."""

    MISSING = auto()  # or created with other faces or crops: create it
    DAMAGED = auto()  # or of another version of affectkit: create it
    ANNOTATION_CHANGED = auto()  # or the paths of the files: keep the faces
    UP_TO_DATE = auto()


def provenance(task: RecordingTask, old: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The attribute `source` of the recording of a task: its input files and settings.

    Args:
        task: how to create the recording.
        old: the attribute of the existing recording. If the video was deleted since, its entries
            about the video are kept.
    """
    source = {
        "video": str(task.video),
        "video_bytes": task.video.stat().st_size if task.video.is_file() else 0,
        "video_ends": _hash_ends(task.video) if task.video.exists() else "",
        "annotation": list(task.annotation_files),
        "annotation_sha256": [_hash_file(Path(path)) for path in task.annotation_files],
        "labels": {key: str(value) for key, value in asdict(task.labels).items()},
        "stream": task.stream,
        "person": task.person,
        "detector": task.detector,
        "options": {key: str(value) for key, value in sorted(task.options.items())},
        "crop": asdict(task.crop),
        "detect": task.detect,
    }
    if old and not task.video.exists():
        source |= {key: old[key] for key in ("video", *VIDEO_KEYS) if key in old}
    return source


def recording_status(task: RecordingTask) -> RecordingStatus:
    """Compare the existing recording, if there is one, with its task.

    Raises:
        AffectkitError: the recording is of another video, a newer affectkit wrote it, or there is
            something else at its path.
    """
    check_replaceable(task.path, is_recording)
    if not task.path.exists():
        return RecordingStatus.MISSING
    try:
        attrs = open_recording(task.path).attrs
    except NewerVersionError:
        raise
    except AffectkitError:
        return RecordingStatus.DAMAGED
    old = stored_source(attrs)
    new = provenance(task, old)
    changed = {key for key in new if old.get(key) != new[key]}
    if "video" in changed and changed & set(VIDEO_KEYS):
        raise AffectkitError(
            f"{task.path} is the recording of another video ({attrs['video']}); rename "
            f"{task.video.name}, choose another output folder, or remove this recording"
        )
    if changed - {*PATH_KEYS, *ANNOTATION_KEYS}:
        return RecordingStatus.MISSING
    if changed or attrs | task.attrs != attrs:
        return RecordingStatus.ANNOTATION_CHANGED
    return RecordingStatus.UP_TO_DATE


def stored_source(attrs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attribute `source` of a recording; empty if `prepare` has not made it."""
    source = attrs.get("source")
    return source if isinstance(source, dict) else {}


def _hash_ends(path: Path) -> str:
    """A hash of both ends of a file, or of the names and sizes of the files in a folder."""
    if path.is_dir():
        entries = sorted((each.name, each.stat().st_size) for each in path.iterdir())
        return sha256(repr(entries).encode()).hexdigest()
    with path.open("rb") as file:
        digest = sha256(file.read(END))
        file.seek(max(END, path.stat().st_size - END))
        digest.update(file.read())
    return digest.hexdigest()


def _hash_file(path: Path) -> str:
    if not path.is_file():
        return ""
    stat = path.stat()
    return _hash_content(path, stat.st_size, stat.st_mtime_ns)


@cache  # one file may contain the annotations of thousands of recordings
def _hash_content(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return sha256(file.read()).hexdigest()
