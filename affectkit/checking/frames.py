"""Decoding of all frames of a recording: how many there are, their time stamps, and a hash."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affectkit.checking.hashing import BITS, FRAMES, SIZE, hash_pictures, sample_evenly
from affectkit.errors import AffectkitError
from affectkit.parallel import Progress, no_progress
from affectkit.video import probe, read_thumbnails
from affectkit.video.stills import read_stills


@dataclass(frozen=True)
class VideoInput:
    """A video file, or a folder with one picture per frame."""

    path: Path
    stills: tuple[str, ...] | None = None  # names of pictures below `path`; "" = missing


def _no_hash() -> NDArray[np.int8]:
    return np.zeros((FRAMES, BITS), np.int8)


@dataclass(frozen=True, eq=False)
class DecodedVideo:
    """The result of decoding a video; if `error` is set, nothing was decoded."""

    decoded_frames: int = 0
    header_frames: int = 0  # according to the file header; 0 = unknown
    time: NDArray[np.float64] | None = None  # (frame) seconds; None for pictures
    hash: NDArray[np.int8] = field(default_factory=_no_hash)  # (frame, bit) of some frames
    unreadable: tuple[str, ...] = ()  # names of pictures that cannot be read
    warnings: tuple[str, ...] = ()
    error: str = ""


def decode(source: VideoInput, progress: Progress = no_progress) -> DecodedVideo:
    """Decode every frame; errors and warnings are returned, not raised."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if source.stills is not None and source.path.is_dir():
                video = _decode_stills(source.path, source.stills)
            else:
                video = _decode_video(source.path)
        except (AffectkitError, OSError) as error:
            video = DecodedVideo(error=str(error))
    return replace(video, warnings=tuple(str(warning.message) for warning in caught))


def _decode_video(path: Path) -> DecodedVideo:
    info, times = probe(path), []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for time, picture in read_thumbnails(path, SIZE):
            times.append(time)
            yield picture

    hashes = hash_pictures(sample_evenly(pictures()))
    return DecodedVideo(len(times), info.frames, np.array(times), hashes)


def _decode_stills(folder: Path, names: tuple[str, ...]) -> DecodedVideo:
    unreadable = []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        given = list(filter(None, names))
        for name, (picture,) in zip(given, read_stills(folder, given, batch=1), strict=True):
            if picture.size:
                grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
                small = cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
                yield np.asarray(small, np.uint8)
            else:
                unreadable.append(name)

    count = sum(map(bool, names))
    hashes = hash_pictures(sample_evenly(pictures()))
    return DecodedVideo(count - len(unreadable), count, hash=hashes, unreadable=tuple(unreadable))
