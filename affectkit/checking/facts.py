"""One recording in numbers: frames, labels, how they spread."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.checking.seeing import Seen
from affectkit.datasets import on_frames
from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT

UNEVEN = 0.1  # share of the median interval by which others may differ
ROUNDING = 0.002  # seconds; containers that count milliseconds differ by one from frame to frame


@dataclass(frozen=True, eq=False)
class Case:
    """Everything about one recording."""

    row: pd.Series  # of the index
    known: xr.Dataset | None = None  # the annotation, None where it cannot be read
    seen: Seen | None = None  # None where there is no video
    placed: xr.Dataset | None = None  # the annotation on the frames of the video
    unreadable: str = ""  # why there is no annotation
    misplaced: str = ""  # why it lies on no frame

    @property
    def file(self) -> str:
        """The first annotation file."""
        return str(self.row["annotation"][0]) if len(self.row["annotation"]) else ""


def place(case: Case) -> Case:
    """Lay the annotation on the frames, where both are there and frames have times."""
    if case.known is None or case.seen is None or case.seen.time is None:
        return case
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # counts that differ are looked at here
            placed = on_frames(case.known, case.seen.time)
    except AffectkitError as error:
        return replace(case, misplaced=str(error))
    return replace(case, placed=placed)


def describe(case: Case) -> dict[str, Any]:
    """The recording's row in the report."""
    seen = case.seen or Seen()
    time = seen.time if seen.time is not None else np.zeros(0)
    described = {name: case.row[name] for name in ("recording", "subject", "split", "person")}
    described |= {
        "video": case.row["video"],
        "fps": float(case.row["fps"]),
        "seconds": _seconds(time) if len(time) else _still_seconds(case),
        "announced": seen.announced,
        "decoded": seen.decoded,
        "uneven": bool(len(odd_intervals(time))),
    }
    return described | _labels(case)


def _seconds(time: NDArray[np.float64]) -> float:
    """From the first frame to the end of the last, which lasts as long as most do."""
    return float(time[-1] - time[0] + np.median(np.diff(time))) if len(time) > 1 else 0.0


def _still_seconds(case: Case) -> float:
    """As long as a film of the pictures is; NaN where they lie farther apart than in any film."""
    fps = float(case.row["fps"])
    return case.seen.decoded / fps if case.seen and fps >= 1 else np.nan


def _labels(case: Case) -> dict[str, Any]:
    if case.known is None:
        values = np.zeros((0, len(AFFECT)))
        labels: dict[str, Any] = {"annotated": 0, "with_crop": np.nan, "source_range": None}
        labels["alignment"] = ""
    else:
        values = np.atleast_2d(case.known["annotation"].values.astype(np.float64))
        on = case.placed if case.placed is not None else case.known
        labels = {
            "annotated": 0 if case.misplaced else _annotated(on),
            "with_crop": _with_crop(case.known),
            "source_range": case.known.attrs["source_range"],
            "alignment": case.known.attrs["alignment"],
        }
    valid = values[np.isfinite(values).all(axis=1)]
    labels |= {"labels": len(values), "invalid": len(values) - len(valid)}
    for column, affect in enumerate(AFFECT):
        labels |= _statistics(affect, valid[:, column])
    return labels


def _annotated(known: xr.Dataset) -> int:
    return int(known["annotation"].notnull().all("affect").sum()) if "frame" in known.dims else 0


def _with_crop(known: xr.Dataset) -> float:
    """Frames with a picture, or with a face that the dataset names; NaN where it says neither."""
    if "still" in known:
        return float((known["still"] != "").sum())
    for name in ("box", "landmark"):
        if name in known:
            there = known[name].notnull()
            return float(there.all([dim for dim in there.dims if dim != "frame"]).sum())
    return np.nan


def _statistics(affect: str, values: NDArray[np.float64]) -> dict[str, float]:
    numbers = (values.mean(), values.std(), values.min(), values.max()) if len(values) else ()
    named = zip(("mean", "sd", "low", "high"), numbers or (np.nan,) * 4, strict=True)
    return {f"{affect}_{name}": float(number) for name, number in named}


def odd_intervals(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intervals between frames that differ from the median one."""
    steps = np.diff(time)
    if len(steps) < 2:
        return np.zeros(0)
    middle = np.median(steps)
    odd: NDArray[np.float64] = steps[np.abs(steps - middle) > max(UNEVEN * middle, ROUNDING)]
    return odd
