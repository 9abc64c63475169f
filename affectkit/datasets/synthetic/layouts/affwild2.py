"""Aff-Wild2 as since ABAW3: a video and a text file a person; the single ratings lie beside it."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.datasets import affwild2
from affectkit.datasets.affwild2 import ALIGNMENT, HEADER, NOT_ANNOTATED
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.layouts.layout import Layout
from affectkit.datasets.synthetic.movement import RATERS
from affectkit.datasets.synthetic.plan import Plan, Scene, make_scene
from affectkit.errors import AffectkitError
from affectkit.files import beside, write_text
from affectkit.recording import AFFECT
from affectkit.video import write_video

SPLIT_FOLDERS = {"train": "Train_Set", "validation": "Validation_Set", "test": "Test_Set"}
DECIMALS = 4


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's video, annotation and ratings."""
    name = plan.names[number]
    video = root / "batch1" / f"{name}.mp4"
    folder = root / "VA_Estimation_Challenge" / SPLIT_FOLDERS[plan.split(number)]
    rating = _rating_path(root, name)
    scene = make_scene(plan, number)
    if not rating.is_file():
        with beside(rating) as partial_path:
            rating_table(scene).to_csv(partial_path, index=False, float_format=f"%.{DECIMALS}f")
    if not (folder / f"{name}.txt").is_file():
        write_text(folder / f"{name}.txt", annotation_text(scene))
    if not video.is_file():
        write_video(video, film(scene, plan.fps), fps=plan.fps)


def _rating_path(root: Path, name: str) -> Path:
    return root / "ratings" / f"{name}.csv"


def rating_table(scene: Scene) -> pd.DataFrame:
    """Every rater's trace in long form: frame, rater, valence, arousal."""
    traces = [
        pd.DataFrame(trace, columns=list(AFFECT)).assign(frame=range(len(trace)), rater=rater)
        for rater, trace in zip(RATERS, scene.rating, strict=True)
    ]
    return pd.concat(traces)[["frame", "rater", *AFFECT]]


def annotation_text(scene: Scene) -> str:
    """The mean of the raters as Aff-Wild2 writes it, a line a frame."""
    annotation = scene.rating.mean(axis=0)
    annotation[~scene.annotated] = NOT_ANNOTATED
    lines = [f"{valence:.{DECIMALS}f},{arousal:.{DECIMALS}f}" for valence, arousal in annotation]
    return "\n".join([HEADER, *lines, ""])


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file, and each rating."""
    scene, name = make_scene(plan, number), plan.names[number]
    values = scene.rating.mean(axis=0).round(DECIMALS)
    values[~scene.annotated] = np.nan
    known = annotate(values, dataset="synthetic", recording=name, alignment=ALIGNMENT)
    return {
        name: _with_ratings(known, dict(zip(RATERS, scene.rating.round(DECIMALS), strict=True)))
    }


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read a recording as `affwild2.annotations` does, and its ratings (rater, frame, affect).

    Raises:
        AffectkitError: a file is missing or not in the format.
    """
    return _with_ratings(affwild2.annotations(root, name), _read_ratings(_rating_path(root, name)))


def _with_ratings(known: xr.Dataset, ratings: dict[str, np.ndarray]) -> xr.Dataset:
    values = np.stack(list(ratings.values())).astype(np.float32)
    return known.assign(rating=(("rater", "frame", "affect"), values), rater=list(ratings))


def _read_ratings(path: Path) -> dict[str, np.ndarray]:
    """Every rater's trace (frame, affect) by name."""
    try:
        table = pd.read_csv(path).sort_values("frame")
        raters = table.groupby("rater")
        return {str(rater): traces[list(AFFECT)].to_numpy() for rater, traces in raters}
    except (OSError, ValueError, KeyError) as error:
        raise AffectkitError(f"{path} cannot be read as ratings: {error}") from None


LAYOUT = Layout(affwild2.index, annotations, write, written)
