"""Films put together from drawn people, so that who is where in which frame is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.video import read_frames

FPS = 12
SIDE = 192  # pixels of a drawn person's picture


@dataclass(frozen=True, eq=False)
class Actor:
    """A drawn person: pictures (frame, row, col, channel) and true points."""

    rgb: np.ndarray
    landmark: np.ndarray


@pytest.fixture(scope="session")
def actors(tmp_path_factory) -> list[Actor]:
    """Three drawn people, five seconds each; to be read only."""
    root = synthetic.write(
        tmp_path_factory.mktemp("actors") / "data",
        people=(0, 0, 3),
        seconds=5,
        fps=FPS,
        size=SIDE,
        workers=1,
    )
    return [_actor(root, f"person_{number:03d}") for number in range(3)]


def _actor(root: Path, name: str) -> Actor:
    rgb = np.concatenate([rgb for _, rgb in read_frames(root / "batch1" / f"{name}.mp4")])
    return Actor(rgb, synthetic.truth(root, name)["landmark"].values)
