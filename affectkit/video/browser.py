"""Videos that browsers play and seek quickly: the file itself, or a copy in H.264.

Chromium, Firefox and Safari play H.264, VP8, VP9 and AV1 in mp4 or webm. Seeking is quick only with
frequent key frames, and with the index of an mp4 at the start of the file. Chromium's `mediaTime`
and `currentTime` are presentation time stamps, exact to the microsecond, also where the first one
is not 0.
"""

import hashlib
from pathlib import Path

import numpy as np

from affectkit.files import StrPath
from affectkit.video.opening import open_video
from affectkit.video.reading import (
    VideoInfo,
    invalid_timestamps,
    longest_pause,
    probe,
    read_packets,
    single_frames,
)
from affectkit.video.writing import write_video_once

VIDEO_CODECS = {".mp4": ("h264", "vp9", "av1"), ".webm": ("vp8", "vp9", "av1")}
SOUND_CODECS = {".mp4": ("aac", "mp3", "opus", "flac"), ".webm": ("opus", "vorbis")}
PIXEL_FORMATS = ("yuv420p", "yuvj420p")
MAX_KEY_DISTANCE = 60  # frames from one key frame to the next


def browser_playable(path: StrPath, folder: StrPath, *, stream: int | None = None) -> Path:
    """Return a video that browsers can play and seek; convert it once if necessary.

    Args:
        path: any readable video.
        folder: folder for the converted copy. Its name contains a hash of the content of `path` and
            of what is shown, so a changed file is converted again.
        stream: number of the video stream in the file; by default the one that FFmpeg prefers.

    Returns:
        `path` itself if browsers can play it, else an H.264 copy with all its frames, time stamps
        and sound: upright, with square pixels.

    Raises:
        AffectkitError: `path` is not a video, or none of its frames can be decoded.
    """
    path = Path(path)
    info = probe(path, stream=stream)
    if _is_playable(info):
        return path
    copy = Path(folder) / f"{path.stem}-{_content_hash(info)}.mp4"
    if copy.exists():
        return copy
    return write_video_once(
        copy,
        single_frames(path, stream=stream),
        sound=path if info.sound else None,
        fps=info.fps,
        longest_pause=longest_pause(path, stream=stream),
    )


def _is_playable(info: VideoInfo) -> bool:
    suffix = info.path.suffix.lower()
    return (
        info.codec in VIDEO_CODECS.get(suffix, ())
        and info.pixel_format in PIXEL_FORMATS
        and len(info.streams) == 1  # browsers may choose another
        and not info.mirrored  # Chromium mirrors, others only turn
        and not info.time_shift  # browsers show no frame before 0
        and (suffix != ".mp4" or _has_index_at_start(info.path))
        and _has_playable_streams(info.path, suffix)
    )


def _has_index_at_start(path: Path) -> bool:
    """Whether the box `moov` is before `mdat` in an mp4."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = int.from_bytes(head[:4]), head[4:]
            if kind in (b"moov", b"mdat") or size < 8:
                return kind == b"moov"
            file.seek(size - 8, 1)
    return False


def _has_playable_streams(path: Path, suffix: str) -> bool:
    with open_video(path) as (container, _):
        sound = [track.codec_context.codec.canonical_name for track in container.streams.audio]
    if not all(codec in SOUND_CODECS[suffix] for codec in sound):
        return False
    packets = read_packets(path)
    if invalid_timestamps(packets):  # the copy has corrected ones
        return False
    if not all(packet.shown for packet in packets):  # not every player supports edit lists
        return False
    keys = [number for number, packet in enumerate(packets) if packet.key] + [len(packets)]
    return bool(np.diff(keys).max(initial=0) <= MAX_KEY_DISTANCE)


def _content_hash(info: VideoInfo) -> str:
    with info.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    shown = (info.stream, info.width, info.height, info.rotation, info.mirrored, info.time_shift)
    digest.update(repr(shown).encode())
    return digest.hexdigest()[:16]
