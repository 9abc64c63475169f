"""The settings of a synthetic dataset, and the scene of each subject that follows from them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from affectkit.datasets.synthetic.movement import (
    WARM_UP,
    simulate_emotion,
    simulate_movements,
    simulate_ratings,
)
from affectkit.datasets.synthetic.subject import Subject, random_subject
from affectkit.errors import AffectkitError
from affectkit.files import StrPath

SETTINGS_FILE = "synthetic.json"
KEYS = {"subjects": "people", "quirks": "traps"}  # in the file, where the name differs
VERSION = 1  # of rendering and movements; raised when the same seed gives another picture
GAP = 0.2  # seconds without annotation at a time

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Settings:
    """Everything that determines a synthetic dataset."""

    subjects: tuple[int, int, int]  # in train, validation, test
    seconds: float
    fps: float
    size: int  # of the square picture, in pixels
    seed: int
    missing: float  # fraction of frames marked as not annotated
    layout: str = "affwild2"
    quirks: bool = False
    version: int = VERSION

    @property
    def frames(self) -> int:
        """Frames in each video."""
        return round(self.seconds * self.fps)

    @property
    def names(self) -> list[str]:
        """The names of the subjects, numbered across the splits."""
        return [f"person_{number:03d}" for number in range(sum(self.subjects))]

    def split(self, number: int) -> str:
        """The split of a subject."""
        ends = np.cumsum(self.subjects)
        return SPLITS[int(np.searchsorted(ends, number, side="right"))]


@dataclass(frozen=True, eq=False)
class Scene:
    """One subject in one video, before rendering. Arrays start at the first frame."""

    subject: Subject
    emotion: NDArray[np.float64]  # (frame, affect)
    movement: NDArray[np.float64]  # (frame, movement)
    rating: NDArray[np.float64]  # (rater, frame, affect)
    annotated: NDArray[np.bool_]  # (frame)
    noise: Generator  # of the camera sensor


def make_scene(settings: Settings, number: int) -> Scene:
    """The scene of subject `number`: always the same for the same settings and number."""
    streams = np.random.SeedSequence([settings.seed, number]).spawn(6)
    appearance, emotions, movements, ratings, gaps, noise = map(np.random.default_rng, streams)
    emotion = simulate_emotion(emotions, settings.frames, settings.fps)
    first = round(WARM_UP * settings.fps)
    return Scene(
        subject=random_subject(appearance, settings.size),
        emotion=emotion[first:],
        movement=simulate_movements(movements, emotion, settings.fps)[first:],
        rating=simulate_ratings(ratings, emotion, settings.fps)[:, first:],
        annotated=_random_annotated(gaps, settings),
        noise=noise,
    )


def _random_annotated(rng: Generator, settings: Settings) -> NDArray[np.bool_]:
    annotated = np.ones(settings.frames, bool)
    length = max(1, round(GAP * settings.fps))
    for first in np.flatnonzero(rng.random(settings.frames) < settings.missing / length):
        annotated[first : first + length] = False
    return annotated


def read_settings(root: StrPath) -> Settings:
    """Read the settings of the synthetic dataset in `root`.

    Raises:
        AffectkitError: there is no settings file, or it is invalid.
    """
    path = Path(root) / SETTINGS_FILE
    if not path.is_file():
        raise AffectkitError(f"no synthetic dataset in {root}: expected a file {SETTINGS_FILE}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        values = {name: content.pop(key) for name, key in KEYS.items() if key in content} | content
        return Settings(**values | {"subjects": tuple(values["subjects"])})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AffectkitError(
            f"{path} does not contain the settings of a synthetic dataset ({error}); "
            "delete the folder and write it again"
        ) from None


def settings_content(settings: Settings) -> dict[str, Any]:
    """The settings as they are stored in the file."""
    content = asdict(settings) | {"subjects": list(settings.subjects)}
    return {KEYS.get(name, name): value for name, value in content.items()}
