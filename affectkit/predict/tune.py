"""The filter that suits a run's predictions, chosen on its validation recordings alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.metrics import ccc
from affectkit.predict.how import how_to_predict
from affectkit.predict.reading import read_run, smoothed
from affectkit.recording import open_recording
from affectkit.run import read_contract, recording_store, write_contract
from affectkit.signals import FILTERS

SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
Progress = Callable[[str, int, int], None]


def tune(
    run: Path, recordings: Path | None = None, *, progress: Progress | None = None
) -> pd.DataFrame:
    """Choose filter and window by the CCC of the validation recordings, and keep them.

    They go into the run's contract, and `predict` uses them from then on; predictions that lie in
    the run's folder stay as they were made. Test recordings are not looked at.

    Args:
        run: a trained run, or the mean of several.
        recordings: folder of the recordings; by default where the run has them from.
        progress: called with "tune", recordings done and recordings in all.

    Returns:
        A row for each choice, the best first: `smooth`, `seconds` (NaN for "none"),
        `ccc_valence`, `ccc_arousal`, `ccc_mean`, of all frames pooled.

    Raises:
        AffectkitError: no run, no validation recordings, or none with an annotation.
    """
    contract, how = read_contract(run), how_to_predict(run)
    names = contract["splits"].get("validation", [])
    pairs = []
    for done, name in enumerate(names, start=1):
        recording = open_recording(
            recordings / f"{name}.zarr" if recordings else recording_store(run, name)
        )
        pairs.append((recording["annotation"].load(), read_run(run, recording, how, 256)))
        if progress:
            progress("tune", done, len(names))
    if not any(annotation.notnull().any() for annotation, _ in pairs):
        raise AffectkitError(
            f"{run} has no annotated validation recordings to choose a filter on; "
            "set predict.smooth in the recipe, or give --smooth to predict"
        )
    choices = [("none", how.smooth_seconds), *((m, s) for m in FILTERS for s in SECONDS)]
    rows = []
    for method, seconds in choices:
        chosen = how_to_predict(run, smooth=method, smooth_seconds=seconds)
        scores = _score([(annotation, smoothed(raw, chosen)) for annotation, raw in pairs])
        rows.append({"smooth": method, "seconds": seconds} | scores)
    table = pd.DataFrame(rows).sort_values("ccc_mean", ascending=False, kind="stable")
    best = table.iloc[0]
    kept = how_to_predict(run, smooth=best["smooth"], smooth_seconds=float(best["seconds"]))
    tuned = {"smooth, smooth_seconds": "the best CCC of the validation recordings"}
    write_contract(run, contract | {"predict": kept.model_dump(), "tuned": tuned})
    table.loc[table["smooth"] == "none", "seconds"] = np.nan
    return table.reset_index(drop=True)


def _score(pairs: list[tuple[xr.DataArray, xr.Dataset]]) -> dict[str, float]:
    annotation = xr.concat([annotation for annotation, _ in pairs], "frame")
    predicted = xr.concat([predicted["prediction"] for _, predicted in pairs], "frame")
    score = ccc(annotation, predicted, "frame")
    each = {f"ccc_{affect}": float(score.sel(affect=affect)) for affect in score["affect"].values}
    return each | {"ccc_mean": float(score.mean())}
