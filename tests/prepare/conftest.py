"""Drawn people and their recordings, made once: to be read only."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from affectkit.datasets import synthetic
from affectkit.faces import Crop
from affectkit.prepare import prepare
from affectkit.recording import open_recording

CROP = Crop(size=48)
FRAMES = 24


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """Three drawn people."""
    root = tmp_path_factory.mktemp("synthetic") / "drawn"
    return synthetic.write(root, people=(1, 1, 1), seconds=3, fps=8, size=128, workers=1)


@pytest.fixture(scope="session")
def prepared(drawn, tmp_path_factory) -> list[Path]:
    """Their recordings."""
    return prepare("synthetic", drawn, tmp_path_factory.mktemp("recordings"), crop=CROP)


@pytest.fixture
def copy(drawn, tmp_path) -> Path:
    """The drawn people again, to be changed."""
    return Path(shutil.copytree(drawn, tmp_path / "copy"))


@pytest.fixture
def clip(drawn, tmp_path) -> Path:
    """The video of one drawn person."""
    return Path(shutil.copy(synthetic.index(drawn)["video"].iloc[0], tmp_path / "clip.mp4"))


def assert_same(paths: list[Path], others: list[Path]) -> None:
    """All arrays and all attributes are the same, but for where the files lie."""
    assert [path.name for path in paths] == [path.name for path in others]
    for path, other in zip(paths, others, strict=True):
        one, two = (open_recording(each).load() for each in (path, other))
        xr.testing.assert_identical(_without_places(one), _without_places(two))


def _without_places(recording: xr.Dataset) -> xr.Dataset:
    attrs = {key: value for key, value in recording.attrs.items() if key != "video"}
    source = {key: v for key, v in attrs["source"].items() if key not in ("video", "annotation")}
    return recording.assign_attrs(attrs | {"video": "", "source": source})


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, as bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def grey(frames: int = 2, size: int = 96) -> np.ndarray:
    """A picture without a face, a few times."""
    return np.full((frames, size, size, 3), 127, np.uint8)
