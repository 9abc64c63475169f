from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from affectkit import paper

REGIONS = ["brows", "eyes", "nose", "mouth", "cheeks", "jaw", "background"]


def fake_attribution(recording: xr.Dataset, seed: int = 0) -> xr.Dataset:
    """Maps on half the crop's grid, and shares of seven regions that add to 1."""
    generator = np.random.default_rng(seed)
    frames, size = recording.sizes["frame"], recording.sizes["row"] // 2
    rows = np.arange(size)
    bump = np.exp(-((rows[:, None] - size * 0.7) ** 2 + (rows - size / 2) ** 2) / size)
    signs = np.sin(np.arange(frames) / 5)[:, None, None]
    maps = bump * signs + generator.normal(0, 0.02, (2, frames, size, size))
    shares = generator.dirichlet(np.arange(1, 15), (2, frames)).reshape(2, frames, 7, 2)
    area = np.tile(generator.dirichlet(np.full(7, 5.0)), (frames, 1))
    coords = {"affect": recording["affect"], "frame": recording["frame"], "region": REGIONS}
    attrs = {
        "recording": recording.attrs["recording"],
        "recording_path": "",
        "method": "gradient_x_input",
    }
    variables = {
        "attribution": (("affect", "frame", "row", "col"), maps.astype(np.float16)),
        "region_share": (("affect", "frame", "region", "direction"), shares.astype(np.float32)),
        "region_area": (("frame", "region"), area.astype(np.float32)),
    }
    return xr.Dataset(variables, coords | {"direction": ["lowers", "raises"]}, attrs)


@pytest.fixture
def attribution(recording: xr.Dataset) -> xr.Dataset:
    return fake_attribution(recording)


@pytest.fixture
def prediction(recording: xr.Dataset, make_prediction: Callable[..., xr.Dataset]) -> xr.Dataset:
    return make_prediction(recording)


@pytest.fixture
def strip(recording: xr.Dataset, prediction: xr.Dataset, attribution: xr.Dataset) -> Figure:
    return paper.film_strip(recording, prediction, attribution, [3, 20, 39], target="arousal")
