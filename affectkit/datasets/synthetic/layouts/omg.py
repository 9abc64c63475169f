"""OMG-Emotion: each person's video is cut into two utterances, and a table tells of each split."""

from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import xarray as xr

from affectkit.datasets import omg
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.layouts.layout import Layout, write_once
from affectkit.datasets.synthetic.plan import Plan, make_scene
from affectkit.recording import AFFECT
from affectkit.video import write_video

HEADER = "link,start,end,video,utterance,arousal,valence,EmotionMaxVote"
KEYLESS = ",,,,,0.284,0.117,"
TABLES = {
    "train": "omg_TrainVideos.csv",
    "validation": "omg_ValidationVideos.csv",
    "test": "omg_TestVideos_WithLabels.csv",
}
UNLABELLED = "omg_TestVideos_WithoutLabels.csv"
DECIMALS = 6


def _pieces(plan: Plan) -> list[slice]:
    """The frames of each utterance."""
    ends = np.linspace(0, plan.frames, min(2, plan.frames) + 1).round().astype(int)
    return [slice(first, last) for first, last in pairwise(ends)]


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's utterances."""
    folder, pieces = root / plan.names[number], _pieces(plan)
    paths = [folder / f"utterance_{piece + 1}.mp4" for piece in range(len(pieces))]
    if all(path.is_file() for path in paths):
        return
    frames = film(make_scene(plan, number), plan.fps)
    for path, piece in zip(paths, pieces, strict=True):
        clip = islice(frames, piece.stop - piece.start)
        start = piece.start / plan.fps
        timed = ((time - start, rgb) for time, rgb in clip)
        write_video(path, timed, fps=plan.fps, overwrite=True)


def finish(root: Path, plan: Plan) -> None:
    """Write the tables of all splits."""
    end = "\r\n" if plan.traps else "\n"
    for split, file in TABLES.items():
        rows = [
            row
            for number in range(len(plan.names))
            if plan.split(number) == split
            for row in _rows(plan, number)
        ]
        labelled = rows
        if plan.traps and split == "train":
            labelled = [*rows, KEYLESS, KEYLESS, ",,,,,,,"]
        if plan.traps and split == "test":
            labelled = [row.replace(".mp4,", ".mp4 ,") for row in rows[:1]] + rows[1:-1]
        write_once(root / file, "\n".join([HEADER, *labelled, ""]), end)
        if split == "test":
            keys = [",".join(row.split(",")[:5]) for row in reversed(rows)]
            header = ",".join(HEADER.split(",")[:5])
            write_once(root / UNLABELLED, "\n".join([header, *keys, ""]), end)


def _rows(plan: Plan, number: int) -> list[str]:
    video, rows = plan.names[number], []
    for piece, (frames, (valence, arousal)) in enumerate(_labels(plan, number), start=1):
        start, end = frames.start / plan.fps, frames.stop / plan.fps
        cells = [f"https://www.youtube.com/watch?v={video}", f"{start:.2f}", f"{end:.2f}", video]
        labels = [f"{arousal:.{DECIMALS}f}", f"{valence:.{DECIMALS}f}", "4"]
        rows.append(",".join([*cells, f"utterance_{piece}.mp4", *labels]))
    return rows


def _labels(plan: Plan, number: int) -> list[tuple[slice, tuple[float, float]]]:
    """Frames, valence in [-1, 1] and arousal in [0, 1] of each utterance: the raters' mean."""
    rating = make_scene(plan, number).rating.mean(axis=0)
    means = [rating[frames].mean(axis=0) for frames in _pieces(plan)]
    labels = [(float(v.round(DECIMALS)), float(((a + 1) / 2).round(DECIMALS))) for v, a in means]
    return list(zip(_pieces(plan), labels, strict=True))


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters over each utterance; with traps the very last one has no label."""
    read, labels = {}, _labels(plan, number)
    last_test = plan.split(number) == "test" and number == len(plan.names) - 1
    for piece, (_, (valence, arousal)) in enumerate(labels, start=1):
        name = f"{plan.names[number]}_utterance_{piece}"
        silent = plan.traps and last_test and piece == len(labels)
        values = [np.nan] * len(AFFECT) if silent else [valence, 2 * arousal - 1]
        reach = {affect: list(omg.REACH[affect]) for affect in AFFECT}
        read[name] = annotate(
            values, dataset="omg", recording=name, source_range=reach, alignment=omg.ALIGNMENT
        )
    return read


LAYOUT = Layout(omg.index, omg.annotations, write, written, finish)
