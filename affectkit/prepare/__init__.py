"""From video to recordings: find the face in every frame, cut it, lay the annotation beside it.

Every recording is written complete or not at all, so whatever stopped the work, the same call goes
on with the recordings that are not there yet, and ends with the same result.
"""

import warnings
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from affectkit import datasets
from affectkit.errors import AffectkitError, unknown
from affectkit.faces import DETECTORS, Crop
from affectkit.prepare.making import Job, Progress, is_made, make, silent, video_of
from affectkit.prepare.own import read_own_annotation
from affectkit.prepare.workers import make_all

CROP = Crop()

__all__ = ["prepare", "prepare_video"]


def prepare(
    dataset: str,
    root: Path,
    out: Path,
    *,
    detector: str = "dlib",
    options: Mapping[str, Any] | None = None,
    crop: Crop = CROP,
    workers: int = 1,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Make recordings of a dataset on disk; those that are there already are left as they are.

    Args:
        dataset: one of `affectkit.DATASETS`.
        root: the dataset's folder, in its published layout.
        out: folder for the recordings, one zarr folder each.
        detector: one of `affectkit.faces.DETECTORS`.
        options: of the detector, such as `{"upsample": 1}` for dlib.
        crop: the crop contract; recordings cut by another one are made again.
        workers: processes; scripts that ask for more than one need `if __name__ == "__main__":`.
        only: names of the recordings to make; by default all.
        progress: called with a recording's name, frames done and frames in all (0 = unknown);
            the two are equal when the recording is written.

    Returns:
        The recordings, in the order of the dataset's index. Those that share a video with another
        are left out, with a warning: people in one video are not told apart.

    Raises:
        AffectkitError: the dataset, its folder or a name is unknown; or, after all the others are
            made, some recordings could not be.
    """
    _check(out, detector)
    functions = datasets.find(dataset)
    root, out = Path(root).resolve(), Path(out)
    rows = _chosen(functions.index(root), only)
    if rows.empty:
        raise AffectkitError(f"{root} holds no recordings of {dataset!r}")
    rows = _of_one_person(rows)
    jobs = [
        Job(
            video=video_of(root, row),
            path=out / f"{row['recording']}.zarr",
            attrs={"dataset": dataset, **{key: str(row[key]) for key in ("subject", "split")}},
            annotate=partial(functions.annotations, root, row["recording"]),
            annotation_files=row["annotation"],
            detector=detector,
            options=options or {},
            crop=crop,
        )
        for _, row in rows.iterrows()
    ]
    make_all(jobs, workers, progress or silent)
    return [job.path for job in jobs]


def prepare_video(
    path: Path,
    out: Path,
    *,
    annotation_csv: Path | None = None,
    detector: str = "dlib",
    options: Mapping[str, Any] | None = None,
    crop: Crop = CROP,
    progress: Progress | None = None,
) -> Path:
    """Make a recording of any video; one that is there already is left as it is.

    Args:
        path: the video; its name without suffix becomes the recording's.
        out: folder for the recording.
        annotation_csv: a table with the columns `frame` (0-based) or `time` (seconds; frames
            between two rows are interpolated), `valence` and `arousal` in [-1, 1].
        detector: one of `affectkit.faces.DETECTORS`.
        options: of the detector, such as `{"upsample": 1}` for dlib.
        crop: the crop contract.
        progress: as for `prepare`.

    Returns:
        The recording.

    Raises:
        AffectkitError: the video or the table cannot be read, there is no face in it, or a
            recording of that name is of another video.
    """
    _check(out, detector)
    path = Path(path).absolute()
    job = Job(
        video=path,
        path=Path(out) / f"{path.stem}.zarr",
        attrs={"dataset": "", "subject": path.stem, "split": ""},
        annotate=partial(read_own_annotation, annotation_csv) if annotation_csv else None,
        annotation_files=(str(annotation_csv),) if annotation_csv else (),
        detector=detector,
        options=options or {},
        crop=crop,
    )
    if not is_made(job, own=True):
        make(job, progress or silent)
    return job.path


def _check(out: Path, detector: str) -> None:
    if detector not in DETECTORS:
        raise unknown("detector", detector, DETECTORS)
    if Path(out).exists() and not Path(out).is_dir():
        raise AffectkitError(f"{out} is a file; recordings need a folder")


def _of_one_person(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out recordings that share a video: the largest face may be the other person's."""
    shared = rows["video"].duplicated(keep=False) & (rows["video"] != "")
    if shared.any():
        names = ", ".join(rows.loc[shared, "recording"])
        warnings.warn(
            f"left out {names}: they share videos, and people in one video are not told apart",
            stacklevel=3,
        )
    return rows[~shared]


def _chosen(index: pd.DataFrame, only: Collection[str] | None) -> pd.DataFrame:
    if only is None:
        return index
    for name in only:
        if name not in set(index["recording"]):
            raise unknown("recording", name, index["recording"])
    return index[index["recording"].isin(list(only))]
