from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from affectkit.recording import save_recording
from affectkit.results import prediction_path, save_result
from affectkit.run import write_metadata
from tests.conftest import fake_metadata

Make = Callable[..., xr.Dataset]


@pytest.fixture
def test_recordings(make_recording: Make, tmp_path: Path) -> Path:
    """Four annotated recordings of three subjects."""
    for seed, (name, subject) in enumerate([("a", "ann"), ("b", "ann"), ("c", "ben"), ("d", "")]):
        recording = make_recording(name, 250 + 50 * seed, seed=seed, subject=subject)
        save_recording(recording.drop_vars("face"), tmp_path / "recordings" / f"{name}.zarr")
    return tmp_path / "recordings"


@pytest.fixture
def make_run(test_recordings: Path, make_prediction: Make, tmp_path: Path) -> Callable[..., Path]:
    """Returns a function that writes a run; its predictions are the annotations plus noise."""

    def make(name: str, noise: float) -> Path:
        run = tmp_path / name
        splits = {"train": [], "validation": ["a"], "test": ["a", "b", "c", "d"]}
        write_metadata(run, fake_metadata(splits=splits, recordings=str(test_recordings)))
        for seed, path in enumerate(sorted(test_recordings.glob("*.zarr"))):
            with xr.open_zarr(path, consolidated=False, chunks=None) as recording:
                prediction = make_prediction(recording, noise, seed=seed)
            prediction.attrs["recording_path"] = str(path)
            save_result(prediction, prediction_path(run, path.stem))
        return run

    return make


@pytest.fixture
def run(make_run: Callable[..., Path]) -> Path:
    return make_run("good", 0.2)
