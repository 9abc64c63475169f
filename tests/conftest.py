"""Shared fixtures. Valence and arousal of the recordings are visible in their pixels."""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
import xarray as xr
from hypothesis import settings

from affectkit.cli.main import main
from affectkit.recording import make_recording, save_recording
from affectkit.training.fit import fit
from affectkit.training.recipe import Recipe, parse_overrides, read_recipe

# no time limit, since the machine may be busy; the same examples in every run
settings.register_profile("affectkit", deadline=None, derandomize=True)
settings.load_profile("affectkit")

# the folder of real clips beside the project, or None; tests that need it are skipped without it
REAL = next(
    (p / "shared/real" for p in Path(__file__).parents if (p / "shared/real").is_dir()), None
)
FRAMES = 40
SIZE = 16
FPS = 25.0


def make_faces(affect: np.ndarray) -> np.ndarray:
    """Faces (frame, row, col, channel): brightness shows arousal, the column of a patch valence."""
    faces = np.zeros((len(affect), SIZE, SIZE, 3), np.uint8)
    faces[:] = (60 + 50 * affect[:, 1]).astype(np.uint8)[:, None, None, None]
    for number, valence in enumerate(affect[:, 0]):
        column = round((valence + 1) / 2 * (SIZE - 4))
        faces[number, 6:10, column : column + 4] = 250
    return faces


def make_affect(frames: int, seed: int) -> np.ndarray:
    """Two slow waves (frame, affect) in [-1, 1]; the seed determines their phases."""
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, 2)
    angle = np.arange(frames)[:, None] / 25 * np.array([2.0, 1.3]) + phase
    return (0.8 * np.sin(angle)).astype(np.float32)


def fake_recording(name: str, frames: int = FRAMES, seed: int = 0, **attrs) -> xr.Dataset:
    """A valid recording with a face that fills its crop."""
    affect = make_affect(frames, seed)
    square = np.tile(np.float32([20, 10, 20 + SIZE, 10 + SIZE]), (frames, 1))
    points = np.random.default_rng(seed).uniform(12, 24, (68, 2))
    variables = {
        "annotation": affect,
        "box": square,
        "crop_box": square,
        "landmark": np.tile(points.astype(np.float32), (frames, 1, 1)),
        "detected": np.ones(frames, bool),
        "face": make_faces(affect),
    }
    attributes = {"recording": name, "dataset": "fake", "fps": FPS, "width": 64, "height": 48}
    return make_recording(np.arange(frames) / FPS + 0.013, variables, attributes | attrs)


def fake_prediction(recording: xr.Dataset, noise: float = 0.1, seed: int = 0) -> xr.Dataset:
    """A prediction: the annotation with noise."""
    noise_values = np.random.default_rng(seed).normal(0, noise, (recording.sizes["frame"], 2))
    values = make_affect(recording.sizes["frame"], seed) + noise_values.astype(np.float32)
    annotation = recording["annotation"]
    known = (annotation + noise_values.astype(np.float32)).where(annotation.notnull(), values)
    attrs = {"recording": recording.attrs["recording"], "recording_path": "", "run": ""}
    return xr.Dataset({"prediction": known.clip(-1, 1).astype(np.float32)}, attrs=attrs)


def fake_metadata(**changes: object) -> dict[str, object]:
    """Valid metadata of a run."""
    metadata = {"name": "fake", "affect": ["valence", "arousal"], "crop": {}, "recordings": "",
                "input_size": 32, "splits": {}, "datasets": ["fake"]}  # fmt: skip
    return metadata | changes


def local_clusters() -> list[psutil.Process]:
    """The child processes that manage worker processes."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if "affectkit.cluster" in " ".join(child.cmdline()):
                found.append(child)
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests for a GPU on a computer without one."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs a CUDA GPU"))


@pytest.fixture(autouse=True)
def _hide_gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device "auto" is the CPU, except in tests for a GPU: results are compared exactly."""
    if not request.node.get_closest_marker("gpu"):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def recording() -> xr.Dataset:
    return fake_recording("one", subject="ann")


@pytest.fixture
def three_recordings() -> list[xr.Dataset]:
    """Of unequal length; the second has unannotated frames, the third frames without a face."""
    first = fake_recording("first", 40, seed=1, subject="ann", split="train")
    second = fake_recording("second", 60, seed=2, subject="ben", split="validation")
    third = fake_recording("third", 25, seed=3, subject="cam", split="test")
    second["annotation"][10:15] = np.nan
    for name in ("box", "crop_box", "landmark"):
        third[name][5:9] = np.nan
    third["detected"][5:9] = False
    third["face"][5:9] = 0
    return [first, second, third]


@pytest.fixture
def three_stored(three_recordings: list[xr.Dataset], tmp_path: Path) -> Path:
    """The folder with the three recordings on disk."""
    for each in three_recordings:
        save_recording(each, tmp_path / "recordings" / f"{each.attrs['recording']}.zarr")
    return tmp_path / "recordings"


@pytest.fixture(scope="session")
def quick_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a demo with fewer subjects, seconds and epochs than `affectkit demo`."""
    from affectkit.demo import DemoSize, run_demo_of_size

    folder = tmp_path_factory.mktemp("demo")
    run_demo_of_size(folder, DemoSize(*SMALL), workers=1)
    return folder


@pytest.fixture(name="make_recording")
def _make_recording() -> Callable[..., xr.Dataset]:
    """The function `fake_recording`."""
    return fake_recording


@pytest.fixture
def make_prediction() -> Callable[..., xr.Dataset]:
    """The function `fake_prediction`."""
    return fake_prediction


# subjects, seconds and recipe of the smallest demo that runs all steps
SMALL = ((4, 1, 2), 8.0, "quick")
SPLITS = {"train": (60, 45, 60, 50), "validation": (50, 40), "test": (30, 110)}


@pytest.fixture
def recordings(tmp_path) -> Path:
    """The folder of recordings of eight subjects in three splits."""
    seed = 0
    for split, counts in SPLITS.items():
        for count in counts:
            seed += 1
            name = f"person_{seed}"
            attributes = {"subject": name, "split": split, "crop": {"size": 16}}
            recording = fake_recording(name, count, seed, **attributes)
            save_recording(recording, tmp_path / "recordings" / f"{name}.zarr")
    return tmp_path / "recordings"


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    """Make a small recipe; `model__hidden=8` sets model.hidden, text is read as TOML."""

    def make(**changes: object) -> Recipe:
        settings = {
            "model.backbone": "test_resnet",
            "model.dropout": 0.1,
            "windows.length": 20,
            "windows.batch": 3,
            "windows.input_size": 32,
            "training.epochs": 3,
        } | {key.replace("__", "."): value for key, value in changes.items()}
        return read_recipe(
            "quick", **parse_overrides(f"{k}={_toml(v)}" for k, v in settings.items())
        )

    return make


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture
def run(recordings, recipe, tmp_path) -> Path:
    """A run of one epoch; its predictions are poor."""
    fit(recipe(training__epochs=1, model__temporal="gru"), recordings, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def call(monkeypatch, capsys):
    """Run a command; returns its exit status, standard output and standard error."""

    def run_command(*arguments):
        monkeypatch.setattr(sys, "argv", ["affectkit", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return exit_.value.code, captured.out, captured.err

    return run_command
