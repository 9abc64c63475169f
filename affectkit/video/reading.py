"""Frames and time stamps in, through PyAV.

The time of a frame is its presentation time stamp (PTS) times the time base of the stream, in
seconds, wherever the first one lies. Traps met in the wild, and what is done about them:

- a frame without PTS takes the time of the frame before plus one nominal interval;
- a PTS that repeats or falls back is moved to one tick after the frame before. No frame is left
  out, since annotation files count decoded frames; a warning says how many were moved;
- an AVI has no PTS, and those made up for its B-frames are wrong: its frames take the time stamps
  of decoding (DTS) in turn;
- frames outside the part that an edit list shows are left out, as players do;
- a packet that cannot be decoded is skipped, and the frames that can be are given; at the end a
  warning says how many frames (or seconds) the header announced and how many came;
- rotation that the container asks for is applied: width and height are those of the shown picture.
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
from affectkit.video.decoding import decode, demux, is_unstamped, report
from affectkit.video.opening import nominal_fps, open_video


@dataclass(frozen=True)
class VideoInfo:
    """What the container says about a video; nothing has been decoded but the first frame."""

    path: Path
    width: int  # as shown: after rotation
    height: int
    fps: float  # nominal; frames carry their own times
    frames: int  # announced by the header; 0 = unknown
    codec: str
    pixel_format: str
    rotation: int  # degrees counter-clockwise, applied on reading: 0, 90, 180 or 270
    duration: float  # seconds; 0 = unknown
    sound: bool
    container: str
    pixel_aspect: float = 1.0  # width / height of a pixel
    interlaced: bool = False
    sound_start: float | None = None  # seconds; None = no sound, or unknown
    reordered: bool = False  # stored in another order than shown, as B-frames ask for


class Packet(NamedTuple):
    """What the container says about one compressed frame."""

    pts: int | None  # in ticks; None = the container stores none
    key: bool  # decodes without any other
    shown: bool  # False = outside the edit list


def probe(path: Path) -> VideoInfo:
    """Read what the header says, and decode one frame.

    Raises:
        AffectkitError: there is no video at `path`, or not a single frame of it decodes.
    """
    path = Path(path)
    with open_video(path) as container:
        stream = container.streams.video[0]
        frame = next(decode(container, stream, Counter()), None)
        if frame is None:
            raise AffectkitError(f"{path}: no frame could be decoded; it is cut short or damaged")
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
            sound_start=_start(container.streams.audio),
            reordered=bool(stream.codec_context.has_b_frames),
        )


def _start(tracks: Sequence[av.AudioStream]) -> float | None:
    """The first time stamp of the first track in seconds."""
    if not tracks or tracks[0].start_time is None:
        return None
    return float(tracks[0].start_time * tracks[0].time_base)


def read_frames(
    path: Path, batch: int = 32
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.uint8]]]:
    """Decode a video from its first frame to its last, `batch` frames at a time.

    Yields:
        time (frame) in seconds, strictly rising, and rgb (frame, row, col, channel).

    Raises:
        AffectkitError: there is no video at `path`, or not a single frame of it decodes.
    """
    frames = _frames(Path(path))
    while group := list(islice(frames, batch)):
        times, pictures = zip(*group, strict=True)
        yield np.array(times, np.float64), np.stack(pictures)


def read_times(path: Path) -> NDArray[np.float64]:
    """The time (frame) of every frame in seconds, as `read_frames` gives it."""
    return np.array([time for time, _ in _timed(Path(path))], np.float64)


def read_thumbnails(path: Path, edge: int = 32) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Decode every frame as `read_frames` does, but give small grey pictures: half the time.

    Yields:
        time in seconds, strictly rising, and grey (row, col), `edge` by `edge` whatever the shape.

    Raises:
        AffectkitError: as for `read_frames`.
    """
    small = VideoReformatter()
    shape: tuple[int, ...] | None = None
    for time, frame in _timed(Path(path)):
        shape = _same_shape(path, shape, (frame.height, frame.width), time)
        grey = small.reformat(
            frame, edge, edge, "gray", interpolation=Interpolation.AREA, threads=1
        )
        yield time, np.rot90(grey.to_ndarray(), round(frame.rotation / 90))


def read_packets(path: Path) -> list[Packet]:
    """All packets that can be read, in the order of decoding."""
    with open_video(path) as container:
        stream = container.streams.video[0]
        made_up = is_unstamped(container, stream)
        return [
            Packet(None if made_up else packet.pts, packet.is_keyframe, not packet.is_discard)
            for packet in demux(container, stream, Counter())
            if packet is not None and packet.size
        ]


def faulty_stamps(packets: Sequence[Packet]) -> int:
    """How many packets have no PTS, or that of another one."""
    return len(packets) - len({packet.pts for packet in packets if packet.pts is not None})


def _frames(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    colour = VideoReformatter()
    shape: tuple[int, ...] | None = None
    for time, frame in _timed(path):
        # threads that are started for every frame cost more than the work where cores are busy
        plain = colour.reformat(frame, format="rgb24", threads=1).to_ndarray()
        rgb = np.asarray(np.rot90(plain, round(frame.rotation / 90)), np.uint8)
        shape = _same_shape(path, shape, rgb.shape, time)
        yield time, rgb


def _same_shape(
    path: Path, shape: tuple[int, ...] | None, now: tuple[int, ...], time: float
) -> tuple[int, ...]:
    if shape and now != shape:
        raise AffectkitError(
            f"{path}: the picture changes from {shape[1]}x{shape[0]} to {now[1]}x{now[0]} "
            f"at {time:.3f} s; cut the file there"
        )
    return now


def _timed(path: Path) -> Iterator[tuple[float, av.VideoFrame]]:
    tally: Counter[str] = Counter()
    with open_video(path) as container:
        stream = container.streams.video[0]
        tick, interval = float(stream.time_base or 1e-6), 1 / nominal_fps(stream)
        last = -np.inf
        for frame in decode(container, stream, tally):
            time = frame.time
            if time is None:
                time = last + interval if tally["decoded"] else 0.0
            elif time <= last:
                time = last + tick
                tally["moved"] += 1
            last = time
            tally["decoded"] += 1
            yield time, frame
        report(path, stream, tally, end=last + interval)
