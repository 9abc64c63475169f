"""A look at all pictures of a recording: how many there are, when they come, what they show."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.checking.hashing import BITS, EDGE, FRAMES, hash_pictures, spread
from affectkit.errors import AffectkitError
from affectkit.video import probe, read_thumbnails


@dataclass(frozen=True)
class Look:
    """What there is to look at: a video, or a folder with pictures named one by one."""

    video: Path
    stills: tuple[str, ...] | None = None  # below `video`; "" = missing


def _no_hash() -> NDArray[np.int8]:
    return np.zeros((FRAMES, BITS), np.int8)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a look showed; with `error`, nothing."""

    decoded: int = 0
    announced: int = 0  # by the header; 0 = unknown
    time: NDArray[np.float64] | None = None  # (frame) of a video, in seconds
    hash: NDArray[np.int8] = field(default_factory=_no_hash)  # (frame, bit) of some frames
    bad: tuple[str, ...] = ()  # pictures that cannot be read
    warnings: tuple[str, ...] = ()
    error: str = ""


def see(look: Look) -> Seen:
    """Decode every picture; what cannot be read is told, not raised."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            still = look.stills is not None and look.video.is_dir()
            seen = _see_stills(look.video, look.stills or ()) if still else _see_video(look.video)
        except (AffectkitError, OSError) as error:
            seen = Seen(error=str(error))
    return replace(seen, warnings=tuple(str(warning.message) for warning in caught))


def _see_video(video: Path) -> Seen:
    info, times = probe(video), []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for time, picture in read_thumbnails(video, EDGE):
            times.append(time)
            yield picture

    hashes = hash_pictures(spread(pictures()))
    return Seen(len(times), info.frames, np.array(times), hashes)


def _see_stills(folder: Path, names: tuple[str, ...]) -> Seen:
    bad = []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for name in filter(None, names):
            picture = _read_still(folder / name)
            if picture is None:
                bad.append(name)
            else:
                yield picture

    named = sum(map(bool, names))
    hashes = hash_pictures(spread(pictures()))
    return Seen(named - len(bad), named, hash=hashes, bad=tuple(bad))


def _read_still(path: Path) -> NDArray[np.uint8] | None:
    """A small grey picture, or None where it cannot be read."""
    try:
        coded = np.fromfile(path, np.uint8)  # OpenCV's own reading prints what it cannot open
        picture = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE) if len(coded) else None
    except (OSError, cv2.error):
        return None
    if picture is None:
        return None
    return np.asarray(cv2.resize(picture, (EDGE, EDGE), interpolation=cv2.INTER_AREA))
