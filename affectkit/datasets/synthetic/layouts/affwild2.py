"""Aff-Wild2 in two layouts: since ABAW3, and as in ABAW2020.

The layout since ABAW3 has one video and one text file per subject, and additionally each rating.
The layout of 2020 has `raw_videos`, and `VA_Set` without the test set. With quirks, both have those
of `affwild2_tracks`, files of another task with the same names, and hidden files. In the layout of
2020, folders are also nested in a folder of the same name.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.datasets import affwild2
from affectkit.datasets.affwild2 import ALIGNMENT
from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.synthetic.layouts.affwild2_tracks import (
    DECIMALS,
    Track,
    annotation_text,
    expected_values,
    ratings,
    tracks,
    write_track_video,
)
from affectkit.datasets.synthetic.layouts.layout import (
    Layout,
    write_once,
)
from affectkit.datasets.synthetic.movement import RATERS
from affectkit.datasets.synthetic.scene import Settings
from affectkit.errors import AffectkitError
from affectkit.files import StrPath, atomic_write
from affectkit.recording import AFFECT

SPLIT_FOLDERS = {"train": "Train_Set", "validation": "Validation_Set", "test": "Test_Set"}
SPLIT_FOLDERS_2020 = {"train": "Training_Set", "validation": "Validation_Set"}
VIDEOS = "batch1"


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the videos, annotations and ratings of one subject."""
    folder = root / "VA_Estimation_Challenge" / SPLIT_FOLDERS[settings.split(number)]
    for track in tracks(settings, number):
        _write_ratings(_rating_path(root, track.name), settings, track)
        write_once(folder / f"{track.name}.txt", annotation_text(settings, track), end=track.end)
        if track.writes_video:
            write_track_video(root / VIDEOS / track.video, settings, track)
        if settings.quirks:
            other_task = root / "EXPR_Recognition_Challenge" / folder.name
            write_once(other_task / f"{track.name}.txt", "Neutral,Anger\n0\n-1\n")
            write_once(folder / f"._{track.name}.txt", "")
            write_once(root / VIDEOS / f"._{track.video}", "")


def finish(root: Path, settings: Settings) -> None:
    """With quirks: add a hidden file to the folder of videos."""
    if settings.quirks:
        write_once(root / VIDEOS / ".DS_Store", "")


def _rating_path(root: Path, name: str) -> Path:
    return root / "ratings" / f"{name}.csv"


def _write_ratings(path: Path, settings: Settings, track: Track) -> None:
    """Write all ratings in long form: frame, rater, valence, arousal."""
    if path.is_file():
        return
    traces = [
        pd.DataFrame(trace, columns=list(AFFECT)).assign(frame=range(len(trace)), rater=rater)
        for rater, trace in zip(RATERS, ratings(settings, track), strict=True)
    ]
    table = pd.concat(traces)[["frame", "rater", *AFFECT]]
    with atomic_write(path) as partial:
        table.to_csv(partial, index=False, float_format=f"%.{DECIMALS}f")


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file, and each rating."""
    return {track.name: _expected(settings, track) for track in tracks(settings, number)}


def _expected(settings: Settings, track: Track) -> xr.Dataset:
    annotation = make_annotation(
        expected_values(settings, track),
        dataset="synthetic",
        recording=track.name,
        alignment=ALIGNMENT,
    )
    traces = ratings(settings, track).round(DECIMALS)
    return _with_ratings(annotation, dict(zip(RATERS, traces, strict=True)))


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read a recording as `affwild2.annotations` does, and its ratings (rater, frame, affect).

    Raises:
        AffectkitError: a file is missing or has another format.
    """
    return _with_ratings(
        affwild2.annotations(root, name), _read_ratings(_rating_path(Path(root), name))
    )


def _with_ratings(annotation: xr.Dataset, ratings: dict[str, np.ndarray]) -> xr.Dataset:
    values = np.stack(list(ratings.values())).astype(np.float32)
    return annotation.assign(rating=(("rater", "frame", "affect"), values), rater=list(ratings))


def _read_ratings(path: Path) -> dict[str, np.ndarray]:
    """The ratings (frame, affect) by rater."""
    try:
        table = pd.read_csv(path).sort_values("frame")
        raters = table.groupby("rater")
        return {str(rater): traces[list(AFFECT)].to_numpy() for rater, traces in raters}
    except (OSError, ValueError, KeyError) as error:
        raise AffectkitError(f"{path} cannot be read as ratings: {error}") from None


LAYOUT = Layout(affwild2.index, annotations, write, expected, finish)


def write_2020(root: Path, settings: Settings, number: int) -> None:
    """Write the videos and annotations of one subject."""
    split = SPLIT_FOLDERS_2020.get(settings.split(number))
    videos = root / _nested("raw_videos", settings)
    for track in tracks(settings, number):
        if track.writes_video:
            write_track_video(videos / track.video, settings, track)
        if not split:
            continue
        folder = root / "annotations" / "VA_Set" / _nested(split, settings)
        write_once(folder / f"{track.name}.txt", annotation_text(settings, track), end=track.end)
        if settings.quirks:
            other_task = root / "annotations" / "EXPR_Set" / split
            write_once(other_task / f"{track.name}.txt", "Neutral,Anger\n0\n-1\n")
            write_once(folder / f"._{track.name}.txt", "")


def _nested(name: str, settings: Settings) -> str:
    return f"{name}/{name}" if settings.quirks else name


def expected_2020(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file; nothing for the test split."""
    if settings.split(number) not in SPLIT_FOLDERS_2020:
        return {}
    return {
        track.name: make_annotation(
            expected_values(settings, track),
            dataset="synthetic",
            recording=track.name,
            alignment=ALIGNMENT,
        )
        for track in tracks(settings, number)
    }


LAYOUT_2020 = Layout(affwild2.index, affwild2.annotations, write_2020, expected_2020)
