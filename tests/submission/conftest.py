from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import xarray as xr

FPS = 25


class Case(NamedTuple):
    """A challenge, the organisers' sample, and predictions."""

    challenge: str
    sample: Path
    predictions: dict[str, xr.Dataset]


def fake(frames: int, seed: int) -> xr.Dataset:
    """A prediction with some values outside [-1, 1]."""
    values = np.random.default_rng(seed).normal(0, 0.6, (frames, 2)).astype(np.float32)
    coords = {
        "frame": np.arange(frames),
        "time": ("frame", np.arange(frames) / FPS),
        "affect": ["valence", "arousal"],
    }
    return xr.Dataset({"prediction": (("frame", "affect"), values)}, coords)


def write_abaw(folder: Path) -> Path:
    lines = [f"{name}/{k:05d}.jpg,0,0" for name in ("102", "7_left") for k in range(1, 41)]
    path = folder / "sample.txt"
    path.write_text("\n".join(["image_location,valence,arousal", *lines, ""]))
    return path


def write_abaw2020(folder: Path) -> Path:
    sample = folder / "tracks"
    sample.mkdir()
    for name in ("102", "7_left"):
        (sample / f"{name}.txt").write_text("valence,arousal\n" + "0,0\n" * 40)
    return sample


def write_omg(folder: Path) -> Path:
    """With a space after a key, and two last rows without keys, one of them incomplete."""
    path = folder / "omg_TestVideos_WithoutLabels.csv"
    path.write_text(
        "link,start,end,video,utterance\n"
        "https://example.org,1.0,2.0,abc_1,utterance_1.mp4 \n"
        "https://example.org,2.0,3.5,abc_1,utterance_12.mp4\n"
        "https://example.org,0.0,4.0,xyz,utterance_1.mp4\n"
        ",,,,\n"
        "https://example.org,1.0\n"
    )
    return path


def write_sewa(folder: Path) -> Path:
    """Labels at 10 Hz, until two seconds after the last frame."""
    sample = folder / "labels"
    sample.mkdir()
    for name in ("Devel_DE_01", "Devel_HU_02"):
        rows = [f"'{name}';{k / 10:.6f};0.000000;0.000000;0.000000" for k in range(36)]
        text = "\n".join(["name;timestamp;arousal;valence;liking", *rows, ""])
        (sample / f"{name}.csv").write_text(text)
    return sample


def write_recola(folder: Path) -> Path:
    sample = folder / "ratings_gold_standard" / "arousal"
    sample.mkdir(parents=True)
    for name in ("dev_1", "dev_2"):
        header = "@relation GOLDSTANDARD\n\n@attribute Instance_name string\n"
        header += "@attribute frameTime numeric\n@attribute GoldStandard numeric\n\n\n@data\n\n"
        rows = [f"{name},{k / 25:g},0.0121\n" for k in range(38)]
        (sample / f"{name}.arff").write_text((header + "".join(rows)).replace("\n", "\r\n"))
    return sample.parent


SAMPLES = {
    "abaw": (write_abaw, ("102", "7_left")),
    "abaw2020": (write_abaw2020, ("102", "7_left")),
    "omg": (write_omg, ("abc_1_utterance_1", "abc_1_utterance_12", "xyz_utterance_1")),
    "sewa": (write_sewa, ("Devel_DE_01", "Devel_HU_02")),
    "recola": (write_recola, ("dev_1", "dev_2")),
}


@pytest.fixture
def make_case(tmp_path):
    def make(challenge: str) -> Case:
        write_sample, names = SAMPLES[challenge]
        predictions = {name: fake(40, seed) for seed, name in enumerate(names)}
        return Case(challenge, write_sample(tmp_path), predictions)

    return make
