"""A synthetic dataset, written once; tests add problems to copies."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.video import read_frames, write_video

SUBJECTS, SECONDS, FPS, SIZE = (8, 3, 2), 3, 8, 64
Change = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="session")
def synthetic_root(tmp_path_factory) -> Path:
    """A small Aff-Wild2: person_000 to 007 train, 008 to 010 validation, 011 and 012 test."""
    root = tmp_path_factory.mktemp("data") / "affwild2"
    return synthetic.write_synthetic(
        root, subjects=SUBJECTS, seconds=SECONDS, fps=FPS, size=SIZE, missing=0.1, workers=1
    )


@pytest.fixture
def root(synthetic_root, tmp_path) -> Path:
    return Path(shutil.copytree(synthetic_root, tmp_path / "a 'copy' of Aff-Wild2 ü"))


def video(root: Path, name: str) -> Path:
    return root / "batch1" / f"{name}.mp4"


def labels(root: Path, name: str, split: str = "Train_Set") -> Path:
    return root / "VA_Estimation_Challenge" / split / f"{name}.txt"


def rewrite_video(
    source: Path, path: Path, change: Change, times: np.ndarray | None = None
) -> Path:
    """Write a video again with changed pictures, and with other time stamps if given."""
    parts = list(read_frames(source))
    time = np.concatenate([part[0] for part in parts]) if times is None else times
    pictures = np.concatenate([part[1] for part in parts])
    path.unlink(missing_ok=True)
    write_video(path, ((t, change(p)) for t, p in zip(time, pictures, strict=True)))
    return path
