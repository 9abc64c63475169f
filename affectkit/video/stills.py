"""Read folders of pictures that are used instead of a video."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from affectkit.errors import AffectkitError
from affectkit.files import StrPath
from affectkit.video.decoding import DEFAULT_FPS
from affectkit.video.reading import single_frames
from affectkit.video.writing import write_video_once

Picture = NDArray[np.uint8]  # (row, col, channel), RGB
NO_PICTURE = np.zeros((0, 0, 3), np.uint8)  # for a missing or unreadable picture
BATCH = 16
QUARTER_TURNS = (5, 6, 7, 8)  # EXIF orientations that swap width and height
UNREADABLE = (  # what Pillow raises for a damaged picture, and for one of too many pixels
    OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError
)  # fmt: skip
MAX_PIXELS = 1920 * 1088  # of a frame that browsers decode without difficulty


class StillSizes(NamedTuple):
    """Sizes of pictures, and the unreadable ones."""

    width: NDArray[np.int64]  # (frame) as displayed; 0 = missing or unreadable
    height: NDArray[np.int64]  # (frame)
    unreadable: list[str]  # names of pictures that cannot be read


def measure_stills(folder: StrPath, names: Sequence[str]) -> StillSizes:
    """Read the sizes of pictures. All are decoded, as only this finds damaged files.

    Args:
        folder: the folder of the pictures.
        names: (frame) paths relative to `folder`; "" = missing.
    """
    sizes = [_size(Path(folder) / name) if name else (0, 0) for name in names]
    width, height = np.array(sizes, np.int64).reshape(-1, 2).T
    unreadable = [name for name, size in zip(names, sizes, strict=True) if name and not size[0]]
    return StillSizes(width, height, unreadable)


def _size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            image.load()
            turned = image.getexif().get(ExifTags.Base.Orientation) in QUARTER_TURNS
            return image.size[::-1] if turned else image.size
    except UNREADABLE:
        return (0, 0)


def read_stills(
    folder: StrPath, names: Sequence[str], batch: int = BATCH
) -> Iterator[list[Picture]]:
    """Read pictures, `batch` at a time, as displayed: the rotation in EXIF is applied.

    Args:
        folder: the folder of the pictures.
        names: (frame) paths relative to `folder`; "" = missing.
        batch: number of pictures at a time.

    Yields:
        rgb (row, col, channel) of each picture in its own size; without rows if it is unreadable.
    """
    folder = Path(folder)
    for start in range(0, len(names), batch):
        yield [
            _read(folder / name) if name else NO_PICTURE for name in names[start : start + batch]
        ]


def _read(path: Path) -> Picture:
    try:
        with Image.open(path) as image:
            return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except UNREADABLE:
        return NO_PICTURE


def read_recording_frames(recording: xr.Dataset) -> Iterator[tuple[float, Picture]]:
    """Read the source frames of a recording: from its video, or from its stills.

    Yields:
        time in seconds and rgb (row, col, channel) of one frame at a time. Each still is in the
        upper left corner of a black picture of the recording's `width` and `height`.
    """
    if "still" not in recording:
        yield from single_frames(Path(recording.attrs["video"]), stream=video_stream(recording))
        return
    height, width = int(recording.attrs["height"]), int(recording.attrs["width"])
    names = [str(name) for name in recording["still"].values]
    batches = read_stills(Path(recording.attrs["video"]), names)
    pictures = (picture for batch in batches for picture in batch)
    for time, picture in zip(recording["time"].values.tolist(), pictures, strict=True):
        frame = np.zeros((height, width, 3), np.uint8)
        frame[: picture.shape[0], : picture.shape[1]] = picture[:height, :width]
        yield time, frame


def video_stream(recording: xr.Dataset) -> int | None:
    """The number of the video stream that was asked for; None = the one that FFmpeg prefers."""
    number = (recording.attrs.get("source") or {}).get("stream")
    return None if number is None else int(number)


def stills_to_video(recording: xr.Dataset, folder: StrPath) -> Path:
    """Encode the stills of a recording as H.264, each at its own time; once for each `folder`.

    Raises:
        AffectkitError: the pictures are too large for browsers.
    """
    name, size = recording.attrs["recording"], [recording.attrs[key] for key in ("width", "height")]
    if not all(size):
        raise AffectkitError(f"recording {name!r} has no width and height; prepare it again")
    width, height = map(int, size)
    if width * height > MAX_PIXELS:
        raise AffectkitError(
            f"recording {name!r}: pictures up to {width}x{height} are too large for a video that "
            f"browsers play; expected at most {MAX_PIXELS} pixels; resize them, then prepare "
            "them again"
        )
    shown = [*recording["still"].values.tolist(), *recording["time"].values.tolist()]
    digest = sha256(repr((recording.attrs["video"], shown)).encode()).hexdigest()[:16]
    path = Path(folder) / f"{name}-{digest}.mp4"
    return write_video_once(
        path,
        read_recording_frames(recording),
        fps=float(recording.attrs["fps"] or DEFAULT_FPS),
        longest_pause=float(np.diff(recording["time"]).max(initial=0)),
    )
