"""What browsers play and seek well: the file itself, or an H.264 twin made once.

Chromium, Firefox and Safari want H.264, VP8, VP9 or AV1 in mp4 or webm; seeking is only quick when
key frames are near each other and the index of an mp4 stands in front. Chromium's `mediaTime` and
`currentTime` are the presentation time stamps, to the microsecond, wherever the first one lies.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectkit.video.opening import open_video
from affectkit.video.reading import (
    VideoInfo,
    faulty_stamps,
    probe,
    read_frames,
    read_packets,
)
from affectkit.video.writing import write_video

VIDEO = {".mp4": ("h264", "vp9", "av1"), ".webm": ("vp8", "vp9", "av1")}
SOUND = {".mp4": ("aac", "mp3", "opus", "flac"), ".webm": ("opus", "vorbis")}
PIXELS = ("yuv420p", "yuvj420p")
KEY_DISTANCE = 60  # frames


def playable(path: Path, folder: Path) -> Path:
    """The video in a form that browsers play and seek.

    Args:
        path: any video that can be read.
        folder: where a twin is put; its name holds a hash of the content of `path`, so that a
            changed file is made again.

    Returns:
        `path` itself where it is good, else an H.264 twin with all its frames, their time stamps
        and the sound.

    Raises:
        AffectkitError: there is no video at `path`, or not a single frame of it decodes.
    """
    path = Path(path)
    info = probe(path)
    if _plays(info):
        return path
    twin = Path(folder) / f"{path.stem}-{_content_hash(path)}.mp4"
    if not twin.exists():
        write_video(
            twin,
            single_frames(path),
            sound=path if info.sound else None,
            fps=info.fps,
            overwrite=True,
        )
    return twin


def single_frames(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """The frames of a video one by one, as `write_video` takes them."""
    for times, pictures in read_frames(path, batch=8):
        yield from zip(times.tolist(), pictures, strict=True)


def _plays(info: VideoInfo) -> bool:
    suffix = info.path.suffix.lower()
    return (
        info.codec in VIDEO.get(suffix, ())
        and info.pixel_format in PIXELS
        and (suffix != ".mp4" or _index_in_front(info.path))
        and _streams_fit(info.path, suffix)
    )


def _index_in_front(path: Path) -> bool:
    """Whether the box `moov` comes before `mdat` in an mp4."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = int.from_bytes(head[:4]), head[4:]
            if kind in (b"moov", b"mdat") or size < 8:
                return kind == b"moov"
            file.seek(size - 8, 1)
    return False


def _streams_fit(path: Path, suffix: str) -> bool:
    with open_video(path) as container:
        sound = [track.codec_context.codec.canonical_name for track in container.streams.audio]
    if not all(codec in SOUND[suffix] for codec in sound):
        return False
    packets = read_packets(path)
    if faulty_stamps(packets):  # the twin gets mended ones
        return False
    if not all(packet.shown for packet in packets):  # not every player keeps to edit lists
        return False
    keys = [number for number, packet in enumerate(packets) if packet.key] + [len(packets)]
    return bool(np.diff(keys).max(initial=0) <= KEY_DISTANCE)


def _content_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
