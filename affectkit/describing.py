"""What the annotations of a dataset are like: the tables that its figures draw.

All take a list of labelled annotations: recordings, or what a loader reads (`gather` gives either).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit import datasets
from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT, list_recordings, open_recording

CELLS = 41  # on either axis of the plane: odd, so that neither 0 nor tenths lie between two
SPLITS = ("train", "validation", "test")


def gather(folder: Path, dataset: str | None = None) -> list[xr.Dataset]:
    """All annotations in a folder; no face is read.

    Args:
        folder: of recordings; or with `dataset`, the root of that dataset, in its own layout.
        dataset: one of `affectkit.DATASETS`.

    Returns:
        `annotation` with attrs `recording`, `subject` and `split` at least; recordings have `time`
        and `crop_box` besides.

    Raises:
        AffectkitError: there are none, or one cannot be read.
    """
    if dataset is None:
        return [
            open_recording(path).drop_vars(["face", "landmark", "box"], errors="ignore")
            for path in list_recordings(folder)
        ]
    functions = datasets.find(dataset)
    return [
        functions.annotations(Path(folder), row["recording"]).assign_attrs(
            subject=row["subject"], split=row["split"]
        )
        for _, row in functions.index(Path(folder)).iterrows()
    ]


def affect_values(known: Sequence[xr.Dataset]) -> NDArray[np.float64]:
    """All valid labels (label, affect): of frames, of moments, or of clips."""
    parts = [np.atleast_2d(each["annotation"].transpose(..., "affect").values) for each in known]
    values = np.concatenate([np.zeros((0, len(AFFECT))), *parts]).astype(np.float64)
    valid: NDArray[np.float64] = values[np.isfinite(values).all(axis=1)]
    return valid


def affect_cells(known: Sequence[xr.Dataset]) -> pd.DataFrame:
    """The valence-arousal plane in square cells: `valence`, `arousal` of the middle, and `labels`.

    Raises:
        AffectkitError: not a single label is valid.
    """
    values = affect_values(known)
    if not len(values):
        raise _nothing(known)
    edges = np.linspace(-1, 1, CELLS + 1)
    counts = np.histogram2d(values[:, 0], values[:, 1], bins=(edges, edges))[0]
    middle = (edges[1:] + edges[:-1]) / 2
    valence, arousal = (axis.ravel() for axis in np.meshgrid(middle, middle, indexing="ij"))
    return pd.DataFrame(
        {"valence": valence, "arousal": arousal, "labels": counts.ravel().astype(int)}
    )


def _nothing(known: Sequence[xr.Dataset]) -> AffectkitError:
    return AffectkitError(
        f"expected labels to describe, but none of {len(known)} recordings has one"
    )


def subject_means(known: Sequence[xr.Dataset]) -> pd.DataFrame:
    """A row a subject: `recordings`, valid `labels`, and of each affect mean and sd (divided by n).

    A recording without subject is one by itself. Subjects without a valid label are left out.

    Raises:
        AffectkitError: not a single label is valid.
    """
    groups: dict[str, list[xr.Dataset]] = {}
    for each in known:
        subject = each.attrs.get("subject") or each.attrs["recording"]
        groups.setdefault(str(subject), []).append(each)
    rows = []
    for subject, own in groups.items():
        values = affect_values(own)
        if len(values):
            row = {"subject": subject, "recordings": len(own), "labels": len(values)}
            for column, affect in enumerate(AFFECT):
                row |= {f"{affect}_mean": values[:, column].mean()}
                row |= {f"{affect}_sd": values[:, column].std()}
            rows.append(row)
    if not rows:
        raise _nothing(known)
    return pd.DataFrame(rows)


def coverage(recordings: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Stretches of frames of one kind: is there a label, is there a face.

    Returns:
        Columns `recording`, `split`, `start` and `end` in seconds from the first frame,
        `frames`, `annotated`, `face`; by split and recording.

    Raises:
        AffectkitError: these are not prepared: without the times of frames, and faces.
    """
    check_prepared(recordings)
    ordered = sorted(recordings, key=lambda each: (_rank(each), each.attrs["recording"]))
    return pd.concat([_stretches(each) for each in ordered], ignore_index=True)


def check_prepared(known: Sequence[xr.Dataset]) -> None:
    """Refuse annotations that have not become recordings: they have no times, and no faces.

    Raises:
        AffectkitError: says what to run.
    """
    if not all("crop_box" in each and "time" in each.coords for each in known):
        raise AffectkitError(
            "expected recordings, with the times of frames and where the face was found, got a "
            "dataset's own files; run: affectkit prepare DATASET ROOT --out RECORDINGS"
        )


def _rank(recording: xr.Dataset) -> int:
    split = recording.attrs["split"]
    return SPLITS.index(split) if split in SPLITS else len(SPLITS)


def _stretches(recording: xr.Dataset) -> pd.DataFrame:
    annotated = recording["annotation"].notnull().all("affect").values
    face = recording["crop_box"].notnull().all("edge").values
    time = recording["time"].values - float(recording["time"][0])
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    ends = np.append(time[1:], time[-1] + step)
    kind = annotated * 2 + face
    first = np.flatnonzero(np.diff(kind, prepend=-1))
    last = np.append(first[1:], len(kind)) - 1
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
