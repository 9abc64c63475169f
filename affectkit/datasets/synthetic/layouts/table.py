"""A folder of one's own: one table for all videos, or, with traps, one a video from a spreadsheet.

The spreadsheet writes semicolons, decimal commas, CRLF, a byte order mark and milliseconds, and its
rows are in no order.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from affectkit.datasets import table
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.layouts.layout import Layout, write_once
from affectkit.datasets.synthetic.movement import RATERS
from affectkit.datasets.synthetic.plan import Plan, Scene, make_scene
from affectkit.video import write_video

DECIMALS = 4
BYTE_ORDER_MARK = "\ufeff"


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's video, and with traps the table of it."""
    name, scene = plan.names[number], make_scene(plan, number)
    if plan.traps:
        path = root / "annotations" / f"{name}.csv"
        write_once(path, _spreadsheet(scene, plan, number), end="\r\n")
        write_once(root / "annotations" / ".DS_Store", "")
    video = root / "videos" / f"{name}.mp4"
    if not video.is_file():
        write_video(video, film(scene, plan.fps), fps=plan.fps)


def finish(root: Path, plan: Plan) -> None:
    """Without traps: write the table of all videos."""
    if plan.traps:
        return
    lines = ["video,frame,rater,valence,arousal,subject,split"]
    for number, name in enumerate(plan.names):
        scene = make_scene(plan, number)
        rest = f"{name},{plan.split(number)}"
        for rater, trace in zip(RATERS, _ratings(scene), strict=True):
            for frame, values in enumerate(trace):
                cells = ",".join("" if np.isnan(v) else f"{v:.{DECIMALS}f}" for v in values)
                lines.append(f"{name}.mp4,{frame},{rater},{cells},{rest}")
    write_once(root / "annotations.csv", "\n".join([*lines, ""]))


def _ratings(scene: Scene) -> np.ndarray:
    """Ratings (rater, frame, affect) as a table holds them, NaN where nobody rates."""
    rating = np.array(scene.rating.round(DECIMALS))
    rating[:, ~scene.annotated] = np.nan
    return rating


def _milliseconds(plan: Plan) -> np.ndarray:
    return np.asarray((np.arange(plan.frames) * 1000 / plan.fps).round(3))


def _mean(scene: Scene) -> np.ndarray:
    mean = np.array(scene.rating.mean(axis=0).round(DECIMALS))
    mean[~scene.annotated] = np.nan
    return mean


def _spreadsheet(scene: Scene, plan: Plan, number: int) -> str:
    rows = [
        f"{time:.3f};{valence:.{DECIMALS}f};{arousal:.{DECIMALS}f};{plan.split(number)}"
        for time, (valence, arousal) in zip(_milliseconds(plan), _mean(scene), strict=True)
    ]
    order = np.random.default_rng(number).permutation(len(rows))
    shuffled = [rows[row].replace(".", ",").replace("nan", "") for row in order]
    return "\n".join([f"{BYTE_ORDER_MARK}Time [ms];Valence;Arousal;Split", *shuffled, "", ";;;"])


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The ratings by frame and their mean; with traps the mean by time."""
    name, scene = plan.names[number], make_scene(plan, number)
    if plan.traps:
        time = _milliseconds(plan) / 1000
        how = "by time [ms], as the table says"
        known = annotate(_mean(scene), dataset="table", recording=name, time=time, alignment=how)
        return {name: known}
    rating = _ratings(scene)
    how = "by frame, as the table says"
    known = annotate(rating.mean(axis=0), dataset="table", recording=name, alignment=how)
    ratings = (("rater", "frame", "affect"), rating.astype(np.float32))
    return {name: known.assign(rating=ratings, rater=list(RATERS))}


LAYOUT = Layout(table.index, table.annotations, write, written, finish)
