"""Pictures and true landmarks of synthetic subjects, to compose scenes from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.video import read_frames

FPS = 12
SIDE = 192  # pixels of a subject's picture


@dataclass(frozen=True, eq=False)
class Subject:
    """A synthetic subject: pictures (frame, row, col, channel) and true landmarks."""

    rgb: np.ndarray
    landmark: np.ndarray


@pytest.fixture(scope="session")
def subjects(tmp_path_factory) -> list[Subject]:
    """Three synthetic subjects, five seconds each; read-only."""
    root = synthetic.write_synthetic(
        tmp_path_factory.mktemp("subjects") / "data",
        subjects=(0, 0, 3),
        seconds=5,
        fps=FPS,
        size=SIDE,
        workers=1,
    )
    return [_read_subject(root, f"person_{number:03d}") for number in range(3)]


def _read_subject(root: Path, name: str) -> Subject:
    rgb = np.concatenate([rgb for _, rgb in read_frames(root / "batch1" / f"{name}.mp4")])
    return Subject(rgb, synthetic.ground_truth(root, name)["landmark"].values)
