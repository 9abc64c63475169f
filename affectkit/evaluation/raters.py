"""Agreement of human raters: the ceiling for the score of a prediction."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.evaluation.intervals import Bootstrap
from affectkit.evaluation.scores import COLUMNS, mean_rows, pooled_rows, split_paths
from affectkit.files import StrPath
from affectkit.metrics import ccc, icc, pairwise_ccc
from affectkit.recording import list_recordings, open_recording
from affectkit.signals import fuse, rater_delay

RATER_POOLED = "(one rater, all)"
RATER_MEAN = "(one rater, mean)"
ICC_FORMS = ("2,1", "2,k", "3,1", "3,k")
INITIALS = {"valence": "V", "arousal": "A"}


def rater_agreement(recording: xr.Dataset) -> xr.DataArray:
    """Agreement of the raters of a recording: (measure, affect).

    `pairwise CCC`: the mean over all pairs of raters. `CCC with the others`: the CCC of each rater
    with the mean of the others, averaged over raters. `ICC(2,1)` etc.: see `metrics.icc`.

    Raises:
        AffectkitError: the recording has fewer than two raters.
    """
    name, raters = recording.attrs.get("recording", "?"), recording.sizes.get("rater", 0)
    if raters < 2:
        raise AffectkitError(
            f"recording {name!r} has {raters} raters; agreement needs 'rating' of two or more"
        )
    rating = recording["rating"]
    others = [ccc(*signals, "frame") for signals in _leave_one_out(rating, "mean")]
    measures = {
        "pairwise CCC": pairwise_ccc(rating, "frame").mean(["rater", "other"]),
        "CCC with the others": xr.concat(others, "rater").mean("rater"),
        **{f"ICC({form})": icc(rating, "frame", form) for form in ICC_FORMS},
    }
    return xr.concat(list(measures.values()), pd.Index(list(measures), name="measure"))


def rater_table(recordings: StrPath) -> pd.DataFrame:
    """Agreement of the raters of each recording, and the difference of their delays.

    Args:
        recordings: a folder of recordings, or one recording; those with fewer than two raters are
            left out.

    Returns:
        A row for each recording, and `(mean)` at the end. Columns: `raters`; each measure of
        `rater_agreement` for V(alence) and A(rousal); `seconds apart V` and `A`, the largest minus
        the smallest `signals.rater_delay`, NaN where a delay cannot be estimated.

    Raises:
        AffectkitError: no recording has two raters.
    """
    opened = [open_recording(path) for path in list_recordings(Path(recordings))]
    rated = {each.attrs["recording"]: each for each in opened if each.sizes.get("rater", 0) > 1}
    if not rated:
        raise AffectkitError(
            f"no recording in {recordings} has ratings of two or more raters; prepare a dataset "
            "that includes ratings"
        )
    rows = {name: _table_row(each[["rating"]].load()) for name, each in rated.items()}
    table = pd.DataFrame(rows).T
    return pd.concat([table, table.mean().rename("(mean)").to_frame().T]).rename_axis("recording")


def _table_row(recording: xr.Dataset) -> dict[str, float]:
    agreement = rater_agreement(recording)
    delay = rater_delay(recording["rating"])
    apart = delay.max("rater", skipna=False) - delay.min("rater", skipna=False)
    row = {"raters": float(recording.sizes["rater"])}
    for measure in agreement["measure"].values:
        for affect, initial in INITIALS.items():
            row[f"{measure} {initial}"] = float(agreement.sel(measure=measure, affect=affect))
    return row | {f"seconds apart {INITIALS[a]}": float(apart.sel(affect=a)) for a in INITIALS}


def _leave_one_out(
    rating: xr.DataArray, fusion: str
) -> Iterator[tuple[xr.DataArray, xr.DataArray]]:
    """For each rater: the fused ratings of the others, and the rating of this one."""
    numbered = rating.assign_coords(rater=range(rating.sizes["rater"]))
    for rater in numbered["rater"].values:
        others = fuse(numbered.drop_sel(rater=rater), fusion)
        yield others, numbered.sel(rater=rater, drop=True)


def evaluate_raters(
    run: StrPath,
    recordings: StrPath | None = None,
    *,
    split: str = "test",
    fusion: str = "mean",
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score human raters as `evaluate` scores a run: each rater against the others, fused.

    Uses the annotated frames of the recordings of the split that have two or more raters. A
    prediction is scored against all raters fused, a slightly better reference than the others
    alone.

    Args:
        run: a run; only its splits are used.
        recordings: folder of the recordings; the folder named in the run by default.
        split: one of the run's splits.
        fusion: how the ratings of the others are fused, one of `signals.FUSIONS`.
        resamples: number of bootstrap resamples for the intervals.
        seed: of the resampling.

    Returns:
        The columns of `evaluate`; empty if there are no ratings. `recording` is `(one rater, all)`
        for the frames of all raters and recordings pooled, `(one rater, mean)` for the mean over
        raters and recordings. `frames` counts the frames of every rater.

    Raises:
        AffectkitError: the split or the fusion is unknown, or a recording is missing.
    """
    scored = [
        signals
        for path in split_paths(run, recordings, split)
        for signals in _rater_signals(open_recording(path), fusion)
    ]
    if not scored:
        return pd.DataFrame(columns=COLUMNS)
    bootstrap = Bootstrap(resamples, seed)
    rows = [*pooled_rows(scored, bootstrap, RATER_POOLED)]
    rows += mean_rows(scored, bootstrap, RATER_MEAN)
    return pd.DataFrame(rows).assign(split=split)[COLUMNS]


def _rater_signals(recording: xr.Dataset, fusion: str) -> Iterator[xr.Dataset]:
    """For each rater a Dataset as `load_split` returns it, with the rating as `prediction`."""
    if recording.sizes.get("rater", 0) < 2:
        return
    rating = recording["rating"].load().where(recording["annotation"].notnull())
    attrs = {name: recording.attrs[name] for name in ("recording", "subject")}
    attrs["subject"] = attrs["subject"] or attrs["recording"]
    for others, rater in _leave_one_out(rating, fusion):
        yield xr.Dataset({"annotation": others, "prediction": rater}, attrs=attrs)
