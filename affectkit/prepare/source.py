"""What a recording was made from: by this it is known what need not be made again.

Files are known by their content, not by their place or date, so that neither moving nor copying a
dataset makes anything again, and an edit that keeps the size is noticed. Of a video, which may
have gigabytes, the size and both ends count.
"""

from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum, auto
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from affectkit.errors import AffectkitError
from affectkit.prepare.job import Job
from affectkit.recording import open_recording

END = 1 << 16  # bytes of a video's head and tail: its index lies in one of them
VIDEO = ("video_bytes", "video_ends")
PLACES = ("video", "annotation")
LABELS = ("annotation_sha256",)


class State(Enum):
    """How far a recording is from being what a job asks for."""

    ABSENT = auto()  # or its faces are to be found or cut otherwise
    RELABEL = auto()  # only the annotation changed, or where the files lie
    MADE = auto()


def describe(job: Job, old: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The attribute `source` of the recording that a job makes.

    Args:
        job: what is to be made.
        old: that of a recording which stands already: it outlives the video it was made from.
    """
    source = {
        "video": str(job.video),
        "video_bytes": job.video.stat().st_size if job.video.is_file() else 0,
        "video_ends": _ends(job.video) if job.video.exists() else "",
        "annotation": list(job.annotation_files),
        "annotation_sha256": [_digest(Path(path)) for path in job.annotation_files],
        "person": job.person,
        "detector": job.detector,
        "options": {key: str(value) for key, value in sorted(job.options.items())},
        "crop": asdict(job.crop),
        "detect": job.detect,
    }
    if old and not job.video.exists():
        source |= {key: old[key] for key in ("video", *VIDEO) if key in old}
    return source


def state(job: Job) -> State:
    """Compare the recording that stands at a job's path, if there is one, with the job."""
    if not job.path.exists():
        return State.ABSENT
    try:
        attrs = open_recording(job.path).attrs
    except AffectkitError:
        return State.ABSENT
    old = attrs.get("source") or {}
    new = describe(job, old)
    changed = {key for key in new if old.get(key) != new[key]}
    if changed - {*PLACES, *LABELS}:
        return State.ABSENT
    if changed or attrs | job.attrs != attrs:
        return State.RELABEL
    return State.MADE


def check_same_video(job: Job) -> None:
    """Refuse to replace the recording of another video.

    Raises:
        AffectkitError: naming that one.
    """
    if not job.path.exists():
        return
    try:
        old = open_recording(job.path).attrs.get("source", {})
    except AffectkitError:
        return
    new = describe(job)
    if old.get("video") != new["video"] and any(old.get(key) != new[key] for key in VIDEO):
        raise AffectkitError(
            f"{job.path} is of another video ({old.get('video')}); "
            f"rename {job.video.name} or choose another folder"
        )


def _ends(path: Path) -> str:
    """A hash of a file's two ends, or of what lies in a folder."""
    if path.is_dir():
        entries = sorted((each.name, each.stat().st_size) for each in path.iterdir())
        return sha256(repr(entries).encode()).hexdigest()
    with path.open("rb") as file:
        digest = sha256(file.read(END))
        file.seek(max(END, path.stat().st_size - END))
        digest.update(file.read())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    stat = path.stat()
    return _content(path, stat.st_size, stat.st_mtime_ns)


@cache
def _content(path: Path, size: int, changed: int) -> str:
    # one file may hold the annotations of thousands of recordings
    with path.open("rb") as file:
        return sha256(file.read()).hexdigest()
