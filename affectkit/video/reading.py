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
- The rotation stored in the container is applied: width and height are as displayed.
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
    open_video,
    warn_of_missing_frames,
)


@dataclass(frozen=True)
class VideoInfo:
    """Properties of a video from its header and its first frame."""

    path: Path
    width: int  # as displayed, after rotation
    height: int
    fps: float  # nominal; each frame has its own time stamp
    frames: int  # number of frames according to the header; 0 = unknown
    codec: str
    pixel_format: str
    rotation: int  # degrees counter-clockwise, applied when reading: 0, 90, 180 or 270
    duration: float  # seconds; 0 = unknown
    sound: bool
    container: str
    pixel_aspect: float = 1.0  # width / height of a pixel
    interlaced: bool = False
    sound_start: float | None = None  # seconds; None = no sound, or unknown
    reordered: bool = False  # has B-frames, which are stored in another order than displayed


class Packet(NamedTuple):
    """Header of one compressed frame."""

    pts: int | None  # presentation time stamp in ticks; None = not stored
    key: bool  # a key frame: decodes without other frames
    shown: bool  # False = outside the edit list, not displayed


def probe(path: StrPath) -> VideoInfo:
    """Read the properties of a video. Only its first frame is decoded.

    Raises:
        AffectkitError: `path` is not a video, or none of its frames can be decoded.
    """
    path = Path(path)
    with open_video(path) as container:
        stream = container.streams.video[0]
        frame = next(decode(container, stream, Counter()), None)
        if frame is None:
            raise AffectkitError(no_decodable_frame(path))
        rotation = frame.rotation % 360
        size = (frame.width, frame.height)
        return VideoInfo(
            path=path,
            width=size[rotation % 180 != 0],
            height=size[rotation % 180 == 0],
            fps=nominal_fps(stream),
            frames=stream.frames,
            codec=stream.codec_context.codec.canonical_name,
            pixel_format=stream.codec_context.pix_fmt or "",
            rotation=rotation,
            duration=(container.duration or 0) / av.time_base,
            sound=bool(container.streams.audio),
            container=container.format.name,
            pixel_aspect=float(stream.sample_aspect_ratio or 1),
            interlaced=frame.interlaced_frame,
            sound_start=_sound_start(container.streams.audio),
            reordered=bool(stream.codec_context.has_b_frames),
        )


def _sound_start(tracks: Sequence[av.AudioStream]) -> float | None:
    """The first time stamp of the first sound track in seconds."""
    if not tracks or tracks[0].start_time is None:
        return None
    return float(tracks[0].start_time * tracks[0].time_base)


def read_frames(
    path: StrPath, batch: int = 32
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.uint8]]]:
    """Decode all frames of a video, `batch` frames at a time.

    Yields:
        time (frame) in seconds, strictly increasing, and rgb (frame, row, col, channel).

    Raises:
        AffectkitError: `path` is not a video, none of its frames can be decoded, or the picture
            size changes.
    """
    frames = _rgb_frames(Path(path))
    while group := list(islice(frames, batch)):
        times, pictures = zip(*group, strict=True)
        yield np.array(times, np.float64), np.stack(pictures)


def single_frames(path: StrPath) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yield time and rgb (row, col, channel) of each frame, as for `write_video`."""
    for times, pictures in read_frames(path, batch=8):
        yield from zip(times.tolist(), pictures, strict=True)


def read_times(path: StrPath) -> NDArray[np.float64]:
    """The time (frame) of each frame in seconds, as from `read_frames`."""
    return np.array([time for time, _ in _decoded_frames(Path(path))], np.float64)


def read_thumbnails(path: StrPath, edge: int = 32) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Decode all frames as small grey pictures, in about half the time of `read_frames`.

    Yields:
        time in seconds, strictly increasing, and grey (row, col) of `edge` by `edge` pixels
        for any aspect ratio.

    Raises:
        AffectkitError: as for `read_frames`.
    """
    small = VideoReformatter()
    shape: tuple[int, ...] | None = None
    for time, frame in _decoded_frames(Path(path)):
        shape = _check_shape(Path(path), shape, (frame.height, frame.width), time)
        grey = small.reformat(
            frame, edge, edge, "gray", interpolation=Interpolation.AREA, threads=1
        )
        yield time, np.rot90(grey.to_ndarray(), round(frame.rotation / 90))


def read_packets(path: StrPath) -> list[Packet]:
    """The headers of all readable packets, in decoding order."""
    with open_video(path) as container:
        stream = container.streams.video[0]
        unreliable = has_unreliable_pts(container, stream)
        return [
            Packet(None if unreliable else packet.pts, packet.is_keyframe, not packet.is_discard)
            for packet in demux(container, stream, Counter())
            if packet is not None and packet.size
        ]


def invalid_timestamps(packets: Sequence[Packet]) -> int:
    """Count the packets without PTS or with the PTS of another packet."""
    return len(packets) - len({packet.pts for packet in packets if packet.pts is not None})


def _rgb_frames(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    colour = VideoReformatter()
    shape: tuple[int, ...] | None = None
    for time, frame in _decoded_frames(path):
        # starting threads for each frame costs more than the conversion where cores are busy
        plain = colour.reformat(frame, format="rgb24", threads=1).to_ndarray()
        rgb = np.asarray(np.rot90(plain, round(frame.rotation / 90)), np.uint8)
        shape = _check_shape(path, shape, rgb.shape, time)
        yield time, rgb


def _check_shape(
    path: Path, shape: tuple[int, ...] | None, now: tuple[int, ...], time: float
) -> tuple[int, ...]:
    if shape and now != shape:
        raise AffectkitError(
            f"{path}: the picture size changes from {shape[1]}x{shape[0]} to {now[1]}x{now[0]} "
            f"at {time:.3f} s; expected one size: split the file there"
        )
    return now


def _decoded_frames(path: Path) -> Iterator[tuple[float, av.VideoFrame]]:
    counts: Counter[str] = Counter()
    with open_video(path) as container:
        stream = container.streams.video[0]
        tick, interval = float(stream.time_base or 1e-6), 1 / nominal_fps(stream)
        last = -np.inf
        for frame in decode(container, stream, counts):
            time = frame.time
            if time is None:
                time = last + interval if counts["decoded"] else 0.0
            elif time <= last:
                time = last + tick
                counts["moved"] += 1
            last = time
            counts["decoded"] += 1
            yield time, frame
        warn_of_missing_frames(path, stream, counts, end=last + interval)
