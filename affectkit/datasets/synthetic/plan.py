"""What is to be drawn: a handful of numbers from which everything else follows."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from affectkit.datasets.synthetic.movement import WARM_UP, draw_emotion, move, rate
from affectkit.datasets.synthetic.person import Person, draw_person
from affectkit.errors import AffectkitError

PLAN = "synthetic.json"
VERSION = 1  # of the drawing and the movements: rises when the same seed gives another picture
GAP = 0.2  # seconds, one stretch without annotation

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Plan:
    """All that determines a synthetic dataset."""

    people: tuple[int, int, int]  # in train, validation, test
    seconds: float
    fps: float
    size: int  # of the square picture, in pixels
    seed: int
    missing: float  # share of frames marked as not annotated
    layout: str = "affwild2"
    traps: bool = False
    version: int = VERSION

    @property
    def frames(self) -> int:
        """Frames in each video."""
        return round(self.seconds * self.fps)

    @property
    def names(self) -> list[str]:
        """One recording a person, numbered through the splits."""
        return [f"person_{number:03d}" for number in range(sum(self.people))]

    def split(self, number: int) -> str:
        """The split that a person belongs to."""
        ends = np.cumsum(self.people)
        return SPLITS[int(np.searchsorted(ends, number, side="right"))]


@dataclass(frozen=True, eq=False)
class Scene:
    """One person in one video, before it is drawn; arrays start with the first frame."""

    person: Person
    emotion: NDArray[np.float64]  # (frame, affect)
    movement: NDArray[np.float64]  # (frame, movement)
    rating: NDArray[np.float64]  # (rater, frame, affect)
    annotated: NDArray[np.bool_]  # (frame)
    noise: Generator  # for the sensor


def make_scene(plan: Plan, number: int) -> Scene:
    """Everything about a person's video but its pixels; the same for the same plan and number."""
    streams = np.random.SeedSequence([plan.seed, number]).spawn(6)
    look, feel, act, watch, pause, noise = (np.random.default_rng(stream) for stream in streams)
    emotion = draw_emotion(feel, plan.frames, plan.fps)
    first = round(WARM_UP * plan.fps)
    return Scene(
        person=draw_person(look, plan.size),
        emotion=emotion[first:],
        movement=move(act, emotion, plan.fps)[first:],
        rating=rate(watch, emotion, plan.fps)[:, first:],
        annotated=_draw_annotated(pause, plan),
        noise=noise,
    )


def _draw_annotated(rng: Generator, plan: Plan) -> NDArray[np.bool_]:
    annotated = np.ones(plan.frames, bool)
    length = max(1, round(GAP * plan.fps))
    for first in np.flatnonzero(rng.random(plan.frames) < plan.missing / length):
        annotated[first : first + length] = False
    return annotated


def read_plan(root: Path) -> Plan:
    """Read the plan of the synthetic dataset in `root`.

    Raises:
        AffectkitError: there is none, or it cannot be read.
    """
    path = Path(root) / PLAN
    if not path.is_file():
        raise AffectkitError(f"no synthetic dataset in {root}: expected {PLAN} there")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Plan(**content | {"people": tuple(content["people"])})
    except (ValueError, TypeError, KeyError) as error:
        raise AffectkitError(f"{path} is not the plan of a synthetic dataset: {error}") from None


def plan_content(plan: Plan) -> dict[str, Any]:
    """The plan as JSON holds it."""
    return asdict(plan) | {"people": list(plan.people)}
