"""Statistics of the annotations of a dataset: the numbers that its figures show.

All functions take a list of Datasets with `annotation`, as `read_annotations` returns them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit import datasets
from affectkit.errors import AffectkitError
from affectkit.files import StrPath
from affectkit.recording import AFFECT, list_recordings, open_recording

CELLS = 41  # on each axis of the plane; an odd number keeps 0 and the tenths off the cell edges
SPLITS = ("train", "validation", "test")


def read_annotations(folder: StrPath, dataset: str | None = None) -> list[xr.Dataset]:
    """Read the annotations of all recordings, without face crops.

    Args:
        folder: a folder of recordings; with `dataset`, the root of that dataset in its original
            layout.
        dataset: one of `affectkit.DATASETS`.

    Returns:
        Datasets with `annotation` and the attrs `recording`, `subject` and `split`; those of
        recordings also have `time` and `crop_box`.

    Raises:
        AffectkitError: there are no recordings, or one cannot be read.
    """
    folder = Path(folder)
    if dataset is None:
        return [
            open_recording(path).drop_vars(["face", "landmark", "box"], errors="ignore")
            for path in list_recordings(folder)
        ]
    functions = datasets.find_loader(dataset)
    return [
        functions.annotations(folder, row["recording"]).assign_attrs(
            subject=row["subject"], split=row["split"]
        )
        for _, row in functions.index(folder).iterrows()
    ]


def require_prepared(recordings: Sequence[xr.Dataset]) -> None:
    """Check that these are prepared recordings, with `time` and `crop_box`.

    Raises:
        AffectkitError: one of them was read from a dataset's original files.
    """
    if not all("crop_box" in each and "time" in each.coords for each in recordings):
        raise AffectkitError(
            "expected prepared recordings, with frame times and face positions, got annotations "
            "from the original files of a dataset; run: affectkit prepare DATASET ROOT --out "
            "RECORDINGS"
        )


def affect_values(recordings: Sequence[xr.Dataset]) -> NDArray[np.float64]:
    """All annotations (label, affect): of frames, samples or clips. Labels with NaN are left out.

    Raises:
        AffectkitError: there is no label without NaN.
    """
    values = [_valid_values(each["annotation"]) for each in recordings]
    pooled = np.concatenate([np.zeros((0, len(AFFECT))), *values])
    if not len(pooled):
        raise _no_annotations(recordings)
    return pooled


def _no_annotations(recordings: Sequence[xr.Dataset]) -> AffectkitError:
    return AffectkitError(
        f"none of {len(recordings)} recordings is annotated; expected at least one annotated frame"
    )


def _valid_values(annotation: xr.DataArray) -> NDArray[np.float64]:
    values = np.atleast_2d(annotation.transpose(..., "affect").values).astype(np.float64)
    valid: NDArray[np.float64] = values[np.isfinite(values).all(axis=1)]
    return valid


def affect_histogram(values: NDArray[np.float64], cells: int = CELLS) -> xr.DataArray:
    """Number of labels in each square cell of the valence-arousal plane: (valence, arousal).

    Args:
        values: (label, affect) in the order valence, arousal; without NaN.
        cells: number of cells on each axis; the coordinates are the centres of the cells.
    """
    edges = np.linspace(-1, 1, cells + 1)
    counts = np.histogram2d(values[:, 0], values[:, 1], bins=(edges, edges))[0].astype(int)
    centres = (edges[1:] + edges[:-1]) / 2
    coords = {"valence": centres, "arousal": centres}
    return xr.DataArray(counts, coords, ("valence", "arousal"), name="labels")


def subject_means(recordings: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Mean and standard deviation (divided by n) of each affect, for each subject.

    A recording without subject is its own subject. Subjects without a valid label are left out.

    Returns:
        A row for each subject: `subject`, `recordings`, `labels`, `valence_mean`, `valence_std`,
        `arousal_mean`, `arousal_std`.

    Raises:
        AffectkitError: there is no label without NaN.
    """
    groups: dict[str, list[xr.Dataset]] = {}
    for each in recordings:
        subject = each.attrs.get("subject") or each.attrs["recording"]
        groups.setdefault(str(subject), []).append(each)
    rows = []
    for subject, group in groups.items():
        values = np.concatenate([_valid_values(each["annotation"]) for each in group])
        if len(values):
            row = {"subject": subject, "recordings": len(group), "labels": len(values)}
            for column, affect in enumerate(AFFECT):
                row |= {f"{affect}_mean": values[:, column].mean()}
                row |= {f"{affect}_std": values[:, column].std()}
            rows.append(row)
    if not rows:
        raise _no_annotations(recordings)
    return pd.DataFrame(rows)


def coverage(recordings: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Segments of consecutive frames with equal status: annotated or not, with a face or not.

    Returns:
        A row for each segment, sorted by split and recording: `recording`, `split`, `start` and
        `end` in seconds from the first frame, `frames`, `annotated`, `face`.

    Raises:
        AffectkitError: these are not prepared recordings.
    """
    require_prepared(recordings)
    ordered = sorted(recordings, key=lambda each: (_split_rank(each), each.attrs["recording"]))
    return pd.concat([_segments(each) for each in ordered], ignore_index=True)


def _split_rank(recording: xr.Dataset) -> int:
    split = recording.attrs["split"]
    return SPLITS.index(split) if split in SPLITS else len(SPLITS)


def _segments(recording: xr.Dataset) -> pd.DataFrame:
    annotated = recording["annotation"].notnull().all("affect").values
    face = recording["crop_box"].notnull().all("edge").values
    time = recording["time"].values - float(recording["time"][0])
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    ends = np.append(time[1:], time[-1] + step)
    status = annotated * 2 + face
    first = np.flatnonzero(np.diff(status, prepend=-1))
    last = np.append(first[1:], len(status)) - 1
    return pd.DataFrame(
        {
            "recording": recording.attrs["recording"],
            "split": recording.attrs["split"],
            "start": time[first],
            "end": ends[last],
            "frames": last - first + 1,
            "annotated": annotated[first],
            "face": face[first],
        }
    )
