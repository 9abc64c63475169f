"""A run of three small recordings; image and saliency of each frame encode its number.

The video has the frame's number as eight bars along its top, white for 1. The saliency map has the
same bits as columns below, so that the overlay shows the number of its frame.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit import results
from affectkit import run as run_folder
from affectkit.datasets import synthetic
from affectkit.metrics import METRICS
from affectkit.recording import make_recording, save_recording
from affectkit.video import read_times, write_video
from tests.conftest import fake_metadata

FPS = 15
FRAMES = 150
WIDTH, HEIGHT = 480, 360
BITS = 8
BAR_HEIGHT = 40
COLUMNS = np.float32([0, 180, WIDTH, 340])  # the crop that the saliency columns fill


class Folders(NamedTuple):
    """The folders that the dashboard is started with."""

    runs: Path
    recordings: Path


def bits(frame: int) -> list[int]:
    return [(frame >> bit) & 1 for bit in range(BITS)]


def write_barcode(path: Path, time: np.ndarray) -> None:
    cell = WIDTH // BITS

    def picture(frame: int) -> np.ndarray:
        rgb = np.full((HEIGHT, WIDTH, 3), 230, np.uint8)
        rgb[:BAR_HEIGHT] = np.repeat(bits(frame), cell)[None, :, None] * 255
        return rgb

    write_video(path, ((float(t), picture(frame)) for frame, t in enumerate(time)), fps=FPS)


def uneven_times() -> np.ndarray:
    """Time stamps from 0.5 s on, with intervals of 1/15, 1/30, 1/15 and 1/10 s in turn."""
    return 0.5 + np.cumsum(np.resize([1 / 15, 1 / 30, 1 / 15, 1 / 10], FRAMES)).round(3)


def barcode_recording(name: str, video: Path, time: np.ndarray, **attrs) -> xr.Dataset:
    frames = len(time)
    angle = time[:, None] * np.array([0.9, 0.6])
    variables = {
        "annotation": (0.7 * np.sin(angle)).astype(np.float32),
        "box": np.tile(np.float32([190, 60, 290, 170]), (frames, 1)),
        "crop_box": np.tile(COLUMNS, (frames, 1)),
        "landmark": np.tile(np.float32([240, 110]), (frames, 68, 1)),
        "detected": np.ones(frames, bool),
    }
    all_attrs = {"recording": name, "dataset": "synthetic", "fps": float(FPS), "width": WIDTH,
                 "height": HEIGHT, "video": str(video), "subject": name}  # fmt: skip
    return make_recording(time, variables, all_attrs | attrs)


def barcode_prediction(recording: xr.Dataset, path: Path) -> xr.Dataset:
    time = recording["time"].values
    values = 0.4 * np.sin(time[:, None] * np.array([0.9, 0.6]) - 0.3) + 0.1
    attrs = {
        "recording": recording.attrs["recording"],
        "recording_path": str(path),
        "run": "joint",
    }
    variables = {"prediction": (("frame", "affect"), values.astype(np.float32))}
    return xr.Dataset(variables, {"frame": recording["frame"], "affect": recording["affect"],
                                  "time": recording["time"]}, attrs)  # fmt: skip


def barcode_attribution(recording: xr.Dataset) -> xr.Dataset:
    frames = recording["frame"].values
    columns = np.array([bits(frame) for frame in frames], np.float16)
    maps = np.broadcast_to(columns[None, :, None, :], (2, len(frames), BITS, BITS))
    shares = np.full((2, len(frames), 2, 2), 0.25, np.float32)
    variables = {
        "attribution": (("affect", "frame", "row", "col"), maps),
        "region_share": (("affect", "frame", "region", "direction"), shares),
        "region_area": (("frame", "region"), np.full((len(frames), 2), 0.5, np.float32)),
    }
    coords = {"affect": recording["affect"], "frame": recording["frame"],
              "region": ["mouth", "background"], "direction": ["lowers", "raises"]}  # fmt: skip
    attrs = {
        "recording": recording.attrs["recording"],
        "method": "gradient_x_input",
        "recording_path": "",
    }
    return xr.Dataset(variables, coords, attrs)


def score_table(
    recordings: list[xr.Dataset], predictions: list[xr.Dataset], split: str
) -> pd.DataFrame:
    names = ["(all)", *(recording.attrs["recording"] for recording in recordings)]
    pairs = list(zip(recordings, predictions, strict=True))
    rows = []
    for name, (recording, prediction) in zip(names, [pairs[0], *pairs], strict=True):
        for metric, function in METRICS.items():
            values = function(recording["annotation"], prediction["prediction"], "frame")
            for affect in ("valence", "arousal"):
                value = float(values.sel(affect=affect))
                rows.append([split, name, affect, metric, value, value - 0.1, value + 0.1, FRAMES,
                             "percentile bootstrap, 4 s blocks resampled, 2000"])  # fmt: skip
    columns = [
        "split",
        "recording",
        "affect",
        "metric",
        "value",
        "low",
        "high",
        "frames",
        "interval",
    ]
    return pd.DataFrame(rows, columns=columns)


def build(folder: Path, first: str = "s01") -> Folders:
    """`first` is complete, `s02` lacks saliency, `own` lacks annotation and video."""
    folders = Folders(folder / "runs", folder / "recordings")
    video = folder / "clip.mp4"
    uneven = folder / "uneven.mp4"
    even = np.arange(FRAMES) / FPS
    write_barcode(video, even)
    write_barcode(uneven, uneven_times())
    recordings = [
        barcode_recording(first, video, even, split="test"),
        barcode_recording("s02", uneven, uneven_times()),
    ]
    own = barcode_recording("own", folder / "gone.mp4", even, dataset="", subject="")
    own["annotation"][:] = np.nan
    own["detected"][30:60] = False
    own["box"][30:60] = np.nan
    run = folders.runs / "joint"
    predictions = []
    for recording in [*recordings, own]:
        path = folders.recordings / f"{recording.attrs['recording']}.zarr"
        save_recording(recording, path)
        predictions.append(barcode_prediction(recording, path))
        path = results.prediction_path(run, recording.attrs["recording"])
        results.save_result(predictions[-1], path)
    results.save_result(
        barcode_attribution(recordings[0]),
        results.attribution_path(run, "gradient_x_input", first),
    )
    for name in ("joint", "cnn"):
        run_folder.write_metadata(folders.runs / name, fake_metadata(
            name=name, backbone="mobilenetv3_small_050",
            temporal="gru" if name == "joint" else "none", loss="ccc", seed=3,
            sequence_length=80, datasets=["synthetic"], splits={"test": [first, "s02"]},
            recordings=str(folders.recordings),
        ))  # fmt: skip
        run_folder.write_scores(
            folders.runs / name, score_table(recordings, predictions[:2], "test")
        )
    return folders


def add_synthetic_recording(folders: Folders, folder: Path) -> Path:
    """Add a recording of a synthetic video, as in the demo; returns the video."""
    synthetic.write_synthetic(folder, subjects=(1, 1, 1), seconds=6.0, workers=1)
    video = synthetic.index(folder)["video"].iloc[-1]
    path = folders.recordings / "synthetic.zarr"
    recording = barcode_recording("synthetic", video, read_times(video), width=256, height=256)
    save_recording(recording, path)
    path = results.prediction_path(folders.runs / "joint", "synthetic")
    results.save_result(barcode_prediction(recording, path), path)
    return Path(video)


@pytest.fixture(autouse=True)
def own_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore `__main__`: AppTest replaces it by its page, which later processes would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return build(tmp_path_factory.mktemp("dashboard"))


class FoldersWithVideo(NamedTuple):
    folders: Folders
    video: Path


@pytest.fixture(scope="session")
def folders_with_video(tmp_path_factory: pytest.TempPathFactory) -> FoldersWithVideo:
    """The same runs, and a prediction of a synthetic video."""
    folder = tmp_path_factory.mktemp("synthetic")
    folders = build(folder)
    return FoldersWithVideo(folders, add_synthetic_recording(folders, folder / "dataset"))
