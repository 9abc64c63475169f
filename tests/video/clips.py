"""Short test videos: each picture shows its frame number as eight bars."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

from affectkit.video import read_frames

SIZE = (48, 64)  # rows, columns
STEADY = np.arange(50) / 25
UNEVEN = np.cumsum(np.tile([40, 90, 20, 200, 33], 8)) / 1000
MILLISECOND = Fraction(1, 1000)

COVER = 255  # the number on the picture of a cover
SIZES = {"small": SIZE, "large": (96, 128), "cover": SIZE}  # rows, columns
DISPOSITIONS = {"large": Disposition.default, "cover": Disposition.attached_pic}

Packets = list[av.Packet]


def barcode(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    picture = np.zeros((*size, 3), np.uint8)
    for bar in range(8):
        picture[:, bar * 8 : bar * 8 + 8] = 255 * (number >> bar & 1)
    return picture


def numbers(pictures: np.ndarray) -> list[int]:
    middle = pictures[:, pictures.shape[1] // 2, 4:64:8, 0] > 127
    return [int(bits @ (1 << np.arange(8))) for bits in middle]


def draw_clip(
    path: Path,
    times: Iterable[float] = STEADY,
    codec: str = "libx264",
    *,
    size: tuple[int, int] = SIZE,
    **more,
) -> Path:
    """Write a video of bars at the given times; other options as for `encode`."""
    return encode(path, ((t, barcode(n, size)) for n, t in enumerate(times)), codec, **more)


def encode(
    path: Path,
    frames: Iterable[tuple[float, np.ndarray]],
    codec: str = "libx264",
    *,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    aspect: Fraction | None = None,
    muxer: dict[str, str] | None = None,
    rate: Fraction = Fraction(25),
    base: Fraction = MILLISECOND,
    tone: str = "",
    tone_at: float = 0.0,
    change: Callable[[Packets], Packets] | None = None,
) -> Path:
    """Encode pairs of time and rgb.

    `rotation` and `mirrored` are stored in the display matrix, `aspect` is the width of a pixel
    divided by its height, `base` is the time base, `tone` is the codec of one second of sound that
    begins at `tone_at`, and `change` modifies all packets before writing.
    """
    with av.open(str(path), "w", options=muxer or {}) as output:
        stream = output.add_stream(codec, rate=rate, options=options or {})
        stream.time_base = stream.codec_context.time_base = base
        stream.pix_fmt = pixels
        sound = output.add_stream(tone, rate=44100) if tone else None
        if rotation or mirrored:
            stream.set_display_matrix(display_matrix(rotation, mirrored))
        if aspect:
            stream.sample_aspect_ratio = stream.codec_context.sample_aspect_ratio = aspect
        packets: Packets = []
        for time, rgb in frames:
            if not stream.codec_context.is_open:
                stream.height, stream.width = rgb.shape[:2]
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = round(time / base), base
            packets += stream.encode(frame)
        packets += stream.encode()
        for packet in change(packets) if change else packets:
            output.mux(packet)
        if sound is not None:
            output.mux(sound.encode(hum(tone_at)))
            output.mux(sound.encode())
    return path


def display_matrix(rotation: int, mirrored: bool) -> list[int]:
    """The matrix that mirrors left to right, then rotates counter-clockwise."""
    cos, sin = (
        round(part) for part in (np.cos(np.radians(rotation)), np.sin(np.radians(rotation)))
    )
    side = -1 if mirrored else 1
    one = 1 << 16
    return [side * cos * one, -side * sin * one, 0, sin * one, cos * one, 0, 0, 0, 1 << 30]


def hum(begin: float = 0.0) -> av.AudioFrame:
    """One second of a tone."""
    wave = (3000 * np.sin(np.arange(44100) / 20)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = 44100, round(begin * 44100)
    return frame


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    times, pictures = zip(*read_frames(path, batch=7), strict=True)
    return np.concatenate(times), np.concatenate(pictures)


def with_streams(path: Path, *kinds: str) -> Path:
    """A file with these streams: sound, cover, and a small or a large video of ten frames."""
    with av.open(str(path), "w") as output:
        streams = []
        for kind in kinds:
            codec = {"sound": "libmp3lame", "cover": "mjpeg"}.get(kind, "libx264")
            stream = output.add_stream(codec, rate=44100 if kind == "sound" else 25)
            if kind != "sound":
                stream.height, stream.width = SIZES[kind]
                stream.pix_fmt = "yuvj420p" if kind == "cover" else "yuv420p"
                stream.disposition = DISPOSITIONS.get(kind, Disposition(0))
            streams.append(stream)
        for kind, stream in zip(kinds, streams, strict=True):
            for number in [COVER] if kind == "cover" else range(10 if kind != "sound" else 1):
                output.mux(stream.encode(hum() if kind == "sound" else numbered(stream, number)))
            output.mux(stream.encode())
    return path


def numbered(stream: av.VideoStream, number: int) -> av.VideoFrame:
    rgb = barcode(number, (stream.height, stream.width))
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=stream.pix_fmt)
    frame.pts = number if number != COVER else 0
    return frame
