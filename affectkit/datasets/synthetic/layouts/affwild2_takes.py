"""Who is seen in which video of Aff-Wild2, and what its text files say: the same in all releases.

Without traps, everybody has one video. With them, the first two people of one split share two:

    person_000.mp4    persons 0 and 1    tracks person_000_left (CRLF) and person_000_right
    person_001.mp4    persons 1 and 0    tracks person_001 and person_001_right

each the half of their scenes; right tracks have a line too many. Of the others, the first has an
AVI of 24000/1001 frames a second, the second at most 79 frames. In each file a frame is marked as
not annotated in both columns, one in the second, one in the first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.affwild2 import HEADER, NOT_ANNOTATED
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.plan import Plan, Scene, make_scene
from affectkit.files import beside
from affectkit.video import write_video

DECIMALS = 4
FILM = Fraction(24000, 1001)  # frames a second
SHORT = 79  # frames: less than a usual window of 80
BITS = 4_000_000  # a second of the AVI

Timed = tuple[float, NDArray[np.uint8]]


@dataclass(frozen=True)
class Take:
    """One person in some frames of a video, alone or beside another."""

    name: str  # of the recording
    video: str  # its file
    people: tuple[int, ...]  # in the picture, left to right
    number: int  # of the person
    frames: slice  # of the person's scene
    fps: float
    line_too_many: bool = False
    end: str = "\n"  # of a line

    @property
    def draws(self) -> bool:
        """Whether this is the one of several takes that the video is drawn with."""
        return self.number == self.people[0]


def takes(plan: Plan, number: int) -> list[Take]:
    """The recordings of a person."""
    name, pair = plan.names[number], _pair(plan)
    if number in pair:
        return _shared(plan, number, pair)
    whole = Take(name, f"{name}.mp4", (number,), number, slice(plan.frames), plan.fps)
    place = number - sum(other < number for other in pair)
    if plan.traps and place == 0:
        return [replace(whole, video=f"{name}.avi", frames=slice(None), fps=float(FILM))]
    if plan.traps and place == 1:
        return [replace(whole, frames=slice(SHORT))]
    return [whole]


def _pair(plan: Plan) -> tuple[int, ...]:
    """The first two people of one split, who share their videos."""
    if plan.traps and plan.frames > 1:
        for number in range(1, len(plan.names)):
            if plan.split(number - 1) == plan.split(number):
                return (number - 1, number)
    return ()


def _shared(plan: Plan, number: int, pair: tuple[int, ...]) -> list[Take]:
    first, second = (plan.names[other] for other in pair)
    before, after = slice(plan.frames // 2), slice(plan.frames // 2, None)
    if number == pair[0]:
        return [
            Take(f"{first}_left", f"{first}.mp4", pair, number, before, plan.fps, end="\r\n"),
            Take(f"{second}_right", f"{second}.mp4", pair[::-1], number, after, plan.fps, True),
        ]
    return [
        Take(f"{first}_right", f"{first}.mp4", pair, number, before, plan.fps, True),
        Take(second, f"{second}.mp4", pair[::-1], number, after, plan.fps),
    ]


def scene_of(plan: Plan, take: Take, number: int) -> Scene:
    """What a person does in a take."""
    scene, frames = make_scene(replace(plan, fps=take.fps), number), take.frames
    return replace(
        scene,
        emotion=scene.emotion[frames],
        movement=scene.movement[frames],
        rating=scene.rating[:, frames],
        annotated=scene.annotated[frames],
    )


def ratings(plan: Plan, take: Take) -> NDArray[np.float64]:
    """Each rater's trace (rater, line, affect)."""
    rating = scene_of(plan, take, take.number).rating
    more = rating[:, -1:] if take.line_too_many else rating[:, :0]
    return np.concatenate([rating, more], axis=1)


def lines(plan: Plan, take: Take) -> NDArray[np.float64]:
    """The mean of the raters (line, affect), and the code for what is not annotated."""
    values = np.asarray(ratings(plan, take).mean(axis=0))
    annotated = scene_of(plan, take, take.number).annotated
    values[: len(annotated)][~annotated] = NOT_ANNOTATED
    if plan.traps:
        for line, columns in enumerate(([0, 1], [1], [0]), start=1):
            values[line : line + 1, columns] = NOT_ANNOTATED
    return values


def read_back(plan: Plan, take: Take) -> NDArray[np.float64]:
    """The lines (line, affect) as a loader must read them: NaN where either column has the code."""
    values = lines(plan, take).round(DECIMALS)
    values[(values == NOT_ANNOTATED).any(axis=1)] = np.nan
    return values


def text_of(plan: Plan, take: Take) -> str:
    """The lines as Aff-Wild2 writes them."""
    rows = [
        f"{valence:.{DECIMALS}f},{arousal:.{DECIMALS}f}" for valence, arousal in lines(plan, take)
    ]
    return "\n".join([HEADER, *rows, ""])


def write_take(path: Path, plan: Plan, take: Take) -> None:
    """Draw the video of a take, with everybody who is in it; one that is there stays."""
    if path.is_file():
        return
    films = [film(scene_of(plan, take, number), take.fps) for number in take.people]
    frames = _side_by_side(films)
    if path.suffix == ".avi":
        _write_avi(path, frames)
    else:
        write_video(path, frames, fps=take.fps)


def _side_by_side(films: list[Iterator[Timed]]) -> Iterator[Timed]:
    for frames in zip(*films, strict=True):
        yield frames[0][0], np.hstack([rgb for _, rgb in frames])


def _write_avi(path: Path, frames: Iterable[Timed]) -> None:
    """An AVI holds no time stamps: frame k lies at k / FILM."""
    with beside(path) as partial, av.open(str(partial), "w") as output:
        stream = output.add_stream("mpeg4", rate=FILM)
        stream.pix_fmt, stream.bit_rate = "yuv420p", BITS
        for number, (_, rgb) in enumerate(frames):
            if not number:
                stream.height, stream.width = rgb.shape[:2]
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        output.mux(stream.encode())
