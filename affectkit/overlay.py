"""A prediction drawn onto its video: every frame keeps its own time stamp, and the sound stays."""

from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT
from affectkit.video import write_video
from affectkit.video.stills import read_source

Picture = NDArray[np.uint8]
Progress = Callable[[str, int, int], None]

ANNOTATION = (255, 255, 255)
PREDICTION = (226, 103, 15)
PANEL = (28, 27, 25)


def write_overlay(
    recording: xr.Dataset,
    prediction: xr.Dataset,
    path: Path,
    *,
    caption: str = "",
    progress: Progress | None = None,
) -> None:
    """Write the recording's pictures with box, values and the valence-arousal plane on every frame.

    Args:
        recording: its `video`, or its stills, are read again; frames are matched by `time`.
        prediction: `prediction` (frame, affect) of the same frames.
        path: H.264 file to write, ending in .mp4.
        caption: a line at the foot of every frame.
        progress: called with the recording's name, frames done and frames in all.

    Raises:
        AffectkitError: the video is missing, or its frames are not the recording's.
        xarray.AlignmentError: the prediction is of other frames.
    """
    recording, prediction = xr.align(recording, prediction, join="exact")
    video = Path(recording.attrs["video"])
    tables = {
        "time": recording["time"].values,
        "box": recording["box"].sel(edge=["left", "top", "right", "bottom"]).values,
        "annotation": recording["annotation"].sel(affect=list(AFFECT)).values,
        "prediction": prediction["prediction"].sel(affect=list(AFFECT)).values,
    }

    def drawn() -> Iterator[tuple[float, Picture]]:
        pairs = zip_longest(tables["time"], read_source(recording))
        for number, (time, shown) in enumerate(pairs):
            if shown is None or shown[0] != time:
                raise AffectkitError(f"{video} has changed since it was prepared; prepare it again")
            yield time, draw_frame(shown[1], tables, number, caption)
            if progress:
                progress(recording.attrs["recording"], number + 1, len(tables["time"]))

    stills = "still" in recording
    write_video(path, drawn(), sound=None if stills else video, apart=stills)


def draw_frame(
    picture: Picture, tables: dict[str, NDArray[np.float64]], number: int, caption: str = ""
) -> Picture:
    """Draw one frame of a recording: box, plane with both points, values."""
    picture = picture.copy()
    scale = max(0.5, picture.shape[0] / 480)
    box = tables["box"][number]
    if np.isfinite(box).all():
        left, top, right, bottom = (round(float(edge)) for edge in box)
        cv2.rectangle(picture, (left, top), (right, bottom), ANNOTATION, max(1, round(scale)))
    points = [
        (tables["annotation"][number], ANNOTATION),
        (tables["prediction"][number], PREDICTION),
    ]
    draw_plane(picture, [(affect, colour) for affect, colour in points], scale)
    draw_values(picture, tables["prediction"][number], scale)
    if caption:
        foot = (round(8 * scale), picture.shape[0] - round(8 * scale))
        _text(picture, caption, foot, scale)
    return picture


def draw_plane(
    picture: Picture, points: list[tuple[NDArray[np.float64], tuple[int, int, int]]], scale: float
) -> None:
    """Draw the valence-arousal plane into the top right corner, with a dot for each point."""
    side = round(110 * scale)
    margin = round(8 * scale)
    left, top = picture.shape[1] - side - margin, margin
    _darken(picture[top : top + side, left : left + side])
    middle = (left + side // 2, top + side // 2)
    cv2.circle(picture, middle, side // 2, (138, 135, 127), 1, cv2.LINE_AA)
    cv2.line(picture, (left, middle[1]), (left + side, middle[1]), (138, 135, 127), 1)
    cv2.line(picture, (middle[0], top), (middle[0], top + side), (138, 135, 127), 1)
    for affect, colour in points:
        if np.isfinite(affect).all():
            x = round(middle[0] + float(affect[0]) * side / 2)
            y = round(middle[1] - float(affect[1]) * side / 2)
            cv2.circle(picture, (x, y), round(5 * scale), colour, -1, cv2.LINE_AA)


def draw_values(picture: Picture, affect: NDArray[np.float64], scale: float) -> None:
    """Write valence and arousal at the top left, or that there is no face."""
    lines = [f"{name} {value:+.2f}" for name, value in zip(AFFECT, affect, strict=True)]
    if not np.isfinite(affect).all():
        lines = ["no face"]
    for row, line in enumerate(lines, start=1):
        _text(picture, line, (round(8 * scale), round(22 * scale * row)), scale)


def _text(picture: Picture, text: str, foot: tuple[int, int], scale: float) -> None:
    font, margin = (cv2.FONT_HERSHEY_SIMPLEX, 0.6 * scale), round(4 * scale)
    (width, height), below = cv2.getTextSize(text, *font, 1)
    left, top = max(0, foot[0] - margin), max(0, foot[1] - height - margin)
    _darken(picture[top : foot[1] + below + margin, left : foot[0] + width + margin])
    cv2.putText(picture, text, foot, *font, PREDICTION, 1, cv2.LINE_AA)


def _darken(part: Picture) -> None:
    """What is drawn onto it can be read, whatever it shows."""
    part[:] = part // 5 + (np.array(PANEL) * 4 // 5).astype(np.uint8)
