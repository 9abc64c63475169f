"""Decode every decodable frame of a video in display order, and warn of missing frames.

FFmpeg decodes on one thread: with frame threads, a fault would also lose the frames around it; with
slice threads, cores would be missing for workers on other videos. Face detection takes several
times as long as decoding.
"""

import re
import warnings
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import av

from affectkit.errors import AffectkitError

DEFAULT_FPS = 25.0  # for files without a frame rate
DURATION_TOLERANCE = 0.25  # seconds by which the duration in the header may be too long
DURATION_TAG = re.compile(r"(\d+):(\d+):(\d+\.?\d*)")  # in Matroska files


def nominal_fps(stream: av.VideoStream) -> float:
    """Frame rate stated by the container; 25 where there is none."""
    return float(stream.average_rate or stream.guessed_rate or DEFAULT_FPS)


def decode(
    container: av.container.InputContainer, stream: av.VideoStream, counts: Counter[str]
) -> Iterator[av.VideoFrame]:
    """Yield all decodable frames of a stream; `counts` counts hidden and broken packets."""
    stream.thread_type, stream.thread_count = "NONE", 1
    unreliable = has_unreliable_pts(container, stream)
    decoding_times: deque[int] = deque()
    for packet in demux(container, stream, counts):
        if unreliable and packet is not None and packet.size:
            decoding_times.append(packet.dts)
        try:
            frames = stream.decode(packet)
        except EOFError:  # no more frames
            return
        except av.FFmpegError:
            counts["broken"] += 1
            if decoding_times:
                decoding_times.pop()
            continue
        for frame in frames:
            if unreliable:
                frame.pts = decoding_times.popleft()
            yield frame


def has_unreliable_pts(container: av.container.InputContainer, stream: av.VideoStream) -> bool:
    """Whether FFmpeg invents wrong PTS: AVI stores none, and B-frames change the order."""
    return container.format.name == "avi" and bool(stream.codec_context.has_b_frames)


def demux(
    container: av.container.InputContainer, stream: av.VideoStream, counts: Counter[str]
) -> Iterator[av.Packet | None]:
    """Yield all readable packets, then None, with which the decoder returns its last frames."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except (av.FFmpegError, OSError):  # nothing after it can be read
            counts["broken"] += 1
            break
        counts["hidden"] += packet.is_discard
        yield packet
    yield None


def warn_of_missing_frames(
    path: Path, stream: av.VideoStream, counts: Counter[str], end: float
) -> None:
    """Warn of frames that are in the header but were not decoded, and of corrected time stamps."""
    in_header, decoded, moved = stream.frames, counts["decoded"], counts["moved"]
    if not decoded:
        raise AffectkitError(no_decodable_frame(path))
    frames = f"{in_header or 'an unknown number of'} frames in the header, {decoded} decoded"
    if counts["broken"]:
        _warn(f"{path}: {frames}; the file is cut short or damaged")
    elif decoded + counts["hidden"] < in_header:
        _warn(f"{path}: {frames}; the header counts frames that do not exist")
    elif not in_header and (duration := _header_end(stream)) > end + DURATION_TOLERANCE:
        _warn(f"{path}: {duration:.2f} s in the header, {end:.2f} s decoded; the file is cut short")
    if counts["resized"]:
        _warn(
            f"{path}: the picture size changes, for {counts['resized']} of {decoded} frames; they "
            "were fitted into the size of the first frame"
        )
    if moved:
        _warn(
            f"{path}: {moved} of {decoded} time stamps did not increase; they were moved to one "
            "tick after the frame before"
        )


def no_decodable_frame(path: Path) -> str:
    """The text of the error for a video without a decodable frame."""
    return (
        f"{path}: no frame could be decoded; the file is cut short or damaged: "
        "copy or download it again"
    )


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=4)


def _header_end(stream: av.VideoStream) -> float:
    """End of the stream in seconds according to the header; 0 if unknown."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    parts = DURATION_TAG.fullmatch(stream.metadata.get("DURATION", ""))
    if not parts:
        return 0.0
    hours, minutes, seconds = map(float, parts.groups())
    return hours * 3600 + minutes * 60 + seconds
