"""Reading of video frames and their time stamps with PyAV.

The time of a frame in seconds is its presentation time stamp (PTS) times the time base of the
stream; the first one need not be 0. Irregular files are treated as follows:

- A frame without PTS gets the time of the frame before plus one nominal interval.
- A PTS that repeats or decreases is moved to one tick after the frame before. No frame is left out,
  because annotation files count decoded frames. A warning gives the number of moved time stamps.
- AVI files store no PTS, and those that FFmpeg computes for B-frames are wrong: their frames get
  the decoding time stamps (DTS) in increasing order.
- Frames outside the edit list are left out, as in video players.
- A packet that cannot be decoded is skipped. A final warning compares the number of frames (or the
  duration) in the header with what was decoded.
- The rotation and the mirroring stored in the container are applied, and pixels are made square:
  width and height are as displayed (`video.geometry`).
- Pictures of another size than the first are fitted into its size, between black bars. A warning
  gives their number.
- If the first PTS is negative, it is subtracted from all: players show no frame before 0.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.files import StrPath
from affectkit.video.decoding import (
    decode,
    demux,
    has_unreliable_pts,
    no_decodable_frame,
    nominal_fps,
    warn_of_missing_frames,
)
from affectkit.video.geometry import Screen, orientation, pixel_aspect, square_size
from affectkit.video.opening import open_video, video_streams


@dataclass(frozen=True)
class VideoInfo:
    """Properties of a video from its header and its first frame."""

    path: Path
    width: int  # as displayed: upright, square pixels
    height: int
    fps: float  # nominal; each frame has its own time stamp
    frames: int  # number of frames according to the header; 0 = unknown
    codec: str
    pixel_format: str
    rotation: int  # degrees counter-clockwise, applied when reading: 0, 90, 180 or 270
    mirrored: bool  # left to right before the rotation, applied when reading
    duration: float  # seconds; 0 = unknown
    sound: bool
    container: str
    stream: int  # number of the video stream in the file
    streams: tuple[int, ...]  # numbers of all video streams
    pixel_aspect: float = 1.0  # width / height of a stored pixel, applied when reading
    interlaced: bool = False
    time_shift: float = 0.0  # seconds added to all time stamps, as the first one is negative
    sound_start: float | None = None  # seconds, with the shift; None = no sound, or unknown
    reordered: bool = False  # has B-frames, which are stored in another order than displayed


class Packet(NamedTuple):
    """Header of one compressed frame."""

    pts: int | None  # presentation time stamp in ticks; None = not stored
    key: bool  # a key frame: decodes without other frames
    shown: bool  # False = outside the edit list, not displayed


def probe(path: StrPath, *, stream: int | None = None) -> VideoInfo:
    """Read the properties of a video. Only its first frame is decoded.

    Args:
        path: a video file.
        stream: number of the stream in the file; by default the one that FFmpeg prefers.

    Raises:
        AffectkitError: `path` is not a video, or none of its frames can be decoded.
    """
    path = Path(path)
    with open_video(path, stream) as (container, video):
        frame = next(decode(container, video, Counter()), None)
        if frame is None:
            raise AffectkitError(no_decodable_frame(path))
        how, aspect = orientation(frame), pixel_aspect(video)
        size = square_size(frame.width, frame.height, aspect)
        shift = _time_shift(frame)
        return VideoInfo(
            path=path,
            width=size[how.rotation % 180 != 0],
            height=size[how.rotation % 180 == 0],
            fps=nominal_fps(video),
            frames=video.frames,
            codec=video.codec_context.codec.canonical_name,
            pixel_format=video.codec_context.pix_fmt or "",
            rotation=how.rotation,
            mirrored=how.mirrored,
            duration=(container.duration or 0) / av.time_base,
            sound=bool(container.streams.audio),
            container=container.format.name,
            stream=video.index,
            streams=tuple(each.index for each in video_streams(container)),
            pixel_aspect=aspect,
            interlaced=frame.interlaced_frame,
            time_shift=shift,
            sound_start=_sound_start(container.streams.audio, shift),
            reordered=bool(video.codec_context.has_b_frames),
        )


def _time_shift(first: av.VideoFrame) -> float:
    return max(0.0, -(first.time or 0.0))


def _sound_start(tracks: Sequence[av.AudioStream], shift: float) -> float | None:
    """The first time stamp of the first sound track in seconds, after the shift."""
    if not tracks or tracks[0].start_time is None:
        return None
    return float(tracks[0].start_time * tracks[0].time_base) + shift


def read_frames(
    path: StrPath, batch: int = 32, *, stream: int | None = None
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.uint8]]]:
    """Decode all frames of a video, `batch` frames at a time.

    Args:
        path: a video file.
        batch: number of frames at a time.
        stream: number of the stream in the file; by default the one that FFmpeg prefers.

    Yields:
        time (frame) in seconds, strictly increasing, and rgb (frame, row, col, channel).

    Raises:
        AffectkitError: `path` is not a video, or none of its frames can be decoded.
    """
    frames = _rgb_frames(Path(path), stream)
    while group := list(islice(frames, batch)):
        times, pictures = zip(*group, strict=True)
        yield np.array(times, np.float64), np.stack(pictures)


def single_frames(
    path: StrPath, *, stream: int | None = None
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yield time and rgb (row, col, channel) of each frame, as for `write_video`."""
    for times, pictures in read_frames(path, batch=8, stream=stream):
        yield from zip(times.tolist(), pictures, strict=True)


def read_times(path: StrPath, *, stream: int | None = None) -> NDArray[np.float64]:
    """The time (frame) of each frame in seconds, as from `read_frames`."""
    return np.array([time for time, _, _ in _decoded_frames(Path(path), stream)], np.float64)


def read_thumbnails(
    path: StrPath, edge: int = 32, *, stream: int | None = None
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Decode all frames as small grey pictures, in about half the time of `read_frames`.

    Yields:
        time in seconds, strictly increasing, and grey (row, col) of `edge` by `edge` pixels
        for any aspect ratio.

    Raises:
        AffectkitError: as for `read_frames`.
    """
    small = VideoReformatter()
    for time, frame, _ in _decoded_frames(Path(path), stream):
        grey = small.reformat(
            frame, edge, edge, "gray", interpolation=Interpolation.AREA, threads=1
        )
        yield time, orientation(frame).apply(np.asarray(grey.to_ndarray(), np.uint8))


def read_packets(path: StrPath, *, stream: int | None = None) -> list[Packet]:
    """The headers of all readable packets, in decoding order."""
    with open_video(path, stream) as (container, video):
        unreliable = has_unreliable_pts(container, video)
        return [
            Packet(None if unreliable else packet.pts, packet.is_keyframe, not packet.is_discard)
            for packet in demux(container, video, Counter())
            if packet is not None and packet.size
        ]


def invalid_timestamps(packets: Sequence[Packet]) -> int:
    """Count the packets without PTS or with the PTS of another packet."""
    return len(packets) - len({packet.pts for packet in packets if packet.pts is not None})


def longest_pause(path: StrPath, *, stream: int | None = None) -> float:
    """The longest time between two frames in seconds, according to the packets."""
    with open_video(path, stream) as (container, video):
        unreliable = has_unreliable_pts(container, video)
        stamps = [
            packet.dts if unreliable else packet.pts
            for packet in demux(container, video, Counter())
            if packet is not None and packet.size
        ]
        known = np.sort([stamp for stamp in stamps if stamp is not None])
        return float(np.diff(known).max(initial=0) * (video.time_base or 0))


def _rgb_frames(path: Path, stream: int | None) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    screen: Screen | None = None
    for time, frame, aspect in _decoded_frames(path, stream):
        screen = screen or Screen(aspect)
        yield time, screen.show(frame)


def _decoded_frames(path: Path, stream: int | None) -> Iterator[tuple[float, av.VideoFrame, float]]:
    """Time, frame and pixel aspect ratio of all frames."""
    counts: Counter[str] = Counter()
    with open_video(path, stream) as (container, video):
        tick, interval = float(video.time_base or 1e-6), 1 / nominal_fps(video)
        last, shift, aspect = -np.inf, 0.0, pixel_aspect(video)
        size: tuple[int, int] | None = None
        for frame in decode(container, video, counts):
            time = frame.time
            if not counts["decoded"]:
                shift, size = _time_shift(frame), (frame.width, frame.height)
            if time is None:
                time = last + interval if counts["decoded"] else 0.0
            elif (time := time + shift) <= last:
                time = last + tick
                counts["moved"] += 1
            last = time
            counts["decoded"] += 1
            counts["resized"] += (frame.width, frame.height) != size
            yield time, frame, aspect
        warn_of_missing_frames(path, video, counts, end=last + interval)
