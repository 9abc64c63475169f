"""Test videos with known frames: a synthetic face over the frame number, in many file formats.

The number is at the bottom as two rows of eight bars. The lower row is the negative of the upper
one, so a number that compression or scaling made ambiguous raises an error.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np

from affectkit.datasets.synthetic.movement import MOVEMENT
from affectkit.datasets.synthetic.rendering import render_face
from affectkit.datasets.synthetic.subject import random_subject
from tests.video.clips import Packets, encode

WIDTH, FACE, FOOT = 128, 128, 32  # pixels; the face is square
BITS = 8
COUNT = 36


@cache
def face_picture(number: int) -> np.ndarray:
    """The same person in each frame, with an opening and closing mouth."""
    movement = dict.fromkeys(MOVEMENT, 0.0) | {"AU26": number % 10 / 10, "yaw": number / 200}
    return np.asarray(render_face(random_subject(np.random.default_rng(3), FACE), movement))


def number_picture(number: int) -> np.ndarray:
    bits = number >> np.arange(BITS) & 1
    rows = np.stack([bits, 1 - bits]).repeat(FOOT // 2, 0).repeat(WIDTH // BITS, 1)
    return (rows * 255).astype(np.uint8)[..., None].repeat(3, 2)


def picture(number: int, face: bool = True, size: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Face over number; `size` adds rows and columns at the edges."""
    upper = face_picture(number) if face else np.full((FACE, WIDTH, 3), 127, np.uint8)
    whole = np.concatenate([upper, number_picture(number)])
    return np.pad(whole, ((0, size[0]), (0, size[1]), (0, 0)), mode="edge")


def read_number(rgb: np.ndarray) -> int:
    """The number in a picture of any scale."""
    height, width = rgb.shape[:2]
    unit = height / (FACE + FOOT)
    rows = [slice(round((FACE + top) * unit), round((FACE + top + 8) * unit)) for top in (4, 20)]
    bars = [slice(round((k + 0.3) * width / BITS), round((k + 0.7) * width / BITS))
            for k in range(BITS)]  # fmt: skip
    upper, lower = (np.array([rgb[row, bar].mean() for bar in bars]) for row in rows)
    if np.abs(upper - lower).min() < 100:
        raise ValueError(f"no readable number: {upper - lower}")
    return int((upper > lower) @ (1 << np.arange(BITS)))


class Case(NamedTuple):
    """How a test video is written, and what can be decoded."""

    name: str  # of the file
    time: tuple[Fraction, ...]  # of each frame as encoded
    options: dict[str, Any] = {}  # noqa: RUF012 - of `encode`, never modified
    size: tuple[int, int] = (0, 0)  # additional rows and columns
    face: bool = True
    shift: Fraction = Fraction(0)  # seconds that the container adds
    decodable: tuple[int, ...] | None = None  # numbers of the decodable frames; None = all
    header_frames: int = 0  # frame count in the header; 0 = none
    warns: str = ""  # text of the warning when read
    edit: Callable[[bytes], bytes] | None = None  # changes the content of the written file


class Truth(NamedTuple):
    """A test video and the expected result of reading it."""

    path: Path
    number: list[int]
    time: np.ndarray
    case: Case

    @property
    def shape(self) -> tuple[int, int]:
        return FACE + FOOT + self.case.size[0], WIDTH + self.case.size[1]


def every(step: Fraction, first: Fraction = Fraction(0), count: int = COUNT) -> tuple:
    return tuple(first + number * step for number in range(count))


def without(count: int, *lost: int) -> tuple[int, ...]:
    return tuple(number for number in range(count) if number not in lost)


def hollow(*lost: int) -> Callable[[Packets], Packets]:
    """Fill some packets with zeros, as a failing disk or network does."""

    def change(packets: Packets) -> Packets:
        order = sorted(range(len(packets)), key=lambda place: packets[place].pts)
        for place in (order[number] for number in lost):
            old = packets[place]
            new = av.Packet(bytes(old.size))
            new.pts, new.dts, new.duration = old.pts, old.dts, old.duration
            new.time_base, new.stream = old.time_base, old.stream
            packets[place] = new
        return packets

    return change


def trimmed(frames: int, ticks: int) -> Callable[[bytes], bytes]:
    """Begin the edit list of an mp4 some frames later, as when a phone trims a video."""

    def edit(content: bytes) -> bytes:
        place = content.index(b"elst") + 16  # after kind, version, count and length
        start = int.from_bytes(content[place : place + 4]) + frames * ticks
        return content[:place] + start.to_bytes(4) + content[place + 4 :]

    return edit


def set_header_frames(frames: int) -> Callable[[bytes], bytes]:
    """Change the number of frames in the header of an AVI."""

    def edit(content: bytes) -> bytes:
        place = content.index(b"strh") + 40
        return content[:place] + frames.to_bytes(4, "little") + content[place + 4 :]

    return edit


def cut_short(content: bytes) -> bytes:
    return content[: len(content) * 3 // 4]


STEADY = every(Fraction(1, 25))
NTSC = every(Fraction(1001, 30000))
DROPPED = tuple(Fraction(n, 25) for n in without(COUNT + 6, 5, 6, 20, 21, 22, 30))
UNEVEN = tuple(Fraction(sum(([40, 90, 20, 200, 33] * 8)[:n]), 1000) for n in range(COUNT))
PAUSES = (
    *STEADY[:20],
    *every(Fraction(1, 25), Fraction(300), 10),
    *every(Fraction(1, 25), Fraction(4000), 6),
)
B_FRAMES = {"options": {"bf": "3", "g": "24"}}
FAST_START = {"muxer": {"movflags": "+faststart"}}
JPEG = {"codec": "mjpeg", "pixels": "yuvj420p"}
AVI = {"base": Fraction(1, 25)}
MPEG4_AVI = AVI | {"codec": "mpeg4"}
QUIET_HEVC = {"x265-params": "log-level=none:bframes=3", "preset": "ultrafast"}
HEVC = {"codec": "libx265", "options": QUIET_HEVC}
VP9 = {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}
ALT_REF = {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "5", "b": "300k"}
AV1 = {"codec": "libsvtav1", "options": {"preset": "8", "crf": "5"}}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}

CASES = {
    "constant rate": Case("a.mp4", STEADY, {"options": {"bf": "0"}}, header_frames=COUNT),
    "NTSC rate": Case(
        "a.mp4",
        NTSC,
        B_FRAMES | {"base": Fraction(1, 30000), "rate": Fraction(30000, 1001)},
        header_frames=COUNT,
    ),
    "variable rate": Case("a.mp4", UNEVEN, B_FRAMES, header_frames=COUNT),
    "B-frames": Case("a.mp4", STEADY, B_FRAMES | {"tone": "aac"}, header_frames=COUNT),
    "HEVC": Case("a.mp4", STEADY, HEVC, header_frames=COUNT),
    "HEVC of a phone": Case(
        "a.mov", UNEVEN, HEVC | {"pixels": "yuv420p10le", "rotation": 270}, header_frames=COUNT
    ),
    "dropped frames": Case("a.mp4", DROPPED, B_FRAMES, header_frames=COUNT),
    "dropped frames in AVI": Case(
        "a.avi",
        DROPPED,
        AVI | JPEG,
        header_frames=COUNT + 6,
        warns="42 frames in the header, 36 decoded",
    ),
    "too many frames in the header": Case(
        "a.avi",
        STEADY,
        MPEG4_AVI,
        header_frames=60,
        warns="60 frames in the header, 36 decoded",
        edit=set_header_frames(60),
    ),
    "damaged": Case(
        "a.mp4",
        STEADY,
        JPEG | {"change": hollow(10, 20, 21)},
        decodable=without(COUNT, 10, 20, 21),
        header_frames=COUNT,
        warns="36 frames in the header, 33 decoded; the file is cut short or damaged",
    ),
    "cut short": Case(
        "a.mp4",
        STEADY,
        B_FRAMES | FAST_START,
        decodable=tuple(range(24)),
        header_frames=COUNT,
        warns="36 frames in the header, 24 decoded; the file is cut short or damaged",
        edit=cut_short,
    ),
    "cut short, without a count": Case(
        "a.mkv",
        STEADY,
        B_FRAMES,
        decodable=tuple(range(24)),
        warns="1.44 s in the header, 0.96 s decoded; the file is cut short",
        edit=cut_short,
    ),
    "rotated by 90": Case("a.mp4", STEADY, {"rotation": 90}, header_frames=COUNT),
    "rotated by 180": Case("a.mp4", STEADY, {"rotation": 180}, header_frames=COUNT),
    "rotated by 270": Case("a.mp4", STEADY, {"rotation": 270}, header_frames=COUNT),
    "mirrored": Case("a.mp4", STEADY, {"mirrored": True}, header_frames=COUNT),
    "mirrored and rotated": Case(
        "a.mp4", STEADY, {"mirrored": True, "rotation": 270}, header_frames=COUNT
    ),
    "wide pixels": Case("a.mp4", STEADY, {"aspect": Fraction(4, 3)}, header_frames=COUNT),
    "high pixels, rotated": Case(
        "a.mp4", STEADY, {"aspect": Fraction(4, 5), "rotation": 90}, header_frames=COUNT
    ),
    "odd size, H.264": Case("a.mp4", STEADY, {"pixels": "yuv444p"}, (1, 1), header_frames=COUNT),
    "odd size, VP9": Case("a.webm", STEADY, VP9, (1, 1)),
    "odd size, rotated": Case("a.mkv", STEADY, JPEG | {"rotation": 90}, (1, 3)),
    "odd size, AVI": Case("a.avi", STEADY, MPEG4_AVI, (3, 1), header_frames=COUNT),
    "no face": Case("a.mp4", STEADY, face=False, header_frames=COUNT),
    "one frame": Case("a.mp4", STEADY[:1], header_frames=1),
    "one frame, late": Case("a.mkv", every(Fraction(1), Fraction(2), 1)),
    "first time not 0": Case("a.mp4", every(Fraction(1, 25), Fraction(3, 2)), header_frames=COUNT),
    "first time not 0, Matroska": Case("a.mkv", every(Fraction(1, 25), Fraction(1, 5)), B_FRAMES),
    "first time negative": Case(
        "a.webm",
        every(Fraction(1, 25), Fraction(-1, 5)),
        VP9 | {"muxer": {"avoid_negative_ts": "disabled"}},
        shift=Fraction(1, 5),
    ),
    "pauses of minutes": Case("a.mkv", PAUSES, B_FRAMES),
    "edit list": Case(
        "a.mp4",
        STEADY,
        B_FRAMES | FAST_START | {"base": Fraction(1, 12800), "tone": "aac"},
        decodable=tuple(range(8, COUNT)),
        shift=Fraction(-8, 25),
        header_frames=COUNT,
        edit=trimmed(8, 512),
    ),
    "fragments": Case("a.mp4", STEADY, B_FRAMES | {"muxer": FRAGMENTS}, shift=Fraction(2, 25)),
    "VP9": Case("a.webm", UNEVEN, VP9),
    "VP8, hidden pictures": Case("a.webm", STEADY, {"codec": "libvpx", "options": ALT_REF}),
    "AV1": Case("a.webm", STEADY, AV1),
    "AVI with B-frames": Case(
        "a.avi", STEADY, MPEG4_AVI | {"options": {"bf": "2"}}, header_frames=COUNT
    ),
    "AVI with B-frames, H.264": Case("a.avi", STEADY, AVI | B_FRAMES, header_frames=COUNT),
    "no container": Case("a.h264", STEADY, B_FRAMES),
    "transport stream": Case(
        "a.ts", STEADY, B_FRAMES | {"base": Fraction(1, 90000)}, shift=Fraction(2, 25)
    ),
    "Windows Media": Case("a.wmv", STEADY, {"codec": "wmv2"}),
}


def stored(
    shown: np.ndarray,
    *,
    rotation: int = 0,
    mirrored: bool = False,
    aspect: Fraction = Fraction(1),
    **_: Any,
) -> np.ndarray:
    """A picture as it is stored, so that it is displayed upright with square pixels."""
    turned = np.rot90(shown, -rotation // 90)
    turned = np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)
    rows, cols = turned.shape[:2]
    size = (round(cols / max(aspect, 1)), round(rows * min(aspect, 1)))
    return np.asarray(cv2.resize(turned, size, interpolation=cv2.INTER_AREA))


def write_truth(folder: Path, name: str) -> Truth:
    """Write one of the test videos to `folder`."""
    case = CASES[name]
    frames = (
        (time, stored(picture(number, case.face, case.size), **case.options))
        for number, time in enumerate(case.time)
    )
    path = encode(folder / case.name, frames, **case.options)
    if case.edit:
        path.write_bytes(case.edit(path.read_bytes()))
    decoded = list(case.decodable or range(len(case.time)))
    time = np.array([float(case.time[number] + case.shift) for number in decoded])
    return Truth(path, decoded, time, case)
