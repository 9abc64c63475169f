"""Pictures in a folder in place of a video: read by name, or shown as frames of one size."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from affectkit.errors import AffectkitError
from affectkit.video.playing import single_frames
from affectkit.video.writing import write_video

Picture = NDArray[np.uint8]  # (row, col, channel), RGB
NOTHING = np.zeros((0, 0, 3), np.uint8)  # in place of a picture that is not there
BATCH = 16
TURNED = (5, 6, 7, 8)  # EXIF orientations in which width and height change places
LARGEST = 1920 * 1088  # pixels of a frame that browsers decode with ease


class Sizes(NamedTuple):
    """Which pictures can be read, and how large they are."""

    width: NDArray[np.int64]  # (frame) as shown; 0 = missing or not to be read
    height: NDArray[np.int64]  # (frame)
    faults: list[str]  # names of pictures that should be there and cannot be read


def measure_stills(folder: Path, names: Sequence[str]) -> Sizes:
    """Try pictures: a damaged one often shows only when all of it is decoded.

    Args:
        folder: that the names start from.
        names: (frame) paths below `folder`; "" = missing.
    """
    sizes = [_size(folder / name) if name else (0, 0) for name in names]
    width, height = np.array(sizes, np.int64).reshape(-1, 2).T
    faults = [name for name, size in zip(names, sizes, strict=True) if name and not size[0]]
    return Sizes(width, height, faults)


def _size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            image.load()
            turned = image.getexif().get(ExifTags.Base.Orientation) in TURNED
            return image.size[::-1] if turned else image.size
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError):
        return (0, 0)


def read_stills(folder: Path, names: Sequence[str], batch: int = BATCH) -> Iterator[list[Picture]]:
    """Read pictures, `batch` at a time, as they are shown (rotation in EXIF is applied).

    Args:
        folder: that the names start from.
        names: (frame) paths below `folder`; "" = missing.
        batch: pictures at a time.

    Yields:
        rgb (row, col, channel) of each, of any size; without rows where it cannot be read.
    """
    for start in range(0, len(names), batch):
        yield [_read(folder / name) if name else NOTHING for name in names[start : start + batch]]


def _read(path: Path) -> Picture:
    try:
        with Image.open(path) as image:
            return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError):
        return NOTHING


def read_source(recording: xr.Dataset) -> Iterator[tuple[float, Picture]]:
    """The pictures that a recording was cut from: the frames of its video, or its stills.

    Yields:
        time in seconds and rgb (row, col, channel) of one frame after the other. Stills stand in
        the upper left corner of a black picture of the recording's `width` and `height`.
    """
    if "still" not in recording:
        yield from single_frames(Path(recording.attrs["video"]))
        return
    height, width = int(recording.attrs["height"]), int(recording.attrs["width"])
    names = [str(name) for name in recording["still"].values]
    batches = read_stills(Path(recording.attrs["video"]), names)
    pictures = (picture for batch in batches for picture in batch)
    for time, picture in zip(recording["time"].values.tolist(), pictures, strict=True):
        frame = np.zeros((height, width, 3), np.uint8)
        frame[: picture.shape[0], : picture.shape[1]] = picture[:height, :width]
        yield time, frame


def film(recording: xr.Dataset, folder: Path) -> Path:
    """A recording's stills as H.264, each at its own time; made once in `folder`.

    Raises:
        AffectkitError: a picture is larger than browsers decode with ease.
    """
    width, height = int(recording.attrs["width"]), int(recording.attrs["height"])
    name = str(recording.attrs["recording"])
    if width * height > LARGEST:
        raise AffectkitError(
            f"{name} consists of pictures up to {width}x{height}, too large for a film of them"
        )
    shown = [*recording["still"].values.tolist(), *recording["time"].values.tolist()]
    digest = sha256(repr((recording.attrs["video"], shown)).encode()).hexdigest()[:16]
    path = folder / f"{name}-{digest}.mp4"
    if not path.exists():
        fps = float(recording.attrs["fps"])
        write_video(path, read_source(recording), fps=fps, apart=True, overwrite=True)
    return path
