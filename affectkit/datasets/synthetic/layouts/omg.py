"""OMG-Emotion: the video of each subject is cut into two utterances; one table per split."""

from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import xarray as xr

from affectkit.datasets import omg
from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.synthetic.layouts.layout import (
    Layout,
    write_once,
)
from affectkit.datasets.synthetic.rendering import render_video
from affectkit.datasets.synthetic.scene import Settings, make_scene
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


def _utterances(settings: Settings) -> list[slice]:
    """The frames of each utterance."""
    ends = np.linspace(0, settings.frames, min(2, settings.frames) + 1).round().astype(int)
    return [slice(first, last) for first, last in pairwise(ends)]


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the utterances of one subject."""
    folder, utterances = root / settings.names[number], _utterances(settings)
    paths = [folder / f"utterance_{utterance + 1}.mp4" for utterance in range(len(utterances))]
    if all(path.is_file() for path in paths):
        return
    frames = render_video(make_scene(settings, number), settings.fps)
    for path, utterance in zip(paths, utterances, strict=True):
        clip = islice(frames, utterance.stop - utterance.start)
        start = utterance.start / settings.fps
        timed = ((time - start, rgb) for time, rgb in clip)
        write_video(path, timed, fps=settings.fps, overwrite=True)


def finish(root: Path, settings: Settings) -> None:
    """Write the tables of all splits."""
    end = "\r\n" if settings.quirks else "\n"
    for split, file in TABLES.items():
        rows = [
            row
            for number in range(len(settings.names))
            if settings.split(number) == split
            for row in _rows(settings, number)
        ]
        labelled = rows
        if settings.quirks and split == "train":
            labelled = [*rows, KEYLESS, KEYLESS, ",,,,,,,"]
        if settings.quirks and split == "test":
            labelled = [row.replace(".mp4,", ".mp4 ,") for row in rows[:1]] + rows[1:-1]
        write_once(root / file, "\n".join([HEADER, *labelled, ""]), end)
        if split == "test":
            keys = [",".join(row.split(",")[:5]) for row in reversed(rows)]
            header = ",".join(HEADER.split(",")[:5])
            write_once(root / UNLABELLED, "\n".join([header, *keys, ""]), end)


def _rows(settings: Settings, number: int) -> list[str]:
    video, rows = settings.names[number], []
    for utterance, (frames, (valence, arousal)) in enumerate(_labels(settings, number), start=1):
        start, end = frames.start / settings.fps, frames.stop / settings.fps
        cells = [f"https://www.youtube.com/watch?v={video}", f"{start:.2f}", f"{end:.2f}", video]
        labels = [f"{arousal:.{DECIMALS}f}", f"{valence:.{DECIMALS}f}", "4"]
        rows.append(",".join([*cells, f"utterance_{utterance}.mp4", *labels]))
    return rows


def _labels(settings: Settings, number: int) -> list[tuple[slice, tuple[float, float]]]:
    """Frames, valence in [-1, 1] and arousal in [0, 1] of each utterance: the raters' mean."""
    rating = make_scene(settings, number).rating.mean(axis=0)
    means = [rating[frames].mean(axis=0) for frames in _utterances(settings)]
    labels = [(float(v.round(DECIMALS)), float(((a + 1) / 2).round(DECIMALS))) for v, a in means]
    return list(zip(_utterances(settings), labels, strict=True))


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters over each utterance; with quirks, the last one has no label."""
    read, labels = {}, _labels(settings, number)
    last_test = settings.split(number) == "test" and number == len(settings.names) - 1
    for utterance, (_, (valence, arousal)) in enumerate(labels, start=1):
        name = f"{settings.names[number]}_utterance_{utterance}"
        unlabelled = settings.quirks and last_test and utterance == len(labels)
        values = [np.nan] * len(AFFECT) if unlabelled else [valence, 2 * arousal - 1]
        source_range = {affect: list(omg.RANGES[affect]) for affect in AFFECT}
        read[name] = make_annotation(
            values,
            dataset="omg",
            recording=name,
            source_range=source_range,
            alignment=omg.ALIGNMENT,
        )
    return read


LAYOUT = Layout(omg.index, omg.annotations, write, expected, finish)
