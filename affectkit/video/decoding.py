"""Every frame that decodes, in the order of showing, and a word on those that do not.

FFmpeg decodes on one thread. Its frame threads would swallow the frames round a fault, as many as
there are threads; threads of slices take cores from the workers that look at other videos. Looking
for faces takes several times as long as decoding.
"""

import re
import warnings
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import av

from affectkit.errors import AffectkitError

SLACK = 0.25  # seconds that a header may announce too much
DURATION = re.compile(r"(\d+):(\d+):(\d+\.?\d*)")  # a tag of Matroska


def decode(
    container: av.container.InputContainer, stream: av.VideoStream, tally: Counter[str]
) -> Iterator[av.VideoFrame]:
    """All frames of a stream that decode; `tally` counts packets that are hidden or broken."""
    stream.thread_type, stream.thread_count = "NONE", 1
    unstamped = is_unstamped(container, stream)
    stamps: deque[int] = deque()
    for packet in demux(container, stream, tally):
        if unstamped and packet is not None and packet.size:
            stamps.append(packet.dts)
        try:
            frames = stream.decode(packet)
        except EOFError:  # all frames have come
            return
        except av.FFmpegError:
            tally["broken"] += 1
            if stamps:
                stamps.pop()
            continue
        for frame in frames:
            if unstamped:
                frame.pts = stamps.popleft()
            yield frame


def is_unstamped(container: av.container.InputContainer, stream: av.VideoStream) -> bool:
    """Whether PTS are made up by FFmpeg, and wrongly: AVI stores none."""
    return container.format.name == "avi" and bool(stream.codec_context.has_b_frames)


def demux(
    container: av.container.InputContainer, stream: av.VideoStream, tally: Counter[str]
) -> Iterator[av.Packet | None]:
    """All packets that can be read, then None, which lets the decoder give what it holds back."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except (av.FFmpegError, OSError):  # what comes after cannot be read at all
            tally["broken"] += 1
            break
        tally["hidden"] += packet.is_discard
        yield packet
    yield None


def report(path: Path, stream: av.VideoStream, tally: Counter[str], end: float) -> None:
    """Warn of what the header announced and did not come, and of time stamps that were mended."""
    announced, decoded, moved = stream.frames, tally["decoded"], tally["moved"]
    if not decoded:
        raise AffectkitError(f"{path}: no frame could be decoded; it is cut short or damaged")
    frames = f"{announced or 'an unknown number of'} frames announced, {decoded} decoded"
    if tally["broken"]:
        _warn(f"{path}: {frames}; the file is cut short or damaged")
    elif decoded + tally["hidden"] < announced:
        _warn(f"{path}: {frames}; the header counts frames that are not there")
    elif not announced and (promised := _announced_end(stream)) > end + SLACK:
        _warn(f"{path}: {promised:.2f} s announced, {end:.2f} s decoded; the file is cut short")
    if moved:
        _warn(
            f"{path}: {moved} of {decoded} time stamps did not rise and were moved one tick "
            "behind the frame before"
        )


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=4)


def _announced_end(stream: av.VideoStream) -> float:
    """Where the header says that the stream ends, in seconds; 0 where it does not."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    parts = DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    if not parts:
        return 0.0
    hours, minutes, seconds = map(float, parts.groups())
    return hours * 3600 + minutes * 60 + seconds
