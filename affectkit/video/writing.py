"""H.264 in mp4 that browsers play and seek, each frame at its own time, the sound kept.

Pixels are 8-bit yuv420p in BT.709, a key frame at least every 30 frames, the index in front
(faststart). That format needs even sizes: an odd picture gets its last column or row once more, so
that coordinates stay what they are. The same pictures and times make the same bytes on the same
machine.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.files import beside
from affectkit.video.opening import FPS, open_video

# a multiple of every usual time base (90000, 24000, 30000, 15360, 1000 ...): times stay exact
TICKS = 11_520_000
# without the second one, a first time other than 0 is rounded to milliseconds
MUXER = {"movflags": "+faststart", "movie_timescale": str(TICKS)}
GOP = 30
# x264's macroblock tree reads memory that it never wrote where a row of macroblocks does not fill a
# SIMD register, so the bytes differed from run to run. Without it, 19 looks as 18 did with it.
ENCODER = {"crf": "19", "preset": "veryfast", "mbtree": "0"}
IN_ORDER = {"bf": "0"}  # no frame leans on a later one
MP4_SOUND = ("aac", "mp3", "opus")
BT709, LIMITED_RANGE = 1, 1

Timed = tuple[float, NDArray[np.uint8]]


def write_video(
    path: Path,
    frames: Iterable[Timed],
    *,
    sound: Path | None = None,
    fps: float = FPS,
    apart: bool = False,
    overwrite: bool = False,
) -> None:
    """Write frames as H.264, streamed, complete or not at all.

    Args:
        path: the .mp4 to write.
        frames: pairs of a time in seconds, strictly rising and not negative, and rgb (row, col,
            channel); variable frame rates and a first time other than 0 are kept.
        sound: a file whose first sound track is taken over: packets are copied where mp4 can hold
            the codec, else turned into AAC. Without a track there, the video is silent.
        fps: nominal rate; says how long a single frame is shown.
        apart: frames may lie minutes apart, which mp4 holds only if none is stored out of order.
        overwrite: replace a file that stands there; otherwise that is an error.

    Raises:
        AffectkitError: no frames, times that do not rise, not an .mp4, or `path` exists.
    """
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise AffectkitError(
            f"{path}: H.264 is written to .mp4, not {path.suffix or 'no suffix'!r}"
        )
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise AffectkitError(f"{path}: there are no frames to write")
    with ExitStack() as stack:
        partial = stack.enter_context(beside(path, overwrite=overwrite))
        output = stack.enter_context(av.open(str(partial), "w", options=MUXER))
        stream = _video_stream(output, first[1], fps, ENCODER | (IN_ORDER if apart else {}))
        source = stack.enter_context(open_video(sound)) if sound else None
        packets = _sound_packets(output, source)
        for packet in _merge(_video_packets(stream, chain([first], frames), path, fps), packets):
            output.mux(packet)


def _video_stream(
    output: av.container.OutputContainer,
    rgb: NDArray[np.uint8],
    fps: float,
    options: dict[str, str],
) -> av.VideoStream:
    rate = Fraction(fps).limit_denominator(1001)
    stream = output.add_stream("libx264", rate=rate, options=options)
    height, width = rgb.shape[:2]
    stream.width, stream.height = width + width % 2, height + height % 2
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
    stream.codec_context.gop_size = GOP
    stream.codec_context.colorspace = BT709
    stream.codec_context.color_primaries = BT709
    stream.codec_context.color_trc = BT709
    stream.codec_context.color_range = LIMITED_RANGE
    return stream


def _video_packets(
    stream: av.VideoStream, frames: Iterable[Timed], path: Path, fps: float
) -> Iterator[av.Packet]:
    duration: dict[int, int] = {}
    colour = VideoReformatter()
    last, interval = -1, round(TICKS / fps)
    for time, rgb in frames:
        ticks = round(time * TICKS)
        if ticks <= last:
            raise AffectkitError(
                f"{path}: times should rise from 0 on, got {time:g} s out of order"
            )
        if last >= 0:
            interval = duration[last] = ticks - last
        last, duration[ticks] = ticks, interval
        for packet in stream.encode(_picture(rgb, ticks, colour)):
            packet.duration = duration[packet.pts]
            yield packet
    for packet in stream.encode():
        packet.duration = duration[packet.pts]
        yield packet


def _picture(rgb: NDArray[np.uint8], ticks: int, colour: VideoReformatter) -> av.VideoFrame:
    height, width = rgb.shape[:2]
    even = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
    frame = colour.reformat(
        frame,
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )
    frame.pts, frame.time_base = ticks, Fraction(1, TICKS)
    return frame


def _sound_packets(
    output: av.container.OutputContainer, source: av.container.InputContainer | None
) -> Iterator[av.Packet]:
    if source is None or not source.streams.audio:
        return iter(())
    track = source.streams.audio[0]
    if track.codec_context.codec.canonical_name in MP4_SOUND:
        return _copied(source, track, output.add_stream_from_template(track))
    return _encoded(source, track, output.add_stream("aac", rate=track.codec_context.sample_rate))


def _copied(
    source: av.container.InputContainer, track: av.AudioStream, stream: av.AudioStream
) -> Iterator[av.Packet]:
    for packet in source.demux(track):
        if packet.dts is not None:
            packet.stream = stream
            yield packet


def _encoded(
    source: av.container.InputContainer, track: av.AudioStream, stream: av.AudioStream
) -> Iterator[av.Packet]:
    for frame in source.decode(track):
        yield from stream.encode(frame)
    yield from stream.encode()


def _merge(video: Iterator[av.Packet], sound: Iterator[av.Packet]) -> Iterator[av.Packet]:
    """Sound goes before the video packet it is heard with, so that neither waits in memory."""
    waiting = next(sound, None)
    for packet in video:
        while waiting is not None and _seconds(waiting) <= _seconds(packet):
            yield waiting
            waiting = next(sound, None)
        yield packet
    if waiting is not None:
        yield waiting
        yield from sound


def _seconds(packet: av.Packet) -> float:
    return float((packet.dts if packet.dts is not None else packet.pts) * packet.time_base)
