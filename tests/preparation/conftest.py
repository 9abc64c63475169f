"""Three synthetic subjects and their recordings, shared by all tests, which only read them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from affectkit.datasets import synthetic
from affectkit.faces import Crop
from affectkit.preparation import prepare
from affectkit.recording import open_recording

CROP = Crop(size=48)
FRAMES = 24


@pytest.fixture(scope="session")
def synthetic_root(tmp_path_factory) -> Path:
    """A dataset of three synthetic subjects."""
    root = tmp_path_factory.mktemp("synthetic") / "dataset"
    return synthetic.write_synthetic(
        root, subjects=(1, 1, 1), seconds=3, fps=8, size=128, workers=1
    )


@pytest.fixture(scope="session")
def prepared(synthetic_root, tmp_path_factory) -> list[Path]:
    """The recordings of `synthetic_root`."""
    return prepare("synthetic", synthetic_root, tmp_path_factory.mktemp("recordings"), crop=CROP)


@pytest.fixture
def dataset_copy(synthetic_root, tmp_path) -> Path:
    """A copy of the dataset that a test may change."""
    return Path(shutil.copytree(synthetic_root, tmp_path / "copy"))


@pytest.fixture
def video(synthetic_root, tmp_path) -> Path:
    """The video of one synthetic subject."""
    return Path(
        shutil.copy(synthetic.index(synthetic_root)["video"].iloc[0], tmp_path / "clip.mp4")
    )


def assert_same(paths: list[Path], others: list[Path]) -> None:
    """All arrays and all attributes are equal, except the paths of the files."""
    assert [path.name for path in paths] == [path.name for path in others]
    for path, other in zip(paths, others, strict=True):
        one, two = (open_recording(each).load() for each in (path, other))
        xr.testing.assert_identical(_without_paths(one), _without_paths(two))


def _without_paths(recording: xr.Dataset) -> xr.Dataset:
    attrs = {key: value for key, value in recording.attrs.items() if key != "video"}
    source = {key: v for key, v in attrs["source"].items() if key not in ("video", "annotation")}
    return recording.assign_attrs(attrs | {"video": "", "source": source})


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of every file in a folder, by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def grey(frames: int = 2, size: int = 96) -> np.ndarray:
    """Frames without a face."""
    return np.full((frames, size, size, 3), 127, np.uint8)
