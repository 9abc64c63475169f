"""From video to recordings: find the face in every frame, crop it and align the annotation.

Every recording is written completely or not at all. If the work is interrupted, the same call
resumes with the recordings that are missing, and ends with the same result.
"""

import math
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd

from affectkit import datasets
from affectkit.datasets import LabelFormat
from affectkit.datasets.table import read_table
from affectkit.errors import AffectkitError, unknown
from affectkit.faces import DETECTORS, Crop
from affectkit.faces.crop import stored_crop
from affectkit.faces.people import check_person
from affectkit.files import PARTIAL, StrPath, check_name
from affectkit.parallel import Progress, check_parallel, no_progress
from affectkit.preparation.run_tasks import run_tasks
from affectkit.preparation.tasks import RecordingTask
from affectkit.run import read_metadata

CROP = Crop()
MAX_FPS = 1000  # of a folder of pictures
LABELS = LabelFormat()

__all__ = ["crop_of", "prepare", "prepare_video", "prepare_videos"]


def crop_of(run: StrPath) -> Crop:
    """The crop settings of a run, to prepare recordings for it.

    Raises:
        AffectkitError: `run` is not a run.
    """
    return stored_crop(read_metadata(run)["crop"])


def prepare(
    dataset: str,
    root: StrPath,
    out: StrPath,
    *,
    detector: str = "dlib",
    options: Mapping[str, Any] | None = None,
    crop: Crop = CROP,
    detect: bool = False,
    labels: LabelFormat = LABELS,
    workers: int = 1,
    scheduler: str = "",
    only: Collection[str] | None = None,
    progress: Progress = no_progress,
) -> list[Path]:
    """Create the recordings of a dataset on disk, except those that are up to date.

    If only the annotation of a recording has changed, it is replaced and the faces are kept.

    Args:
        dataset: one of `affectkit.DATASETS`.
        root: folder of the dataset, in its published layout.
        out: folder for the recordings, one zarr folder each.
        detector: one of `affectkit.faces.DETECTORS`.
        options: keyword arguments of the detector, such as `{"upsample": 1}`.
        crop: crop settings; recordings with other crop settings are created again.
        detect: detect faces even if the dataset has landmarks or crops.
        labels: units, range and frame numbers of the tables of the dataset `table`, where they do
            not say it themselves.
        workers: number of local worker processes.
        scheduler: address of an existing Dask cluster to use instead; its workers need access to
            `root` and `out` under the same paths.
        only: names of the recordings to create; by default all.
        progress: called with the name of a recording, frames done and all frames (0 = unknown);
            the two are equal when the recording is written.

    Returns:
        The paths of the recordings, in the order of the dataset's index.

    Raises:
        AffectkitError: the dataset, its folder or a name is unknown; or, after all other recordings
            are created, some failed. A warning gives the reason for each of them.
    """
    check_parallel(workers, scheduler)
    loader = datasets.find_loader(dataset, labels)
    root = Path(os.path.realpath(root))
    rows = _select(loader.index(root), only)
    for name in rows["recording"]:
        check_name(name, root)
    if rows.empty:
        raise AffectkitError(
            f"{root} has no recordings of {dataset!r}; for the layout, see data/README.md"
        )
    out = _output_folder(out, detector)
    tasks = [
        RecordingTask(
            video=_video_path(root, row),
            path=out / f"{row['recording']}.zarr",
            attrs={"dataset": dataset, **{key: str(row[key]) for key in ("subject", "split")}},
            read_annotations=partial(loader.annotations, root, row["recording"]),
            annotation_files=row["annotation"],
            fps=float(row["fps"]),
            person=str(row["person"]),
            detector=detector,
            options=options or {},
            crop=crop,
            detect=detect,
            labels=labels,
        )
        for _, row in rows.iterrows()
    ]
    run_tasks(tasks, workers=workers, scheduler=scheduler, progress=progress)
    return [task.path for task in tasks]


def prepare_videos(
    paths: Sequence[StrPath],
    out: StrPath,
    *,
    annotation_csv: StrPath | Sequence[StrPath] | None = None,
    labels: LabelFormat = LABELS,
    stream: int | None = None,
    fps: float | None = None,
    person: str = "",
    detector: str = "dlib",
    options: Mapping[str, Any] | None = None,
    crop: Crop = CROP,
    workers: int = 1,
    scheduler: str = "",
    progress: Progress = no_progress,
) -> list[Path]:
    """Create recordings of any videos, except those that are up to date.

    Args:
        paths: video files, or folders of numbered pictures (`0001.png`, `0002.png`, ...); the name
            of a recording is the file name without suffix, or that of the folder.
        out: folder for the recordings.
        annotation_csv: annotation of a single video, as for `prepare_video`.
        labels: as for `prepare_video`.
        stream: number of the video stream in the files, as in ffprobe; by default the one that
            FFmpeg prefers.
        fps: frame rate of the folders of pictures, which they need; files have time stamps.
        person: as for `prepare_video`.
        detector: one of `affectkit.faces.DETECTORS`.
        options: keyword arguments of the detector, such as `{"upsample": 1}`.
        crop: crop settings; recordings with other crop settings are created again.
        workers: number of local worker processes.
        scheduler: address of an existing Dask cluster, as for `prepare`.
        progress: as for `prepare`.

    Returns:
        The paths of the recordings, in the order of `paths`.

    Raises:
        AffectkitError: two videos have the same name, or a recording of that name was made from
            another video; or, after all other recordings are created, some failed.
    """
    if annotation_csv and len(paths) > 1:
        raise AffectkitError(
            f"annotation_csv needs a single video, got {len(paths)}; prepare the videos one by one"
        )
    check_parallel(workers, scheduler)
    check_person(person)
    _check_rate(paths, fps)
    videos = [Path(path).absolute() for path in paths]
    names = [_recording_name(video, person) for video in videos]
    out = _output_folder(out, detector)
    given = [annotation_csv] if isinstance(annotation_csv, StrPath) else annotation_csv or []
    tables = [Path(each).absolute() for each in given]
    tasks = [
        RecordingTask(
            video=video,
            path=out / f"{name}.zarr",
            attrs={"dataset": "", "subject": name, "split": ""},
            read_annotations=partial(read_table, tables, labels) if tables else None,
            annotation_files=tuple(map(str, tables)),
            fps=math.nan if fps is None else fps,
            person=person,
            detector=detector,
            options=options or {},
            crop=crop,
            detect=False,
            labels=labels,
            stream=stream,
        )
        for video, name in zip(videos, names, strict=True)
    ]
    _check_names(tasks)
    run_tasks(tasks, workers=workers, scheduler=scheduler, progress=progress)
    return [task.path for task in tasks]


def prepare_video(
    path: StrPath,
    out: StrPath,
    *,
    annotation_csv: StrPath | Sequence[StrPath] | None = None,
    labels: LabelFormat = LABELS,
    stream: int | None = None,
    fps: float | None = None,
    person: str = "",
    detector: str = "dlib",
    options: Mapping[str, Any] | None = None,
    crop: Crop = CROP,
    progress: Progress = no_progress,
) -> Path:
    """Create a recording of any video, unless it is up to date.

    Args:
        path: a video file, or a folder of numbered pictures; the name of the recording is the file
            name without suffix, or that of the folder.
        out: folder for the recording.
        annotation_csv: a table with the columns `frame` (0-based) or `time` (seconds; frames
            between two rows are interpolated), `valence` and `arousal` in [-1, 1]; or two tables,
            of valence and of arousal; see `affectkit.datasets.table`.
        labels: units, range and frame numbers of the table, where it does not say them itself.
        stream: number of the video stream in the file, as for `prepare_videos`.
        fps: frame rate of a folder of pictures.
        person: which person of the video, "left", "right" or a number ("2": the second largest
            face); the name of the recording then ends in `_left`, `_2`, ... By default the person
            with the largest face.
        detector: one of `affectkit.faces.DETECTORS`.
        options: keyword arguments of the detector, such as `{"upsample": 1}`.
        crop: crop settings; a recording with other crop settings is created again.
        progress: as for `prepare`.

    Returns:
        The path of the recording.

    Raises:
        AffectkitError: the video or the table cannot be read, they cannot belong together, or a
            recording of that name was made from another video.
    """
    (recording,) = prepare_videos(
        [path],
        out,
        annotation_csv=annotation_csv,
        labels=labels,
        stream=stream,
        fps=fps,
        person=person,
        detector=detector,
        options=options,
        crop=crop,
        progress=progress,
    )
    return recording


def _output_folder(out: StrPath, detector: str) -> Path:
    """Create the output folder and check that it can be written to."""
    if detector not in DETECTORS:
        raise unknown("detector", detector, DETECTORS)
    folder = Path(os.path.realpath(out))
    test_file = folder / f"{PARTIAL}{uuid4()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        test_file.touch()
        test_file.unlink()
    except OSError as error:
        raise AffectkitError(
            f"{folder} cannot be written to ({error.strerror}); choose another output folder"
        ) from None
    return folder


def _recording_name(video: Path, person: str) -> str:
    stem = check_name(video.name if video.is_dir() else video.stem, video.parent)
    return f"{stem}_{person}" if person else stem


def _check_rate(paths: Sequence[StrPath], fps: float | None) -> None:
    if fps is None:
        return
    if not 0 < fps <= MAX_FPS:
        raise AffectkitError(f"expected fps above 0, up to {MAX_FPS}, got {fps:g}")
    files = [path for path in map(Path, paths) if not path.is_dir()]
    if files:
        raise AffectkitError(
            f"fps is for folders of pictures, got it for {files[0]}: videos have time stamps, "
            "leave it out"
        )


def _check_names(tasks: Sequence[RecordingTask]) -> None:
    twice = [path for path, count in Counter(task.path for task in tasks).items() if count > 1]
    if twice:
        videos = " and ".join(str(task.video) for task in tasks if task.path == twice[0])
        raise AffectkitError(
            f"{videos} have the same name, so their recordings would have it too; rename one"
        )


def _video_path(root: Path, row: pd.Series) -> Path:
    """The video of a row of an index; a missing video is reported when it is opened."""
    return root / str(row["video"]) if row["video"] else root / f"{row['recording']} (no video)"


def _select(index: pd.DataFrame, only: Collection[str] | None) -> pd.DataFrame:
    if only is None:
        return index
    for name in only:
        if name not in set(index["recording"]):
            raise unknown("recording", name, index["recording"])
    return index[index["recording"].isin(list(only))]
