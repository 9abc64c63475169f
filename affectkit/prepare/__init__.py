"""From video to recordings: find the face in every frame, cut it, lay the annotation beside it.

Every recording is written complete or not at all, so whatever stopped the work, the same call goes
on with the recordings that are not there yet, and ends with the same result.
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
from affectkit.datasets.table import read_table
from affectkit.errors import AffectkitError, unknown
from affectkit.faces import DETECTORS, Crop
from affectkit.files import PARTIAL
from affectkit.prepare.job import Job, Progress, silent
from affectkit.prepare.source import check_same_video
from affectkit.prepare.workers import make_all

CROP = Crop()

__all__ = ["prepare", "prepare_video", "prepare_videos"]


def prepare(
    dataset: str,
    root: Path,
    out: Path,
    *,
    detector: str = "dlib",
    options: Mapping[str, Any] | None = None,
    crop: Crop = CROP,
    detect: bool = False,
    workers: int = 1,
    scheduler: str = "",
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Make recordings of a dataset on disk; those that are there already are left as they are.

    A recording whose annotation alone has changed gets the new one; its faces stay.

    Args:
        dataset: one of `affectkit.DATASETS`.
        root: the dataset's folder, in its published layout.
        out: folder for the recordings, one zarr folder each.
        detector: one of `affectkit.faces.DETECTORS`.
        options: of the detector, such as `{"upsample": 1}` for dlib.
        crop: the crop contract; recordings cut by another one are made again.
        detect: look for faces even where the dataset brings landmarks or crops.
        workers: processes; scripts that ask for more than one need `if __name__ == "__main__":`.
        scheduler: address of a Dask cluster to be used instead; its workers see `root` and `out`
            under the same paths.
        only: names of the recordings to make; by default all.
        progress: called with a recording's name, frames done and frames in all (0 = unknown);
            the two are equal when the recording is written.

    Returns:
        The recordings, in the order of the dataset's index.

    Raises:
        AffectkitError: the dataset, its folder or a name is unknown; or, after all the others are
            made, some recordings could not be: each is told as a warning.
    """
    functions = datasets.find(dataset)
    root = Path(os.path.realpath(root))
    rows = _chosen(functions.index(root), only)
    if rows.empty:
        raise AffectkitError(f"{root} holds no recordings of {dataset!r}")
    out = _checked(out, detector)
    jobs = [
        Job(
            video=_video_of(root, row),
            path=out / f"{row['recording']}.zarr",
            attrs={"dataset": dataset, **{key: str(row[key]) for key in ("subject", "split")}},
            annotate=partial(functions.annotations, root, row["recording"]),
            annotation_files=row["annotation"],
            fps=float(row["fps"]),
            person=str(row["person"]),
            detector=detector,
            options=options or {},
            crop=crop,
            detect=detect,
        )
        for _, row in rows.iterrows()
    ]
    make_all(jobs, progress or silent, workers, scheduler)
    return [job.path for job in jobs]


def prepare_videos(
    paths: Sequence[Path],
    out: Path,
    *,
    annotation_csv: Path | None = None,
    detector: str = "dlib",
    options: Mapping[str, Any] | None = None,
    crop: Crop = CROP,
    workers: int = 1,
    scheduler: str = "",
    progress: Progress | None = None,
) -> list[Path]:
    """Make recordings of any videos; those that are there already are left as they are.

    Args:
        paths: the videos; their names without suffix become the recordings'.
        out: folder for the recordings.
        annotation_csv: of a single video, as for `prepare_video`.
        detector: one of `affectkit.faces.DETECTORS`.
        options: of the detector, such as `{"upsample": 1}` for dlib.
        crop: the crop contract.
        workers: processes, as for `prepare`.
        scheduler: address of a Dask cluster, as for `prepare`.
        progress: as for `prepare`.

    Returns:
        The recordings, in the order of `paths`.

    Raises:
        AffectkitError: two videos have one name, a recording of that name is of another video; or,
            after all the others are made, some could not be.
    """
    if annotation_csv and len(paths) > 1:
        raise AffectkitError(f"an annotation is of one video, got {len(paths)} videos")
    out = _checked(out, detector)
    jobs = [
        Job(
            video=Path(path).absolute(),
            path=out / f"{Path(path).stem}.zarr",
            attrs={"dataset": "", "subject": Path(path).stem, "split": ""},
            annotate=partial(read_table, annotation_csv) if annotation_csv else None,
            annotation_files=(str(annotation_csv),) if annotation_csv else (),
            fps=math.nan,
            person="",
            detector=detector,
            options=options or {},
            crop=crop,
            detect=False,
        )
        for path in paths
    ]
    _check_names(jobs)
    make_all(jobs, progress or silent, workers, scheduler)
    return [job.path for job in jobs]


def prepare_video(
    path: Path,
    out: Path,
    *,
    annotation_csv: Path | None = None,
    **more: Any,  # noqa: ANN401
) -> Path:
    """Make a recording of any video; one that is there already is left as it is.

    Args:
        path: the video; its name without suffix becomes the recording's.
        out: folder for the recording.
        annotation_csv: a table with the columns `frame` (0-based) or `time` (seconds; frames
            between two rows are interpolated), `valence` and `arousal` in [-1, 1]; more is said
            in `affectkit.datasets.table`.
        more: `detector`, `options`, `crop`, `progress`, as for `prepare_videos`.

    Returns:
        The recording.

    Raises:
        AffectkitError: the video or the table cannot be read, or a recording of that name is of
            another video.
    """
    return prepare_videos([path], out, annotation_csv=annotation_csv, **more)[0]


def _checked(out: Path, detector: str) -> Path:
    """The output folder, made and tried."""
    if detector not in DETECTORS:
        raise unknown("detector", detector, DETECTORS)
    out = Path(os.path.realpath(out))
    mark = out / f"{PARTIAL}{uuid4()}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        mark.touch()
        mark.unlink()
    except OSError as error:
        raise AffectkitError(
            f"{out} cannot be written to ({error.strerror}); choose another folder for recordings"
        ) from None
    return out


def _check_names(jobs: Sequence[Job]) -> None:
    twice = [path for path, count in Counter(job.path for job in jobs).items() if count > 1]
    if twice:
        same = " and ".join(str(job.video) for job in jobs if job.path == twice[0])
        raise AffectkitError(f"{same} would make the same recording; rename one")
    for job in jobs:
        check_same_video(job)


def _video_of(root: Path, row: pd.Series) -> Path:
    """The video of a row of an index; missing ones are reported when they are opened."""
    return root / str(row["video"]) if row["video"] else root / f"{row['recording']} (no video)"


def _chosen(index: pd.DataFrame, only: Collection[str] | None) -> pd.DataFrame:
    if only is None:
        return index
    for name in only:
        if name not in set(index["recording"]):
            raise unknown("recording", name, index["recording"])
    return index[index["recording"].isin(list(only))]
