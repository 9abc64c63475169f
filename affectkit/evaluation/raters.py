"""How well human raters agree: the ceiling for a prediction."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.evaluation.intervals import Bootstrap
from affectkit.evaluation.pairs import stores
from affectkit.evaluation.scores import COLUMNS, mean_rows, pooled_rows
from affectkit.metrics import ccc, icc, pairwise_ccc
from affectkit.recording import list_recordings, open_recording
from affectkit.signals import fuse, rater_lag

RATER_POOLED = "(one rater, all)"
RATER_MEAN = "(one rater, mean)"
ICC_SHOWN = ("2,1", "2,k", "3,1", "3,k")
SHORT = {"valence": "V", "arousal": "A"}


def rater_agreement(recording: xr.Dataset) -> xr.DataArray:
    """How well the raters of a recording agree: (measure, affect).

    `CCC of pairs`: the mean over all pairs of raters; `CCC with the rest`: the mean over raters of
    each against the mean of the others; `ICC(2,1)` and the like: as `metrics.icc`.

    Raises:
        AffectkitError: the recording has no `rating`, or only one rater.
    """
    name, raters = recording.attrs.get("recording", "?"), recording.sizes.get("rater", 0)
    if raters < 2:
        raise AffectkitError(
            f"recording {name!r} has {raters} raters; agreement needs 'rating' of two or more"
        )
    rating = recording["rating"]
    rest = xr.concat([ccc(*pair, "frame") for pair in _rests(rating, "mean")], "rater")
    measures = {
        "CCC of pairs": pairwise_ccc(rating, "frame").mean(["rater", "other"]),
        "CCC with the rest": rest.mean("rater"),
        **{f"ICC({form})": icc(rating, "frame", form) for form in ICC_SHOWN},
    }
    return xr.concat(list(measures.values()), pd.Index(list(measures), name="measure"))


def rater_table(recordings: Path) -> pd.DataFrame:
    """How well the raters of each recording agree, and how far apart in time they follow.

    Args:
        recordings: a folder of recordings, or one; those without two raters are left out.

    Returns:
        Indexed by recording, with `(mean)` at the end. `raters`; each measure of `rater_agreement`
        for V and A; `seconds apart V` and `A`, between the earliest and the latest rater by
        `signals.rater_lag`, NaN where a lag cannot be told.

    Raises:
        AffectkitError: no recording has two raters.
    """
    opened = [open_recording(path) for path in list_recordings(recordings)]
    rated = {each.attrs["recording"]: each for each in opened if each.sizes.get("rater", 0) > 1}
    if not rated:
        raise AffectkitError(
            f"no recording in {recordings} has ratings of two raters or more; prepare a dataset "
            f"that comes with them"
        )
    table = pd.DataFrame({name: _row(each[["rating"]].load()) for name, each in rated.items()}).T
    return pd.concat([table, table.mean().rename("(mean)").to_frame().T]).rename_axis("recording")


def _row(recording: xr.Dataset) -> dict[str, float]:
    agreement = rater_agreement(recording)
    lag = rater_lag(recording["rating"])
    apart = lag.max("rater", skipna=False) - lag.min("rater", skipna=False)
    row = {"raters": float(recording.sizes["rater"])}
    for measure in agreement["measure"].values:
        for affect, short in SHORT.items():
            row[f"{measure} {short}"] = float(agreement.sel(measure=measure, affect=affect))
    return row | {f"seconds apart {SHORT[a]}": float(apart.sel(affect=a)) for a in SHORT}


def _rests(rating: xr.DataArray, fusion: str) -> Iterator[tuple[xr.DataArray, xr.DataArray]]:
    """For each rater the others, fused, and the rater."""
    numbered = rating.assign_coords(rater=range(rating.sizes["rater"]))
    for rater in numbered["rater"].values:
        others = fuse(numbered.drop_sel(rater=rater), fusion)
        yield others, numbered.sel(rater=rater, drop=True)


def evaluate_raters(
    run: Path,
    recordings: Path | None = None,
    *,
    split: str = "test",
    fusion: str = "mean",
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score human raters as `evaluate` scores a run: each against the others, fused.

    On annotated frames of the recordings of the split that have two raters or more. A prediction
    is scored against all raters fused, so its reference is a little better than a rater's.

    Args:
        run: a run folder; only its splits count.
        recordings: folder of the recordings; by default where the run has them from.
        split: which of the run's splits.
        fusion: how the others are fused, one of `signals.FUSIONS`.
        resamples: how many bootstrap resamples the intervals rest on.
        seed: of the resampling.

    Returns:
        As `evaluate`, without a row where there are no ratings. `recording` is `(one rater, all)`
        for the frames of all raters and recordings pooled, `(one rater, mean)` for the mean over
        raters and recordings; `frames` counts the frames of every rater.

    Raises:
        AffectkitError: the split or the fusion is unknown, or a recording is missing.
    """
    opened = [
        pair
        for store in stores(run, recordings, split)
        for pair in _pairs(open_recording(store), fusion)
    ]
    if not opened:
        return pd.DataFrame(columns=COLUMNS)
    bootstrap = Bootstrap(resamples, seed)
    rows = [*pooled_rows(opened, bootstrap, RATER_POOLED)]
    rows += mean_rows(opened, bootstrap, RATER_MEAN)
    return pd.DataFrame(rows).assign(split=split)[COLUMNS]


def _pairs(recording: xr.Dataset, fusion: str) -> Iterator[xr.Dataset]:
    """For each rater a pair as `pairs.open_pairs` gives it, the rater in the prediction's place."""
    if recording.sizes.get("rater", 0) < 2:
        return
    rating = recording["rating"].load().where(recording["annotation"].notnull())
    attrs = {name: recording.attrs[name] for name in ("recording", "subject")}
    attrs["subject"] = attrs["subject"] or attrs["recording"]
    for others, rater in _rests(rating, fusion):
        yield xr.Dataset({"annotation": others, "prediction": rater}, attrs=attrs)
