"""The tracks of Aff-Wild2 (a subject in a video) and their text files, the same in all releases.

Without quirks, each subject has one video. With quirks, the first two subjects of one split share
two videos:

    person_000.mp4    subjects 0 and 1    tracks person_000_left (CRLF) and person_000_right
    person_001.mp4    subjects 1 and 0    tracks person_001 and person_001_right

Each video has half of their scenes; right tracks have one extra line. Of the other subjects, the
first has an AVI with 24000/1001 frames per second, the second at most 79 frames. In each file, one
frame is marked as not annotated in both columns, one in the second, one in the first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.affwild2 import HEADER, NOT_ANNOTATED
from affectkit.datasets.synthetic.rendering import render_video
from affectkit.datasets.synthetic.scene import Scene, Settings, make_scene
from affectkit.files import atomic_write
from affectkit.video import write_video

DECIMALS = 4
FILM_RATE = Fraction(24000, 1001)  # frames per second
SHORT = 79  # frames: shorter than a usual window of 80
BITS = 4_000_000  # per second of the AVI

Timed = tuple[float, NDArray[np.uint8]]


@dataclass(frozen=True)
class Track:
    """One subject in some frames of a video, alone or next to another."""

    name: str  # of the recording
    video: str  # its file
    subjects: tuple[int, ...]  # in the picture, from left to right
    number: int  # of the subject
    frames: slice  # of the subject's scene
    fps: float
    extra_line: bool = False
    end: str = "\n"  # of a line

    @property
    def writes_video(self) -> bool:
        """Whether the video is written with this track; only one of several writes it."""
        return self.number == self.subjects[0]


def tracks(settings: Settings, number: int) -> list[Track]:
    """The tracks of a subject."""
    name, pair = settings.names[number], _pair(settings)
    if number in pair:
        return _shared(settings, number, pair)
    whole = Track(name, f"{name}.mp4", (number,), number, slice(settings.frames), settings.fps)
    place = number - sum(other < number for other in pair)
    if settings.quirks and place == 0:
        return [replace(whole, video=f"{name}.avi", frames=slice(None), fps=float(FILM_RATE))]
    if settings.quirks and place == 1:
        return [replace(whole, frames=slice(SHORT))]
    return [whole]


def _pair(settings: Settings) -> tuple[int, ...]:
    """The first two subjects of one split, who share their videos."""
    if settings.quirks and settings.frames > 1:
        for number in range(1, len(settings.names)):
            if settings.split(number - 1) == settings.split(number):
                return (number - 1, number)
    return ()


def _shared(settings: Settings, number: int, pair: tuple[int, ...]) -> list[Track]:
    first, second = (settings.names[other] for other in pair)
    before, after = slice(settings.frames // 2), slice(settings.frames // 2, None)
    if number == pair[0]:
        return [
            Track(f"{first}_left", f"{first}.mp4", pair, number, before, settings.fps, end="\r\n"),
            Track(
                f"{second}_right", f"{second}.mp4", pair[::-1], number, after, settings.fps, True
            ),
        ]
    return [
        Track(f"{first}_right", f"{first}.mp4", pair, number, before, settings.fps, True),
        Track(second, f"{second}.mp4", pair[::-1], number, after, settings.fps),
    ]


def track_scene(settings: Settings, track: Track, number: int) -> Scene:
    """The scene of a subject in a track."""
    scene, frames = make_scene(replace(settings, fps=track.fps), number), track.frames
    return replace(
        scene,
        emotion=scene.emotion[frames],
        movement=scene.movement[frames],
        rating=scene.rating[:, frames],
        annotated=scene.annotated[frames],
    )


def ratings(settings: Settings, track: Track) -> NDArray[np.float64]:
    """The ratings (rater, line, affect)."""
    rating = track_scene(settings, track, track.number).rating
    more = rating[:, -1:] if track.extra_line else rating[:, :0]
    return np.concatenate([rating, more], axis=1)


def lines(settings: Settings, track: Track) -> NDArray[np.float64]:
    """The mean of the raters (line, affect), with the code for not annotated."""
    values = np.asarray(ratings(settings, track).mean(axis=0))
    annotated = track_scene(settings, track, track.number).annotated
    values[: len(annotated)][~annotated] = NOT_ANNOTATED
    if settings.quirks:
        for line, columns in enumerate(([0, 1], [1], [0]), start=1):
            values[line : line + 1, columns] = NOT_ANNOTATED
    return values


def expected_values(settings: Settings, track: Track) -> NDArray[np.float64]:
    """The values (line, affect) that a loader must read: NaN if either column has the code."""
    values = lines(settings, track).round(DECIMALS)
    values[(values == NOT_ANNOTATED).any(axis=1)] = np.nan
    return values


def annotation_text(settings: Settings, track: Track) -> str:
    """The content of the text file."""
    rows = [
        f"{valence:.{DECIMALS}f},{arousal:.{DECIMALS}f}"
        for valence, arousal in lines(settings, track)
    ]
    return "\n".join([HEADER, *rows, ""])


def write_track_video(path: Path, settings: Settings, track: Track) -> None:
    """Write the video of a track with all its subjects, unless it exists."""
    if path.is_file():
        return
    videos = [
        render_video(track_scene(settings, track, number), track.fps) for number in track.subjects
    ]
    frames = _side_by_side(videos)
    if path.suffix == ".avi":
        _write_avi(path, frames)
    else:
        write_video(path, frames, fps=track.fps)


def _side_by_side(videos: list[Iterator[Timed]]) -> Iterator[Timed]:
    for frames in zip(*videos, strict=True):
        yield frames[0][0], np.hstack([rgb for _, rgb in frames])


def _write_avi(path: Path, frames: Iterable[Timed]) -> None:
    """Write an AVI. It has no time stamps: frame k is at k / FILM_RATE."""
    with atomic_write(path) as partial, av.open(str(partial), "w") as output:
        stream = output.add_stream("mpeg4", rate=FILM_RATE)
        stream.pix_fmt, stream.bit_rate = "yuv420p", BITS
        for number, (_, rgb) in enumerate(frames):
            if not number:
                stream.height, stream.width = rgb.shape[:2]
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        output.mux(stream.encode())
