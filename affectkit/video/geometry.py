"""From the stored picture to the one that players show: square pixels, upright, of one size.

The display matrix of a file turns and mirrors its pictures, and its sample aspect ratio is the
width of a pixel divided by its height. Both are applied as Chromium applies them, compared for all
eight orientations. The shorter side grows, so that no row or column is lost.
"""

import math
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (row, col, channel), RGB
LARGEST_ASPECT = 10.0  # of a pixel; beyond it the header is damaged


class Orientation(NamedTuple):
    """How a stored picture is shown: mirrored left to right first, then turned."""

    rotation: int = 0  # degrees counter-clockwise: 0, 90, 180 or 270
    mirrored: bool = False

    def apply(self, picture: Picture) -> Picture:
        """The picture (row, col) or (row, col, channel) as shown."""
        return np.rot90(picture[:, ::-1] if self.mirrored else picture, self.rotation // 90)


def orientation(frame: av.VideoFrame) -> Orientation:
    """The orientation of a frame, to the nearest quarter turn."""
    rotation = round(frame.rotation / 90) * 90 % 360
    try:
        data = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # other side data of the frame that PyAV does not know
        data = None
    if data is None:
        return Orientation(rotation)
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    if a * d - b * c >= 0:
        return Orientation(rotation)
    return Orientation(round(-math.degrees(math.atan2(-b, -a)) / 90) * 90 % 360, mirrored=True)


def pixel_aspect(stream: av.VideoStream) -> float:
    """Width of a pixel divided by its height; 1 if it is not stated or impossible."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 1 / LARGEST_ASPECT <= aspect <= LARGEST_ASPECT else 1.0


def square_size(width: int, height: int, aspect: float) -> tuple[int, int]:
    """Width and height of a stored picture in square pixels."""
    return (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))


class Screen:
    """Shows the frames of a stream in the size of the first one.

    Attributes:
        shape: rows and columns of all pictures; None before the first.
    """

    def __init__(self, aspect: float) -> None:
        """Show pictures whose pixels have the aspect ratio `aspect`."""
        self.shape: tuple[int, int] | None = None
        self._aspect = aspect
        self._colour = VideoReformatter()

    def show(self, frame: av.VideoFrame) -> Picture:
        """The picture of a frame; one of another size than the first is fitted between bars."""
        how = orientation(frame)
        width, height = square_size(frame.width, frame.height, self._aspect)
        shape = (width, height) if how.rotation % 180 else (height, width)
        self.shape = self.shape or shape
        scale = min(self.shape[0] / shape[0], self.shape[1] / shape[1])
        if shape != self.shape:
            width, height = (max(1, round(side * scale)) for side in (width, height))
        # starting threads for each frame costs more than the conversion where cores are busy
        plain = self._colour.reformat(frame, width, height, "rgb24", threads=1).to_ndarray()
        return _on_black(how.apply(np.asarray(plain, np.uint8)), self.shape)


def _on_black(picture: Picture, shape: tuple[int, int]) -> Picture:
    if picture.shape[:2] == shape:
        return picture
    whole = np.zeros((*shape, 3), np.uint8)
    top, left = ((shape[axis] - picture.shape[axis]) // 2 for axis in (0, 1))
    whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return whole
