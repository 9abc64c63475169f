"""The layout `table`: one table for all videos, or, with quirks, one spreadsheet per video.

The spreadsheets have semicolons, decimal commas, CRLF, a byte order mark, milliseconds, and
unsorted rows.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from affectkit.datasets import table
from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.synthetic.layouts.layout import (
    Layout,
    write_once,
)
from affectkit.datasets.synthetic.movement import RATERS
from affectkit.datasets.synthetic.rendering import render_video
from affectkit.datasets.synthetic.scene import Scene, Settings, make_scene
from affectkit.video import write_video

DECIMALS = 4
BYTE_ORDER_MARK = "\ufeff"
DEFAULTS = {"between": "", "first_frame": ""}  # of a table without a label format


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the video of one subject, and with quirks its table."""
    name, scene = settings.names[number], make_scene(settings, number)
    if settings.quirks:
        path = root / "annotations" / f"{name}.csv"
        write_once(path, _spreadsheet(scene, settings, number), end="\r\n")
        write_once(root / "annotations" / ".DS_Store", "")
    video = root / "videos" / f"{name}.mp4"
    if not video.is_file():
        write_video(video, render_video(scene, settings.fps), fps=settings.fps)


def finish(root: Path, settings: Settings) -> None:
    """Without quirks: write the table of all videos."""
    if settings.quirks:
        return
    lines = ["video,frame,rater,valence,arousal,subject,split"]
    for number, name in enumerate(settings.names):
        scene = make_scene(settings, number)
        rest = f"{name},{settings.split(number)}"
        for rater, trace in zip(RATERS, _ratings(scene), strict=True):
            for frame, values in enumerate(trace):
                cells = ",".join("" if np.isnan(v) else f"{v:.{DECIMALS}f}" for v in values)
                lines.append(f"{name}.mp4,{frame},{rater},{cells},{rest}")
    write_once(root / "annotations.csv", "\n".join([*lines, ""]))


def _ratings(scene: Scene) -> np.ndarray:
    """Ratings (rater, frame, affect) as in the table; NaN in frames without annotation."""
    rating = np.array(scene.rating.round(DECIMALS))
    rating[:, ~scene.annotated] = np.nan
    return rating


def _milliseconds(settings: Settings) -> np.ndarray:
    return np.asarray((np.arange(settings.frames) * 1000 / settings.fps).round(3))


def _mean(scene: Scene) -> np.ndarray:
    mean = np.array(scene.rating.mean(axis=0).round(DECIMALS))
    mean[~scene.annotated] = np.nan
    return mean


def _spreadsheet(scene: Scene, settings: Settings, number: int) -> str:
    rows = [
        f"{time:.3f};{valence:.{DECIMALS}f};{arousal:.{DECIMALS}f};{settings.split(number)}"
        for time, (valence, arousal) in zip(_milliseconds(settings), _mean(scene), strict=True)
    ]
    order = np.random.default_rng(number).permutation(len(rows))
    shuffled = [rows[row].replace(".", ",").replace("nan", "") for row in order]
    return "\n".join([f"{BYTE_ORDER_MARK}Time [ms];Valence;Arousal;Split", *shuffled, "", ";;;"])


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The ratings by frame and their mean; with quirks, the mean by time."""
    name, scene = settings.names[number], make_scene(settings, number)
    if settings.quirks:
        time = _milliseconds(settings) / 1000
        how, reading = "by time, as in the table", {"time_unit": "ms"} | DEFAULTS
        annotation = make_annotation(
            _mean(scene),
            dataset="table",
            recording=name,
            time=time,
            alignment=how,
            reading=reading,
        )
        return {name: annotation}
    rating = _ratings(scene)
    how, reading = "by frame, as in the table", {"time_unit": "frames"} | DEFAULTS
    annotation = make_annotation(
        rating.mean(axis=0), dataset="table", recording=name, alignment=how, reading=reading
    )
    ratings = (("rater", "frame", "affect"), rating.astype(np.float32))
    return {name: annotation.assign(rating=ratings, rater=list(RATERS))}


LAYOUT = Layout(table.index, table.annotations, write, expected, finish)
