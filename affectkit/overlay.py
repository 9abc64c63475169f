"""Draw a prediction onto its video; time stamps and sound do not change."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.files import StrPath
from affectkit.parallel import Progress, no_progress
from affectkit.recording import AFFECT
from affectkit.results import check_same_frames
from affectkit.video import write_video
from affectkit.video.stills import read_recording_frames

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

ANNOTATION = (255, 255, 255)
PREDICTION = (226, 103, 15)
PANEL = (28, 27, 25)
PLANE_LINES = (138, 135, 127)
FONT = cv2.FONT_HERSHEY_SIMPLEX
LINE = 22  # pixels from one line of text to the next, on a picture of 480 pixels
SMALLEST = 0.1  # scale of the text of a caption


def write_overlay(
    recording: xr.Dataset,
    prediction: xr.Dataset,
    path: StrPath,
    *,
    caption: str = "",
    progress: Progress = no_progress,
) -> None:
    """Write the video of a recording with face box, values and valence-arousal plane on each frame.

    Args:
        recording: its video (or its still images) is read again; frames are matched by `time`.
        prediction: `prediction` (frame, affect) on the same frames.
        path: the .mp4 file to write (H.264).
        caption: text at the bottom of each frame, in lines that fit its width.
        progress: called with the name of the recording, frames done and all frames.

    Raises:
        AffectkitError: the video is missing, or its frames or those of the prediction differ from
            those of the recording.
    """
    check_same_frames(prediction, recording)
    video = Path(recording.attrs["video"])
    values = {
        "time": recording["time"].values,
        "box": recording["box"].sel(edge=["left", "top", "right", "bottom"]).values,
        "annotation": recording["annotation"].sel(affect=list(AFFECT)).values,
        "prediction": prediction["prediction"].sel(affect=list(AFFECT)).values,
    }

    def drawn_frames() -> Iterator[tuple[float, Image]]:
        pairs = zip_longest(values["time"], read_recording_frames(recording))
        for number, (time, frame) in enumerate(pairs):
            if frame is None or frame[0] != time:
                raise AffectkitError(f"{video} has changed since it was prepared; prepare it again")
            yield time, draw_frame(frame[1], values, number, caption)
            progress(recording.attrs["recording"], number + 1, len(values["time"]))

    stills = "still" in recording
    pause = float(np.diff(values["time"]).max(initial=0))
    write_video(path, drawn_frames(), sound=None if stills else video, longest_pause=pause)


def draw_frame(
    image: Image, values: dict[str, NDArray[np.float64]], number: int, caption: str = ""
) -> Image:
    """Draw box, values and plane onto a copy of one frame.

    Args:
        image: (row, col, rgb) the frame.
        values: `box` (frame, edge), `annotation` and `prediction` (frame, affect); NaN is skipped.
        number: position of the frame in `values`.
        caption: text at the bottom.
    """
    image = image.copy()
    scale = max(0.5, min(image.shape[0] / 480, image.shape[1] / 480))
    box = values["box"][number]
    if np.isfinite(box).all():
        left, top, right, bottom = (round(float(edge)) for edge in box)
        cv2.rectangle(image, (left, top), (right, bottom), ANNOTATION, max(1, round(scale)))
    points = [
        (values["annotation"][number], ANNOTATION),
        (values["prediction"][number], PREDICTION),
    ]
    draw_plane(image, points, scale)
    draw_values(image, values["prediction"][number], scale)
    draw_caption(image, caption, scale)
    return image


def draw_plane(
    image: Image, points: list[tuple[NDArray[np.float64], Colour]], scale: float
) -> None:
    """Draw the valence-arousal plane into the top right corner, with a dot for each point."""
    side = round(110 * scale)
    margin = round(8 * scale)
    left, top = image.shape[1] - side - margin, margin
    _darken(image[top : top + side, left : left + side])
    centre = (left + side // 2, top + side // 2)
    cv2.circle(image, centre, side // 2, PLANE_LINES, 1, cv2.LINE_AA)
    cv2.line(image, (left, centre[1]), (left + side, centre[1]), PLANE_LINES, 1)
    cv2.line(image, (centre[0], top), (centre[0], top + side), PLANE_LINES, 1)
    for affect, colour in points:
        if np.isfinite(affect).all():
            x = round(centre[0] + float(affect[0]) * side / 2)
            y = round(centre[1] - float(affect[1]) * side / 2)
            cv2.circle(image, (x, y), round(5 * scale), colour, -1, cv2.LINE_AA)


def draw_values(image: Image, affect: NDArray[np.float64], scale: float) -> None:
    """Write valence and arousal at the top left, or "no face" if they are NaN."""
    lines = [f"{name} {value:+.2f}" for name, value in zip(AFFECT, affect, strict=True)]
    if not np.isfinite(affect).all():
        lines = ["no face"]
    for row, line in enumerate(lines, start=1):
        _draw_text(image, line, (round(8 * scale), round(LINE * scale * row)), scale)


def draw_caption(image: Image, text: str, scale: float) -> None:
    """Write text at the bottom, in lines that fit; smaller if they would fill half the height."""
    height, width = image.shape[:2]
    margin = 2 * round(8 * scale)
    while lines := _wrap(text, width - margin, scale):
        widest = max(_text_width(line, scale) for line in lines)
        if scale < SMALLEST or (
            widest <= width - margin and len(lines) * LINE * scale < height / 2
        ):
            break
        scale *= 0.9
    for row, line in enumerate(reversed(lines)):
        _draw_text(image, line, (margin // 2, height - round((8 + row * LINE) * scale)), scale)


def _wrap(text: str, width: int, scale: float) -> list[str]:
    """Lines of whole words; wider than `width` only if a single word is."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _text_width(longer, scale) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _text_width(text: str, scale: float) -> int:
    return int(cv2.getTextSize(text, FONT, 0.6 * scale, 1)[0][0])


def _draw_text(image: Image, text: str, position: tuple[int, int], scale: float) -> None:
    """Write text on a dark panel; `position` is the left end of its baseline."""
    font, margin = (FONT, 0.6 * scale), round(4 * scale)
    (width, height), descent = cv2.getTextSize(text, *font, 1)
    left, top = max(0, position[0] - margin), max(0, position[1] - height - margin)
    _darken(image[top : position[1] + descent + margin, left : position[0] + width + margin])
    cv2.putText(image, text, position, *font, PREDICTION, 1, cv2.LINE_AA)


def _darken(region: Image) -> None:
    """Darken a region, so that text on it is readable on any image."""
    region[:] = region // 5 + (np.array(PANEL) * 4 // 5).astype(np.uint8)
