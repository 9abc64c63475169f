"""Writing of H.264 in mp4 that browsers play and seek, with exact frame times and sound.

Pixels are 8-bit yuv420p in BT.709, with a key frame at least every 30 frames and the index at the
start of the file (faststart). The format requires even sizes: the last column or row of an odd
picture is repeated, so coordinates do not change. The same pictures and times give the same bytes
on the same machine.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, atomic_write
from affectkit.video.decoding import DEFAULT_FPS
from affectkit.video.opening import av_errors, open_video
from affectkit.video.reading import probe

# Ticks per second: a multiple of all usual time bases (90000, 24000, 30000, 15360, 1000 ...), so
# times are exact. An mp4 stores the time between two frames in 31 bits, 186 s of these ticks: for
# longer pauses, the ticks are longer.
TICKS = (11_520_000, 720_000, 90_000, 1000)
MAX_TICKS = 2**31 - 1
MAX_KEY_DISTANCE = 30  # frames from one key frame to the next
# x264's macroblock tree reads uninitialised memory where a row of macroblocks does not fill a SIMD
# register, so the bytes differ from run to run. Without it, crf 19 has the quality of 18 with it.
ENCODER = {"crf": "19", "preset": "veryfast", "mbtree": "0"}
# frames out of order are stored with the sum of several pauses, so they are for short ones only
B_FRAMES_PAUSE = 10.0  # seconds
MP4_SOUND = ("aac", "mp3", "opus")
BT709, LIMITED_RANGE = 1, 1

TimedPicture = tuple[float, NDArray[np.uint8]]


def write_video(
    path: StrPath,
    frames: Iterable[TimedPicture],
    *,
    sound: StrPath | None = None,
    fps: float = DEFAULT_FPS,
    longest_pause: float = 0.0,
    overwrite: bool = False,
) -> None:
    """Write frames as H.264. Frames are streamed; if writing fails, there is no file.

    Args:
        path: the .mp4 file to write.
        frames: pairs of a time in seconds, strictly increasing and not negative, and rgb (row, col,
            channel). Variable frame rates and a first time other than 0 are kept.
        sound: a video with the sound. Its first sound track is copied if mp4 supports the codec,
            else encoded as AAC; its times are shifted as those of its frames. Without a sound
            track in the file, the video is silent.
        fps: nominal frame rate; determines the duration of a single frame.
        longest_pause: the longest time between two frames in seconds, if it may be more than 10 s.
        overwrite: replace an existing file; otherwise that is an error.

    Raises:
        AffectkitError: there are no frames, the times do not increase, a pause is longer than
            stated, `path` does not end in .mp4 or exists, or FFmpeg cannot write it.
    """
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise AffectkitError(
            f"{path}: expected a name that ends in .mp4, got {path.suffix or 'no suffix'!r}"
        )
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise AffectkitError(f"{path}: expected at least one frame to write, got none")
    with ExitStack() as stack:
        partial = stack.enter_context(atomic_write(path, overwrite=overwrite))
        stack.enter_context(
            av_errors(f"{path} cannot be written as H.264", "check the size of the pictures")
        )
        ticks = _ticks_for(max(longest_pause, 1 / fps), path)
        # without movie_timescale, a first time other than 0 is rounded to milliseconds
        muxer = {"movflags": "+faststart", "movie_timescale": str(ticks)}
        output = stack.enter_context(av.open(str(partial.absolute()), "w", options=muxer))
        encoder = ENCODER | ({"bf": "0"} if longest_pause > B_FRAMES_PAUSE else {})
        stream = _video_stream(output, first[1], fps, encoder, ticks)
        packets = _sound_packets(output, Path(sound)) if sound else iter(())
        for packet in _merge(_video_packets(stream, chain([first], frames), path, fps), packets):
            output.mux(packet)


def write_video_once(path: Path, frames: Iterable[TimedPicture], **options: Any) -> Path:  # noqa: ANN401
    """Write a video if it is not there yet; if another process writes it, wait for it.

    Args:
        path: the .mp4 file.
        frames: as for `write_video`.
        options: keyword arguments of `write_video`.
    """
    if not path.exists():
        try:
            write_video(path, frames, **options)
        except AffectkitError:
            if not path.is_file():  # else another process has written it
                raise
    return path


def _ticks_for(pause: float, path: Path) -> int:
    """Ticks per second with which a pause fits."""
    ticks = next((ticks for ticks in TICKS if pause * ticks < MAX_TICKS), None)
    if ticks is None:
        raise AffectkitError(
            f"{path}: two frames are {pause:.0f} s apart, an mp4 can store at most "
            f"{MAX_TICKS / TICKS[-1]:.0f} s: split the video there"
        )
    return ticks


def _video_stream(
    output: av.container.OutputContainer,
    rgb: NDArray[np.uint8],
    fps: float,
    options: dict[str, str],
    ticks: int,
) -> av.VideoStream:
    rate = Fraction(fps).limit_denominator(1001)
    stream = output.add_stream("libx264", rate=rate, options=options)
    height, width = rgb.shape[:2]
    stream.width, stream.height = width + width % 2, height + height % 2
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, ticks)
    stream.codec_context.gop_size = MAX_KEY_DISTANCE
    stream.codec_context.colorspace = BT709
    stream.codec_context.color_primaries = BT709
    stream.codec_context.color_trc = BT709
    stream.codec_context.color_range = LIMITED_RANGE
    return stream


def _video_packets(
    stream: av.VideoStream, frames: Iterable[TimedPicture], path: Path, fps: float
) -> Iterator[av.Packet]:
    base = stream.codec_context.time_base
    duration: dict[int, int] = {}
    colour = VideoReformatter()
    last, interval = -1, round(1 / (fps * base))
    for time, rgb in frames:
        ticks = round(time / base)
        if ticks <= last or (last >= 0 and ticks - last > MAX_TICKS):
            raise AffectkitError(
                f"{path}: expected increasing times of at least 0 s, at most "
                f"{float(MAX_TICKS * base):.0f} s apart, got {time:g} s after "
                f"{float(max(last, 0) * base):g} s"
            )
        if last >= 0:
            interval = duration[last] = ticks - last
        last, duration[ticks] = ticks, interval
        for packet in stream.encode(_picture(rgb, ticks, base, colour)):
            packet.duration = duration[packet.pts]
            yield packet
    for packet in stream.encode():
        packet.duration = duration[packet.pts]
        yield packet


def _picture(
    rgb: NDArray[np.uint8], ticks: int, base: Fraction, colour: VideoReformatter
) -> av.VideoFrame:
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
    frame.pts, frame.time_base = ticks, base
    return frame


def _sound_packets(output: av.container.OutputContainer, path: Path) -> Iterator[av.Packet]:
    """The packets of the first sound track of a video; its stream is added to `output`."""
    shift = probe(path).time_shift
    with open_video(path) as (source, _):
        if not source.streams.audio:
            return
        track = source.streams.audio[0]
        ticks = round(shift / track.time_base)
        if track.codec_context.codec.canonical_name in MP4_SOUND:
            yield from _copy_packets(source, track, output.add_stream_from_template(track), ticks)
        else:
            stream = output.add_stream("aac", rate=track.codec_context.sample_rate)
            yield from _encode_packets(source, track, stream, ticks)


def _copy_packets(
    source: av.container.InputContainer,
    track: av.AudioStream,
    stream: av.AudioStream,
    shift: int,
) -> Iterator[av.Packet]:
    for packet in source.demux(track):
        if packet.dts is not None:
            packet.dts += shift
            if packet.pts is not None:
                packet.pts += shift
            packet.stream = stream
            yield packet


def _encode_packets(
    source: av.container.InputContainer,
    track: av.AudioStream,
    stream: av.AudioStream,
    shift: int,
) -> Iterator[av.Packet]:
    for frame in source.decode(track):
        if frame.pts is not None:
            frame.pts += shift
        yield from stream.encode(frame)
    yield from stream.encode()


def _merge(video: Iterator[av.Packet], sound: Iterator[av.Packet]) -> Iterator[av.Packet]:
    """Merge packets by time, sound first, so that neither stream accumulates in memory."""
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
