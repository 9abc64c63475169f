"""Look at videos with a published model: prepare, predict and attribute them, in one call."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import xarray as xr

from affectkit.attribution import attribute
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath
from affectkit.inference import predict
from affectkit.parallel import Progress, no_progress
from affectkit.preparation import crop_of, prepare_videos
from affectkit.published import MODELS, create_published_run
from affectkit.recording import AFFECT
from affectkit.run import METADATA
from affectkit.weights import weights_file

MODEL = "expression-circumplex"
METHOD = "integrated_gradients"
FEW_STEPS = 16  # in a demo: half the time of the default, and a map that looks the same
CLIP = "clip-crying-laughing"


class LookResult(NamedTuple):
    """What `look` wrote."""

    run: Path
    recordings: list[Path]
    summary: pd.DataFrame  # one row per recording, see `summarise`


def look(
    videos: Sequence[StrPath],
    *,
    runs: StrPath,
    recordings: StrPath,
    model: StrPath = MODEL,
    detector: str = "dlib",
    steps: int | None = None,
    workers: int = 1,
    progress: Progress = no_progress,
) -> LookResult:
    """Predict and attribute videos; what an earlier call has finished is kept.

    Args:
        videos: video files; in each the person who is seen longest.
        runs: folder of runs; the published model becomes the run `runs/MODEL`.
        recordings: folder for the recordings.
        model: a name in `published.MODELS`, or the folder of a trained run.
        detector: one of `faces.DETECTORS`.
        steps: as for `attribute`.
        workers: number of processes that detect the faces.
        progress: called with the name of the step, the amount done and the total.

    Raises:
        AffectkitError: there are no videos; the weights cannot be fetched; or a video cannot be
            read.
    """
    if not videos:
        raise AffectkitError("no videos: expected one or more video files")
    run = Path(model)
    if str(model) in MODELS:
        run = Path(runs) / str(model)
        create_published_run(str(model), run, progress=progress)
    elif not (run / METADATA).is_file():
        raise unknown("run or published model", str(model), MODELS)
    paths = prepare_videos(
        videos, recordings, detector=detector, crop=crop_of(run), workers=workers, progress=progress
    )
    predictions = predict(run, paths, progress=progress)
    attribute(run, paths, METHOD, steps=steps, progress=progress)
    return LookResult(run, paths, summarise(predictions))


def look_at_clip(out: StrPath, *, progress: Progress = no_progress) -> LookResult:
    """Fetch a clip of a woman who cries, then laughs, and look at it.

    Args:
        out: folder of a demo; the run is in its `runs`, the recording in `real`.
        progress: as for `look`.

    Raises:
        AffectkitError: the clip or the weights cannot be fetched.
    """
    clip = weights_file(CLIP, progress=progress)
    out = Path(out)
    runs, recordings = out / "runs", out / "real"
    return look([clip], runs=runs, recordings=recordings, steps=FEW_STEPS, progress=progress)


def summarise(predictions: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Frames, and mean, lowest and highest prediction of each recording.

    Args:
        predictions: each with `prediction` (frame, affect); NaN frames are left out.

    Returns:
        Columns recording, frames, and for each affect its name, " lowest" and " highest".
    """
    rows = []
    for each in predictions:
        values = each["prediction"]
        row = {"recording": each.attrs["recording"], "frames": values.sizes["frame"]}
        for affect in AFFECT:
            one = values.sel(affect=affect)
            row[affect] = float(one.mean())
            row[f"{affect} lowest"], row[f"{affect} highest"] = float(one.min()), float(one.max())
        rows.append(row)
    return pd.DataFrame(rows)
